"""Where the facts of records stand on their pages, kept beside them so that a chart reads no page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

from domain.document import Fact, OcrDocument, OcrPage
from storage.page_codec import fact_from_json, page_from_json
from storage.tables import documents, fact_places, pages

Boxes = tuple[tuple[float, ...], ...]
DECIMALS = 1  # a tenth of a pixel is finer than any box is known


def keep(tx: sa.Connection, document: OcrDocument) -> None:
    """Keep, or keep anew, the boxes of a record's facts."""
    tx.execute(fact_places.delete().where(fact_places.c.document_id == document.document_id))
    boxes = [boxes_of(fact, {page.number: page for page in document.pages}) for fact in document.facts]
    tx.execute(fact_places.insert().values(document_id=document.document_id, boxes=boxes))


def of_documents(tx: sa.Connection, facts: Mapping[str, Sequence[Fact]]) -> dict[str, tuple[Boxes, ...]]:
    """Boxes of each fact of these records; what an older program did not keep is worked out from the pages."""
    found: dict[str, tuple[Boxes, ...]] = {}
    ids = list(facts)
    for start in range(0, len(ids), 500):  # SQLite takes a bounded number of parameters
        rows = tx.execute(sa.select(fact_places).where(fact_places.c.document_id.in_(ids[start : start + 500])))
        found |= {row.document_id: tuple(tuple(map(tuple, boxes)) for boxes in row.boxes) for row in rows}
    missing = [one for one in ids if len(found.get(one, ())) != len(facts[one])]
    if missing:
        sheets: dict[str, dict[int, OcrPage]] = {one: {} for one in missing}
        for row in tx.execute(sa.select(pages).where(pages.c.document_id.in_(missing[:500]))):
            sheets[row.document_id][row.number] = page_from_json(row.number, row.content)
        for one in missing:
            found[one] = tuple(boxes_of(fact, sheets[one]) for fact in facts[one])
    return found


def fill(tx: sa.Connection) -> int:
    """Keep what an older program did not; returns for how many records."""
    kept = sa.select(fact_places.c.document_id)
    rows = tx.execute(
        sa.select(documents.c.document_id, documents.c.facts).where(documents.c.document_id.notin_(kept))
    ).all()
    for row in rows:
        content = tx.execute(sa.select(pages).where(pages.c.document_id == row.document_id))
        sheets = {page.number: page_from_json(page.number, page.content) for page in content}
        boxes = [boxes_of(fact_from_json(fact), sheets) for fact in row.facts]
        tx.execute(fact_places.insert().values(document_id=row.document_id, boxes=boxes))
    return len(rows)


def boxes_of(fact: Fact, sheets: Mapping[int, OcrPage]) -> Boxes:
    """[left, top, right, bottom] of each word of a fact, in pixels of its page."""
    page = sheets.get(fact.page)
    words = page.words if page else ()
    inside: Iterable[int] = (index for index in fact.word_indices if index < len(words))
    return tuple(tuple(round(float(side), DECIMALS) for side in words[index].box.as_list()) for index in inside)

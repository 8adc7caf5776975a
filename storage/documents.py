"""Records: filed whole in one transaction, corrected word by word with their history, moved between patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import sqlalchemy as sa

from domain.document import Correction, Fact, OcrDocument, OcrPage, TextLine, TextWord
from domain.errors import NotAllowed, NothingFound, UploadRejected
from domain.models import ModelStamp
from storage import fact_places
from storage.page_codec import fact_from_json, fact_to_json, page_from_json, page_to_json
from storage.patients import check_own_chart
from storage.tables import corrections, documents, pages, patients

MAX_WORD_CHARS = 200
UNKNOWN_RECORD = "No record has this id. It may have been removed; choose one from the list."


@dataclass(frozen=True, slots=True)
class Filing:
    """Where a record's bytes lie in the file store, and what the upload was called."""

    source_sha256: str
    source_name: str
    pdf_sha256: str


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """A line of a list of records; `confidence` is the mean over its words, 0 to 1. `patient_name` "" is nobody's."""

    document_id: str
    patient_id: str
    title: str
    kind: str
    document_date: date | None
    created_at: datetime
    page_count: int
    confidence: float
    revision: int
    model_id: str
    patient_name: str


def file(tx: sa.Connection, document: OcrDocument, filing: Filing) -> None:
    """Keep a new record; the search index is behind until `mark_indexed`.

    Raises NotAllowed for a chart that was merged away.
    """
    tx.execute(
        documents.insert().values(
            document_id=document.document_id,
            patient_id=document.patient_id or None,
            title=document.title[:300],
            kind=document.kind,
            language=document.language,
            document_date=document.document_date,
            created_at=document.created_at,
            model_id=document.model.id,
            model_revision=document.model.revision,
            warnings=list(document.warnings),
            facts=[fact_to_json(fact) for fact in document.facts],
            revision=document.revision,
            page_count=len(document.pages),
            confidence=_confidence(document.pages),
            source_sha256=filing.source_sha256,
            source_name=filing.source_name[:300],
            pdf_sha256=filing.pdf_sha256,
            indexed_revision=0,
        )
    )
    rows = [
        {"document_id": document.document_id, "number": page.number, "content": page_to_json(page)}
        for page in document.pages
    ]
    if rows:
        tx.execute(pages.insert(), rows)
    fact_places.keep(tx, document)
    check_own_chart(tx, document.patient_id)


def get(tx: sa.Connection, document_id: str) -> OcrDocument:
    """Raises NothingFound for an unknown id."""
    row = _row(tx, document_id)
    content = tx.execute(
        sa.select(pages.c.number, pages.c.content).where(pages.c.document_id == document_id).order_by(pages.c.number)
    )
    return OcrDocument(
        document_id=row.document_id,
        patient_id=row.patient_id or "",
        title=row.title,
        pages=tuple(page_from_json(number, page) for number, page in content),
        model=ModelStamp(row.model_id, row.model_revision),
        created_at=_aware(row.created_at),
        language=row.language,
        kind=row.kind,
        document_date=row.document_date,
        facts=tuple(fact_from_json(fact) for fact in row.facts),
        warnings=tuple(row.warnings),
        revision=row.revision,
    )


def page_of(tx: sa.Connection, document_id: str, number: int) -> OcrPage:
    """One page without the rest; raises NothingFound."""
    content = tx.scalar(sa.select(pages.c.content).where(pages.c.document_id == document_id, pages.c.number == number))
    if content is None:
        raise NothingFound(f"The record has no page {number}. Choose one of its pages.")
    return page_from_json(number, content)


def owner_and_revision(tx: sa.Connection, document_id: str) -> tuple[str, int]:
    """Patient id ("" for nobody) and revision of a record; nothing else of it is read. Raises NothingFound."""
    found = sa.select(documents.c.patient_id, documents.c.revision).where(documents.c.document_id == document_id)
    row = tx.execute(found).first()
    if row is None:
        raise NothingFound(UNKNOWN_RECORD)
    return row.patient_id or "", row.revision


def filing_of(tx: sa.Connection, document_id: str) -> Filing:
    """Raises NothingFound for an unknown id."""
    row = _row(tx, document_id)
    return Filing(row.source_sha256, row.source_name, row.pdf_sha256)


def same_source(tx: sa.Connection, source_sha256: str, patient_id: str) -> str:
    """Id of a record of this patient (or of nobody) made from the same bytes, else ""."""
    patient = documents.c.patient_id == patient_id if patient_id else documents.c.patient_id.is_(None)
    found = sa.select(documents.c.document_id).where(documents.c.source_sha256 == source_sha256, patient)
    return tx.scalar(found.order_by(documents.c.created_at).limit(1)) or ""


def summaries(tx: sa.Connection, patient_id: str | None = None, limit: int = 200) -> tuple[DocumentSummary, ...]:
    """Newest first; of one patient, of nobody (""), or of all (None)."""
    listed = [documents.c[name] for name in DocumentSummary.__dataclass_fields__ if name in documents.c]
    named = sa.func.coalesce(patients.c.name, "").label("patient_name")
    query = sa.select(*listed, named).outerjoin(patients).order_by(documents.c.created_at.desc()).limit(limit)
    if patient_id is not None:
        mine = documents.c.patient_id == patient_id if patient_id else documents.c.patient_id.is_(None)
        query = query.where(mine)
    rows = tx.execute(query)
    return tuple(
        DocumentSummary(**{**row._mapping, "patient_id": row.patient_id or "", "created_at": _aware(row.created_at)})
        for row in rows
    )


def facts_of(tx: sa.Connection, patient_id: str) -> tuple[Fact, ...]:
    """What was understood in all of a patient's records, the newest record first; no page is read for it."""
    query = sa.select(documents.c.facts).where(documents.c.patient_id == patient_id)
    rows = tx.execute(query.order_by(documents.c.created_at.desc())).scalars()
    return tuple(fact_from_json(fact) for facts in rows for fact in facts)


def correct_word(
    tx: sa.Connection, document_id: str, page: int, word_index: int, text: str, by: str
) -> tuple[OcrDocument, Correction]:
    """Replace one word by what a person reads; the old reading goes into the history.

    Raises NothingFound for no such word, UploadRejected for a text that is no word.
    """
    text = " ".join(text.split())
    if not text or len(text) > MAX_WORD_CHARS or not text.isprintable():
        raise UploadRejected(
            f"A word must have 1 to {MAX_WORD_CHARS} visible characters, so nothing was changed. Type the word again."
        )
    # The row lock makes two people who correct one record wait for each other.
    tx.execute(sa.select(documents.c.revision).where(documents.c.document_id == document_id).with_for_update())
    before = get(tx, document_id)
    old_page = page_of(tx, document_id, page)
    if not 0 <= word_index < len(old_page.words):
        raise NothingFound(f"Page {page} has no word number {word_index}. Open the page again and choose the word.")
    old = old_page.words[word_index]
    mended = replace(old, text=text, confidence=1.0, machine_text=old.machine_text or old.text)
    new_page = replace(old_page, lines=_with_word(old_page.lines, word_index, mended))
    correction = Correction(document_id, page, word_index, old.text, text, datetime.now(UTC), by)
    new_pages = tuple(new_page if known.number == page else known for known in before.pages)
    after = replace(before, pages=new_pages, revision=before.revision + 1)
    tx.execute(
        pages.update()
        .where(pages.c.document_id == document_id, pages.c.number == page)
        .values(content=page_to_json(new_page))
    )
    tx.execute(
        documents.update()
        .where(documents.c.document_id == document_id)
        .values(revision=after.revision, confidence=_confidence(after.pages))
    )
    tx.execute(
        corrections.insert().values(
            document_id=document_id,
            page=page,
            word_index=word_index,
            old_text=old.text,
            new_text=text,
            corrected_at=correction.corrected_at,
            corrected_by=by,
        )
    )
    return after, correction


def replace_reading(tx: sa.Connection, document: OcrDocument, pdf_sha256: str) -> None:
    """After a correction: the facts, date and PDF that follow from it. Raises NotAllowed if another came between."""
    done = tx.execute(
        documents.update()
        .where(documents.c.document_id == document.document_id, documents.c.revision == document.revision)
        .values(
            facts=[fact_to_json(fact) for fact in document.facts],
            document_date=document.document_date,
            pdf_sha256=pdf_sha256,
        )
    )
    if done.rowcount != 1:
        raise NotAllowed("Someone corrected this record at the same moment. Open it again to see both changes.")
    fact_places.keep(tx, document)


def move(tx: sa.Connection, document_id: str, patient_id: str, warnings: Sequence[str] | None = None) -> None:
    """File a record to another patient, or to nobody (""); the index is behind until it follows.

    `warnings` replace those it had, where given."""
    _row(tx, document_id)
    # A new revision: whoever indexes the record as it was cannot mark this one as done.
    values = {"patient_id": patient_id or None, "revision": documents.c.revision + 1}
    if warnings is not None:
        values["warnings"] = list(warnings)
    tx.execute(documents.update().where(documents.c.document_id == document_id).values(**values))
    check_own_chart(tx, patient_id)


def history(tx: sa.Connection, document_id: str) -> tuple[Correction, ...]:
    """All corrections of a record, oldest first."""
    names = [name for name in Correction.__dataclass_fields__]
    query = sa.select(*(corrections.c[name] for name in names)).where(corrections.c.document_id == document_id)
    rows = tx.execute(query.order_by(corrections.c.correction_id))
    return tuple(Correction(**{**row._mapping, "corrected_at": _aware(row.corrected_at)}) for row in rows)


def behind_index(tx: sa.Connection) -> tuple[str, ...]:
    """Records whose passages are not, or no longer, what the search index holds."""
    query = sa.select(documents.c.document_id).where(documents.c.indexed_revision < documents.c.revision)
    return tuple(tx.execute(query.order_by(documents.c.created_at)).scalars())


def all_ids(tx: sa.Connection) -> tuple[str, ...]:
    return tuple(tx.execute(sa.select(documents.c.document_id)).scalars())


def mark_indexed(tx: sa.Connection, document_id: str, revision: int) -> None:
    """The index now holds this revision; without effect where the record has moved on meanwhile."""
    same = sa.and_(documents.c.document_id == document_id, documents.c.revision == revision)
    tx.execute(documents.update().where(same).values(indexed_revision=revision))


def files_in_use(tx: sa.Connection) -> frozenset[str]:
    """SHA-256 of every file that some record still needs."""
    rows = tx.execute(sa.select(documents.c.source_sha256, documents.c.pdf_sha256))
    return frozenset(sha for row in rows for sha in row)


def _row(tx: sa.Connection, document_id: str) -> sa.Row:
    row = tx.execute(sa.select(documents).where(documents.c.document_id == document_id)).first()
    if row is None:
        raise NothingFound(UNKNOWN_RECORD)
    return row


def _with_word(lines: Sequence[TextLine], word_index: int, word: TextWord) -> tuple[TextLine, ...]:
    changed, passed = [], 0
    for line in lines:
        place = word_index - passed
        if 0 <= place < len(line.words):
            line = TextLine((*line.words[:place], word, *line.words[place + 1 :]))
        changed.append(line)
        passed += len(line.words)
    return tuple(changed)


def _confidence(all_pages: Sequence[OcrPage]) -> float:
    words = [word for page in all_pages for word in page.words]
    total = sum(len(word.text) for word in words)
    return sum(word.confidence * len(word.text) for word in words) / total if total else 0.0


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


__all__ = ["DocumentSummary", "Fact", "Filing"]

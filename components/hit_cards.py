"""A search hit as the page shows it: plain data for the part `hits`, made from domain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.page_files import page_picture_path, pdf_path
from domain.document import Box, Hit, OcrDocument, OcrPage

REGION_ASPECT = 2.2  # width over height of the cut-out that shows a passage
REGION_MARGIN = 0.04  # of the page's width, around the passage
SHOWN = 10  # hits, denials not counted
DENIALS = 4  # beside them: what is denied is news as well, and must not be crowded out by what is merely like it
MAX_TAKEN_FOR = 6  # clinical names beside the number of hits: a whole story would fill a phone's screen
MIN_REGION = 0.45  # of the page's width: a single word is shown with what stands around it


def choose(hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """The hits that a page shows, in their order: the best ones, and some that deny what was asked."""
    others = [hit for hit in hits if not hit.negated][:SHOWN]
    denials = [hit for hit in hits if hit.negated and hit.named][:DENIALS]
    return tuple(hit for hit in hits if hit in others or hit in denials)


def present_hits(
    hits: Sequence[Hit],
    documents: dict[str, OcrDocument],
    names: dict[str, str],
    took_ms: float,
    taken_for: Sequence[str] = (),
) -> dict[str, Any]:
    """`documents`: every hit's record by id; `names`: a patient's name by id; `taken_for`: what was asked, in clinical
    words, where the person used other ones."""
    title = f"{len(hits)} {'place' if len(hits) == 1 else 'places'} found in {took_ms:.0f} ms"
    if taken_for:
        title += f" · taken for: {', '.join(taken_for[:MAX_TAKEN_FOR])}"
    shown = [_present_hit(hit, documents[hit.passage.document_id], names) for hit in hits]
    return {"title": title, "message": "", "hits": shown}


def present_no_hits(message: str) -> dict[str, Any]:
    """A search that found nothing is an answer, not an error."""
    return {"title": "Nothing found", "message": message, "hits": []}


def present_segments(hit: Hit, page: OcrPage) -> list[dict[str, Any]]:
    """The passage cut into stretches that are lit or not. A word is lit when the hit's boxes hold it.

    A hit by meaning alone has no word in common with the query: then nothing is lit, rather than everything.
    """
    if not hit.matched_terms:
        return [{"text": hit.passage.text, "lit": False}]
    segments: list[dict[str, Any]] = []
    for index in hit.passage.word_indices:
        word = page.words[index]
        lit = any(_holds(box, word.box) for box in hit.boxes)
        if segments and segments[-1]["lit"] == lit:
            segments[-1]["text"] += " " + word.text
        elif segments and lit:  # the space stays outside of the light
            segments[-1]["text"] += " "
            segments.append({"text": word.text, "lit": True})
        else:
            segments.append({"text": " " + word.text if segments else word.text, "lit": lit})
    return segments


def marks_of(hit: Hit) -> tuple[Box, ...]:
    """What to mark on the page: the matching words, or one frame around a passage that is alike in meaning alone."""
    if hit.matched_terms or not hit.boxes:
        return hit.boxes
    return (Box.covering(hit.boxes),)


def region_of(hit: Hit, page: OcrPage) -> list[float]:
    """[x, y, width, height] in pixels of the page: a cut-out as wide as the passage and of even shape, so that its text
    stays readable, with the first mark in its upper half. A passage longer than that runs out of it."""
    boxes = [page.words[i].box for i in hit.passage.word_indices if i < len(page.words)] or list(hit.boxes)
    if not boxes:
        return [0.0, 0.0, float(page.width_px), float(page.height_px)]
    passage, marks = Box.covering(boxes), marks_of(hit) or boxes
    first = min(marks, key=lambda box: box.top)
    margin = page.width_px * REGION_MARGIN
    width = min(page.width_px, max(passage.width + 2 * margin, page.width_px * MIN_REGION))
    height = min(page.height_px, width / REGION_ASPECT)
    x = _inside((passage.left + passage.right - width) / 2, page.width_px - width)
    y = _inside(min((passage.top + passage.bottom - height) / 2, first.top - margin), page.height_px - height)
    if y + height < first.bottom:
        y = _inside(first.top - height / 3, page.height_px - height)
    return [round(side, 1) for side in (x, y, width, height)]


def _present_hit(hit: Hit, document: OcrDocument, names: dict[str, str]) -> dict[str, Any]:
    passage = hit.passage
    page = document.pages[passage.page - 1]
    return {
        "document_id": passage.document_id,
        "title": document.title,
        "patient": names.get(document.patient_id, "filed to nobody"),
        "kind": "" if document.kind == "other" else document.kind.replace("_", " "),
        "date": document.document_date.isoformat() if document.document_date else "",
        "page": passage.page,
        "page_count": len(document.pages),
        "segments": present_segments(hit, page),
        "keyword_rank": hit.keyword_rank,
        "semantic_rank": hit.semantic_rank,
        "negated": hit.negated,
        "named": hit.named,
        "boxes": [box.as_list() for box in marks_of(hit)],
        "region": region_of(hit, page),
        "rotation_deg": page.rotation_deg,
        "width_px": page.width_px,
        "height_px": page.height_px,
        "image_path": page_picture_path(passage.document_id, passage.page),
        "pdf_path": pdf_path(passage.document_id, document.revision),
    }


def _holds(outer: Box, inner: Box) -> bool:
    """The middle of `inner` lies in `outer`."""
    x, y = (inner.left + inner.right) / 2, (inner.top + inner.bottom) / 2
    return outer.left <= x <= outer.right and outer.top <= y <= outer.bottom


def _inside(start: float, room: float) -> float:
    return min(max(0.0, start), max(0.0, room))

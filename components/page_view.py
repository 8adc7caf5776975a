"""A record as the page shows it: plain data for the part `record_view`, made from domain values.

Only the shown page brings its words along, so a record of hundreds of pages stays light. Nothing here is markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from components.page_files import page_picture_path, pdf_path
from domain.document import Box, Correction, Fact, FactKind, OcrDocument, OcrPage, PageSource, TextWord

LINES_OF_DOUBT = np.round(np.arange(0.50, 1.005, 0.01), 2)  # where the slider can stand: 50 % to 100 %
CONFIDENCE_DECIMALS = 4
BOX_DECIMALS = 1
EXCERPT_CHARS = 220

FACT_GROUPS = (
    # allergies before all else: the one line that must not be missed
    ("Allergies", (FactKind.ALLERGY,)),
    ("Identity", (FactKind.NAME, FactKind.BIRTH_DATE, FactKind.RECORD_NUMBER)),
    ("Medications", (FactKind.MEDICATION,)),
    ("Lab values", (FactKind.LAB,)),
    ("Diagnoses and findings", (FactKind.DIAGNOSIS,)),
    ("Dates", (FactKind.DATE,)),
)
SOURCE_NAMES = {
    PageSource.OCR: "",
    PageSource.BORN_DIGITAL: "The PDF brought its own text; it is kept as it is.",
    PageSource.TYPED: "",
}


@dataclass(frozen=True, slots=True)
class Context:
    """What the page knows around a record: whose it is, and what stands in the way of filing it.

    `patient_label`: whom it is filed to, "" for nobody. `may_file_to`: name of the chosen patient when the record
    could be filed to them. `other_patient`: the record belongs to somebody else than the chosen `patient_id`.
    `conflict`: rows as records_tab.present_conflicts makes them, or none. `lit_boxes`: what a search hit
    marks on the page; `wish` names the click that asked for it.
    """

    patient_label: str = ""
    may_file_to: str = ""
    patient_id: str = ""
    other_patient: bool = False
    conflict: tuple[dict[str, Any], ...] = ()
    lit_boxes: tuple[tuple[float, ...], ...] = ()
    wish: str = ""


def present_record(
    document: OcrDocument, number: int, corrections: Sequence[Correction] = (), context: Context = Context()
) -> dict[str, Any]:
    """The whole view with page `number` open; a number outside the record opens the nearest page."""
    number = min(max(1, number), len(document.pages))
    return {
        "state": "record",
        "document_id": document.document_id,
        "title": document.title,
        "kind": "" if document.kind == "other" else document.kind.replace("_", " "),
        "date": document.document_date.isoformat() if document.document_date else "",
        "model": document.model.id,
        "revision": document.revision,
        "wish": context.wish,
        "confidence": confidence_of(document),
        "patient_label": context.patient_label,
        "may_file": context.may_file_to if not context.conflict else "",
        "conflict": _conflict(context),
        "other_patient": context.other_patient,
        "chosen_patient_id": context.patient_id,
        "notes": _notes(document),
        "pdf_path": pdf_path(document.document_id, document.revision),
        "download_path": pdf_path(document.document_id, document.revision, download=True),
        "pages": [present_page_summary(page) for page in document.pages],
        "page": _present_page(document.document_id, document.pages[number - 1], context.lit_boxes),
        "facts": present_facts(document.facts),
        "history": [_present_correction(correction) for correction in reversed(corrections)],
    }


def present_page(document_id: str, revision: int, page: OcrPage) -> dict[str, Any]:
    """Another page of the record that is open already; everything else of the view stays as it is."""
    return {"state": "page", "document_id": document_id, "revision": revision, "page": _present_page(document_id, page)}


def present_reading(latest: Sequence[OcrPage], count: int) -> dict[str, Any]:
    """What was read so far, while the rest is being read: how many pages, and the latest of them, newest first."""
    shown = [
        {
            "number": page.number,
            "words": len(page.words),
            "confidence": round(page.confidence, CONFIDENCE_DECIMALS),
            "warnings": list(page.warnings),
            "excerpt": _excerpt(page),
        }
        for page in reversed(latest)
    ]
    return {"state": "reading", "count": count, "pages": shown}


def present_nothing(title: str, text: str) -> dict[str, Any]:
    """The view while no record is open."""
    return {"state": "empty", "title": title, "text": text}


def present_page_summary(page: OcrPage) -> dict[str, Any]:
    """One line of the page list. `doubt`: how many unmended words lie below each line of LINES_OF_DOUBT."""
    unmended = sorted(round(w.confidence, CONFIDENCE_DECIMALS) for w in page.words if w.machine_text is None)
    return {
        "number": page.number,
        "words": len(page.words),
        "confidence": round(page.confidence, CONFIDENCE_DECIMALS),
        "warnings": list(page.warnings),
        "doubt": np.searchsorted(unmended, LINES_OF_DOUBT, side="left").tolist(),
    }


def present_facts(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    """Facts in groups, in FACT_GROUPS' order; a group without facts is left out.

    What is said in several places is listed once, with all its places: a long record repeats its header on every page.
    """
    groups = []
    for title, kinds in FACT_GROUPS:
        members: dict[tuple[Any, ...], dict[str, Any]] = {}
        for fact in (fact for fact in facts if fact.kind in kinds):
            said = (fact.kind, fact.label.casefold(), fact.value.casefold(), fact.unit, fact.flag, fact.negated)
            place = {"page": fact.page, "word_indices": list(fact.word_indices)}
            if said in members:
                members[said]["places"].append(place)
            else:
                members[said] = _present_fact(fact, f"{title}-{len(members)}") | {"places": [place]}
        if members:
            alarm = title == "Allergies" and not all(member["negated"] for member in members.values())
            groups.append({"title": title, "alarm": alarm, "facts": list(members.values())})
    return groups


def confidence_of(document: OcrDocument) -> float:
    """Mean over all words, weighted by their length; 0.0 without words."""
    weights = [sum(len(word.text) for word in page.words) for page in document.pages]
    total = sum(weights)
    if not total:
        return 0.0
    mean = sum(page.confidence * weight for page, weight in zip(document.pages, weights, strict=True)) / total
    return round(mean, CONFIDENCE_DECIMALS)


def boxes_from(values: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
    """Boxes that come back from the browser, checked: four finite numbers each, not inside out."""
    return tuple(tuple(Box(*(float(side) for side in value)).as_list()) for value in values)


def _present_page(document_id: str, page: OcrPage, lit: tuple[tuple[float, ...], ...] = ()) -> dict[str, Any]:
    source = SOURCE_NAMES[page.source]
    return {
        "number": page.number,
        "width_px": page.width_px,
        "height_px": page.height_px,
        "rotation_deg": page.rotation_deg,
        "image_path": page_picture_path(document_id, page.number),
        "warnings": [*page.warnings, *([source] if source else [])],
        "words": [_present_word(index, word) for index, word in enumerate(page.words)],
        "lit_boxes": [list(box) for box in lit],
    }


def _present_word(index: int, word: TextWord) -> dict[str, Any]:
    return {
        "index": index,
        "text": word.text,
        "confidence": round(float(word.confidence), CONFIDENCE_DECIMALS),
        "machine_text": word.machine_text,
        "quad": [round(float(side), BOX_DECIMALS) for point in word.quad for side in point],
    }


def _present_fact(fact: Fact, key: str) -> dict[str, Any]:
    return {
        "key": key,
        "kind": fact.kind.value,
        "label": fact.label[:1].upper() + fact.label[1:],
        "value": "" if fact.value == fact.label else fact.value,
        "unit": fact.unit,
        "flag": fact.flag,
        "reference": fact.reference,
        "negated": fact.negated,
        "confidence": round(float(fact.confidence), CONFIDENCE_DECIMALS),
    }


def _present_correction(correction: Correction) -> dict[str, Any]:
    return {
        "page": correction.page,
        "word_index": correction.word_index,
        "old_text": correction.old_text,
        "new_text": correction.new_text,
        "when": f"{correction.corrected_at:%Y-%m-%d %H:%M}",
        "who": correction.corrected_by,
    }


def _conflict(context: Context) -> dict[str, Any] | None:
    if not context.conflict:
        return None
    return {"patient_name": context.may_file_to, "rows": [dict(row) for row in context.conflict]}


def _notes(document: OcrDocument) -> list[str]:
    """What concerns the whole record; a page's own warnings stand beside the page."""
    of_pages = {warning for page in document.pages for warning in page.warnings}
    return [warning for warning in dict.fromkeys(document.warnings) if warning not in of_pages]


def _excerpt(page: OcrPage) -> str:
    text = " ".join(page.text.split())
    return text if len(text) <= EXCERPT_CHARS else text[:EXCERPT_CHARS].rsplit(" ", 1)[0] + " …"

"""The shapes that browsers, scripts, MCP clients and the command line rely on, made from our values in one place.

Keys may be added, never renamed or dropped. Boxes are [left, top, right, bottom] in pixels of the page, scores and
confidence 0 to 1, times seconds, dates ISO 8601 with zone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from domain.audit import AuditEvent, Examination
from domain.document import Fact, Hit, OcrDocument, OcrPage, TextWord
from domain.imaging import ScanReading
from domain.models import ModelCard, ModelStamp
from domain.patient import Patient

BOX_DECIMALS = 1  # a tenth of a pixel is finer than any box is known
SCORE_DECIMALS = 4


def patient(value: Patient) -> dict[str, Any]:
    """A patient with the fields a picker shows."""
    return {
        "patient_id": value.patient_id,
        "name": value.name,
        "birth_date": value.birth_date.isoformat(),
        "sex": value.sex,
        "record_number": value.record_number,
        "created_at": value.created_at.isoformat(),
        "synthetic": value.synthetic,
    }


def stamp(value: ModelStamp) -> dict[str, str]:
    """Which model made a result."""
    return {"id": value.id, "revision": value.revision}


def document(value: OcrDocument) -> dict[str, Any]:
    """A record with every page, word and box."""
    return {
        "document_id": value.document_id,
        "patient_id": value.patient_id,
        "title": value.title,
        "kind": value.kind,
        "language": value.language,
        "document_date": value.document_date.isoformat() if value.document_date else None,
        "created_at": value.created_at.isoformat(),
        "revision": value.revision,
        "pages": [_page(page) for page in value.pages],
        "facts": [_fact(fact) for fact in value.facts],
        "model": stamp(value.model),
        "warnings": list(value.warnings),
    }


def hits(values: Iterable[Hit], took_ms: float, message: str = "") -> dict[str, Any]:
    """The answer of a search; `message` says why there is no hit, when there is none."""
    return {"hits": [_hit(value) for value in values], "took_ms": round(took_ms, 1), "message": message}


def reading(value: ScanReading, reading_id: str) -> dict[str, Any]:
    """A scan reading; without findings when it abstained."""
    shown = value.explanation
    return {
        "reading_id": reading_id,
        "task": value.task,
        "abstained": value.abstained,
        "reason": value.reason,
        "reason_code": None if value.doubt is None else value.doubt.code,
        "findings": [
            {
                "label": finding.label,
                "score": round(finding.score, SCORE_DECIMALS),
                "threshold": round(finding.threshold, SCORE_DECIMALS),
                "positive": finding.positive,
                "calibrated": finding.calibrated,
            }
            for finding in value.findings
        ],
        "prediction_set": list(value.prediction_set),
        "explanation": None
        if shown is None
        else {
            "label": shown.label,
            "reliable": shown.reliable,
            "caption": shown.caption,
            "deleted": [round(float(share), SCORE_DECIMALS) for share in shown.deleted],
            "by_map": [round(float(left), SCORE_DECIMALS) for left in shown.by_map],
            "by_chance": [round(float(left), SCORE_DECIMALS) for left in shown.by_chance],
        },
        "model": stamp(value.model),
        "warnings": list(value.warnings),
    }


def trail(events: Iterable[AuditEvent], checkpoint: str, examined: Examination, compared_with: int) -> dict[str, Any]:
    """The trail, and whether it is whole. `checkpoint`: signed text to keep elsewhere; "" while it is not whole."""
    return {
        "events": [_event(event) for event in events],
        "checkpoint": checkpoint,
        "intact": examined.intact,
        "first_broken": examined.first_broken,
        "reason": examined.reason,
        "size": examined.size,
        "root": examined.root,
        "compared_with": compared_with,
    }


def _event(event: AuditEvent) -> dict[str, Any]:
    return {
        "index": event.index,
        "at": event.at.isoformat(),
        "who": event.actor.who,
        "role": event.actor.role,
        "session": event.actor.session,
        "action": event.action.value,
        "entity": event.entity,
        "patient_id": event.patient_id,
        "detail": event.detail,
        "model": stamp(event.model) if event.model else None,
        "chained": event.chained,
    }


def card(value: ModelCard) -> dict[str, Any]:
    """A model card as plain data."""
    return asdict(value)


def _hit(value: Hit) -> dict[str, Any]:
    return {
        "document_id": value.passage.document_id,
        "patient_id": value.passage.patient_id,
        "page": value.passage.page,
        "text": value.passage.text,
        "boxes": [_box(box.as_list()) for box in value.boxes],
        "score": round(float(value.score), SCORE_DECIMALS),
        "ranks": {"keyword": value.keyword_rank, "semantic": value.semantic_rank},
        "negated": value.negated,
        "matched_terms": list(value.matched_terms),
        "named": value.named,
        "kind": value.passage.kind,
        "document_date": value.passage.document_date.isoformat() if value.passage.document_date else None,
    }


def _page(page: OcrPage) -> dict[str, Any]:
    return {
        "number": page.number,
        "width_px": page.width_px,
        "height_px": page.height_px,
        "dpi": page.dpi,
        "rotation_deg": page.rotation_deg,
        "skew_deg": round(page.skew_deg, 2),
        "source": page.source.value,
        "text": page.text,
        "confidence": round(page.confidence, SCORE_DECIMALS),
        "words": [_word(word) for word in page.words],
        "warnings": list(page.warnings),
    }


def _word(word: TextWord) -> dict[str, Any]:
    return {
        "text": word.text,
        "confidence": round(float(word.confidence), SCORE_DECIMALS),
        "box": _box(word.box.as_list()),
        "machine_text": word.machine_text,
    }


def _fact(fact: Fact) -> dict[str, Any]:
    return {**asdict(fact), "kind": fact.kind.value, "word_indices": list(fact.word_indices)}


def _box(sides: list[float]) -> list[float]:
    return [round(float(side), BOX_DECIMALS) for side in sides]

"""The chart in the shape of the outside contract; see domain/contract.py for the rules it follows.

chart   {"patient", "revision", "problems": [{"name", "denied", "on", "said": [said]}],
         "medicines": [{"name", "ingredient", "state", "dose", "on", "said": [said]}],
         "allergies": [{"substance", "said": [said]}], "no_allergies": [said],
         "vitals": [series], "labs": [series], "timeline": [item], "attention": [attention],
         "since": day or null, "changes": [{"text", "on", "source"}], "merges", "merged_into", "left_out",
         "masked": without identity, for research}
said    {"text", "on", "confidence", "denied", "note", "source"}
series  {"label", "unit", "trend", "why", "last": point, "points": [point]}, oldest first
point   {"value", "number", "second", "unit", "flag", "low", "high", "on", "confidence", "source"}
source  {"kind", "id", "title"} and, of a record, {"document_id", "page", "boxes"}; of a visit,
        {"consultation_id", "utterances", "start_s"}; of a reading, {"reading_id"}; of a prescription,
        {"prescription_id"}; of an imported resource, {"import_id"}
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from domain import contract
from domain.chart import (
    Attention,
    Chart,
    Measurement,
    MedicineLine,
    Merge,
    Problem,
    Said,
    Series,
    Source,
    SourceKind,
    SummaryPart,
    TimelineItem,
)

OWN_ID = {
    SourceKind.RECORD: "document_id",
    SourceKind.CONSULTATION: "consultation_id",
    SourceKind.READING: "reading_id",
    SourceKind.PRESCRIPTION: "prescription_id",
    SourceKind.IMPORT: "import_id",
    SourceKind.PATIENT: "patient_id",
}


def chart(value: Chart) -> dict[str, Any]:
    """The whole chart."""
    return {
        "patient": contract.patient(value.patient),
        "revision": value.revision,
        "problems": [_problem(one) for one in value.problems],
        "medicines": [_medicine(one) for one in value.medicines],
        "allergies": [{"substance": one.substance, "said": _all(one.said)} for one in value.allergies],
        "no_allergies": _all(value.no_allergies),
        "vitals": [_series(one) for one in value.series if one.vital],
        "labs": [_series(one) for one in value.series if not one.vital],
        "timeline": [_item(one) for one in value.timeline],
        "attention": [attention(one) for one in value.attention],
        "since": value.since.isoformat() if value.since else None,
        "changes": [
            {"text": one.text, "on": one.on.isoformat(), "source": source(one.source)} for one in value.changes
        ],
        "merges": [merge(one) for one in value.merges],
        "merged_into": value.merged_into,
        "left_out": list(value.left_out),
        "masked": value.masked,
    }


def summary(parts: Iterable[SummaryPart]) -> list[dict[str, Any]]:
    """The page to read before the visit."""
    return [
        {
            "title": part.title,
            "code": part.code,
            "left_out": part.left_out,
            "lines": [
                {"text": line.text, "alert": line.alert, "sources": [source(one) for one in line.sources]}
                for line in part.lines
            ],
        }
        for part in parts
    ]


def attention(value: Attention) -> dict[str, Any]:
    """An entry of the attention list."""
    aside = value.dismissal
    return {
        "item": value.item,
        "kind": value.kind,
        "concern": value.concern.value,
        "text": value.text,
        "why": value.why,
        "sources": [source(one) for one in value.sources],
        "dismissed": {"reason": aside.reason, "who": aside.who, "at": aside.at.isoformat()} if aside else None,
    }


def merge(value: Merge) -> dict[str, Any]:
    """A merge, with what went over."""
    return {
        "merge_id": value.merge_id,
        "kept": contract.patient(value.kept),
        "gone": contract.patient(value.gone),
        "counts": dict(value.counts),
        "reason": value.reason,
        "who": value.who,
        "at": value.at.isoformat(),
    }


def source(value: Source) -> dict[str, Any]:
    """Where something is said."""
    shape: dict[str, Any] = {"kind": value.kind.value, "id": value.id, "title": value.title}
    shape[OWN_ID[value.kind]] = value.id
    if value.kind is SourceKind.RECORD:
        shape |= {"page": value.page, "boxes": [list(box) for box in value.boxes]}
    if value.kind is SourceKind.CONSULTATION:
        shape |= {"utterances": list(value.utterances), "start_s": value.start_s}
    return shape


def said(value: Said) -> dict[str, Any]:
    """A statement as one source makes it."""
    return {
        "text": value.text,
        "on": value.on.isoformat(),
        "confidence": round(value.confidence, contract.SCORE_DECIMALS),
        "denied": value.denied,
        "note": value.note,
        "source": source(value.source),
    }


def _all(values: Iterable[Said]) -> list[dict[str, Any]]:
    return [said(value) for value in values]


def _problem(value: Problem) -> dict[str, Any]:
    newest = value.said[0]
    return {"name": value.name, "denied": value.denied, "on": newest.on.isoformat(), "said": _all(value.said)}


def _medicine(value: MedicineLine) -> dict[str, Any]:
    newest = value.said[0]
    return {
        "name": value.name,
        "ingredient": value.ingredient,
        "state": value.state.value,
        "dose": newest.text,
        "on": newest.on.isoformat(),
        "said": _all(value.said),
    }


def _series(value: Series) -> dict[str, Any]:
    return {
        "label": value.label,
        "unit": value.unit,
        "trend": value.trend,
        "why": value.why,
        "last": _point(value.last),
        "points": [_point(point) for point in value.points],
    }


def _point(value: Measurement) -> dict[str, Any]:
    return {
        "value": value.said.text,
        "number": value.number,
        "second": value.second,
        "unit": value.unit,
        "flag": value.flag,
        "low": value.low,
        "high": value.high,
        "on": value.said.on.isoformat(),
        "confidence": round(value.said.confidence, contract.SCORE_DECIMALS),
        "source": source(value.said.source),
    }


def _item(value: TimelineItem) -> dict[str, Any]:
    return {
        "at": value.at.isoformat(),
        "detail": value.detail,
        "state": value.state,
        "kind_of_record": value.kind_of_record,
        "trust": None if value.trust is None else round(value.trust, contract.SCORE_DECIMALS),
        "model": contract.stamp(value.model) if value.model else None,
        "source": source(value.source),
    }

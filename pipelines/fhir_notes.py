"""Consultations as FHIR R4 Compositions: the note in its sections, the addenda, and what was said.

A draft goes out as preliminary, a signed note as final, one with addenda as amended. Each line names the utterances
that it rests on, and these stand in the same Composition, so that a reader elsewhere can follow every line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from domain.consultation import SECTIONS
from domain.models import ModelStamp
from pipelines.fhir_shapes import OURS, Entry, clean, device, device_url, loinc, narrative, provenance, url_of

NOTE_CODE = ("11488-4", "Consult note")
SECTION_CODES = {
    "subjective": ("61150-9", "Subjective Narrative"),
    "objective": ("61149-1", "Objective Narrative"),
    "assessment": ("51848-0", "Assessment note"),
    "plan": ("18776-5", "Plan of care note"),
}
NOTHING = "No note has been drafted yet."


class KeptVisit(Protocol):
    """A visit with its newest transcript and note as JSON, as storage.chart reads it."""

    consultation_id: str
    created_at: datetime
    transcript: dict[str, Any]
    note: dict[str, Any] | None
    signature: dict[str, Any] | None
    addenda: tuple[dict[str, Any], ...]


def note_url(consultation_id: str) -> str:
    return url_of("Composition", f"consultation/{consultation_id}")


def compositions(visits: Sequence[KeptVisit], patient: str, author: str, at: datetime) -> Iterator[Entry]:
    """A Composition and a Provenance for each visit, and a Device for each model that had a hand in them."""
    told: set[str] = set()
    for visit in visits:
        url, models = note_url(visit.consultation_id), _models(visit)
        yield url, _composition(visit, patient, author)
        for model in models:
            if device_url(model) not in told:
                told.add(device_url(model))
                yield device_url(model), device(model.id, model.revision)
        signature = visit.signature or {}
        if models or signature:
            signed = str(signature.get("at") or "") if _is_moment(signature.get("at")) else ""
            made = provenance([url], models, at.isoformat(), str(signature.get("name") or ""), signed)
            yield url_of("Provenance", f"consultation/{visit.consultation_id}"), made


def _composition(visit: KeptVisit, patient: str, author: str) -> dict[str, Any]:
    signature = visit.signature or {}
    status = "preliminary" if not signature else "amended" if visit.addenda else "final"
    note = visit.note or {}
    sections = [
        {
            "title": name.capitalize(),
            "code": loinc(*SECTION_CODES[name]),
            "text": narrative([_line(one) for one in lines]),
        }
        for name in SECTIONS
        if (lines := (note.get("sections") or {}).get(name))
    ]
    for title, rows in (
        ("Not supported by what was said", [_line(one) for one in note.get("unsupported") or ()]),
        ("Addenda", [f"{one.get('at')} {one.get('name')}: {one.get('text')}" for one in visit.addenda]),
        ("Transcript", [_utterance(one) for one in visit.transcript.get("utterances") or ()]),
    ):
        if rows:
            sections.append({"title": title, "text": narrative(rows)})
    title = f"Consultation of {visit.created_at.date()}"
    made: dict[str, Any] = {
        "resourceType": "Composition",
        "identifier": {"system": f"{OURS}:consultation", "value": visit.consultation_id},
        "status": status,
        "type": loinc(*NOTE_CODE),
        "subject": {"reference": patient},
        "date": visit.created_at.isoformat(),
        "author": [{"reference": author}],
        "title": title if status != "preliminary" else f"{title} (draft)" if visit.note else f"{title} (no note yet)",
        "section": sections or [{"title": "Note", "text": narrative([NOTHING])}],
    }
    if signature:
        party = {"display": clean(str(signature.get("name") or "")) or "unknown"}
        when = {"time": signature["at"]} if _is_moment(signature.get("at")) else {}
        made["attester"] = [{"mode": "legal", "party": party, **when}]
    return made


def _line(line: Mapping[str, Any]) -> str:
    evidence = ", ".join(line.get("evidence") or ())
    reason = f" ({line['reason']})" if line.get("reason") else ""
    return f"{line['text']}{reason}" + (f" [{evidence}]" if evidence else "")


def _utterance(one: Mapping[str, Any]) -> str:
    start = one.get("start_s")
    moment = "" if start is None else f" {int(start) // 60}:{int(start) % 60:02d}"
    return f"{one['id']}{moment} {one.get('role') or one.get('speaker') or 'unknown'}: {one['text']}"


def _models(visit: KeptVisit) -> tuple[ModelStamp, ...]:
    """Whatever heard, told apart, or drafted, each once."""
    stamps = [*(visit.transcript.get("models") or ()), *((visit.note or {}).get("models") or ())]
    return tuple(dict.fromkeys(ModelStamp(str(one["id"]), str(one["revision"])) for one in stamps))


def _is_moment(text: Any) -> bool:
    """Whether FHIR takes it for an instant: with a zone."""
    try:
        return datetime.fromisoformat(str(text)).tzinfo is not None
    except ValueError:
        return False

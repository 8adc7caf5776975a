"""What the Consultation tab shows, as plain data: pure functions of what the desk answers."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from components.consultation_files import export_path, recording_path
from domain import consultation_contract as contract
from domain.consultation import ROLES, SECTIONS, ConsultationSummary

if TYPE_CHECKING:
    from domain.speech import Utterance
    from pipelines.workbench import Visit

TEMPLATES = (("soap", "SOAP note"), ("discharge", "Discharge letter"), ("patient", "Letter for the patient"))
NOTE_FILES = (("pdf", "PDF"), ("docx", "Word"), ("txt", "Text"), ("fhir", "FHIR"))
TALK_FILES = (("srt", "Subtitles SRT"), ("vtt", "Subtitles VTT"))
LISTED = 20
LATEST = 12  # utterances shown while a visit is being heard


def present(
    visits: Sequence[ConsultationSummary],
    patient_name: str,
    open_visit: Visit | None,
    hearing: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Everything that the tab draws. `hearing`: what was heard so far, while a recording is being transcribed."""
    return {
        "drawn": uuid.uuid4().hex,
        "patient": patient_name,
        "visits": [_row(one) for one in visits[:LISTED]],
        "open": None if open_visit is None else present_visit(open_visit),
        "hearing": hearing,
        "roles": list(ROLES),
        "sections": list(SECTIONS),
    }


def present_visit(visit: Visit) -> dict[str, Any]:
    """One visit: the conversation and the note, with the addresses of its files."""
    transcript = contract.transcript(visit.transcript, visit.roles)
    consultation_id = visit.transcript.consultation_id
    timed = any(one.start_s is not None for one in visit.transcript.utterances)
    files = [(kind, name, True) for kind, name in NOTE_FILES] if visit.note else []
    files += [(kind, name, False) for kind, name in TALK_FILES] if timed else []
    return {
        "transcript": transcript,
        "note": contract.note(visit.note) if visit.note else None,
        "recording": recording_path(consultation_id) if visit.recording else "",
        "files": [
            {"kind": kind, "name": name, "shaped": shaped, "path": export_path(consultation_id, kind)}
            for kind, name, shaped in files
        ],
        "templates": [{"id": name, "title": title} for name, title in TEMPLATES],
    }


def present_hearing(latest: Sequence[Utterance], count: int) -> dict[str, Any]:
    """The last utterances of a visit that is being heard."""
    return {
        "count": count,
        "utterances": [
            {"speaker": one.speaker, "role": one.role, "start_s": one.start_s, "text": one.text} for one in latest
        ],
    }


def _row(one: ConsultationSummary) -> dict[str, Any]:
    return {
        "consultation_id": one.consultation_id,
        "title": one.title,
        "status": {"transcript": "no note yet", "draft": "draft", "signed": f"signed by {one.signed_by}"}[
            one.status.value
        ],
        "date": one.created_at.date().isoformat(),
        "utterances": one.utterances,
    }

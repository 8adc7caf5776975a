"""What of a visit leaves as a file: the note or the transcript, in the forms that others read."""

from __future__ import annotations

import json
from dataclasses import dataclass

from domain.errors import UploadRejected
from domain.patient import Patient
from pipelines.consultation import Visit
from pipelines.note_export import as_docx, as_pdf
from pipelines.note_fhir import as_fhir
from pipelines.note_subtitles import as_srt, as_vtt
from pipelines.note_templates import SOAP, Person, as_text, lay_out

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
EXPORTS = {  # kind to the end of its name and its media type
    "pdf": (".pdf", "application/pdf"),
    "docx": (".docx", DOCX),
    "txt": (".txt", "text/plain; charset=utf-8"),
    "fhir": (".fhir.json", "application/fhir+json"),
    "srt": (".srt", "application/x-subrip"),
    "vtt": (".vtt", "text/vtt; charset=utf-8"),
}


@dataclass(frozen=True, slots=True)
class Exported:
    """A file to hand out. `name` tells nothing of the patient."""

    content: bytes
    name: str
    media_type: str


def exported(now: Visit, kind: str, patient: Patient | None, template: str = SOAP) -> Exported:
    """Note (pdf, docx, txt, fhir) or transcript (srt, vtt) as a file; a draft is marked as one.

    Raises NothingFound where there is no note, UploadRejected for an unknown kind.
    """
    if kind not in EXPORTS:
        raise UploadRejected(f"There is no export of this kind. Use one of: {', '.join(EXPORTS)}.")
    ending, media_type = EXPORTS[kind]
    name = f"consultation-{now.transcript.consultation_id[:8]}{ending}"
    if kind in ("srt", "vtt"):
        utterances = now.transcript.utterances
        draft = now.note is None or now.note.signature is None
        made = as_srt(utterances, draft) if kind == "srt" else as_vtt(utterances, draft)
        return Exported(made.encode(), name, media_type)
    note = now.drafted_note
    person = Person(patient.name, patient.birth_date, patient.record_number) if patient else Person()
    paper = lay_out(note, template, person, now.created_at.date())
    if kind == "fhir":
        bundle = as_fhir(note, person, now.created_at, as_pdf(paper))
        return Exported(json.dumps(bundle, ensure_ascii=False).encode(), name, media_type)
    write = {"pdf": as_pdf, "docx": as_docx, "txt": lambda one: as_text(one).encode()}[kind]
    return Exported(write(paper), name, media_type)

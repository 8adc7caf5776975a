"""Files that came inside a FHIR bundle, filed as records: a PDF or picture is read, a text is typeset."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from domain.audit import Actor
from domain.errors import UploadRejected
from pipelines import typed_record, understanding
from pipelines.identity import identity_conflicts
from pipelines.progress import Progress, silent
from pipelines.records_desk import RecordsDesk

UNTITLED = "Received document"
LANGUAGE = "en"


def file_received(
    records: RecordsDesk,
    path: Path,
    patient_id: str,
    title: str,
    content_type: str,
    on: date | None,
    actor: Actor,
    progress: Progress = silent,
) -> tuple[str, bool]:
    """The record's id, and whether it is the patient's: one whose pages name somebody else waits for a person.

    `on`: the day that its sender gives it. Raises UploadRejected for what cannot be a record, Cancelled.
    """
    title = title or UNTITLED
    if not content_type.startswith("text/"):
        made = records.digitise(path, patient_id, LANGUAGE, actor, progress, title=title, document_date=on)
        return made.document.document_id, not made.conflicts
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UploadRejected(
            "A text in the bundle is not in UTF-8, so no record was made of it. It is kept as it came."
        ) from error
    facts = understanding.understand(typed_record.typeset(title, text).pages)
    theirs = not identity_conflicts(facts, records.patient(patient_id))
    document = records.import_text(
        title, text, patient_id if theirs else "", actor, document_date=on, progress=progress
    )
    return document.document_id, theirs

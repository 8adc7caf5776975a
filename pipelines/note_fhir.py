"""A note as FHIR R4: a document Bundle (Composition first) and a DocumentReference that points at the printed note.

Sections carry LOINC codes; every line names the utterances that it rests on in an extension-free way: the narrative's
text ends with their ids. Validated against the R4B models of fhir.resources before it leaves.
"""

from __future__ import annotations

import base64
import html
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from domain.consultation import SECTIONS, ConsultationNote, NoteLine
from domain.errors import UploadRejected
from pipelines.note_templates import DRAFT_MARK, Person

LOINC = "http://loinc.org"
NOTE_CODE = ("11488-4", "Consult note")
SECTION_CODES = {
    "subjective": ("61150-9", "Subjective Narrative"),
    "objective": ("61149-1", "Objective Narrative"),
    "assessment": ("51848-0", "Assessment note"),
    "plan": ("18776-5", "Plan of care note"),
}
XHTML = "http://www.w3.org/1999/xhtml"


def as_fhir(note: ConsultationNote, person: Person, seen: datetime, pdf: bytes) -> dict[str, Any]:
    """A Bundle of type "document" with Composition, Patient, author and DocumentReference. Raises UploadRejected."""
    patient, author, document = (f"urn:uuid:{uuid.uuid4()}" for _ in range(3))
    composition = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, note.consultation_id)}"
    at = note.signature.at if note.signature else seen
    entries = [
        (composition, _composition(note, patient, author, at)),
        (patient, _patient(person)),
        (author, _author(note)),
        (document, _document_reference(note, patient, author, at, pdf)),
    ]
    bundle = {
        "resourceType": "Bundle",
        "type": "document",
        "timestamp": at.isoformat(),
        "identifier": {"system": "urn:ietf:rfc:3986", "value": composition},
        "entry": [{"fullUrl": url, "resource": resource} for url, resource in entries],
    }
    _validate(bundle)
    return bundle


def _composition(note: ConsultationNote, patient: str, author: str, at: datetime) -> dict[str, Any]:
    resource: dict[str, Any] = {
        "resourceType": "Composition",
        "status": _status(note),
        "type": _coded(*NOTE_CODE),
        "subject": {"reference": patient},
        "date": at.isoformat(),
        "author": [{"reference": author}],
        "title": "Consultation note" if note.signature else f"Consultation note ({DRAFT_MARK})",
        "section": [_section(name, note.section(name)) for name in SECTIONS if note.section(name)],
    }
    if note.addenda:
        rows = [f"{one.at.isoformat()} {one.name}: {one.text}" for one in note.addenda]
        resource["section"].append({"title": "Addenda", "text": _narrative(rows)})
    if note.signature:
        resource["attester"] = [{"mode": "legal", "time": at.isoformat(), "party": {"reference": author}}]
    return resource


def _section(name: str, lines: Sequence[NoteLine]) -> dict[str, Any]:
    rows = [f"{line.text} [{', '.join(line.evidence)}]" if line.evidence else line.text for line in lines]
    return {"title": name.capitalize(), "code": _coded(*SECTION_CODES[name]), "text": _narrative(rows)}


def _document_reference(note: ConsultationNote, patient: str, author: str, at: datetime, pdf: bytes) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "docStatus": _status(note),
        "type": _coded(*NOTE_CODE),
        "subject": {"reference": patient},
        "date": at.isoformat(),
        "author": [{"reference": author}],
        "content": [
            {
                "attachment": {
                    "contentType": "application/pdf",
                    "data": base64.b64encode(pdf).decode(),
                    "title": "Consultation note",
                    "creation": at.isoformat(),
                }
            }
        ],
    }


def _patient(person: Person) -> dict[str, Any]:
    resource: dict[str, Any] = {"resourceType": "Patient"}
    if person.name:
        resource["name"] = [{"text": person.name}]
    if person.birth_date:
        resource["birthDate"] = person.birth_date.isoformat()
    if person.record_number:
        resource["identifier"] = [{"value": person.record_number}]
    return resource


def _author(note: ConsultationNote) -> dict[str, Any]:
    """The signer, or the program that drafted it."""
    if note.signature:
        return {"resourceType": "Practitioner", "name": [{"text": note.signature.name}]}
    names = ", ".join(f"{stamp.id} {stamp.revision}" for stamp in note.models) or "HEALTH CONNECT"
    return {"resourceType": "Device", "deviceName": [{"name": names, "type": "model-name"}]}


def _status(note: ConsultationNote) -> str:
    if note.signature is None:
        return "preliminary"
    return "amended" if note.addenda else "final"


def _coded(code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": LOINC, "code": code, "display": display}]}


def _narrative(rows: Sequence[str]) -> dict[str, str]:
    items = "".join(f"<li>{html.escape(_storable(row))}</li>" for row in rows)
    return {"status": "generated", "div": f'<div xmlns="{XHTML}"><ul>{items}</ul></div>'}


def _storable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _validate(bundle: dict[str, Any]) -> None:
    from fhir.resources.R4B.bundle import Bundle
    from pydantic import ValidationError

    try:
        Bundle.model_validate(bundle)
    except ValidationError as error:
        raise UploadRejected(
            "The note holds something that FHIR cannot carry, so no bundle was made. Export it as PDF instead."
        ) from error

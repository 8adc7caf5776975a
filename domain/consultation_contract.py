"""Visits in the shapes of the outside contract, and back again; see domain/contract.py for the rules they follow.

The store keeps the same shapes, so what was written once can be read by any later program. Times are seconds, or
null in a conversation that came as text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.consultation import (
    SECTIONS,
    Addendum,
    ConsultationNote,
    ConsultationSummary,
    NoteLine,
    RecordPlace,
    Signature,
    SpeakerRole,
)
from domain.document import Box
from domain.errors import UploadRejected
from domain.models import ModelStamp
from domain.speech import TimedWord, Transcript, Utterance, WordDoubt

MAX_LINE_CHARS = 2000
MAX_LINES = 500
_BAD_NOTE = (
    'This is no note: {"sections": {"subjective": [line], "objective": [line], "assessment": [line], "plan": [line]}} '
    'is needed, and a line is {"text", "evidence": [utterance id]}. Nothing was changed; correct it and send it again.'
)


def transcript(value: Transcript, roles: Sequence[SpeakerRole] = ()) -> dict[str, Any]:
    """Who said what, word by word. "roles": how sure each speaker's role is."""
    return {
        "consultation_id": value.consultation_id,
        "duration_s": value.duration_s,
        "utterances": [
            {
                "id": one.id,
                "speaker": one.speaker,
                "role": one.role,
                "start_s": one.start_s,
                "end_s": one.end_s,
                "text": one.text,
                "overlap": one.overlap,
                "words": [_word(word) for word in one.words],
            }
            for one in value.utterances
        ],
        "roles": [
            {"speaker": one.speaker, "role": one.role, "confidence": round(one.confidence, 4), "given": one.given}
            for one in roles
        ],
        "models": [{"id": stamp.id, "revision": stamp.revision} for stamp in value.models],
        "warnings": list(value.warnings),
    }


def read_transcript(shape: Mapping[str, Any]) -> tuple[Transcript, tuple[SpeakerRole, ...]]:
    """A transcript as `transcript` wrote it."""
    utterances = tuple(
        Utterance(
            id=one["id"],
            speaker=one["speaker"],
            role=one["role"],
            start_s=one["start_s"],
            end_s=one["end_s"],
            text=one["text"],
            words=tuple(_read_word(word) for word in one["words"]),
            overlap=one.get("overlap", False),
        )
        for one in shape["utterances"]
    )
    roles = tuple(
        SpeakerRole(r["speaker"], r["role"], r["confidence"], r.get("given", False)) for r in shape.get("roles", ())
    )
    stamps = tuple(ModelStamp(stamp["id"], stamp["revision"]) for stamp in shape["models"])
    made = Transcript(shape["consultation_id"], shape["duration_s"], utterances, stamps, tuple(shape["warnings"]))
    return made, roles


def note(value: ConsultationNote) -> dict[str, Any]:
    """A note with its evidence. "signature" is null until it is signed."""
    return {
        "consultation_id": value.consultation_id,
        "status": value.status.value,
        "sections": {name: [_line(line) for line in value.section(name)] for name in SECTIONS},
        "unsupported": [_line(line) | {"section": line.section} for line in value.unsupported],
        "models": [{"id": stamp.id, "revision": stamp.revision} for stamp in value.models],
        "signature": None if value.signature is None else signature(value.signature),
        "addenda": [addendum(one) for one in value.addenda],
        "revision": value.revision,
    }


def read_note(shape: Mapping[str, Any]) -> ConsultationNote:
    """A note as `note` wrote it."""
    lines = tuple(_read_line(line, name) for name in SECTIONS for line in shape["sections"].get(name, ()))
    held_back = tuple(_read_line(line, line.get("section") or "subjective") for line in shape.get("unsupported", ()))
    stamps = tuple(ModelStamp(stamp["id"], stamp["revision"]) for stamp in shape.get("models", ()))
    return ConsultationNote(
        consultation_id=shape["consultation_id"],
        lines=lines,
        unsupported=held_back,
        models=stamps,
        signature=read_signature(shape["signature"]) if shape.get("signature") else None,
        addenda=tuple(read_addendum(one) for one in shape.get("addenda", ())),
        revision=int(shape.get("revision", 1)),
    )


def edited_lines(shape: Any) -> tuple[NoteLine, ...]:
    """The lines of a note that came from outside, checked. Raises UploadRejected for what is no note."""
    try:
        sections = shape["sections"]
        unknown = sorted(set(sections) - set(SECTIONS))
        lines = tuple(_from_outside(line, name) for name in SECTIONS for line in sections.get(name) or ())
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise UploadRejected(_BAD_NOTE) from error
    if unknown:
        raise UploadRejected(f"A note has the sections {', '.join(SECTIONS)} and no others. Move those lines there.")
    if len(lines) > MAX_LINES or any(len(line.text) > MAX_LINE_CHARS for line in lines):
        raise UploadRejected(
            f"A note has at most {MAX_LINES} lines of {MAX_LINE_CHARS} characters. Nothing was changed; shorten it."
        )
    return tuple(line for line in lines if line.text)


def canonical(value: ConsultationNote) -> bytes:
    """The bytes that a signature stands for: what the note says, and on what evidence."""
    content = {name: [[line.text, list(line.evidence)] for line in value.section(name)] for name in SECTIONS}
    plain = {"consultation_id": value.consultation_id, "sections": content}
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sha256_of(value: ConsultationNote) -> str:
    """Hex SHA-256 of `canonical`."""
    return hashlib.sha256(canonical(value)).hexdigest()


def summary(value: ConsultationSummary) -> dict[str, Any]:
    """One visit in a list."""
    return {
        "consultation_id": value.consultation_id,
        "patient_id": value.patient_id,
        "created_at": value.created_at.isoformat(),
        "status": value.status.value,
        "title": value.title,
        "duration_s": value.duration_s,
        "utterances": value.utterances,
        "signed_at": value.signed_at.isoformat() if value.signed_at else None,
        "signed_by": value.signed_by,
        "recording": value.recording,
    }


def signature(value: Signature) -> dict[str, Any]:
    return {"name": value.name, "at": value.at.isoformat(), "sha256": value.sha256}


def read_signature(shape: Mapping[str, Any]) -> Signature:
    return Signature(shape["name"], datetime.fromisoformat(shape["at"]), shape["sha256"])


def addendum(value: Addendum) -> dict[str, Any]:
    return {"text": value.text, "name": value.name, "at": value.at.isoformat()}


def read_addendum(shape: Mapping[str, Any]) -> Addendum:
    return Addendum(shape["text"], shape["name"], datetime.fromisoformat(shape["at"]))


def _line(value: NoteLine) -> dict[str, Any]:
    return {
        "text": value.text,
        "evidence": list(value.evidence),
        "records": [
            {"document_id": r.document_id, "page": r.page, "boxes": [box.as_list() for box in r.boxes]}
            for r in value.records
        ],
        "topic": value.topic,
        "reason": value.reason,
        "by_person": value.by_person,
    }


def _read_line(shape: Mapping[str, Any], section: str) -> NoteLine:
    records = tuple(
        RecordPlace(r["document_id"], r["page"], tuple(Box(*box) for box in r["boxes"]))
        for r in shape.get("records", ())
    )
    return NoteLine(
        text=shape["text"],
        section=section,
        evidence=tuple(shape.get("evidence", ())),
        topic=shape.get("topic", ""),
        records=records,
        reason=shape.get("reason", ""),
        by_person=bool(shape.get("by_person", False)),
    )


def _from_outside(shape: Mapping[str, Any], section: str) -> NoteLine:
    text, evidence = shape["text"], shape.get("evidence") or []
    if not isinstance(text, str) or not isinstance(evidence, list) or not all(isinstance(e, str) for e in evidence):
        raise ValueError("no line")
    return _read_line({**shape, "text": " ".join(text.split()), "evidence": evidence}, section)


def _word(value: TimedWord) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "text": value.text,
        "start_s": value.start_s,
        "end_s": value.end_s,
        "confidence": round(value.confidence, 4),
    }
    if value.unclear:
        shape["unclear"] = True
    if value.doubt:
        doubt = value.doubt
        shape["doubt"] = {"reason": doubt.reason, "suggestions": list(doubt.suggestions), "words": doubt.words}
    return shape


def _read_word(shape: Mapping[str, Any]) -> TimedWord:
    doubt = shape.get("doubt")
    return TimedWord(
        shape["text"],
        shape["start_s"],
        shape["end_s"],
        shape["confidence"],
        shape.get("unclear", False),
        WordDoubt(doubt["reason"], tuple(doubt["suggestions"]), doubt.get("words", 1)) if doubt else None,
    )

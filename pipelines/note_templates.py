"""What a note looks like on paper, before any file format: headings and paragraphs, for clinicians and for the patient."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from domain.consultation import Addendum, ConsultationNote, NoteLine
from domain.errors import UploadRejected
from pipelines.note_plain import for_the_patient, reading_age

SOAP, DISCHARGE, PATIENT = "soap", "discharge", "patient"
TEMPLATES = {SOAP: "SOAP note", DISCHARGE: "Discharge letter", PATIENT: "Letter for the patient"}
DRAFT_MARK = "DRAFT: not signed"
_BACKGROUND = ("Medical history", "Surgical history", "Family history", "Social history")


@dataclass(frozen=True, slots=True)
class Headed:
    """A heading with its paragraphs."""

    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Paper:
    """A note laid out. `facts`: (name, value) pairs of the head; `mark`: what stands across a page that is not signed."""

    title: str
    facts: tuple[tuple[str, str], ...]
    parts: tuple[Headed, ...]
    foot: tuple[str, ...]
    mark: str = ""
    owner: str = ""  # who it is about, for every page: a sheet that comes apart must still tell


@dataclass(frozen=True, slots=True)
class Person:
    """Whose visit it was; empty fields where nobody was chosen."""

    name: str = ""
    birth_date: date | None = None
    record_number: str = ""


def lay_out(note: ConsultationNote, template: str, person: Person, seen: date) -> Paper:
    """The note in the shape of a template. Raises UploadRejected for one that is not offered."""
    if template not in TEMPLATES:
        raise UploadRejected(f"There is no such template. Use one of: {', '.join(TEMPLATES)}.")
    parts = {SOAP: _soap, DISCHARGE: _discharge, PATIENT: _patient}[template](note)
    facts = [("Patient", person.name)] if person.name else []
    facts += [("Date of birth", person.birth_date.isoformat())] if person.birth_date else []
    facts += [("Record number", person.record_number)] if person.record_number else []
    facts += [("Seen on", seen.isoformat())]
    parts = [*parts, Headed("Added after signing", tuple(map(_addendum, note.addenda)))]
    return Paper(
        title=TEMPLATES[template],
        facts=tuple(facts),
        parts=tuple(part for part in parts if part.lines),
        foot=_foot(note, template, parts),
        mark="" if note.signature else DRAFT_MARK,
        owner=", ".join(value for name, value in facts if name != "Seen on"),
    )


def as_text(paper: Paper) -> str:
    """The paper as plain text."""
    rows = [paper.title.upper()]
    if paper.mark:
        rows += [f"*** {paper.mark} ***"]
    rows += [f"{name}: {value}" for name, value in paper.facts]
    for part in paper.parts:
        rows += ["", part.heading.upper(), *part.lines]
    rows += ["", *paper.foot]
    return "\n".join(rows) + "\n"


def _soap(note: ConsultationNote) -> list[Headed]:
    return [
        Headed("Subjective", _by_topic(note.section("subjective"))),
        Headed("Objective", _by_topic(note.section("objective"))),
        Headed("Assessment", _texts(note.section("assessment"))),
        Headed("Plan", _texts(note.section("plan"))),
    ]


def _discharge(note: ConsultationNote) -> list[Headed]:
    told = note.section("subjective")
    apart = (*_BACKGROUND, "Medications", "Allergies")
    return [
        Headed("Reason for the visit and history", _texts([line for line in told if line.topic not in apart])),
        Headed("Background", _by_topic([line for line in told if line.topic in _BACKGROUND])),
        Headed("Medications", _bare([line for line in told if line.topic == "Medications"])),
        Headed("Allergies", _bare([line for line in told if line.topic == "Allergies"])),
        Headed("Findings", _by_topic(note.section("objective"))),
        Headed("Assessment", _texts(note.section("assessment"))),
        Headed("Plan and follow-up", _texts(note.section("plan"))),
    ]


def _patient(note: ConsultationNote) -> list[Headed]:
    headings = (
        ("What you told us", "subjective"),
        ("What we found", "objective"),
        ("What we think", "assessment"),
        ("What happens next", "plan"),
    )
    return [Headed(title, tuple(map(for_the_patient, _texts(note.section(name))))) for title, name in headings]


def _texts(lines: Sequence[NoteLine]) -> tuple[str, ...]:
    return tuple(line.text for line in lines)


def _bare(lines: Sequence[NoteLine]) -> tuple[str, ...]:
    """Lines under a heading of their topic, which they need not say again."""
    rows = (re.sub(rf"^{re.escape(line.topic)}\s*:\s*", "", line.text, flags=re.I) for line in lines)
    return tuple(row[:1].upper() + row[1:] for row in rows)


def _by_topic(lines: Sequence[NoteLine]) -> tuple[str, ...]:
    """Lines, the first of each topic with the topic before it where its own words do not say it."""
    rows, last = [], ""
    for line in lines:
        fresh = line.topic and line.topic != last
        named = re.match(rf"{re.escape(line.topic)}\s*:", line.text, re.I) if line.topic else None
        rows.append(f"{line.topic}: {line.text}" if fresh and not named else line.text)
        last = line.topic
    return tuple(rows)


def _addendum(one: Addendum) -> str:
    return f"{one.at.strftime('%Y-%m-%d %H:%M %Z')}, {one.name}: {one.text}"


def _foot(note: ConsultationNote, template: str, parts: Sequence[Headed]) -> tuple[str, ...]:
    rows = []
    if template == PATIENT:
        age = reading_age(" ".join(line for part in parts for line in part.lines))
        rows += [f"Reading age of this letter: about {age} years (Flesch-Kincaid)."] if age else []
        rows += ["Ask us about anything that you do not understand."]
    if note.signature:
        at = note.signature.at.strftime("%Y-%m-%d %H:%M %Z")
        rows += [f"Signed by {note.signature.name}, {at}.", f"SHA-256 of the signed note: {note.signature.sha256}"]
    else:
        rows += [f"{DRAFT_MARK}. Drafted by a program from what was said; it may be wrong or incomplete."]
    return tuple(rows)

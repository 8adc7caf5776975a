"""A visit as it is kept: the note with its evidence, who signed it, what was added later, and who spoke in which role.

The transcript itself is domain.speech.Transcript; a note refers to its utterances by id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.document import Box
from domain.models import ModelStamp

SECTIONS = ("subjective", "objective", "assessment", "plan")
ROLES = ("doctor", "patient", "nurse", "relative")
ONLY_ONE = ("doctor", "patient")  # a visit has one of each; naming another one swaps them
UNKNOWN_ROLE = "unknown"


class NoteStatus(StrEnum):
    """Where a visit stands. Only a signed note is part of the patient's chart."""

    TRANSCRIPT = "transcript"  # heard or imported, no note yet
    DRAFT = "draft"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """Where a record of the same patient says it too. `page` from 1; boxes in pixels of that page."""

    document_id: str
    page: int
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class NoteLine:
    """One line. `section`: one of SECTIONS; `topic`: the heading it stands under within the section, may be "".

    `evidence`: ids of the utterances that support it. `reason`: why it is unsupported, "" for a supported one.
    `by_person`: typed or changed by the clinician, who vouches for it; the guard then warns and does not remove.
    """

    text: str
    section: str
    evidence: tuple[str, ...]
    topic: str = ""
    records: tuple[RecordPlace, ...] = ()
    reason: str = ""
    by_person: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed, when, and what: `sha256` (hex) of the note's canonical JSON as it was signed."""

    name: str
    at: datetime
    sha256: str


@dataclass(frozen=True, slots=True)
class Addendum:
    """What was added after the signing; never changed."""

    text: str
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ConsultationNote:
    """A note: its lines in order, and those that the guard kept out. `revision` grows with each change."""

    consultation_id: str
    lines: tuple[NoteLine, ...]
    unsupported: tuple[NoteLine, ...] = ()
    models: tuple[ModelStamp, ...] = ()
    signature: Signature | None = None
    addenda: tuple[Addendum, ...] = ()
    revision: int = 1

    @property
    def status(self) -> NoteStatus:
        return NoteStatus.SIGNED if self.signature else NoteStatus.DRAFT

    def section(self, name: str) -> tuple[NoteLine, ...]:
        """The lines of one section, in order."""
        return tuple(line for line in self.lines if line.section == name)


@dataclass(frozen=True, slots=True)
class SpeakerRole:
    """Who a voice is. `confidence` 0 to 1; `given`: said by a person or by the text's own labels, not guessed."""

    speaker: str
    role: str
    confidence: float
    given: bool = False


@dataclass(frozen=True, slots=True)
class ConsultationSummary:
    """One visit in a list. `title`: first words of note or transcript; `recording`: whether it is still kept."""

    consultation_id: str
    patient_id: str
    created_at: datetime
    status: NoteStatus
    title: str
    duration_s: float | None
    utterances: int
    signed_at: datetime | None
    signed_by: str
    recording: bool

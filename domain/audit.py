"""Who did what to whose record: the actor of a request and the event it leaves on the trail."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.models import ModelStamp


@dataclass(frozen=True, slots=True)
class Actor:
    """`who`: a person or program by account name; `session`: an opaque id of the visit; `role`: nurse, doctor, ..."""

    who: str
    session: str
    role: str


class Action(StrEnum):
    """FHIR AuditEvent.action codes."""

    CREATE = "C"
    READ = "R"
    UPDATE = "U"
    DELETE = "D"
    EXECUTE = "E"


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One link of the trail. `index` from 0; `entity` is "kind/id", never a name; `detail` holds no patient data.

    `chained`: SHA-256 hex over the previous link and this event's canonical JSON.
    """

    index: int
    at: datetime
    actor: Actor
    action: Action
    entity: str
    patient_id: str
    detail: str
    model: ModelStamp | None
    chained: str


# What of an event is hashed, in this order. Changing it would make every trail written before look broken.
HASHED_FIELDS = (
    "index",
    "at",
    "who",
    "session",
    "role",
    "action",
    "entity",
    "patient_id",
    "detail",
    "model_id",
    "model_revision",
)
_canonical = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode  # built once: a million events need it


def hashed_content(values: Sequence[object]) -> bytes:
    """The bytes that stand for an event in chain and tree; `values` in the order of HASHED_FIELDS."""
    return _canonical(list(values)).encode()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tree of the trail at one moment. `size`: events so far; `root`: hex digest that stands for all of them."""

    size: int
    root: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Examination:
    """What came of reading the whole trail again.

    `first_broken`: index of the first event that was altered, removed, moved or invented; None while all is as written.
    Where only a kept checkpoint tells, it is the first event that no older checkpoint vouches for. `reason`: what was
    found, "" while all is well.
    """

    size: int
    root: str
    first_broken: int | None
    reason: str

    @property
    def intact(self) -> bool:
        return not self.reason


@dataclass(frozen=True, slots=True)
class EventProof:
    """That one event stands in the trail, to be checked without seeing any other (RFC 9162, section 2.1.3).

    `content`: canonical JSON of the event; `path`: hex digests from its leaf up to `checkpoint.root`.
    """

    index: int
    content: str
    path: tuple[str, ...]
    checkpoint: Checkpoint

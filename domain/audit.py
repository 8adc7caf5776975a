"""Who did what to whose record: the actor of a request and the event it leaves on the trail."""

from __future__ import annotations

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

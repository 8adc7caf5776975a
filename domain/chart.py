"""One patient's chart: what the records, readings, visits and prescriptions say, each tied to where it says so.

Nothing here is stored: a chart is worked out from what is kept. Dates without a zone are days; moments are aware (UTC).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from domain.models import ModelStamp
from domain.patient import Patient


class SourceKind(StrEnum):
    """What kind of thing a statement stands in."""

    RECORD = "record"
    CONSULTATION = "consultation"
    READING = "reading"
    PRESCRIPTION = "prescription"
    IMPORT = "import"  # a FHIR resource that came from elsewhere
    PATIENT = "patient"  # the header of the chart itself


@dataclass(frozen=True, slots=True)
class Source:
    """Where something is said. `id`: of the record, visit, reading, prescription or imported resource.

    `page` (from 1) and `boxes` ([left, top, right, bottom] in its pixels) for a record; `utterances` and `start_s` (of
    the first, None in a visit that came as text) for a consultation. `title` is what to call it in a list.
    """

    kind: SourceKind
    id: str
    title: str
    page: int = 0
    boxes: tuple[tuple[float, ...], ...] = ()
    utterances: tuple[str, ...] = ()
    start_s: float | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A statement as one source makes it. `confidence`: lowest of its words, 0 to 1; `denied`: the source denies it."""

    text: str
    on: date
    source: Source
    confidence: float = 1.0
    denied: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """A diagnosis. `said`: newest first; `denied`: the newest source denies it."""

    name: str
    said: tuple[Said, ...]

    @property
    def denied(self) -> bool:
        return self.said[0].denied


class MedicineState(StrEnum):
    """How the newest sources leave a medicine."""

    CURRENT = "current"
    STOPPED = "stopped"
    CONFLICTING = "conflicting"  # sources of about the same time give different doses


@dataclass(frozen=True, slots=True)
class MedicineLine:
    """`name`: as the newest source writes it; `ingredient`: canonical, lower case; `said`: newest first."""

    name: str
    ingredient: str
    state: MedicineState
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Allergy:
    """`substance` as written; `denied`: sources that say there is no allergy at all are kept as such."""

    substance: str
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One value. `number`: None where it is no plain number; `second`: the lower of a blood pressure.

    `flag`: "low", "high" or ""; `low`, `high`: the reference band that stands beside it, None where open or not given.
    """

    said: Said
    number: float | None
    second: float | None = None
    unit: str = ""
    flag: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """All values of one analyte in one unit, oldest first. `trend`: "rising", "falling" or ""; `why`: in words."""

    label: str
    unit: str
    vital: bool
    points: tuple[Measurement, ...]
    trend: str = ""
    why: str = ""

    @property
    def last(self) -> Measurement:
        return self.points[-1]


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """One record, reading, visit, prescription or import. `at`: the day it bears; `trust`: 0 to 1, None where unknown.

    `model`: what read or drafted it; `state`: such as "signed", "draft", "abstained", "revoked". `kept_at`: when it was
    kept here, which orders what bears the same day; None comes before the rest of its day.
    """

    source: Source
    at: date
    detail: str
    state: str = ""
    kind_of_record: str = ""
    trust: float | None = None
    model: ModelStamp | None = None
    kept_at: datetime | None = None


class Concern(StrEnum):
    """How much an entry of the attention list matters; the order in which they are shown."""

    DANGER = "danger"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Dismissal:
    """Somebody set an entry aside, and why."""

    reason: str
    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Attention:
    """Something to look at. `item`: stays the same for the same finding; `why`: how it was worked out."""

    item: str
    kind: str
    concern: Concern
    text: str
    why: str
    sources: tuple[Source, ...]
    dismissal: Dismissal | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What is new since the last visit."""

    text: str
    on: date
    source: Source


@dataclass(frozen=True, slots=True)
class Merge:
    """Two records of one person joined. `counts`: how many things of each kind went over."""

    merge_id: str
    kept: Patient
    gone: Patient
    counts: dict[str, int]
    reason: str
    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Chart:
    """A patient's chart as it stands. `revision`: grows with each change; a writer names the one that was seen.

    `since`: day of the visit that `changes` are counted from, None where there was none. `merged_into`: id of the
    patient whose chart this one is part of now, else "". `left_out`: things beyond the bounds of one chart, in words.
    `masked`: without identity, for research.
    """

    patient: Patient
    revision: int
    problems: tuple[Problem, ...]
    medicines: tuple[MedicineLine, ...]
    allergies: tuple[Allergy, ...]
    no_allergies: tuple[Said, ...]
    series: tuple[Series, ...]
    timeline: tuple[TimelineItem, ...]
    attention: tuple[Attention, ...]
    since: date | None
    changes: tuple[Change, ...]
    merges: tuple[Merge, ...] = ()
    merged_into: str = ""
    left_out: tuple[str, ...] = ()
    masked: bool = False


@dataclass(frozen=True, slots=True)
class SummaryLine:
    """A line of the summary, in the words of its sources."""

    text: str
    sources: tuple[Source, ...]
    alert: bool = False


@dataclass(frozen=True, slots=True)
class SummaryPart:
    """`code`: LOINC code of the section; `left_out`: how many lines did not fit on the page."""

    title: str
    code: str
    lines: tuple[SummaryLine, ...]
    left_out: int = 0

"""A reading of a scan as it is kept: what was said, of which picture, for whom, and what a person thought of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Opinion(StrEnum):
    """What a person says of a reading."""

    AGREE = "agree"
    DISAGREE = "disagree"


@dataclass(frozen=True, slots=True)
class Feedback:
    """`reason`: why, in the person's words; never shown to researchers, who get it with the identity removed."""

    opinion: Opinion
    reason: str
    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class KeptReading:
    """`outside`: the outside shape of the reading, as domain.contract writes it. `patient_id`: "" while nobody's.

    `source_sha256`: of the file as it came, which is not kept: a scan's header may name a person. `picture_sha256`,
    `overlay_sha256`: kept PNG of the picture that was read and of the map laid on it ("" without a map). `number` of
    `count`: which picture of a stack, from 1.
    """

    reading_id: str
    patient_id: str
    created_at: datetime
    outside: dict[str, Any]
    source_sha256: str
    picture_sha256: str
    overlay_sha256: str
    number: int
    count: int
    feedback: tuple[Feedback, ...] = ()

    @property
    def task(self) -> str:
        return str(self.outside["task"])

    @property
    def abstained(self) -> bool:
        return bool(self.outside["abstained"])

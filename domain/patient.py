"""A patient, as the store knows one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

SEXES = ("female", "male", "other", "unknown")  # FHIR AdministrativeGender
MAX_NAME_CHARS = 300


@dataclass(frozen=True, slots=True)
class Patient:
    """`birth_date` has no zone; `created_at` is aware (UTC). `synthetic` marks invented demo patients."""

    patient_id: str
    name: str
    birth_date: date
    sex: str
    record_number: str
    created_at: datetime
    synthetic: bool = False

    def age_on(self, day: date) -> int:
        """Completed years on `day`."""
        before_birthday = (day.month, day.day) < (self.birth_date.month, self.birth_date.day)
        return day.year - self.birth_date.year - before_birthday

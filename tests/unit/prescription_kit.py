"""What the prescription tests share: a clock to set, people, a desk over a real store and real keys."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from domain.audit import Actor
from domain.patient import Patient
from domain.prescription import Prescriber
from pipelines.prescription_desk import PrescriptionDesk
from pipelines.prescription_drugs import KnownDrugs
from storage import patients
from storage.database import Database
from storage.prescriptions import PrescriptionStore
from storage.signing_keys import SigningKeys

ISSUER = "https://clinic.example"
DOCTOR = Actor("dr.test", "session-d", "doctor")
PHARMACIST = Actor("ph.test", "session-p", "pharmacist")
PRESCRIBER = Prescriber("Dr Ada Okafor", "GMC 1234567", "Riverside Practice")
AMOXICILLIN = {
    "name": "Amoxicillin", "strength": "500 mg", "form": "capsule", "route": "oral", "dose": "1 capsule",
    "frequency": "three times daily", "duration_days": 7, "quantity": 21, "refills": 0, "note": "Finish the course",
}  # fmt: skip


@dataclass
class Clock:
    """A clock that stands still until a test moves it."""

    now: datetime = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class Clinic:
    """A desk with everything under it."""

    folder: Path
    accounts: bool = False
    issuer_files: tuple[Path, ...] = ()
    issuer: str = ISSUER
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.database = Database(f"sqlite:///{self.folder / 'records.sqlite'}")
        with self.database.begin() as tx:
            self.patient: Patient = patients.create(tx, "Zoë Müller-Łukasiewicz", date(1980, 2, 3), "female")
        self.keys = SigningKeys(self.folder, self.issuer, issuer_files=self.issuer_files)
        self.store = PrescriptionStore(self.database)
        self.desk = PrescriptionDesk(self.store, self.keys, KnownDrugs(), self.accounts, self.clock)

    def issue(self, *medicines: dict[str, Any], **more: Any) -> Any:
        data = {"medications": list(medicines or (AMOXICILLIN,)), "valid_days": 30, **more}
        return self.desk.issue(self.patient, PRESCRIBER, data, DOCTOR)


def medicine(**changes: Any) -> dict[str, Any]:
    """Amoxicillin, but for `changes`."""
    return {**AMOXICILLIN, **changes}


def unlike(number: int, length: int) -> str:
    """Text that does not compress and differs for each number."""
    return "".join(hashlib.sha256(f"{number}/{at}".encode()).hexdigest() for at in range(length // 64 + 1))[:length]

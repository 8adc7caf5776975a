"""Prescriptions as issued, what was handed out on them, and revocations; each change in one transaction with its event.

Handing out is decided inside the transaction, under the row's lock, by a function of the pipelines: two pharmacies at
the same instant come one after the other, and the second is told what the first did. Fillings are only ever added.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from domain.audit import Action, Actor
from domain.errors import NotAllowed, NothingFound
from domain.prescription import (
    QUANTITY_STEP,
    CodePart,
    Filling,
    Medicine,
    Override,
    Prescriber,
    Prescription,
    PrescriptionRecord,
    SignedPrescription,
)
from storage import audit
from storage.database import Database
from storage.patients import check_own_chart
from storage.tables import prescription_fillings, prescriptions

UNKNOWN = "No prescription of this id is kept here. Check the id, or scan its code."

Plan = Callable[[PrescriptionRecord], tuple[Filling, ...]]
"""Decides what may be handed out of a prescription as it stands; raises to refuse. Runs inside the transaction."""


class PrescriptionStore:
    """Prescriptions in the database. Safe to use from several threads and processes at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, signed: SignedPrescription, actor: Actor, detail: str = "") -> None:
        """Keep a prescription just signed. Raises NotAllowed when its id or short code is taken."""
        with self._database.begin() as tx:
            _insert(tx, signed)
            check_own_chart(tx, signed.patient_id)
            audit.append(
                tx, actor, Action.CREATE, f"MedicationRequest/{signed.prescription.prescription_id}", signed.patient_id,
                f"signed {len(signed.prescription.medicines)} medicines in {len(signed.parts)} codes "
                f"with key {signed.parts[0].key_id[:8]}{'; ' + detail if detail else ''}",
            )  # fmt: skip

    def get(self, prescription_id: str) -> PrescriptionRecord:
        """A prescription as it stands. Raises NothingFound."""
        with self._database.read() as tx:
            record = _load(tx, prescriptions.c.prescription_id == prescription_id)
        if record is None:
            raise NothingFound(UNKNOWN)
        return record

    def find(self, prescription_id: str) -> PrescriptionRecord | None:
        """A prescription as it stands, or None when it is not kept here."""
        with self._database.read() as tx:
            return _load(tx, prescriptions.c.prescription_id == prescription_id)

    def find_short(self, short_code: str) -> PrescriptionRecord | None:
        """By the code that people read out."""
        with self._database.read() as tx:
            return _load(tx, prescriptions.c.short_code == short_code)

    def of_patient(self, patient_id: str) -> tuple[PrescriptionRecord, ...]:
        """All prescriptions of one patient, newest first."""
        newest = prescriptions.c.issued_at.desc(), prescriptions.c.prescription_id
        with self._database.read() as tx:
            rows = tx.execute(
                sa.select(prescriptions).where(prescriptions.c.patient_id == patient_id).order_by(*newest)
            ).all()
            given = tx.execute(
                sa.select(prescription_fillings)
                .join(prescriptions, prescriptions.c.prescription_id == prescription_fillings.c.prescription_id)
                .where(prescriptions.c.patient_id == patient_id)
                .order_by(prescription_fillings.c.number)
            ).all()
        by_id: dict[str, list[sa.Row]] = {}
        for row in given:
            by_id.setdefault(row.prescription_id, []).append(row)
        return tuple(_record(row, by_id.get(row.prescription_id, [])) for row in rows)

    def fill(
        self, prescription_id: str, plan: Plan, actor: Actor, foreign: SignedPrescription | None = None
    ) -> tuple[PrescriptionRecord, tuple[Filling, ...]]:
        """Hand out what `plan` allows, once. `foreign`: a verified prescription of another issuer, kept from now on so
        that it is not handed out here twice. Returns the prescription after, and what was handed out.

        Whatever `plan` raises undoes everything. Raises NothingFound for an unknown id.
        """
        with self._database.begin() as tx:
            record = _load(tx, prescriptions.c.prescription_id == prescription_id, lock=True)
            if record is None and foreign is not None:
                _insert(tx, foreign, prescription_id)
                record = _load(tx, prescriptions.c.prescription_id == prescription_id, lock=True)
            if record is None:
                raise NothingFound(UNKNOWN)
            given = plan(record)
            before = len(record.fillings)
            for number, filling in enumerate(given, start=before + 1):
                tx.execute(
                    prescription_fillings.insert().values(
                        prescription_id=prescription_id,
                        number=number,
                        medicine=filling.medicine,
                        thousandths=int(filling.quantity / QUANTITY_STEP),
                        dispensed_at=filling.dispensed_at,
                        dispensed_by=filling.dispensed_by,
                    )
                )
            tx.execute(
                prescriptions.update()
                .where(prescriptions.c.prescription_id == prescription_id)
                .values(fillings=before + len(given))
            )
            said = ", ".join(f"{filling.quantity} of medicine {filling.medicine + 1}" for filling in given)
            audit.append(
                tx, actor, Action.UPDATE, f"MedicationRequest/{prescription_id}", record.signed.patient_id,
                f"dispensed {said}",
            )  # fmt: skip
            after = _load(tx, prescriptions.c.prescription_id == prescription_id)
        assert after is not None, "it was locked a moment ago"
        return after, given

    def revoke(self, prescription_id: str, reason: str, at: datetime, actor: Actor) -> PrescriptionRecord:
        """Take a prescription back for good. Raises NothingFound, or NotAllowed when it is revoked already."""
        with self._database.begin() as tx:
            record = _load(tx, prescriptions.c.prescription_id == prescription_id, lock=True)
            if record is None:
                raise NothingFound(UNKNOWN)
            if record.revoked_at is not None:
                raise NotAllowed(
                    f"This prescription was revoked on {record.revoked_at:%d %B %Y} already, and stays so. "
                    "Nothing was changed."
                )
            tx.execute(
                prescriptions.update()
                .where(prescriptions.c.prescription_id == prescription_id)
                .values(revoked_at=at, revoked_by=actor.who, revoked_reason=reason)
            )
            # The reason may name the patient, so it stays in the prescription's row and out of the trail's detail.
            audit.append(
                tx, actor, Action.DELETE, f"MedicationRequest/{prescription_id}", record.signed.patient_id,
                "revoked, reason kept with the prescription",
            )  # fmt: skip
            after = _load(tx, prescriptions.c.prescription_id == prescription_id)
        assert after is not None, "it was locked a moment ago"
        return after

    def note_reading(self, prescription_id: str, patient_id: str, outcome: str, actor: Actor) -> None:
        """Leave a trace of a question about a prescription. `outcome`: a few words, no patient data."""
        with self._database.begin() as tx:
            audit.append(tx, actor, Action.READ, f"MedicationRequest/{prescription_id}", patient_id, outcome)


def _insert(tx: sa.Connection, signed: SignedPrescription, prescription_id: str = "") -> None:
    try:
        tx.execute(
            prescriptions.insert().values(
                prescription_id=prescription_id or signed.prescription.prescription_id,
                patient_id=signed.patient_id or None,
                short_code=signed.short_code or None,
                issued_at=signed.prescription.issued_at,
                expires_at=signed.prescription.expires_at,
                content=_content(signed),
                fillings=0,
                revoked_by="",
                revoked_reason="",
            )
        )
    except IntegrityError as e:
        raise NotAllowed(
            "This prescription could not be filed: its patient is not kept here, or its number is taken. Try again."
        ) from e


def _load(tx: sa.Connection, which: sa.ColumnElement[bool], lock: bool = False) -> PrescriptionRecord | None:
    query = sa.select(prescriptions).where(which)
    row = tx.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        return None
    given = tx.execute(
        sa.select(prescription_fillings)
        .where(prescription_fillings.c.prescription_id == row.prescription_id)
        .order_by(prescription_fillings.c.number)
    ).all()
    return _record(row, given)


def _record(row: sa.Row, given: list[sa.Row]) -> PrescriptionRecord:
    return PrescriptionRecord(
        signed=_signed(row.content, row.patient_id or "", row.short_code or ""),
        fillings=tuple(
            Filling(f.medicine, f.thousandths * QUANTITY_STEP, _aware(f.dispensed_at), f.dispensed_by) for f in given
        ),
        revoked_at=_aware(row.revoked_at) if row.revoked_at else None,
        revoked_by=row.revoked_by,
        revoked_reason=row.revoked_reason,
    )


def _content(signed: SignedPrescription) -> dict[str, Any]:
    content = asdict(signed)
    paper = content["prescription"]
    paper["birth_date"] = paper["birth_date"].isoformat()
    paper["issued_at"], paper["expires_at"] = paper["issued_at"].isoformat(), paper["expires_at"].isoformat()
    for medicine in paper["medicines"]:
        medicine["quantity"] = str(medicine["quantity"])
    return {"prescription": paper, "parts": content["parts"], "overrides": content["overrides"]}


def _signed(content: dict[str, Any], patient_id: str, short_code: str) -> SignedPrescription:
    paper = content["prescription"]
    medicines = tuple(Medicine(**{**m, "quantity": Decimal(m["quantity"])}) for m in paper["medicines"])
    prescription = Prescription(
        **{
            **paper,
            "birth_date": date.fromisoformat(paper["birth_date"]),
            "prescriber": Prescriber(**paper["prescriber"]),
            "medicines": medicines,
            "issued_at": datetime.fromisoformat(paper["issued_at"]),
            "expires_at": datetime.fromisoformat(paper["expires_at"]),
        }
    )
    return SignedPrescription(
        prescription=prescription,
        patient_id=patient_id,
        short_code=short_code,
        parts=tuple(CodePart(**part) for part in content["parts"]),
        overrides=tuple(Override(**override) for override in content["overrides"]),
    )


def _aware(value: datetime) -> datetime:
    """SQLite forgets the zone; what was stored is UTC."""
    return value if value.tzinfo else value.replace(tzinfo=UTC)

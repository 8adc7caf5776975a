"""Prescriptions as FHIR R4: a MedicationRequest for each medicine, and a MedicationDispense for each hand-out.

The signed paper itself travels as its own code (prescription_fhir); here it is part of a chart that somebody reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from domain.prescription import Medicine, PrescriptionRecord
from pipelines.chart_sources import course_ended
from pipelines.fhir_shapes import OURS, Entry, clean, url_of


def requests(records: Sequence[PrescriptionRecord], patient: str, today: date) -> Iterator[Entry]:
    """What was ordered, by whom, for how long, and what left the pharmacy."""
    for record in records:
        order = record.signed.prescription
        urls = [url_of("MedicationRequest", f"{order.prescription_id}/{at}") for at in range(len(order.medicines))]
        for at, medicine in enumerate(order.medicines):
            yield urls[at], _request(record, medicine, patient, today)
        for number, filling in enumerate(record.fillings):
            medicine = order.medicines[filling.medicine]
            yield (
                url_of("MedicationDispense", f"{order.prescription_id}/{number}"),
                {
                    "resourceType": "MedicationDispense",
                    "status": "completed",
                    "medicationCodeableConcept": {"text": clean(medicine.product)},
                    "subject": {"reference": patient},
                    "performer": [{"actor": {"display": clean(filling.dispensed_by) or "pharmacy"}}],
                    "authorizingPrescription": [{"reference": urls[filling.medicine]}],
                    "quantity": _amount(filling.quantity, medicine.quantity_unit),
                    "whenHandedOver": filling.dispensed_at.isoformat(),
                },
            )


def _request(record: PrescriptionRecord, medicine: Medicine, patient: str, today: date) -> dict[str, Any]:
    order = record.signed.prescription
    said = ", ".join(part for part in (medicine.strength, medicine.dose, medicine.frequency) if part)
    dosage: dict[str, Any] = {"text": clean(said)} if said else {}
    if medicine.route:
        dosage["route"] = {"text": clean(medicine.route)}
    if medicine.note:
        dosage["patientInstruction"] = clean(medicine.note)
    over = "completed" if course_ended(medicine, order.issued_at.date(), today) else "active"
    valid = {"start": order.issued_at.isoformat(), "end": order.expires_at.isoformat()}
    dispense: dict[str, Any] = {"validityPeriod": valid, "quantity": _amount(medicine.quantity, medicine.quantity_unit)}
    if medicine.refills:
        dispense["numberOfRepeatsAllowed"] = medicine.refills
    if medicine.duration_days:
        dispense["expectedSupplyDuration"] = {"value": medicine.duration_days, "unit": "d"}
    notes = [f"Set aside when signing: {one.text} ({one.reason})" for one in record.signed.overrides]
    shape: dict[str, Any] = {
        "resourceType": "MedicationRequest",
        "status": "stopped" if record.revoked_at else over,
        "intent": "order",
        "medicationCodeableConcept": {"text": clean(medicine.name)},
        "subject": {"reference": patient},
        "authoredOn": order.issued_at.isoformat(),
        "requester": {"display": clean(order.prescriber.name) or "prescriber"},
        "groupIdentifier": {"system": f"{OURS}:prescription", "value": order.prescription_id},
        "dispenseRequest": dispense,
    }
    if record.revoked_at:
        shape["statusReason"] = {"text": clean(record.revoked_reason) or "revoked"}
    if dosage:
        shape["dosageInstruction"] = [dosage]
    if medicine.form:
        notes.append(f"Form: {medicine.form}")
    if notes:
        shape["note"] = [{"text": clean(note)} for note in notes]
    return shape


def _amount(value: Decimal, unit: str) -> dict[str, Any]:
    plain = int(value) if value == value.to_integral_value() else float(value)
    return {"value": plain, **({"unit": clean(unit)} if unit else {})}

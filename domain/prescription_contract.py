"""Prescriptions in the shapes of the outside contract; see domain/contract.py for the rules they follow."""

from __future__ import annotations

from typing import Any

from domain.prescription import (
    Medicine,
    Prescription,
    PrescriptionRecord,
    PrescriptionWarning,
    SignedPrescription,
    Verdict,
)


def verdict(value: Verdict) -> dict[str, Any]:
    """May this be dispensed? `medicines` and `handed_out` count lines from 0."""
    return {
        "valid": value.valid,
        "status": value.status.value,
        "reason": value.reason,
        "prescription": prescription(value.prescription) if value.prescription else None,
        "medicines": list(value.medicines),
        "missing_codes": list(value.missing_parts),
        "issuer_name": value.issuer_name,
        "remaining": _remaining(value.record) if value.record else [],
        "handed_out": [{"medicine": f.medicine, "quantity": float(f.quantity)} for f in value.handed_out],
    }


def prescription(value: Prescription) -> dict[str, Any]:
    """A prescription as it was signed; "medications" and "valid_days" as they went in."""
    return {
        "prescription_id": value.prescription_id,
        "medications": [_medication(medicine) for medicine in value.medicines],
        "valid_days": (value.expires_at - value.issued_at).days,
        "patient": {
            "name": value.patient_name,
            "birth_date": value.birth_date.isoformat(),
            "sex": value.sex,
        },
        "prescriber": {
            "name": value.prescriber.name,
            "identifier": value.prescriber.identifier,
            "facility": value.prescriber.facility,
        },
        "issued_at": value.issued_at.isoformat(),
        "expires_at": value.expires_at.isoformat(),
        "issuer": value.issuer,
    }


def issued(signed: SignedPrescription, warnings: tuple[PrescriptionWarning, ...]) -> dict[str, Any]:
    """What /issue_prescription answers beside the two files. `code`: all codes, one a line."""
    return {
        "prescription_id": signed.prescription.prescription_id,
        "code": signed.code,
        "short_code": signed.short_code,
        "codes": [part.text for part in signed.parts],
        "warnings": [warning(one) for one in warnings],
    }


def warning(value: PrescriptionWarning) -> dict[str, Any]:
    """A finding before signing; `warning_id` is what an override names. `medicines` count from 0."""
    return {
        "warning_id": value.warning_id,
        "kind": value.kind.value,
        "text": value.text,
        "source": value.source,
        "medicines": list(value.medicines),
        "stops": value.stops,
    }


def _medication(value: Medicine) -> dict[str, Any]:
    whole = value.quantity == value.quantity.to_integral_value()
    amount = int(value.quantity) if whole else float(value.quantity)
    return {
        "name": value.name,
        "strength": value.strength,
        "form": value.form,
        "route": value.route,
        "dose": value.dose,
        "frequency": value.frequency,
        "duration_days": value.duration_days,
        "quantity": f"{amount} {value.quantity_unit}" if value.quantity_unit else amount,
        "refills": value.refills,
        "note": value.note,
    }


def _remaining(record: PrescriptionRecord) -> list[float]:
    """What may still be handed out of each medicine, refills included."""
    return [float(record.remaining(at)) for at in range(len(record.signed.prescription.medicines))]

"""What the two sides of the Prescription tab show, as plain data: pure functions of what the desk answers."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from domain import prescription_contract as contract
from domain.prescription import PrescriptionRecord, Status, Verdict

if TYPE_CHECKING:
    from pipelines.workbench import CheckedDraft, IssuedPrescription

LISTED = 20
EMPTY: dict[str, Any] = {"medications": []}  # the form after signing, so that nobody signs the same twice
# Status to title, colour and icon; the words say all that the colour says.
LOOKS = {
    Status.ACTIVE: ("Genuine: may be dispensed", "good", "✓"),
    Status.DISPENSED: ("Genuine, but already dispensed", "warn", "!"),
    Status.REVOKED: ("Revoked: do not dispense", "bad", "✕"),
    Status.EXPIRED: ("Expired: do not dispense", "warn", "!"),
    Status.UNKNOWN: ("Not known: do not dispense", "bad", "?"),
    Status.FORGED: ("Altered: do not dispense", "bad", "✕"),
}
STANDING = {
    Status.ACTIVE: "may be dispensed",
    Status.DISPENSED: "dispensed",
    Status.REVOKED: "revoked",
    Status.EXPIRED: "expired",
}


def day(moment: datetime) -> str:
    """A date as people write it, without doubt which number is the month."""
    return f"{moment.day} {moment:%B %Y}"


def present_checked(checked: CheckedDraft) -> dict[str, Any]:
    """Warnings before signing."""
    return {"codes": checked.codes, "warnings": [contract.warning(one) for one in checked.warnings]}


def present_issued(issued: IssuedPrescription, again: bool = False) -> dict[str, Any]:
    """Picture and page ride along as data addresses: no copy of them is left behind on the server."""
    paper = issued.signed.prescription
    return {
        "again": again,
        "patient": paper.patient_name,
        "expires": day(paper.expires_at),
        "short_code": issued.signed.short_code,
        "code": issued.signed.code,
        "codes": len(issued.signed.parts),
        "qr_png": _address("image/png", issued.qr_png),
        "pdf": _address("application/pdf", issued.pdf),
    }


def present_fill(record: PrescriptionRecord) -> dict[str, Any]:
    """An earlier prescription's lines, to be read, mended and signed anew."""
    shape = contract.prescription(record.signed.prescription)
    return {"token": uuid.uuid4().hex, "medications": shape["medications"]}


def present_kept(records: Sequence[PrescriptionRecord], now: datetime) -> list[dict[str, Any]]:
    """A patient's prescriptions, newest first, each with where it stands."""
    return [_kept(record, now) for record in records[:LISTED]]


def present_verdict(verdict: Verdict, sigs: Sequence[str]) -> dict[str, Any]:
    """`sigs`: each medicine's directions in plain words. `code`: what to dispense, the shown codes only."""
    title, tone, icon = LOOKS[verdict.status]
    if verdict.handed_out:
        title, tone, icon = "Dispensed now", "good", "✓"
    elif verdict.status is Status.ACTIVE and not verdict.valid:
        title, tone, icon = "Genuine, but nothing was handed out", "warn", "!"  # the amounts did not fit
    parts = verdict.record.signed.parts if verdict.record else ()
    paper = verdict.prescription
    may_dispense = verdict.status is Status.ACTIVE and not verdict.handed_out
    own = bool(verdict.record and verdict.record.signed.patient_id)  # another issuer's is not ours to revoke
    return {
        "verdict": contract.verdict(verdict),
        "title": title,
        "tone": tone,
        "icon": icon,
        "code": "\n".join(part.text for part in parts if part.number not in verdict.missing_parts),
        "may_dispense": may_dispense,
        "due": _due(verdict) if may_dispense else [],
        "shows_left": verdict.status in (Status.ACTIVE, Status.DISPENSED),
        "can_revoke": own and verdict.status is not Status.REVOKED,
        "sigs": list(sigs),
        "issued": day(paper.issued_at) if paper else "",
        "expires": day(paper.expires_at) if paper else "",
    }


def _due(verdict: Verdict) -> list[dict[str, Any]]:
    """What completes the open filling of each covered medicine that is not used up; amounts as exact text."""
    if verdict.record is None:
        return []
    due = {at: verdict.record.due_now(at) for at in verdict.medicines}
    return [{"medicine": at, "amount": f"{much.normalize():f}"} for at, much in due.items() if much > 0]


def _kept(record: PrescriptionRecord, now: datetime) -> dict[str, Any]:
    paper = record.signed.prescription
    status = _standing(record, now)
    return {
        "prescription_id": paper.prescription_id,
        "title": ", ".join(medicine.product for medicine in paper.medicines),
        "issued": day(paper.issued_at),
        "short_code": record.signed.short_code,
        "standing": STANDING[status],
        "tone": LOOKS[status][1],
        "can_revoke": record.revoked_at is None,
    }


def _standing(record: PrescriptionRecord, now: datetime) -> Status:
    """Without a word on why; the verdict of the desk says that."""
    if record.revoked_at is not None:
        return Status.REVOKED
    if all(record.remaining(at) <= 0 for at in range(len(record.signed.prescription.medicines))):
        return Status.DISPENSED
    return Status.EXPIRED if now > record.signed.prescription.expires_at else Status.ACTIVE


def _address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"

"""May this be dispensed, and how much: rules on expiry, clocks, fillings and refills, as pure functions of a record.

Does not know codes, keys or the store; the moment is handed in. A sentence here names no patient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from domain.errors import NotAllowed
from domain.prescription import QUANTITY_STEP, Filling, Prescription, PrescriptionRecord, Status, Verdict

CLOCK_SKEW = timedelta(minutes=10)  # how far two machines' clocks may stand apart


def judge(
    record: PrescriptionRecord,
    medicines: Sequence[int],
    now: datetime,
    missing_parts: Sequence[int] = (),
    issuer_name: str = "",
    kept_here: bool = True,
) -> Verdict:
    """Where a genuine prescription stands at `now`. `medicines`: those that the shown codes cover, counted from 0.

    `issuer_name`: who signed it when it was not us. `kept_here`: False when the store has never seen it, so that
    dispensing elsewhere cannot be excluded.
    """
    status, reason = _standing(record, medicines, now)
    if status is Status.ACTIVE:
        if not kept_here:
            reason += (
                f" It was signed by {issuer_name or 'another trusted issuer'}, whose store is not asked: whether it "
                "was dispensed or revoked elsewhere is not known here."
            )
        if missing_parts:
            said = " and ".join(str(number) for number in missing_parts)
            total = record.signed.parts[-1].total
            reason += f" This is part of a prescription in {total} codes; scan code {said} for the other medicines."
    return Verdict(
        valid=status is Status.ACTIVE,
        status=status,
        reason=reason,
        prescription=record.signed.prescription,
        medicines=tuple(medicines),
        record=record,
        missing_parts=tuple(missing_parts),
        issuer_name=issuer_name,
    )


def plan_filling(
    record: PrescriptionRecord,
    medicines: Sequence[int],
    now: datetime,
    who: str,
    quantities: Mapping[int, Decimal] | None = None,
) -> tuple[Filling, ...]:
    """What to hand out now. Without `quantities`: of each covered medicine, what completes its open filling.

    With them: exactly that much of each medicine named (counted from 0). Raises NotAllowed with the reason when the
    prescription does not stand, or when more is asked for than it leaves.
    """
    status, reason = _standing(record, medicines, now)
    if status is not Status.ACTIVE:
        raise NotAllowed(reason)
    if quantities is None:
        due = {medicine: record.due_now(medicine) for medicine in medicines}
        return tuple(Filling(medicine, much, now, who) for medicine, much in due.items() if much > 0)
    if not quantities:
        raise NotAllowed("No medicine was chosen, so nothing was handed out. Choose what to dispense.")
    for medicine, asked in quantities.items():
        if medicine not in medicines:
            raise NotAllowed(
                f"Medicine {medicine + 1} is not on the codes that were shown. Scan the code that holds it."
            )
        left = record.due_now(medicine)
        if not asked.is_finite() or asked <= 0:
            raise NotAllowed(f"Medicine {medicine + 1}: the amount must be a positive number. Nothing was handed out.")
        if asked <= left and asked != asked.quantize(QUANTITY_STEP):
            raise NotAllowed(f"Medicine {medicine + 1}: three decimals are the most. Nothing was handed out.")
        if asked > left:
            raise NotAllowed(
                f"Medicine {medicine + 1}: {_plain(asked)} was asked for, but only {_plain(left)} may be handed out "
                "in this filling. Nothing was handed out; correct the amount."
            )
    return tuple(Filling(medicine, asked, now, who) for medicine, asked in quantities.items())


def say_handed_out(record: PrescriptionRecord, given: Sequence[Filling]) -> str:
    """What was handed out just now and what is left, for the pharmacist."""
    paper = record.signed.prescription
    lines = [f"{_plain(f.quantity)} × {paper.medicines[f.medicine].product}" for f in given]
    left = [
        f"{_plain(record.remaining(at))} of {medicine.product}"
        for at, medicine in enumerate(paper.medicines)
        if record.remaining(at) > 0
    ]
    rest = f" Still to be dispensed: {'; '.join(left)}." if left else " Nothing is left on this prescription."
    return f"Dispensed now: {'; '.join(lines)}.{rest}"


def say_moment(moment: datetime) -> str:
    """ "24 November 2026, 09:30 UTC"."""
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def _standing(record: PrescriptionRecord, medicines: Sequence[int], now: datetime) -> tuple[Status, str]:
    paper = record.signed.prescription
    if record.revoked_at is not None:
        return Status.REVOKED, (
            f"Revoked by {record.revoked_by} on {say_moment(record.revoked_at)}: {record.revoked_reason}. "
            "Do not dispense."
        )
    if all(record.remaining(medicine) <= 0 for medicine in medicines):
        last = max((f for f in record.fillings if f.medicine in medicines), key=lambda f: f.dispensed_at)
        return Status.DISPENSED, (
            f"Already dispensed in full, last on {say_moment(last.dispensed_at)} by {last.dispensed_by}. Nothing is "
            "left on it; do not dispense again."
        )
    if now > paper.expires_at + CLOCK_SKEW:
        return Status.EXPIRED, (
            f"Expired on {say_moment(paper.expires_at)}. Do not dispense; the patient needs a new prescription."
        )
    if now < paper.issued_at - CLOCK_SKEW:
        return Status.UNKNOWN, (
            f"Signed on {say_moment(paper.issued_at)}, which is still to come by this machine's clock; 10 minutes of "
            "difference are allowed. Set the clock, then scan again."
        )
    standing = _part_filled(record, medicines) or "Genuine, unexpired and not yet dispensed."
    return Status.ACTIVE, standing + _clock(paper, now)


def _part_filled(record: PrescriptionRecord, medicines: Sequence[int]) -> str:
    given = [f for f in record.fillings if f.medicine in medicines]
    if not given:
        return ""
    left = "; ".join(
        f"{_plain(record.remaining(at))} of {record.signed.prescription.medicines[at].product}"
        for at in medicines
        if record.remaining(at) > 0
    )
    last = max(given, key=lambda f: f.dispensed_at)
    return (
        f"Genuine and unexpired. Dispensed in part, last on {say_moment(last.dispensed_at)} by {last.dispensed_by}; "
        f"left: {left}."
    )


def _clock(paper: Prescription, now: datetime) -> str:
    if now < paper.issued_at:
        return " This machine's clock is a little behind the issuer's; up to 10 minutes are allowed."
    if now > paper.expires_at:
        return " Its time ran out less than 10 minutes ago, which is allowed for differing clocks."
    return ""


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"

"""Once: what may be handed out, to whom, when, and never twice."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from components.prescription_view import present_verdict
from domain.audit import Actor
from domain.errors import NotAllowed, NothingFound, PrescriptionInvalid, SettingsInvalid
from domain.prescription import Status, Verdict
from domain.prescription_order import read_quantities
from pipelines.prescription import sign, write_prescription
from pipelines.prescription_draft import read_draft
from storage import audit
from storage.signing_keys import read_issuer
from tests.unit.prescription_kit import (
    AMOXICILLIN,
    DOCTOR,
    ISSUER,
    PHARMACIST,
    PRESCRIBER,
    Clinic,
    Clock,
    medicine,
    unlike,
)

RACES = 1000


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return Clinic(tmp_path / "clinic")


def trail(clinic: Clinic) -> list[str]:
    with clinic.database.read() as tx:
        assert audit.examine(tx).intact
        return [f"{event.action.value} {event.detail}" for event in audit.of_patient(tx, clinic.patient.patient_id)]


def test_a_prescription_is_dispensed_once_and_every_step_is_on_the_trail(clinic: Clinic) -> None:
    code = clinic.issue().signed.code
    seen = clinic.desk.verify(None, code, PHARMACIST)
    assert (seen.valid, seen.status) == (True, Status.ACTIVE)
    assert seen.prescription is not None
    assert seen.prescription.patient_name == clinic.patient.name
    given = clinic.desk.dispense(code, PHARMACIST)
    assert (given.valid, given.status) == (True, Status.DISPENSED)
    again = clinic.desk.dispense(code, PHARMACIST)
    assert (again.valid, again.status) == (False, Status.DISPENSED)
    assert "24 November 2026" in again.reason
    assert "by ph.test" in again.reason
    assert clinic.desk.verify(None, code, PHARMACIST).status is Status.DISPENSED
    assert [line.split(" ")[0:2] for line in trail(clinic)] == [
        ["C", "signed"], ["R", "verified:"], ["U", "dispensed"], ["R", "not"], ["R", "verified:"],
    ]  # fmt: skip
    assert not any(clinic.patient.name in line for line in trail(clinic))


def test_refills_are_handed_out_one_by_one_and_no_more(clinic: Clinic) -> None:
    code = clinic.issue(medicine(refills=2)).signed.code
    results = [clinic.desk.dispense(code, PHARMACIST) for _ in range(4)]
    assert [r.valid for r in results] == [True, True, True, False]
    assert [r.status for r in results] == [Status.ACTIVE, Status.ACTIVE, Status.DISPENSED, Status.DISPENSED]
    assert sum(f.quantity for r in results for f in r.handed_out) == 63


def test_a_partial_filling_leaves_the_rest_and_is_completed_next(clinic: Clinic) -> None:
    issued = clinic.issue(medicine(refills=1), medicine(name="Metformin", note=""))
    desk, code = clinic.desk, issued.signed.code
    first = desk.dispense(code, PHARMACIST, {0: Decimal(10)})
    assert (first.valid, first.status) == (True, Status.ACTIVE)
    seen = desk.verify(None, code, PHARMACIST).reason
    assert "left: 32 of Amoxicillin" in seen
    assert "by ph.test" in seen
    too_much = desk.dispense(code, PHARMACIST, {0: Decimal(12)})
    assert not too_much.valid
    assert "only 11" in too_much.reason
    assert [f.quantity for f in desk.dispense(code, PHARMACIST).handed_out] == [11, 21]
    assert [f.quantity for f in desk.dispense(code, PHARMACIST).handed_out] == [21]
    assert not desk.dispense(code, PHARMACIST).valid


@pytest.mark.parametrize("amount", ["0", "-1", "0.0001", "NaN"])
def test_amounts_that_are_none_are_refused(clinic: Clinic, amount: str) -> None:
    code = clinic.issue().signed.code
    try:
        assert not clinic.desk.dispense(code, PHARMACIST, {0: Decimal(amount)}).valid
    except ArithmeticError:
        pytest.fail("the amount reached the arithmetic")
    assert not clinic.desk.dispense(code, PHARMACIST, {3: Decimal(1)}).valid
    assert clinic.desk.verify(None, code, PHARMACIST).status is Status.ACTIVE


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (None, None),
        ({}, {}),
        ({"0": 10, "11": 2.5}, {0: Decimal(10), 11: Decimal("2.5")}),
        ({"0": " 0.125 ", "1": "-1"}, {0: Decimal("0.125"), 1: Decimal(-1)}),
    ],
)
def test_amounts_from_outside_are_read_exactly(given: Any, read: dict[int, Decimal] | None) -> None:
    assert read_quantities(given) == read


@pytest.mark.parametrize(
    "given",
    [
        10, "10", [10], True, {"x": 1}, {"-1": 1}, {"00": 1}, {0: 1}, {"1000": 1}, {"٣": 1}, {"0": None}, {"0": True},
        {"0": "ten"}, {"0": "1,5"}, {"0": "1e3"}, {"0": "٣"}, {"0": ""}, {"0": [1]}, {"0": {"1": 1}}, {"0": "9" * 21},
        {"0": float("nan")}, {"0": float("inf")}, {"0": 10**30}, {str(at): 1 for at in range(13)},
    ],
)  # fmt: skip
def test_amounts_that_say_nothing_are_refused_before_anything_is_looked_up(given: Any) -> None:
    with pytest.raises(PrescriptionInvalid, match="nothing was handed out"):
        read_quantities(given)


def test_the_page_offers_what_is_due_and_after_a_refusal_offers_it_again(clinic: Clinic) -> None:
    issued = clinic.issue(medicine(refills=1), medicine(name="Metformin", note=""))
    desk, code = clinic.desk, issued.signed.code

    def shown(verdict: Verdict) -> tuple[bool, list[tuple[int, str]], list[float]]:
        seen = present_verdict(verdict, [])
        due = [(one["medicine"], one["amount"]) for one in seen["due"]]
        return seen["may_dispense"], due, seen["verdict"]["remaining"]

    assert shown(desk.verify(None, code, PHARMACIST)) == (True, [(0, "21"), (1, "21")], [42, 21])
    part = desk.dispense(code, PHARMACIST, {0: Decimal("0.5"), 1: Decimal(21)})
    assert shown(part) == (False, [], [41.5, 0])
    assert "Still to be dispensed: 41.5 of Amoxicillin" in part.reason
    assert shown(desk.dispense(code, PHARMACIST, {0: Decimal(21)})) == (True, [(0, "20.5")], [41.5, 0])
    assert not desk.dispense(code, PHARMACIST, {}).valid
    desk.revoke(issued.signed.prescription.prescription_id, "wrong dose", DOCTOR)
    assert shown(desk.verify(None, code, PHARMACIST)) == (False, [], [41.5, 0])


def test_a_refused_amount_does_not_reach_beyond_the_codes_that_were_shown(clinic: Clinic) -> None:
    names = "Amoxicillin Metformin Omeprazole Levothyroxine Ramipril Loratadine Montelukast Sertraline".split()
    issued = clinic.issue(*(medicine(name=name, strength="", note=unlike(at, 60)) for at, name in enumerate(names)))
    part = issued.signed.parts[0]
    refused = clinic.desk.dispense(part.text, PHARMACIST, {0: Decimal(1000)})
    assert not refused.valid
    assert present_verdict(refused, [])["code"] == part.text


def test_a_revocation_needs_a_reason_ends_everything_and_is_final(clinic: Clinic) -> None:
    issued = clinic.issue().signed
    number = issued.prescription.prescription_id
    clinic.desk.dispense(issued.code, PHARMACIST)
    with pytest.raises(PrescriptionInvalid):
        clinic.desk.revoke(number, "  ", DOCTOR)
    revoked = clinic.desk.revoke(number, "wrong dose", DOCTOR)
    assert (revoked.valid, revoked.status) == (False, Status.REVOKED)
    assert "Revoked by dr.test" in revoked.reason
    assert "wrong dose" in clinic.desk.verify(None, issued.code, PHARMACIST).reason
    assert clinic.desk.dispense(issued.code, PHARMACIST).status is Status.REVOKED
    with pytest.raises(NotAllowed):
        clinic.desk.revoke(number, "again", DOCTOR)
    with pytest.raises(NothingFound):
        clinic.desk.revoke("nothing", "why", DOCTOR)


def test_expiry_and_clocks_with_ten_minutes_of_grace(clinic: Clinic) -> None:
    code = clinic.issue(valid_days=1).signed.code
    for minutes, status, said in (
        (-11, Status.UNKNOWN, "clock"), (-9, Status.ACTIVE, "behind"), (0, Status.ACTIVE, "Genuine"),
        (1440 + 9, Status.ACTIVE, "10 minutes"), (1440 + 11, Status.EXPIRED, "Expired"),
    ):  # fmt: skip
        clinic.clock.now = Clock().now + timedelta(minutes=minutes)
        verdict = clinic.desk.verify(None, code, PHARMACIST)
        assert (verdict.status, said in verdict.reason) == (status, True)
        assert verdict.valid is (status is Status.ACTIVE)
    assert not clinic.desk.dispense(code, PHARMACIST).valid


def test_roles_hold_where_accounts_are_on_and_both_hats_are_worn_where_not(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path, accounts=True)
    issued = clinic.issue().signed
    nurse = Actor("n", "s", "nurse")
    with pytest.raises(NotAllowed):
        clinic.desk.issue(clinic.patient, PRESCRIBER, {"medications": [AMOXICILLIN]}, PHARMACIST)
    with pytest.raises(NotAllowed):
        clinic.desk.dispense(issued.code, DOCTOR)
    with pytest.raises(NotAllowed):
        clinic.desk.revoke(issued.prescription.prescription_id, "x", nurse)
    assert clinic.desk.verify(None, issued.code, nurse).valid
    assert clinic.desk.dispense(issued.code, PHARMACIST).valid


def test_numbered_codes_cover_their_own_medicines(clinic: Clinic) -> None:
    names = "Amoxicillin Metformin Omeprazole Levothyroxine Ramipril Loratadine Montelukast Sertraline".split()
    lines = [medicine(name=name, strength="", note=unlike(at, 60)) for at, name in enumerate(names)]
    issued = clinic.issue(*lines).signed
    assert len(issued.parts) > 1
    part = issued.parts[0]
    alone = clinic.desk.verify(None, part.text, PHARMACIST)
    assert alone.valid
    assert list(alone.medicines) == list(range(part.first, part.last + 1))
    assert alone.missing_parts == tuple(p.number for p in issued.parts[1:])
    assert clinic.desk.verify(None, issued.code, PHARMACIST).missing_parts == ()
    assert clinic.desk.dispense(part.text, PHARMACIST).valid
    assert clinic.desk.verify(None, part.text, PHARMACIST).status is Status.DISPENSED
    rest = clinic.desk.dispense(issued.code, PHARMACIST)
    assert {f.medicine for f in rest.handed_out} == set(range(part.last + 1, 8))


def test_the_short_code_and_the_picture_lead_to_the_same_verdict(clinic: Clinic) -> None:
    issued = clinic.issue()
    for typed in (issued.signed.short_code, issued.signed.short_code.lower().replace("-", " ")):
        assert clinic.desk.verify(None, typed, PHARMACIST).prescription == issued.signed.prescription
    assert clinic.desk.verify(issued.qr_png, "", PHARMACIST).prescription == issued.signed.prescription
    assert clinic.desk.verify(None, "0000-0000-0000", PHARMACIST).status is Status.UNKNOWN


def test_a_genuine_signature_over_what_was_never_issued_is_not_dispensed(clinic: Clinic) -> None:
    issued = clinic.issue().signed
    key = clinic.keys.signing_key()
    twice = sign(issued.prescription, "p", key)  # the same id, signed a second time
    assert clinic.desk.verify(None, twice.code, PHARMACIST).status is Status.FORGED
    stray = sign(replace(issued.prescription, prescription_id="A" * 22), "p", key)
    assert clinic.desk.verify(None, stray.code, PHARMACIST).status is Status.UNKNOWN


def test_another_issuer_is_unknown_until_its_key_file_is_trusted(tmp_path: Path) -> None:
    other = Clinic(tmp_path / "other", issuer="https://other.example")
    code = other.issue().signed.code
    ours = Clinic(tmp_path / "ours")
    assert ours.desk.verify(None, code, PHARMACIST).status is Status.UNKNOWN
    assert not ours.desk.dispense(code, PHARMACIST).valid
    file = tmp_path / "other.json"
    file.write_text(json.dumps({**other.desk.jwks(), "issuer": "https://other.example", "name": "Other Clinic"}))
    trusting = Clinic(tmp_path / "trusting", issuer_files=(file,))
    verdict = trusting.desk.verify(None, code, PHARMACIST)
    assert verdict.valid
    assert "Other Clinic" in verdict.reason
    assert trusting.desk.dispense(code, PHARMACIST).valid
    assert trusting.desk.dispense(code, PHARMACIST).status is Status.DISPENSED


def test_a_trusted_strangers_key_does_not_sign_in_our_name(tmp_path: Path) -> None:
    other = Clinic(tmp_path / "other")  # names our issuer address
    file = tmp_path / "other.json"
    file.write_text(json.dumps(other.desk.jwks()))  # a plain JWKS, without its owner
    ours = Clinic(tmp_path / "ours", issuer_files=(file,))
    assert ours.desk.verify(None, other.issue().signed.code, PHARMACIST).status is Status.FORGED


@pytest.mark.parametrize(
    "content", ["", "[]", '{"keys": []}', '{"keys": [{"kty": "oct"}]}', '{"issuer": "http://x", "keys": [1]}']
)
def test_a_key_file_that_is_none_stops_the_start(tmp_path: Path, content: str) -> None:
    file = tmp_path / "keys.json"
    file.write_text(content)
    with pytest.raises(SettingsInvalid):
        read_issuer(file)


def test_two_pharmacies_at_the_same_instant_one_succeeds_each_time(clinic: Clinic) -> None:
    """The store, its lock and the rules, a thousand times; each race is two threads let go together."""
    # What is tested is the lock, not the disk: four thousand waits for it would take most of the time.
    event.listen(clinic.database.engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF"))
    clinic.database.engine.dispose()
    draft, key = read_draft({"medications": [AMOXICILLIN]}), clinic.keys.signing_key()
    codes = []
    for _ in range(RACES):
        paper = write_prescription(clinic.patient, PRESCRIBER, draft.medicines, clinic.clock(), 30, ISSUER)
        signed = sign(paper, clinic.patient.patient_id, key)
        clinic.store.add(signed, DOCTOR)
        codes.append(signed.code)
    gate = threading.Barrier(2)
    wins: list[list[bool]] = [[], []]

    def pharmacy(mine: list[bool]) -> None:
        for code in codes:
            gate.wait()
            mine.append(clinic.desk.dispense(code, PHARMACIST).valid)

    pair = [threading.Thread(target=pharmacy, args=(mine,)) for mine in wins]
    for thread in pair:
        thread.start()
    for thread in pair:
        thread.join()
    assert [one + two for one, two in zip(*wins, strict=True)] == [1] * RACES

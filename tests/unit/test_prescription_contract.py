"""The outside shapes: what went in comes out, as plain JSON."""

from __future__ import annotations

import json
from pathlib import Path

from domain import prescription_contract as contract
from tests.unit.prescription_kit import AMOXICILLIN, PHARMACIST, Clinic, medicine


def test_a_prescription_goes_round_the_outside_contract_unchanged(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path)
    lines = [AMOXICILLIN, medicine(name="Metformin", quantity="14 tablets", form="tablet", dose="1 tablet",
                                   frequency="BD", strength="", note="")]  # fmt: skip
    made = clinic.issue(*lines)
    answer = json.loads(json.dumps(contract.issued(made.signed, made.warnings)))
    assert set(answer) >= {"prescription_id", "code"}
    seen = json.loads(json.dumps(contract.verdict(clinic.desk.verify(None, answer["code"], PHARMACIST))))
    assert (seen["valid"], seen["status"]) == (True, "active")
    assert seen["prescription"]["medications"] == lines
    assert seen["prescription"]["valid_days"] == 30
    assert seen["remaining"] == [21, 14]
    given = contract.verdict(clinic.desk.dispense(answer["code"], PHARMACIST))
    assert (given["valid"], given["status"], given["remaining"]) == (True, "dispensed", [0, 0])
    gone = contract.verdict(clinic.desk.verify(None, "nonsense", PHARMACIST))
    assert (gone["valid"], gone["status"], gone["prescription"]) == (False, "unknown", None)

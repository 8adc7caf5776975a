"""Prescriptions from the command line: a file in, a code and a page out, and the code read back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domain.audit import Actor
from domain.errors import PrescriptionInvalid
from domain.prescription_order import UNNAMED_PRESCRIBER, read_order
from domain.settings import Settings
from pipelines.workbench import Workbench
from tests.unit.prescription_kit import AMOXICILLIN
from tests.unit.test_command_line import run


def test_a_prescription_is_signed_and_its_picture_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    monkeypatch.setenv("HEALTH_CONNECT_DATA_DIR", str(data))
    bench = Workbench(Settings())
    patient = bench.create_patient("Ines Faro", "1988-07-09", "female", "", Actor("test", "", "doctor"))
    bench.close()
    order = tmp_path / "order.json"
    order.write_text(json.dumps({"medications": [AMOXICILLIN], "prescriber": {"name": "Dr Ada Okafor"}}))
    done = run("prescribe", str(order), "--patient", patient.patient_id, "--out", str(tmp_path / "out"), "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert Path(made["pdf"]).read_bytes().startswith(b"%PDF-")
    seen = json.loads(run("verify", made["qr_png"], "--json").stdout)
    assert (seen["valid"], seen["status"]) == (True, "active")
    assert seen["prescription"]["prescriber"]["name"] == "Dr Ada Okafor"

    order.write_text("{}")
    refused = run("prescribe", str(order), "--patient", patient.patient_id, "--out", str(tmp_path / "out"))
    assert refused.returncode == 2
    assert "no medicine" in refused.stderr


def test_who_prescribes_is_told_apart_from_what() -> None:
    prescriber, rest = read_order({"medications": [], "prescriber": {"name": "  Ada   Okafor ", "identifier": "7"}})
    assert (prescriber.name, prescriber.identifier, rest) == ("Ada Okafor", "7", {"medications": []})
    assert read_order({})[0].name == UNNAMED_PRESCRIBER


@pytest.mark.parametrize(
    "order", [None, [], {"prescriber": "Ada"}, {"prescriber": {"role": "x"}}, {"prescriber": {"name": "A" * 121}}]
)
def test_an_order_that_is_none_is_refused(order: object) -> None:
    with pytest.raises(PrescriptionInvalid):
        read_order(order)

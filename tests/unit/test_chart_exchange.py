"""A chart with many files on its way out and in: it says how far it is, can be stopped, and keeps within its bounds."""

from __future__ import annotations

import base64
import json
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from components.chart_view import present_reception
from domain.chart import SourceKind
from domain.errors import Cancelled, StorageFailed, UploadRejected
from pipelines import fhir_file
from pipelines.progress import CancelSwitch
from tests.unit.clinic_kit import DOCTOR, Clinic

FILES = 5


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    made = Clinic(tmp_path)
    with closing(made.database):
        yield made


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    """A bundle about somebody with five letters."""

    def letter(number: int) -> dict[str, Any]:
        data = base64.b64encode(f"Potassium 4.{number} mmol/L (3.5-5.1)".encode()).decode()
        attachment = {"contentType": "text/plain", "data": data, "title": f"Letter {number}"}
        return {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": attachment}]}

    person = {"resourceType": "Patient", "name": [{"text": "Bela Far"}], "birthDate": "1961-03-12"}
    entries = [{"resource": one} for one in (person, *map(letter, range(FILES)))]
    file = tmp_path / "in.json"
    file.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))
    return file


class Listener:
    """Writes down what it is told, and stops the job when it hears a word."""

    def __init__(self, stop_at: str = "") -> None:
        self.heard: list[tuple[float, float, str]] = []
        self._stop_at = stop_at
        self.switch = CancelSwitch(self._listen)

    def _listen(self, done: float, total: float, unit: str, message: str) -> None:
        self.heard.append((done, total, message))
        if self._stop_at and self._stop_at in message:
            self.switch.stop()

    @property
    def shares(self) -> list[float]:
        return [done / total for done, total, _ in self.heard if total]


def records(clinic: Clinic, patient_id: str) -> int:
    chart = clinic.desk.chart(patient_id)
    return sum(1 for one in chart.timeline if one.source.kind is SourceKind.RECORD)


def test_receiving_says_which_file_of_how_many_and_never_runs_backwards(clinic: Clinic, sent: Path) -> None:
    told = Listener()
    came = clinic.desk.import_bundle(sent, "", DOCTOR, told.switch)
    assert (came.filed, came.left) == (FILES, 0)
    assert told.shares == sorted(told.shares)
    assert {total for _, total, _ in told.heard if total} == {FILES}
    for number in range(1, FILES + 1):
        assert any(f"File {number} of {FILES}" in message for *_, message in told.heard)
    assert (2.5, FILES, f"File 3 of {FILES}: Reading (1 of 2 pages)") in told.heard


def test_receiving_that_is_stopped_keeps_what_is_done_and_goes_on_later(clinic: Clinic, sent: Path) -> None:
    came = clinic.desk.import_bundle(sent, "", DOCTOR, Listener("File 3 of").switch)
    own = came.chart.patient.patient_id
    assert (came.received, came.filed, came.left) == (FILES + 1, 2, 3)
    assert records(clinic, own) == 2
    said = present_reception(came, chosen=False, seconds=2.4)
    assert said["state"] == "stopped"
    assert "3 files are no records yet; receive the same bundle again to go on" in said["text"]
    again = clinic.desk.import_bundle(sent, own, DOCTOR)
    assert (again.received, again.filed, again.left) == (0, 3, 0)
    assert records(clinic, own) == FILES
    assert present_reception(again, chosen=True, seconds=2.4)["state"] == "done"


def test_receiving_that_is_stopped_before_anything_is_kept_keeps_nothing(clinic: Clinic, sent: Path) -> None:
    told = Listener()
    told.switch.stop()
    with pytest.raises(Cancelled):
        clinic.desk.import_bundle(sent, "", DOCTOR, told.switch)
    with clinic.database.read() as tx:
        assert clinic.trail_of("") == []
        assert not [one for one in tx.exec_driver_sql("SELECT name FROM patients") if one.name == "Bela Far"]


def full_of_pages(clinic: Clinic, monkeypatch: pytest.MonkeyPatch, part_bytes: int) -> None:
    for number in range(6):
        clinic.file(date(2026, 6, 1 + number), f"Potassium 4.{number} mmol/L (3.5-5.1)")
    heavy = replace(clinic.desk._exchange, pdf_of=lambda one: b"%PDF-1.7 " + one.encode() * 4000)
    monkeypatch.setattr(clinic.desk, "_exchange", heavy)
    monkeypatch.setattr(fhir_file, "PART_BYTES", part_bytes)


def test_export_says_how_far_it_is_and_leaves_nothing_when_stopped(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    full_of_pages(clinic, monkeypatch, 20_000)
    told, folder = Listener(), tmp_path / "out"
    folder.mkdir()
    clinic.desk.export(clinic.ada, folder / "chart", DOCTOR, told.switch)
    assert zipfile.is_zipfile(folder / "chart")
    assert told.shares == sorted(told.shares)
    assert told.shares[-1] > 0.8
    (folder / "chart").unlink()
    events = clinic.trail_of(clinic.ada)
    with pytest.raises(Cancelled):
        clinic.desk.export(clinic.ada, folder / "chart", DOCTOR, Listener("Writing").switch)
    assert list(folder.iterdir()) == []
    assert clinic.trail_of(clinic.ada) == events, "what was not taken out is not on the trail as taken out"


def test_no_more_than_one_part_lies_beside_the_zip(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    full_of_pages(clinic, monkeypatch, 20_000)
    seen = []

    def look(*_: object) -> None:
        seen.append(len(list(tmp_path.glob("out/*/chart-*.json"))))

    (tmp_path / "out").mkdir()
    clinic.desk.export(clinic.ada, tmp_path / "out" / "chart", DOCTOR, look)
    assert max(seen) == 1


def test_a_chart_beyond_all_bounds_and_a_full_disk_are_said(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    full_of_pages(clinic, monkeypatch, 1_000)
    monkeypatch.setattr(fhir_file, "MAX_PARTS", 3)
    with pytest.raises(UploadRejected, match="larger than 3 bundles"):
        clinic.desk.export(clinic.ada, tmp_path / "chart", DOCTOR)
    monkeypatch.setattr(fhir_file, "MAX_PARTS", 100)
    full = Path("/dev/full")  # every write says that no room is left
    if not full.exists():
        pytest.skip("This system has no /dev/full")
    monkeypatch.setattr(fhir_file, "MEMBER", "../../../../../../../../../../../../dev/full")
    with pytest.raises(StorageFailed, match="disk is full"):
        clinic.desk.export(clinic.ada, tmp_path / "chart", DOCTOR)


def test_a_file_too_large_to_be_received_is_refused_with_what_to_do(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, sent: Path
) -> None:
    monkeypatch.setattr(fhir_file, "MAX_BUNDLE_BYTES", 100)
    with pytest.raises(UploadRejected, match="one after the other"):
        clinic.desk.import_bundle(sent, "", DOCTOR)

"""What is done with charts, and what befalls them: two writers, merges, moves, paper, any name, a full disk."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pypdfium2 as pdfium
import pytest
import sqlalchemy as sa

from benchmarks.chart import order
from domain import chart_contract
from domain.chart import Concern
from domain.errors import NotAllowed, NothingFound, StorageFailed, UploadRejected
from storage import audit, documents, patients
from storage.consultations import ConsultationStore
from storage.prescriptions import PrescriptionStore
from tests.unit.clinic_kit import DOCTOR, TODAY, Clinic


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    made = Clinic(tmp_path)
    with closing(made.database):
        yield made


def test_the_later_of_two_writers_is_told(clinic: Clinic) -> None:
    clinic.file(date(2026, 6, 6), "Follow-up 2026-08-01", "Diagnosis: left hip fracture.", kind="other")
    clinic.file(date(2026, 6, 7), "Diagnosis: right hip fracture.", kind="other")
    seen = clinic.desk.chart(clinic.ada)
    first, second = seen.attention[:2]
    clinic.desk.dismiss(clinic.ada, first.item, "Known to us", seen.revision, DOCTOR)
    with pytest.raises(NotAllowed, match="changed elsewhere"):
        clinic.desk.dismiss(clinic.ada, second.item, "Known to us", seen.revision, replace(DOCTOR, who="other"))


def test_two_records_of_one_person_are_merged_and_taken_apart(clinic: Clinic) -> None:
    twin = clinic.add("Ada B Example")
    stays = clinic.file(date(2026, 6, 6), "Ramipril 5 mg once daily.")
    goes = clinic.file(date(2026, 6, 7), "Apixaban 5 mg twice daily.", patient_id=twin)
    preview = clinic.desk.preview_merge(clinic.ada, twin)
    assert preview.counts["documents"] == 1
    assert ("name", "Ada Example", "Ada B Example") in preview.differences
    merged = clinic.desk.merge(clinic.ada, twin, "The same person, checked", preview.revision, DOCTOR)
    assert {item.source.id for item in merged.timeline} == {stays, goes}
    assert clinic.indexed == [goes]
    assert clinic.desk.chart(twin).merged_into == clinic.ada
    with clinic.database.read() as tx:
        assert [one.patient_id for one in patients.find(tx, "Ada")] == [clinic.ada]
    with pytest.raises(NotAllowed, match="changed elsewhere"):
        clinic.desk.unmerge(merged.merges[0].merge_id, preview.revision, DOCTOR)
    clinic.desk.unmerge(merged.merges[0].merge_id, merged.revision, DOCTOR)
    assert [item.source.id for item in clinic.desk.chart(twin).timeline] == [goes]
    with clinic.database.read() as tx:
        assert len(patients.find(tx, "Ada")) == 2
    with pytest.raises(NotAllowed, match="undone already"):
        clinic.desk.unmerge(merged.merges[0].merge_id, clinic.desk.chart(clinic.ada).revision, DOCTOR)
    with pytest.raises(NothingFound):
        clinic.desk.unmerge("nonsense", 0, DOCTOR)
    with pytest.raises(UploadRejected):
        clinic.desk.preview_merge(clinic.ada, clinic.ada)


def test_nothing_is_filed_to_a_chart_that_was_merged_away(clinic: Clinic) -> None:
    twin = clinic.add("Ada B Example")
    own = clinic.file(date(2026, 6, 6), "Ramipril 5 mg once daily.")
    preview = clinic.desk.preview_merge(clinic.ada, twin)
    merged = clinic.desk.merge(clinic.ada, twin, "The same person, checked", preview.revision, DOCTOR)
    with pytest.raises(NotAllowed, match="merged into another one, so nothing was filed"):
        clinic.file(date(2026, 6, 7), "Apixaban 5 mg twice daily.", patient_id=twin)
    with pytest.raises(NotAllowed, match="merged"), clinic.database.begin() as tx:
        documents.move(tx, own, twin)
    visits = ConsultationStore(clinic.database)
    shape = {"consultation_id": "c1", "duration_s": None, "utterances": [], "models": [], "warnings": []}
    with pytest.raises(NotAllowed, match="merged"):
        visits.add("c1", twin, shape, DOCTOR, "test")
    with pytest.raises(NotAllowed, match="merged"):
        PrescriptionStore(clinic.database).add(order(twin, 1, random.Random(1)), DOCTOR)
    assert len(clinic.desk.chart(twin).timeline) == 0
    clinic.desk.unmerge(merged.merges[0].merge_id, merged.revision, DOCTOR)
    clinic.file(date(2026, 6, 7), "Apixaban 5 mg twice daily.", patient_id=twin)


def test_a_record_in_the_wrong_chart_is_moved_and_everything_follows(clinic: Clinic) -> None:
    other = clinic.add("Bela Other", date(1970, 1, 1))
    stays = clinic.file(date(2026, 6, 6), "Ramipril 5 mg once daily.")
    wrong = clinic.file(date(2026, 6, 7), "Apixaban 5 mg twice daily.", "Allergies: penicillin")
    seen = clinic.desk.preview_move(wrong, other)
    assert (seen.origin.patient_id, seen.to.patient_id, seen.conflicts) == (clinic.ada, other, ())
    with pytest.raises(UploadRejected, match="reason"):
        clinic.desk.move(wrong, other, "", seen.revision, DOCTOR)
    left = clinic.desk.move(wrong, other, "Filed to the patient before", seen.revision, DOCTOR)
    assert [item.source.id for item in left.timeline] == [stays]
    assert (left.allergies, clinic.desk.allergies(clinic.ada)) == ((), ())
    there = clinic.desk.chart(other)
    assert [line.name for line in there.medicines] == ["Apixaban"]
    assert clinic.desk.allergies(other) == ("penicillin",)
    assert clinic.indexed == [wrong]
    assert clinic.trail_of(clinic.ada)[-1].startswith(f"DocumentReference/{wrong} moved to another chart: Filed to")
    assert clinic.trail_of(other)[-1].startswith(f"DocumentReference/{wrong} moved here")
    with pytest.raises(NotAllowed, match="changed elsewhere"):  # who looked before it was moved is told
        clinic.desk.move(stays, other, "Filed to the patient before", seen.revision, DOCTOR)
    assert [item.source.id for item in clinic.desk.chart(clinic.ada).timeline] == [stays]
    with pytest.raises(UploadRejected, match="this patient already"):
        clinic.desk.preview_move(wrong, other)


def test_a_page_that_names_somebody_else_is_moved_only_when_confirmed(clinic: Clinic) -> None:
    other = clinic.add("Bela Other", date(1970, 1, 1))
    record = clinic.file(date(2026, 6, 7), "Patient: Ada Example", "Date of birth: 12/03/1961")
    seen = clinic.desk.preview_move(record, other)
    assert {one.field for one in seen.conflicts} == {"name", "date_of_birth"}
    with pytest.raises(NotAllowed, match="another"):
        clinic.desk.move(record, other, "Surely his", seen.revision, DOCTOR)
    clinic.desk.move(record, other, "Surely his", seen.revision, DOCTOR, confirmed=True)
    assert len(clinic.desk.chart(other).timeline) == 1


def test_the_summary_is_printed_with_the_source_of_every_line(clinic: Clinic) -> None:
    other = clinic.add("محمد 李小龍 O'Neil <b>", date(1980, 1, 1))
    record = clinic.file(date(2026, 6, 6), "Ramipril 5 mg once daily.", "Allergies: penicillin", patient_id=other)
    made = clinic.desk.print_summary(other, DOCTOR)
    with pdfium.PdfDocument(made) as document:
        text = " ".join(page.get_textpage().get_text_bounded() for page in document)
    assert "Ramipril 5 mg once daily" in " ".join(text.split())
    assert f"Record: Letter 0, page 1 ({record})" in " ".join(text.split())
    assert "李小龍" in text
    assert "[1]" in text
    assert clinic.trail_of(other)[-1].endswith("summary as PDF")


def test_the_summary_of_a_full_chart_is_still_one_page(clinic: Clinic) -> None:
    drugs = "Ramipril Bisoprolol Furosemide Metformin Atorvastatin Apixaban Omeprazole Amlodipine Digoxin Sertraline"
    tests = "Potassium Sodium Creatinine Urea Glucose Haemoglobin Albumin Calcium"
    for number, drug in enumerate((drugs + " Levothyroxine Gabapentin Prednisolone").split()):
        on = date(2026, 5, 1 + number)
        clinic.file(on, f"{drug} 5 mg once daily.", f"Diagnosis: left {drug.lower()} fracture.", f"Follow-up {on}",
                    f"Allergies: {drug}", kind="clinic_letter")  # fmt: skip
    clinic.file(TODAY, *(f"{test} 999 mmol/L (3.5-5.1)" for test in tests.split()), kind="lab_report")
    with pdfium.PdfDocument(clinic.desk.print_summary(clinic.ada, DOCTOR)) as document:
        assert len(document) == 1


def test_a_clock_that_goes_backwards_takes_nothing_from_the_chart(clinic: Clinic) -> None:
    clinic.file(date(2026, 6, 6), "Ramipril 5 mg once daily.", "Follow-up 2026-08-01")
    clinic.file(date(2027, 6, 6), "Potassium 5.9 mmol/L (3.5-5.1)")  # written before the clock was set back
    clinic.desk._today = lambda: date(2020, 1, 1)
    chart = clinic.desk.chart(clinic.ada)
    assert len(chart.timeline) == 2
    assert [line.name for line in chart.medicines] == ["Ramipril"]
    assert chart.timeline[0].at == date(2027, 6, 6)


def test_a_full_disk_leaves_a_chart_as_it_was_and_says_so(clinic: Clinic) -> None:
    twin = clinic.add("Ada B Example")
    clinic.file(date(2026, 6, 7), "Apixaban 5 mg twice daily.", patient_id=twin)
    preview = clinic.desk.preview_merge(clinic.ada, twin)

    @sa.event.listens_for(clinic.database.engine, "begin")
    def full(connection: sa.Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")  # SQLITE_FULL at the next page

    def merge_again_and_again() -> None:
        seen = preview
        for _ in range(400):  # until the pages that are free in the file are used up
            merged = clinic.desk.merge(clinic.ada, twin, "x" * 399, seen.revision, DOCTOR)
            clinic.desk.unmerge(merged.merges[0].merge_id, merged.revision, DOCTOR)
            seen = clinic.desk.preview_merge(clinic.ada, twin)

    with pytest.raises(StorageFailed, match="nothing of it was kept"):
        merge_again_and_again()
    charts = clinic.desk.chart(clinic.ada), clinic.desk.chart(twin)
    assert sum(len(chart.timeline) for chart in charts) == 1
    with clinic.database.read() as tx:
        assert audit.examine(tx).intact


NAMES = [
    "<script>alert(1)</script>",
    "\u202eadA drawkcab",
    "محمد بن سلمان",
    "x" * 300,
    "李小龍",
    "O'Neil; DROP TABLE patients",
]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_any_name_goes_through_the_whole_chart(clinic: Clinic, tmp_path: Path, name: str) -> None:
    own = clinic.add(name, date(1980, 1, 1))
    clinic.file(date(2026, 6, 6), "Ramipril 5 mg once daily.", patient_id=own)
    assert chart_contract.chart(clinic.desk.chart(own))["patient"]["name"] == name
    assert clinic.desk.print_summary(own, DOCTOR).startswith(b"%PDF")
    assert clinic.desk.export(own, tmp_path / "out.json", DOCTOR)["Patient"] == 1
    with clinic.database.read() as tx:
        assert own in {one.patient_id for one in patients.find(tx, name)}


def test_a_chart_costs_the_same_number_of_queries_whatever_it_holds(clinic: Clinic) -> None:
    def queries() -> int:
        said: list[str] = []
        sa.event.listen(clinic.database.engine, "before_cursor_execute", lambda *a: said.append(a[2]))
        clinic.desk.chart(clinic.ada)
        return len(said)

    few = queries()
    for number in range(30):
        clinic.file(date(2026, 1, 1 + number), "Ramipril 5 mg once daily.", "Potassium 4.1 mmol/L (3.5-5.1)")
    assert queries() <= 2 * few  # the listener of the first count listens still
    assert few < 30


def test_the_summary_is_one_page_and_each_line_has_a_source(clinic: Clinic) -> None:
    clinic.file(date(2026, 6, 6), *(f"Ramipril {dose} mg once daily." for dose in (1, 2)), "Allergies: penicillin")
    parts = {part.title: part for part in clinic.desk.summary(clinic.ada)}
    assert parts["Allergies"].lines[0].text == "penicillin"
    assert parts["Medicines"].lines[0].sources
    assert parts["Problems"].lines[0].text == "No record names a diagnosis."
    assert sum(len(part.lines) for part in parts.values()) <= 46


def test_names_and_words_that_would_be_markup_stay_words(clinic: Clinic) -> None:
    hostile = clinic.add("<script>alert(1)</script> \u202eadA", date(1980, 1, 1))
    clinic.file(date(2026, 6, 6), "Diagnosis: <img src=x onerror=alert(1)>", patient_id=hostile)
    shape = chart_contract.chart(clinic.desk.chart(hostile))
    assert shape["patient"]["name"].startswith("<script>")
    assert Concern("danger") is Concern.DANGER

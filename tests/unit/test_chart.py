"""The chart, worked out from real records in a real store: medicines, values, contradictions, dismissals, merges."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pypdfium2 as pdfium
import pytest
import sqlalchemy as sa

from domain import chart_contract
from domain.audit import Actor
from domain.chart import Concern, MedicineState, Source, SourceKind, TimelineItem
from domain.document import OcrDocument
from domain.errors import NotAllowed, NothingFound, StorageFailed, UploadRejected
from domain.models import ModelStamp
from pipelines import chart_trends, understanding
from pipelines.chart import timeline
from pipelines.chart_desk import ChartDesk
from storage import audit, documents, patients
from storage import chart as chart_store
from storage.consultations import ConsultationStore
from storage.database import Database
from storage.documents import Filing
from storage.files import FileStore
from tests.unit.sample_kit import page_of

DOCTOR = Actor("dr", "s1", "doctor")
TODAY = date(2026, 11, 24)


class Clinic:
    """A store with one patient, and a desk that looks at it."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(f"sqlite:///{folder / 'records.sqlite'}")
        self.indexed: list[str] = []
        self.files = FileStore(folder / "files")
        self.desk = ChartDesk(self.database, self.indexed.append, self.pdf_of, today=lambda: TODAY, files=self.files,
                              file_record=self.file_received)  # fmt: skip
        self.ada = self.add("Ada Example")

    @staticmethod
    def pdf_of(document_id: str) -> bytes:
        return b"%PDF-1.7 " + document_id.encode()

    def file_received(
        self, path: Path, patient_id: str, title: str, content_type: str, on: date | None, actor: Actor
    ) -> tuple[str, bool]:
        """A record whose page says what the file says in plain text."""
        text = path.read_bytes().decode("utf-8", "replace")
        if "unreadable" in text:
            raise UploadRejected("This file cannot be read. Send another.")
        return self.file(on or TODAY, *text.splitlines(), patient_id=patient_id), True

    def add(self, name: str, born: date = date(1961, 3, 12)) -> str:
        with self.database.begin() as tx:
            return patients.create(tx, name, born, "female").patient_id

    def file(self, on: date, *lines: str, kind: str = "note", unsure: str = "", patient_id: str = "") -> str:
        """A record with these lines; the word `unsure` was read badly."""
        page = page_of(lines, confidences={unsure: 0.4} if unsure else None)
        with self.database.begin() as tx:
            number = tx.scalar(sa.select(sa.func.count()).select_from(documents.documents))
            document = OcrDocument(
                f"d{number}", patient_id or self.ada, f"Letter {number}", (page,), ModelStamp("typed", "1"),
                datetime.now(UTC), kind=kind, document_date=on, facts=understanding.understand((page,)),
            )  # fmt: skip
            documents.file(tx, document, Filing("0" * 64, "", "0" * 64))
        return document.document_id

    def attention(self) -> dict[str, str]:
        return {one.text: one.concern.value for one in self.desk.chart(self.ada).attention}


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    made = Clinic(tmp_path)
    with closing(made.database):
        yield made


def test_every_value_names_its_page_and_boxes(clinic: Clinic) -> None:
    record = clinic.file(date(2026, 10, 1), "Furosemide 40 mg once daily", "Potassium 5.9 mmol/L (3.5-5.1)")
    chart = clinic.desk.chart(clinic.ada)
    source = chart.medicines[0].said[0].source
    assert (source.kind, source.id, source.page) == (SourceKind.RECORD, record, 1)
    assert source.boxes[0] == (0.0, 0.0, 50.0, 20.0)
    (potassium,) = chart.series
    assert (potassium.last.number, potassium.last.low, potassium.last.high) == (5.9, 3.5, 5.1)
    assert potassium.last.said.source.boxes[0][1] == 30.0
    shape = chart_contract.chart(chart)
    assert shape["labs"][0]["last"]["source"]["document_id"] == record


def test_the_timeline_puts_what_was_kept_last_first_within_a_day() -> None:
    def item(own_id: str, hour: int) -> TimelineItem:
        kept = datetime(2026, 11, 24, hour, tzinfo=UTC)
        return TimelineItem(Source(SourceKind.RECORD, own_id, own_id), TODAY, "", kept_at=kept)

    assert [one.source.id for one in timeline([item("z", 8), item("a", 9), item("m", 10)])] == ["m", "a", "z"]


def test_boxes_of_records_that_an_older_program_filed_are_worked_out(clinic: Clinic) -> None:
    clinic.file(date(2026, 10, 1), "Furosemide 40 mg once daily")
    before = clinic.desk.chart(clinic.ada)
    with clinic.database.begin() as tx:
        tx.execute(sa.text("DELETE FROM fact_places"))
    assert clinic.desk.chart(clinic.ada).medicines == before.medicines
    assert clinic.desk.fill_places() == 1
    assert clinic.desk.fill_places() == 0


def test_medicines_are_current_stopped_or_conflicting(clinic: Clinic) -> None:
    clinic.file(date(2026, 1, 5), "Amlodipine 5 mg once daily.", "Ramipril 2.5 mg once daily.")
    clinic.file(date(2026, 6, 5), "Amlodipine stopped for ankle swelling.", "Ramipril 5 mg once daily.")
    clinic.file(date(2026, 6, 9), "Ramipril 10 mg once daily.")
    lines = {line.name: line.state for line in clinic.desk.chart(clinic.ada).medicines}
    assert lines == {"Ramipril": MedicineState.CONFLICTING, "Amlodipine": MedicineState.STOPPED}
    assert clinic.attention()["Two doses of Ramipril: 10 mg once daily and 5 mg once daily"] == "danger"


def test_a_dose_that_was_changed_months_later_is_no_conflict(clinic: Clinic) -> None:
    clinic.file(date(2026, 1, 5), "Ramipril 2.5 mg once daily.")
    clinic.file(date(2026, 6, 5), "Ramipril 5 mg once daily.")
    (line,) = clinic.desk.chart(clinic.ada).medicines
    assert line.state is MedicineState.CURRENT
    assert [said.text for said in line.said] == ["5 mg once daily", "2.5 mg once daily"]


def test_the_same_amount_a_day_in_other_words_is_no_conflict(clinic: Clinic) -> None:
    clinic.file(date(2026, 6, 5), "Metformin 1 g twice daily.")
    clinic.file(date(2026, 6, 6), "Metformin 1000 mg bd.")
    assert clinic.attention() == {}


def test_an_allergy_on_one_page_and_the_drug_on_another(clinic: Clinic) -> None:
    clinic.file(date(2020, 6, 5), "Allergies: penicillin (rash)")
    clinic.file(date(2026, 6, 6), "Amoxicillin 500 mg three times daily.")
    (text,) = [text for text in clinic.attention() if text.startswith("Allergy to penicillin")]
    assert "Amoxicillin" in text
    assert clinic.attention()[text] == "danger"


@pytest.mark.parametrize(
    ("lines", "begins"),
    [
        (("Patient: Ada Example", "Date of birth: 12/03/1967"), "Another date of birth"),
        (("Follow-up 2026-08-01",), "Follow-up was due on 2026-08-01"),
    ],
)
def test_what_else_needs_attention(clinic: Clinic, lines: tuple[str, ...], begins: str) -> None:
    clinic.file(date(2026, 6, 6), *lines, kind="other")
    assert [text for text in clinic.attention() if text.startswith(begins)], clinic.attention()


def test_left_against_right(clinic: Clinic) -> None:
    clinic.file(date(2026, 6, 6), "Diagnosis: left hip fracture.")
    clinic.file(date(2026, 6, 20), "Diagnosis: right hip fracture.")
    assert clinic.attention() == {"Left against right: hip fracture": "danger"}


def test_a_doubtful_word_inside_a_dose(clinic: Clinic) -> None:
    clinic.file(date(2026, 6, 6), "Digoxin 125 mcg once daily", unsure="125")
    (text,) = clinic.attention()
    assert text.startswith("A word inside a dose was hard to read: Digoxin")


def test_values_that_rise_out_of_their_band(clinic: Clinic) -> None:
    for month, value in ((3, "4.6"), (5, "5.0"), (7, "5.9")):
        clinic.file(date(2026, month, 1), f"Potassium {value} mmol/L (3.5-5.1)")
    (potassium,) = clinic.desk.chart(clinic.ada).series
    assert potassium.trend == "rising"
    assert clinic.attention() == {"Potassium 5.9 mmol/L is high, and rising": "warning"}


def test_two_values_and_noise_are_no_trend(clinic: Clinic) -> None:
    for day, value in ((1, "4.60"), (2, "4.61"), (3, "4.62")):
        clinic.file(date(2026, 7, day), f"Potassium {value} mmol/L (3.5-5.1)")
    (potassium,) = clinic.desk.chart(clinic.ada).series
    assert potassium.trend == ""
    assert chart_trends.trend_of(list(potassium.points[:2])) == ("", "")


def test_changes_are_counted_from_the_last_visit(clinic: Clinic) -> None:
    clinic.file(date(2026, 5, 1), "Ramipril 2.5 mg once daily.", kind="clinic_letter")
    clinic.file(date(2026, 6, 1), "Ramipril 5 mg once daily.", "Potassium 5.9 mmol/L (3.5-5.1)", kind="lab_report")
    chart = clinic.desk.chart(clinic.ada)
    assert chart.since == date(2026, 5, 1)
    said = {change.text for change in chart.changes}
    assert "Changed: Ramipril 2.5 mg once daily → 5 mg once daily" in said
    assert "Potassium 5.9 mmol/L is high" in said


def test_the_same_dose_told_more_exactly_is_no_change(clinic: Clinic) -> None:
    clinic.file(date(2026, 5, 1), "Apixaban 5 mg twice daily.", "Furosemide 40 mg daily.", kind="clinic_letter")
    clinic.file(date(2026, 6, 1), "Apixaban 5 mg PO twice daily.", "Furosemide 40 mg IV daily.", kind="prescription")
    said = [change.text for change in clinic.desk.chart(clinic.ada).changes if "mg" in change.text]
    assert said == []
    clinic.file(date(2026, 6, 2), "Furosemide 40 mg PO daily.", "Apixaban increased to 5 mg BD.", kind="prescription")
    said = [change.text for change in clinic.desk.chart(clinic.ada).changes if "mg" in change.text]
    assert said == ["Changed: Apixaban 5 mg twice daily → 5 mg BD"]


def test_an_entry_is_set_aside_with_a_reason_and_shown_again(clinic: Clinic) -> None:
    clinic.file(date(2026, 6, 6), "Follow-up 2026-08-01", kind="other")
    chart = clinic.desk.chart(clinic.ada)
    item = chart.attention[0].item
    with pytest.raises(UploadRejected):
        clinic.desk.dismiss(clinic.ada, item, " ", chart.revision, DOCTOR)
    after = clinic.desk.dismiss(clinic.ada, item, "She was seen elsewhere", chart.revision, DOCTOR)
    assert after.attention[0].dismissal is not None
    assert after.attention[0].dismissal.reason == "She was seen elsewhere"
    with pytest.raises(NothingFound):
        clinic.desk.dismiss(clinic.ada, "nonsense", "She was seen elsewhere", after.revision, DOCTOR)
    again = clinic.desk.reopen(clinic.ada, item, after.revision, DOCTOR)
    assert again.attention[0].dismissal is None


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


def trail_of(clinic: Clinic, patient_id: str) -> list[str]:
    with clinic.database.read() as tx:
        return [f"{event.entity} {event.detail}" for event in audit.of_patient(tx, patient_id)]


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
    assert trail_of(clinic, clinic.ada)[-1].startswith(f"DocumentReference/{wrong} moved to another chart: Filed to")
    assert trail_of(clinic, other)[-1].startswith(f"DocumentReference/{wrong} moved here")
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


def test_what_came_on_the_day_of_the_visit_but_after_it_is_new(clinic: Clinic) -> None:
    visits = ConsultationStore(clinic.database)
    clinic.file(date(2026, 6, 1), "Ramipril 5 mg once daily.", kind="other")
    shape = {"consultation_id": "c1", "duration_s": None, "utterances": [], "models": [], "warnings": []}
    visits.add("c1", clinic.ada, shape, DOCTOR, "test")
    today = datetime.now(UTC).date()
    clinic.desk._today = lambda: today
    assert clinic.desk.chart(clinic.ada).since == today
    assert clinic.desk.chart(clinic.ada).changes == ()
    lab = clinic.file(today, "Potassium 5.9 mmol/L (3.5-5.1)", kind="lab_report")
    old = clinic.file(date(2020, 1, 1), "Diagnosis: asthma.", kind="discharge_letter")  # scanned only now
    texts = {change.text: change.source.id for change in clinic.desk.chart(clinic.ada).changes}
    assert texts["Potassium 5.9 mmol/L is high"] == lab
    assert texts["New problem: Asthma"] == old
    assert not any("Ramipril" in text for text in texts)


def test_the_header_names_allergies_of_notes_and_imports_too(clinic: Clinic) -> None:
    clinic.file(date(2026, 6, 6), "Allergies: penicillin (rash)")
    content = {"resourceType": "AllergyIntolerance", "patient": {"reference": "x"}, "code": {"text": "Latex"}}
    with clinic.database.begin() as tx:
        chart_store.add_imports(tx, clinic.ada, [("0" * 64, "AllergyIntolerance", "urn:x", content)])
    assert {name.casefold().split()[0] for name in clinic.desk.allergies(clinic.ada)} == {"penicillin", "latex"}


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
    assert trail_of(clinic, other)[-1].endswith("summary as PDF")


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


def test_an_empty_chart_and_an_unknown_patient(clinic: Clinic) -> None:
    chart = clinic.desk.chart(clinic.ada)
    assert (chart.timeline, chart.attention, chart.since) == ((), (), None)
    with pytest.raises(NothingFound):
        clinic.desk.chart("nobody")


def test_names_and_words_that_would_be_markup_stay_words(clinic: Clinic) -> None:
    hostile = clinic.add("<script>alert(1)</script> \u202eadA", date(1980, 1, 1))
    clinic.file(date(2026, 6, 6), "Diagnosis: <img src=x onerror=alert(1)>", patient_id=hostile)
    shape = chart_contract.chart(clinic.desk.chart(hostile))
    assert shape["patient"]["name"].startswith("<script>")
    assert Concern("danger") is Concern.DANGER


@pytest.mark.parametrize(
    ("lines", "state"),
    [(("Admission medicines: naproxen 500 mg twice daily", "Naproxen stopped."), MedicineState.STOPPED),
     (("Naproxen 500 mg BD", "STOPPED MEDICATIONS", "Naproxen"), MedicineState.STOPPED),
     (("Aspirin was withheld before surgery.", "On discharge: aspirin 75 mg daily"), MedicineState.CURRENT)],
)  # fmt: skip
def test_the_end_of_a_record_tells_whether_a_medicine_is_taken(
    clinic: Clinic, lines: tuple[str, ...], state: MedicineState
) -> None:
    clinic.file(date(2026, 10, 1), *lines)
    (line,) = clinic.desk.chart(clinic.ada).medicines
    assert line.state is state


def test_a_medicine_only_thought_of_or_declined_is_none_of_the_patients(clinic: Clinic) -> None:
    clinic.file(date(2026, 10, 1), "Consider starting apixaban.", "He declined atorvastatin.", "Ramipril 5 mg daily")
    assert [line.name for line in clinic.desk.chart(clinic.ada).medicines] == ["Ramipril"]


def test_a_medicine_stopped_and_prescribed_stays_on_the_attention_list_with_an_allergy_of_a_list(
    clinic: Clinic,
) -> None:
    clinic.file(date(2026, 10, 1), "Allergies: latex, penicillin and peanuts", "Amoxicillin 500 mg three times daily")
    assert any("Allergy to penicillin" in text for text in clinic.attention())

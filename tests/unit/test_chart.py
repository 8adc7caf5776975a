"""The chart, worked out from real records in a real store: medicines, values, contradictions, dismissals, merges."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain import chart_contract
from domain.audit import Actor
from domain.chart import Concern, MedicineState, Source, SourceKind, TimelineItem
from domain.document import OcrDocument
from domain.errors import NotAllowed, NothingFound, UploadRejected
from domain.models import ModelStamp
from pipelines import chart_trends, understanding
from pipelines.chart import timeline
from pipelines.chart_desk import ChartDesk
from storage import documents, patients
from storage.database import Database
from storage.documents import Filing
from tests.unit.sample_kit import page_of

DOCTOR = Actor("dr", "s1", "doctor")
TODAY = date(2026, 11, 24)


class Clinic:
    """A store with one patient, and a desk that looks at it."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(f"sqlite:///{folder / 'records.sqlite'}")
        self.indexed: list[str] = []
        self.desk = ChartDesk(self.database, self.indexed.append, today=lambda: TODAY)
        self.ada = self.add("Ada Example")

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
    clinic.desk.unmerge(merged.merges[0].merge_id, DOCTOR)
    assert [item.source.id for item in clinic.desk.chart(twin).timeline] == [goes]
    with clinic.database.read() as tx:
        assert len(patients.find(tx, "Ada")) == 2
    with pytest.raises(NotAllowed):
        clinic.desk.unmerge(merged.merges[0].merge_id, DOCTOR)
    with pytest.raises(UploadRejected):
        clinic.desk.preview_merge(clinic.ada, clinic.ada)


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

"""The chart, worked out from real records in a real store: medicines, values, contradictions, dismissals, merges."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain import chart_contract
from domain.chart import MedicineState, Source, SourceKind, TimelineItem
from domain.errors import NothingFound, UploadRejected
from pipelines import chart_trends
from pipelines.chart import timeline
from storage import chart as chart_store
from storage.consultations import ConsultationStore
from tests.unit.clinic_kit import DOCTOR, TODAY, Clinic


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


def test_an_empty_chart_and_an_unknown_patient(clinic: Clinic) -> None:
    chart = clinic.desk.chart(clinic.ada)
    assert (chart.timeline, chart.attention, chart.since) == ((), (), None)
    with pytest.raises(NothingFound):
        clinic.desk.chart("nobody")


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

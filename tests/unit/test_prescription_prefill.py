"""The form filled in beforehand: what a plan says, and never what it stops, denies or leaves open."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.prescription_prefill import from_last, from_plan
from tests.unit.prescription_kit import AMOXICILLIN, DOCTOR, Clinic


def test_a_plan_fills_the_fields_it_names() -> None:
    (line,) = from_plan(["Start amoxicillin 500 mg capsules three times daily for 7 days."])["medications"]
    assert (line["name"], line["strength"], line["form"]) == ("Amoxicillin", "500 mg", "capsule")
    assert (line["frequency"], line["duration_days"]) == ("three times daily", 7)


def test_two_medicines_in_a_sentence_keep_their_own_doses() -> None:
    lines = from_plan(["Continue metformin 850 mg twice a day with meals and lisinopril 10 mg once daily."])
    assert [(m["name"], m["dose"], m["frequency"]) for m in lines["medications"]] == [
        ("Metformin", "850 mg", "twice a day with meals"), ("Lisinopril", "10 mg", "once daily"),
    ]  # fmt: skip
    assert [m["strength"] for m in lines["medications"]] == ["", ""]  # a dose may be two tablets


@pytest.mark.parametrize(
    "line", ["Stop the ibuprofen.", "Avoid aspirin and naproxen.", "No amoxicillin: allergic.", "Follow up in 2 weeks.",
             "Do not restart warfarin", "Discontinued lisinopril"],
)  # fmt: skip
def test_what_is_stopped_or_denied_is_not_proposed(line: str) -> None:
    assert from_plan([line])["medications"] == []


def test_a_dose_that_is_not_said_stays_empty() -> None:
    (line,) = from_plan(["Restart atorvastatin."])["medications"]
    assert (line["dose"], line["frequency"], line["duration_days"]) == ("", "", 0)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from("amoxicillin 500 mg for two weeks stop every 0 6 hours; . / ½".split()), max_size=12))
def test_any_plan_is_read(words: list[str]) -> None:
    from_plan([" ".join(words)])


def test_the_last_prescription_can_be_written_again(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path)
    clinic.issue()
    (record,) = clinic.desk.of_patient(clinic.patient.patient_id)
    again = from_last(record)
    assert again["medications"] == [AMOXICILLIN]
    assert clinic.desk.issue(clinic.patient, record.signed.prescription.prescriber, again, DOCTOR).signed.parts

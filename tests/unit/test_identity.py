"""Doubt counts as a conflict: another person's page must never slip into a chart."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from domain.patient import Patient
from pipelines.identity import identity_conflicts, same_name
from pipelines.understanding import understand
from tests.unit.sample_kit import page_of

PATIENT = Patient("p1", "Marigold Ann Testwell", date(1951, 11, 7), "female", "HC900001", datetime.now(UTC), True)


def conflicts(*lines: str) -> list[str]:
    return [conflict.field for conflict in identity_conflicts(understand([page_of(lines)]), PATIENT)]


@pytest.mark.parametrize(
    ("written", "known"),
    [("Mrs Marigold Testwell", "Marigold Testwell"), ("TESTWELL, Marigold", "Marigold Testwell"),
     ("M. Testwell", "Marigold Testwell"),
     ("Marigold A Testwell", "Marigold Ann Testwell"), ("José Núñez", "Jose Nunez"), ("Mary O'Test", "Mary OTest"),
     ("Ada Smith-Jones", "Ada Smith Jones"), ("Marig0ld Testwe11", "Marigold Testwell"),
     ("Barnaby Tumer", "Barnaby Turner")],
)  # fmt: skip
def test_one_person_written_differently(written: str, known: str) -> None:
    assert same_name(written, known)


@pytest.mark.parametrize(
    ("written", "known"),
    [("Daniela Sample", "Daniel Sample"), ("Christine Sample", "Christina Sample"), ("John Smyth", "John Smith"),
     ("Margaret Testwell", "Marigold Testwell"), ("Marigold Other", "Marigold Testwell"), ("", "Marigold Testwell")],
)  # fmt: skip
def test_different_people(written: str, known: str) -> None:
    assert not same_name(written, known)


def test_a_page_of_the_same_patient_raises_nothing() -> None:
    assert conflicts("Patient: Mrs M. Testwell", "DOB: 07/11/1951", "MRN: HC900001") == []


def test_both_readings_of_an_ambiguous_birth_date_are_allowed() -> None:
    assert conflicts("DOB: 11/07/1951") == []
    assert conflicts("DOB: 11/07/1951", "Seen: 25/03/2024") == ["date_of_birth"]


def test_another_person_is_seen_in_each_field() -> None:
    lines = ("Patient: Odette Fictive", "DOB: 30/09/1994", "MRN: HC900003")
    assert conflicts(*lines) == ["name", "date_of_birth", "record_number"]


def test_another_hospitals_number_is_no_contradiction() -> None:
    assert conflicts("NHS number: 900 000 0048") == []

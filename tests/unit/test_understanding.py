"""Facts are what stands on the page, tied to its words; what is denied, ambiguous or unclear is said to be."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.document import Fact, FactKind
from pipelines import dates, understanding
from tests.unit.sample_kit import as_page, draw_sheet, page_of, sample_sheets


def facts_of(*lines: str, kind: FactKind | None = None) -> list[Fact]:
    return [fact for fact in understanding.understand([page_of(lines)]) if kind in (None, fact.kind)]


def test_a_discharge_letter_is_understood() -> None:
    page = as_page(draw_sheet(sample_sheets.DISCHARGE, size=23))
    facts = understanding.understand([page])
    values = {(fact.kind, fact.label): fact for fact in facts}
    assert values[FactKind.NAME, "name"].value == "Marigold Testwell"
    assert values[FactKind.BIRTH_DATE, "date of birth"].value == "1951-11-23"
    assert values[FactKind.RECORD_NUMBER, "record number"].value == "HC900001"
    assert values[FactKind.DATE, "admitted"].value == "2025-06-14"
    assert values[FactKind.MEDICATION, "Ramipril"].value == "2.5 mg PO once daily"
    assert values[FactKind.MEDICATION, "Naproxen"].negated
    assert values[FactKind.LAB, "Potassium"].flag == "low"
    assert values[FactKind.DIAGNOSIS, "pneumonia"].negated, "the denial stands at the end of the line before"
    assert values[FactKind.ALLERGY, "penicillin"].negated is False
    assert values[FactKind.ALLERGY, "penicillin"].reference == "reaction: rash"
    assert understanding.document_kind([page]) == "discharge_letter"
    assert understanding.document_date(facts) == date(2025, 6, 20)
    assert "Testwell" not in understanding.suggest_title([page], facts)


def test_every_row_of_a_lab_table_is_read_with_its_own_range() -> None:
    page = as_page(draw_sheet(sample_sheets.LABS, size=24))
    labs = [fact for fact in understanding.understand([page]) if fact.kind is FactKind.LAB]
    read = [(fact.label, fact.value, fact.unit, fact.reference) for fact in labs]
    rows = [part.cells for part in sample_sheets.LABS if isinstance(part, sample_sheets.Row) and len(part.cells) == 5]
    assert read == [(name, value, unit, reference) for name, value, _flag, unit, reference in rows[1:]]
    flags = {"": "", "H": "high", "L": "low"}
    assert [fact.flag for fact in labs] == [flags[row[2]] for row in rows[1:]]


@pytest.mark.parametrize(
    "line",
    ["Potassium 5.9 mmol/L 3.5-5.3 H", "Potassium 5.9 H 3.5 - 5.3 mmol/L", "K+: 5.9 mmol/L (ref: 3.5-5.3)",
     "Potassium 5.9 (3.5-5.3) mmol/L", "serum potassium was 5.9 mmol/L [3.5-5.3] on Friday"],
)  # fmt: skip
def test_columns_may_stand_in_any_order(line: str) -> None:
    (fact,) = facts_of(line, kind=FactKind.LAB)
    assert (fact.label, fact.value, fact.unit, fact.flag) == ("Potassium", "5.9", "mmol/L", "high")
    assert fact.reference.replace(" ", "") == "3.5-5.3"


def test_a_row_of_an_unknown_test_needs_its_unit_and_range() -> None:
    (fact,) = facts_of("Haptoglobin 2.9 H g/L 0.3-2.0", kind=FactKind.LAB)
    assert (fact.label, fact.value, fact.unit, fact.flag) == ("Haptoglobin", "2.9", "g/L", "high")
    assert facts_of("Room 12 in building 3-5", "Bisoprolol 5 mg daily", "Page 2 of 3", kind=FactKind.LAB) == []


def test_a_target_is_no_measurement_and_a_risk_no_allergy() -> None:
    assert facts_of("Keep saturation at 88-92 % on oxygen", kind=FactKind.LAB) == []
    risk = "Risks include bleeding and an allergic reaction to contrast medium."
    assert facts_of(risk, kind=FactKind.ALLERGY) == []


def test_a_medicine_withheld_and_restarted_is_taken() -> None:
    (fact,) = facts_of("Metformin was withheld for a day and restarted at 500 mg daily.", kind=FactKind.MEDICATION)
    assert (fact.value, fact.negated) == ("500 mg daily", False)


def test_a_mark_that_contradicts_the_range_is_told() -> None:
    (fact,) = facts_of("Sodium 138 H mmol/L 133-146", kind=FactKind.LAB)
    assert fact.flag == ""
    assert "marks it high" in fact.reference


@pytest.mark.parametrize("number", ["l38", "13O", "5.O", "I2"])
def test_a_letter_among_digits_is_told_and_never_changed(number: str) -> None:
    (fact,) = facts_of(f"Sodium {number} mmol/L 133-146", kind=FactKind.LAB)
    assert (fact.value, fact.flag) == (number, "")
    assert "unclear" in fact.reference
    (drug,) = facts_of("Amoxicillin 5OO mg three times daily", kind=FactKind.MEDICATION)
    assert drug.value.startswith("5OO mg")
    assert "unclear" in drug.reference


def test_the_usual_range_is_used_only_where_the_page_has_none_and_says_so() -> None:
    (fact,) = facts_of("CRP was 214 mg/L on arrival", kind=FactKind.LAB)
    assert fact.flag == "high"
    assert "not from the page" in fact.reference


@pytest.mark.parametrize(
    ("line", "found"),
    [("Re: Mrs Jane Invented, DOB 02/03/1950", "Mrs Jane Invented"),
     ("Patient name Ada Made-Up DOB 1/2/1950", "Ada Made-Up"),
     ("Re: Chest Pain Pathway", None), ("Name of medicine", None), ("PATIENT: O'TEST, Mary", "O'TEST, Mary")],
)  # fmt: skip
def test_names(line: str, found: str | None) -> None:
    assert [fact.value for fact in facts_of(line, kind=FactKind.NAME)] == ([found] if found else [])


def test_an_ambiguous_date_says_so_until_another_date_decides() -> None:
    (alone,) = facts_of("DOB: 07/11/1951", kind=FactKind.BIRTH_DATE)
    assert (alone.value, "1951-07-11" in alone.reference) == ("1951-11-07", True)
    (settled,) = facts_of("DOB: 07/11/1951", "Seen: 25/03/2024", kind=FactKind.BIRTH_DATE)
    assert (settled.value, settled.reference) == ("1951-11-07", "")
    (american,) = facts_of("DOB: 07/11/1951", "Seen: 03/25/2024", kind=FactKind.BIRTH_DATE)
    assert (american.value, american.reference) == ("1951-07-11", "")


@pytest.mark.parametrize(
    ("line", "denied"),
    [("No evidence of pneumonia.", True), ("Pneumonia was ruled out.", True), ("Admitted with pneumonia.", False),
     ("No fever but pneumonia on the film.", False)],
)  # fmt: skip
def test_denied_diagnoses(line: str, denied: bool) -> None:
    (fact,) = facts_of(line, kind=FactKind.DIAGNOSIS)
    assert fact.negated is denied


@pytest.mark.parametrize(
    "lines",
    [("Her mother has rheumatoid arthritis.",), ("Family history: stroke and breast cancer.",),
     ("FAMILY HISTORY", "Father - angina", "Stroke in a cousin, asthma"), ("His brother died of colon cancer at 50.",),
     ("There is a risk of stroke.",), ("Come back if pneumonia develops.",), ("Aspirin to prevent stroke",)],
)  # fmt: skip
def test_what_a_relative_has_or_what_might_come_is_not_the_patients(lines: tuple[str, ...]) -> None:
    assert facts_of(*lines, kind=FactKind.DIAGNOSIS) == []


@pytest.mark.parametrize(
    ("line", "label"),
    [("Suspected pulmonary embolism.", "possible pulmonary embolism"), ("Possible pneumonia at the left base", "possible pneumonia"),
     ("Her mother reports that she has asthma.", "asthma"), ("Past history of stroke.", "stroke")],
)  # fmt: skip
def test_a_suspicion_is_called_one(line: str, label: str) -> None:
    (fact,) = facts_of(line, kind=FactKind.DIAGNOSIS)
    assert (fact.label, fact.negated) == (label, False)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Treated here for vestibular neuritis.", {"vestibular neuritis"}),
        ("Known Endometriosis, and hyponatraemia in May", {"hyponatraemia"}),
        ("Cholelithiasis on ultrasound", {"Cholelithiasis"}),
        ("HISTORY: SARCOIDOSIS", {"SARCOIDOSIS"}),
        ("The diagnosis and prognosis were discussed; osteopathy was advised", set()),
        ("Seen by Dr Politis with Maria Politis", set()),
        ("Surname: Politis", set()),
    ],
)
def test_illnesses_are_known_by_their_endings_and_people_are_not_taken_for_them(line: str, found: set[str]) -> None:
    assert {fact.label for fact in facts_of(line, kind=FactKind.DIAGNOSIS)} == found


def test_illnesses_that_no_list_knows_are_parted_under_their_heading() -> None:
    facts = facts_of("Diagnoses: sarcoidosis, trigeminal neuralgia and asthma", kind=FactKind.DIAGNOSIS)
    assert sorted(fact.label for fact in facts) == ["asthma", "sarcoidosis", "trigeminal neuralgia"]


def test_no_known_allergies_is_a_denial_and_a_medicine_beside_an_allergy_is_kept() -> None:
    (none,) = facts_of("NKDA", kind=FactKind.ALLERGY)
    assert none.negated
    line = "Allergic to penicillin. Given doxycycline 100 mg once daily."
    assert [fact.label for fact in facts_of(line, kind=FactKind.MEDICATION)] == ["doxycycline"]


def test_a_fact_is_as_sure_as_its_least_sure_word() -> None:
    page = page_of(["Furosemide 40 mg PO daily"], confidences={"40": 0.31})
    (fact,) = understanding.understand([page])
    assert fact.confidence == pytest.approx(0.31)
    assert [page.words[index].text for index in fact.word_indices] == ["Furosemide", "40", "mg", "PO", "daily"]


def test_an_empty_page_says_nothing() -> None:
    assert understanding.understand([page_of([])]) == ()
    assert understanding.document_kind([]) == "other"


@given(st.dates(date(1901, 1, 1), date(2030, 12, 31)),
       st.sampled_from(["%d/%m/%Y", "%d.%m.%Y", "%d %B %Y", "%B %d, %Y"]))  # fmt: skip
def test_a_written_date_is_among_its_readings(day: date, form: str) -> None:
    (written,) = dates.find_dates(f"Seen: {day.strftime(form)} in clinic")
    assert day in written.readings


@given(st.decimals(0, 999, places=1), st.sampled_from(["mmol/L", "g/L", "mg/L", ""]), st.integers(0, 200),
       st.integers(1, 200))  # fmt: skip
def test_a_value_is_flagged_by_the_range_beside_it(value: object, unit: str, low: int, width: int) -> None:
    (fact,) = facts_of(f"Albumin {value} {unit} {low}-{low + width}", kind=FactKind.LAB)
    number = float(str(value))
    assert float(fact.value) == number
    assert fact.flag == ("low" if number < low else "high" if number > low + width else "")


@given(st.integers(1, 2000), st.sampled_from(["mg", "mcg", "g", "units"]), st.sampled_from(["PO", "IV", "SC"]),
       st.sampled_from(["daily", "twice daily", "every 8 hours", "TDS", "at night"]))  # fmt: skip
def test_dose_route_and_frequency_come_back(amount: int, unit: str, route: str, often: str) -> None:
    (fact,) = facts_of(f"Start bisoprolol {amount} {unit} {route} {often} from today.", kind=FactKind.MEDICATION)
    assert fact.value == f"{amount} {unit} {route} {often}"


@settings(max_examples=60)
@given(st.lists(st.text(max_size=60), max_size=6))
def test_no_text_breaks_it_and_nothing_is_said_without_words(lines: list[str]) -> None:
    page = page_of(lines)
    for fact in understanding.understand([page]):
        assert fact.word_indices
        assert max(fact.word_indices) < len(page.words)

"""Writing: what is understood of doses and frequencies, what is refused, and what is warned of before signing."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import PrescriptionInvalid
from domain.prescription import PrescriptionWarning, WarningKind
from pipelines import prescription_drugs as tables
from pipelines.prescription_checks import warnings_of
from pipelines.prescription_draft import needed_quantity, read_draft
from pipelines.prescription_drugs import KnownDrugs
from pipelines.prescription_sig import Rhythm, clinical_sig, plain_sig, read_dose, read_rhythm
from tests.unit.prescription_kit import AMOXICILLIN, DOCTOR, PRESCRIBER, Clinic, medicine

DRUGS = KnownDrugs()


def warned(*lines: dict[str, Any], allergies: tuple[str, ...] = (), age: int = 40) -> list[PrescriptionWarning]:
    draft = read_draft({"medications": list(lines)})
    found = [DRUGS.identify(line.name) for line in draft.medicines]
    return list(warnings_of(draft, found, allergies, age, DRUGS))


def kinds(warnings: list[PrescriptionWarning]) -> set[tuple[str, bool]]:
    return {(warning.kind.value, warning.stops) for warning in warnings}


@pytest.mark.parametrize(
    ("text", "a_day"),
    [
        ("three times daily", 3), ("BD", 2), ("b.i.d.", 2), ("TDS", 3), ("QID", 4), ("once daily", 1), ("daily", 1),
        ("3x/day", 3), ("every 6 hours", 4), ("q8h", 3), ("8 hourly", 3), ("six-hourly", 4), ("every 12 h", 2),
        ("every 4-6 hours as needed", 6), ("1-2 times daily", 2), ("at bedtime", 1), ("morning and night", 2),
        ("once daily at night", 1), ("twice daily with food", 2), ("once a week", Fraction(1, 7)),
        ("twice weekly", Fraction(2, 7)), ("every other day", Fraction(1, 2)), ("every 2 weeks", Fraction(1, 14)),
    ],
)  # fmt: skip
def test_frequencies_are_understood(text: str, a_day: float) -> None:
    rhythm = read_rhythm(text)
    assert rhythm is not None
    assert rhythm.times_a_day == a_day


@pytest.mark.parametrize(
    "text", ["", "sometimes", "daily or twice daily", "once daily in the morning and at night", "every 0 hours",
             "1.5 times daily", "every day except Sunday", "not daily", "3 times daily for pain every 2 hours"],
)  # fmt: skip
def test_a_frequency_half_understood_is_not_understood(text: str) -> None:
    assert read_rhythm(text) is None


@pytest.mark.parametrize(
    ("text", "low", "high", "unit"),
    [("1 tablet", "1", "1", "tablet"), ("1-2 caps", "1", "2", "capsule"), ("½ tablet", "0.5", "0.5", "tablet"),
     ("500mg", "500", "500", "mg"), ("one puff", "1", "1", "puff"), ("1,5 ml", "1.5", "1.5", "ml"),
     ("10 IU", "10", "10", "unit"), ("50 µg", "50", "50", "mcg")],
)  # fmt: skip
def test_doses_are_understood(text: str, low: str, high: str, unit: str) -> None:
    dose = read_dose(text)
    assert dose is not None
    assert (dose.low, dose.high, dose.unit) == (Decimal(low), Decimal(high), unit)


@pytest.mark.parametrize(
    "text", ["", "thinly", "500 mg (2 tablets)", "1,000 mg", "2-1 tablets", "0 mg", "1 tablet or 2"]
)
def test_doses_that_could_mean_two_things_have_no_number(text: str) -> None:
    assert read_dose(text) is None


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="0123456789 -/.,½xqhdaeiorstnwkpyumlg", max_size=24))
def test_any_wording_is_read_or_left_alone(text: str) -> None:
    dose, rhythm = read_dose(text), read_rhythm(text)
    assert dose is None or 0 < dose.low <= dose.high
    assert rhythm is None or rhythm.times_a_day >= 0
    plain_sig(text or "1 tablet", text or "daily", "oral", "tablet", 3, "")


@given(st.integers(1, 6), st.sampled_from(["tablet", "capsule"]), st.integers(1, 60), st.integers(1, 3))
def test_quantity_is_dose_times_frequency_times_days(times: int, unit: str, days: int, dose: int) -> None:
    assert needed_quantity(f"{dose} {unit}", f"{times} times daily", days) == (Decimal(dose * times * days), unit)


@pytest.mark.parametrize(
    ("dose", "frequency", "days", "strength", "needed"),
    [("500 mg", "BD", 7, "250 mg", (28, "")), ("250 mg", "TDS", 5, "125 mg/5 ml", (150, "ml")),
     ("5 ml", "TDS", 5, "", (75, "ml")), ("1 tablet", "once a week", 28, "", (4, "tablet")),
     ("½ tablet", "daily", 7, "", (4, "tablet")), ("1 g", "BD", 1, "500 mg", (4, ""))],
)  # fmt: skip
def test_quantities_in_units_and_millilitres(
    dose: str, frequency: str, days: int, strength: str, needed: tuple[int, str]
) -> None:
    assert needed_quantity(dose, frequency, days, strength) == (Decimal(needed[0]), needed[1])


def test_what_the_patient_reads_and_what_colleagues_read() -> None:
    assert plain_sig("1 capsule", "TDS with food", "oral", "capsule", 7, "finish the course") == (
        "Take 1 capsule three times a day, by mouth, with food, for 7 days. Finish the course."
    )
    assert plain_sig("2 puffs", "every 4-6 hours as needed", "inhaled", "inhaler", 0, "") == (
        "Breathe in 2 puffs every 4 to 6 hours, only when you need it."
    )
    assert plain_sig("thinly", "as the doctor said", "topical", "cream", 0, "").startswith("Apply thinly as the doctor")
    assert clinical_sig("1 capsule", "TDS", "oral", 7) == "1 capsule oral TDS × 7 days"
    assert isinstance(read_rhythm("BD"), Rhythm)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"name": ""}, "no name"), ({"dose": None}, "no dose"), ({"name": "a\x00b"}, "invisible"),
     ({"name": "a\u202eb"}, "invisible"), ({"dose": "1;2"}, "semicolon"), ({"refills": 99}, "0 to 12"),
     ({"refills": -1}, "0 to 12"), ({"duration_days": "soon"}, "whole number"), ({"quantity": -3}, "positive number"),
     ({"quantity": 0}, "more than 0"), ({"quantity": "many"}, "positive number"),
     ({"quantity": float("inf")}, "number"),
     ({"quantity": 1e9}, "at most"), ({"quantity": [1]}, "number"), ({"note": "x" * 301}, "Shorten"),
     ({"quantty": 3}, "not one of"), ({"quantity": None, "frequency": "as needed"}, "no quantity"),
     ({"name": {"a": 1}}, "must be text"), ({"refills": True}, "whole number")],
)  # fmt: skip
def test_unusable_fields_are_refused_by_name(change: dict[str, Any], said: str) -> None:
    with pytest.raises(PrescriptionInvalid, match=said):
        read_draft({"medications": [medicine(**change)]})


@pytest.mark.parametrize(
    "data", [{}, {"medications": []}, {"medications": [1]}, {"medications": [AMOXICILLIN] * 13}, [], "x",
             {"medications": [AMOXICILLIN], "valid_days": 0}, {"medications": [AMOXICILLIN], "valid_days": 9999},
             {"medications": [AMOXICILLIN], "overrides": ["x"]}, {"medications": [AMOXICILLIN], "more": 1}],
)  # fmt: skip
def test_a_prescription_that_is_none_is_refused(data: Any) -> None:
    with pytest.raises(PrescriptionInvalid):
        read_draft(data)


def test_a_quantity_left_out_is_computed() -> None:
    draft = read_draft({"medications": [medicine(quantity="")]})
    assert draft.medicines[0].quantity == 21
    assert draft.computed == (0,)


def test_a_plain_prescription_has_no_warning() -> None:
    assert warned(AMOXICILLIN) == []


def test_duplicates_are_seen_through_brands_and_combinations() -> None:
    tylenol = medicine(name="Tylenol", strength="500 mg", form="tablet", dose="1 tablet")
    codamol = medicine(name="Co-codamol", strength="", form="tablet", dose="1 tablet")
    found = warned(tylenol, codamol)
    assert ("duplicate", True) in kinds(found)
    assert "acetaminophen" in found[0].text


@pytest.mark.parametrize(
    ("allergy", "name", "stops"),
    [("penicillin", "Amoxicillin", True), ("Penicillins", "Augmentin", True), ("amoxicillin", "Amoxil", True),
     ("ampicillin", "Amoxicillin", True), ("sulfa drugs", "Bactrim", True), ("aspirin", "Ibuprofen", True),
     ("penicillin", "Cephalexin", False), ("penicillin", "Metformin", None), ("peanuts", "Amoxicillin", None)],
)  # fmt: skip
def test_allergies_in_the_records(allergy: str, name: str, stops: bool | None) -> None:
    line = medicine(name=name, strength="")
    found = [w for w in warned(line, allergies=(allergy,)) if w.kind is WarningKind.ALLERGY]
    assert [w.stops for w in found] == ([] if stops is None else [stops])


@pytest.mark.parametrize(
    ("one", "two"),
    [("Warfarin", "Ibuprofen"), ("Coumadin", "Advil"), ("Viagra", "Nitroglycerin"), ("Zocor", "Clarithromycin"),
     ("Methotrexate", "Bactrim"), ("Tramadol", "Sertraline"), ("Lisinopril", "Spironolactone"),
     ("Digoxin", "Verapamil"),
     ("Lithium", "Diclofenac"), ("Morphine", "Diazepam"), ("Clopidogrel", "Omeprazole"),
     ("Allopurinol", "Azathioprine"),
     ("Linezolid", "Fluoxetine"), ("Entresto", "Ramipril")],
)  # fmt: skip
def test_well_known_dangerous_pairs_stop_with_a_reference_in_either_order(one: str, two: str) -> None:
    for first, second in ((one, two), (two, one)):
        found = warned(medicine(name=first, strength="", note=""), medicine(name=second, strength="", note=""))
        dangers = [w for w in found if w.kind is WarningKind.INTERACTION]
        assert dangers
        assert all(w.stops and w.source for w in dangers)


def test_doses_over_the_daily_maximum_are_added_up_over_lines() -> None:
    tablets = medicine(name="Paracetamol", form="tablet", dose="2 tablets", frequency="every 6 hours", quantity="")
    assert ("daily_maximum", True) not in kinds(warned(tablets))
    more = medicine(name="Panadol", form="tablet", dose="1 tablet", frequency="once daily", quantity="")
    found = [w for w in warned(tablets, more) if w.kind is WarningKind.DAILY_MAXIMUM]
    assert [w.medicines for w in found] == [(0, 1)]
    daily = medicine(name="Methotrexate", strength="10 mg", form="tablet", dose="1 tablet", frequency="once daily")
    weekly = {**daily, "frequency": "once a week"}
    assert ("daily_maximum", True) in kinds(warned(daily))
    assert ("daily_maximum", True) not in kinds(warned(weekly))


def test_look_alikes_units_quantities_and_unknown_names() -> None:
    assert any("hydrOXYzine" in w.text for w in warned(medicine(name="Hydralazine", strength="25 mg")))
    assert ("units", True) in kinds(warned(medicine(dose="5 ml", form="tablet")))
    assert ("units", True) in kinds(warned(medicine(dose="5 g", strength="250 mg")))
    assert ("quantity", False) in kinds(warned(medicine(quantity=28)))
    assert ("quantity", True) in kinds(warned(medicine(quantity=210)))
    assert kinds(warned(medicine(name="Xyzzqor"))) == {("unknown_drug", False)}


def test_every_name_in_the_tables_is_one_the_vocabulary_uses() -> None:
    names = set().union(*tables.classes().values(), tables.daily_maxima(), *tables.combinations().values())
    names |= set().union(*(pair.first | pair.second for pair in tables.interactions()))
    for name in sorted(names):
        drug = DRUGS.identify(name)
        assert drug is not None, name
        assert drug.ingredients == (name,)
    assert all(row.source for row in tables.interactions())
    assert all(row.source for row in tables.daily_maxima().values())


def test_a_stopping_warning_needs_a_reason_which_is_kept_and_printed(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path)
    pair = [medicine(name="Warfarin", strength="5 mg", note=""), medicine(name="Ibuprofen", strength="400 mg", note="")]
    with pytest.raises(PrescriptionInvalid, match=r"interaction:warfarin\+ibuprofen"):
        clinic.issue(*pair)
    with pytest.raises(PrescriptionInvalid):
        clinic.issue(*pair, overrides={"interaction:warfarin+ibuprofen": " "})
    assert clinic.desk.of_patient(clinic.patient.patient_id) == ()
    issued = clinic.issue(*pair, overrides={"interaction:warfarin+ibuprofen": "three days only, INR on Friday"})
    kept = clinic.store.get(issued.signed.prescription.prescription_id)
    assert [o.reason for o in kept.signed.overrides] == ["three days only, INR on Friday"]
    data = {"medications": [AMOXICILLIN]}
    with pytest.raises(PrescriptionInvalid, match="allergy"):
        clinic.desk.issue(clinic.patient, PRESCRIBER, data, DOCTOR, allergies=["penicillin"])

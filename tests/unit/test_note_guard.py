"""The guard: no number, medicine, side or denial stands in a section that its evidence does not hold."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.consultation import NoteLine
from pipelines.note_desk import drugs_in
from pipelines.note_guard import denies, guard, polarity, sides_of, why_unsupported
from pipelines.note_numbers import is_number_word, values

SAID = {
    "u1": "Do you have any chest pain or fever?",
    "u2": "No.",
    "u3": "I take lisinopril 20 milligrams, and my left knee hurts.",
    "u4": "Your blood pressure is one forty eight over ninety two.",
    "u5": "That's all right, I have no cough, but I do have a rash.",
    "u6": "Any other symptoms, chest pain, nausea, trouble sleeping?",
    "u7": "No, I sleep well.",
    "u8": "Do you have pain in your calves, or swelling?",
    "u9": "No swelling. But there is pain.",
    "u10": "okay great so tell me have you had any kind of numbness in your arms or in your hands",
    "u11": "no no numbness or tingling",
}


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        ("Denies chest pain or fever.", ("u1", "u2")),
        ("The patient takes lisinopril 20 mg.", ("u3",)),
        ("The left knee hurts.", ("u3",)),
        ("Blood pressure 148 over 92.", ("u4",)),
        ("No cough. The patient has a rash.", ("u5",)),
        ("Denies other symptoms, chest pain, nausea, trouble sleeping.", ("u6", "u7")),
        ("Denies swelling, but there is pain.", ("u8", "u9")),
        ("Denies numbness in his arms or in his hands.", ("u10", "u11")),
    ],
)
def test_what_was_said_passes(text: str, evidence: tuple[str, ...]) -> None:
    assert why_unsupported(text, evidence, SAID, drugs_in) == ""


@pytest.mark.parametrize(
    ("text", "evidence", "reason"),
    [
        ("The patient takes lisinopril 40 mg.", ("u3",), "number 40"),
        ("The patient takes lisinopril 20 mcg.", ("u3",), "unit"),
        ("The patient takes losartan 20 milligrams.", ("u3",), "medicine losartan"),
        ("The patient takes zofapril 20 milligrams.", ("u3",), "medicine zofapril"),
        ("The right knee hurts.", ("u3",), "side right"),
        ("The left knee does not hurt.", ("u3",), "denies"),
        ("The patient has chest pain.", ("u1", "u2"), "denied there"),
        ("Reports fever.", ("u1", "u2"), "denied there"),
        ("The patient has a cough.", ("u5",), "denied there"),
        ("Denies a rash.", ("u5",), "not denied there"),
        ("Denies a cough, or other rash.", ("u5",), "not denied there"),
        ("Denies chest pain, but reports nausea.", ("u6", "u7"), "denied there"),
        ("It hurts on the right.", ("u5",), "side right"),
        ("The patient has a rash.", (), "names nothing"),
        ("The patient has a rash.", ("u99",), "not in the transcript"),
    ],
)
def test_what_was_not_said_is_held_back_with_its_reason(text: str, evidence: tuple[str, ...], reason: str) -> None:
    assert reason in why_unsupported(text, evidence, SAID, drugs_in)


@given(st.integers(0, 9999), st.integers(0, 9999))
def test_a_number_passes_only_when_it_was_said(said: int, written: int) -> None:
    reason = why_unsupported(f"Weight {written} kg.", ("u1",), {"u1": f"My weight is {said} kg."}, drugs_in)
    assert (reason == "") == (said == written)


@given(st.sampled_from(["left", "right"]), st.sampled_from(["knee", "ear", "shoulder", "foot", "eye"]))
def test_a_side_never_changes(side: str, place: str) -> None:
    other = {"left": "right", "right": "left"}[side]
    said = {"u1": f"It is my {side} {place} that hurts, all right."}
    assert why_unsupported(f"The {side} {place} hurts.", ("u1",), said, drugs_in) == ""
    assert why_unsupported(f"The {other} {place} hurts.", ("u1",), said, drugs_in) != ""


@given(st.sampled_from(["warfarin", "metformin", "amlodipine", "prednisone", "ibuprofen", "sertraline"]), st.data())
def test_a_medicine_never_changes(drug: str, data: st.DataObject) -> None:
    other = data.draw(st.sampled_from(["lisinopril", "atorvastatin", "digoxin", "codeine"]))
    said = {"u1": f"I take {drug} every day."}
    assert why_unsupported(f"The patient takes {drug}.", ("u1",), said, drugs_in) == ""
    assert why_unsupported(f"The patient takes {other}.", ("u1",), said, drugs_in) != ""


@given(st.sampled_from(["dizziness", "vomiting", "wheezing", "headaches"]), st.booleans())
def test_a_denial_is_neither_lost_nor_added(symptom: str, is_denied: bool) -> None:
    said = {"u1": f"I have {'no ' if is_denied else ''}{symptom}."}
    held, lost = f"Denies {symptom}.", f"The patient has {symptom}."
    right, wrong = (held, lost) if is_denied else (lost, held)
    assert why_unsupported(right, ("u1",), said, drugs_in) == ""
    assert why_unsupported(wrong, ("u1",), said, drugs_in) != ""


@given(st.lists(st.text(string.printable, max_size=80), max_size=4), st.text(string.printable, max_size=80))
def test_any_text_is_judged_without_a_fault(heard: list[str], text: str) -> None:
    said = {f"u{at}": one for at, one in enumerate(heard)}
    lines = [NoteLine(text, "plan", tuple(said))]
    kept, held_back = guard(lines, said, drugs_in)
    assert len(kept) + len(held_back) == 1
    assert all(line.reason for line in held_back)
    polarity(heard)
    denies(text)
    sides_of(text)


def test_a_persons_line_stays_and_is_warned_about() -> None:
    line = NoteLine("The patient takes lisinopril 40 mg.", "plan", ("u3",), by_person=True)
    (kept,), held_back = guard([line], SAID, drugs_in)
    assert not held_back
    assert "40" in kept.reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("twenty-five mg", {"25"}),
        ("three hundred and twenty five", {"325"}),
        ("seven point two", {"7.2"}),
        ("two thousand nineteen", {"2019"}),
        ("2,500 units twice", {"2500", "2"}),
        ("one of them", set()),
    ],
)
def test_numbers_are_read_as_they_are_said(text: str, expected: set[str]) -> None:
    assert expected <= values(text)
    if not expected:
        assert not values(text)


def test_a_pair_of_numbers_is_also_read_as_one() -> None:
    assert {"148", "92"} <= values("one forty eight over ninety two")
    assert "2018" in values("twenty eighteen")


@given(st.integers(0, 10_000))
def test_digits_are_always_read(number: int) -> None:
    assert values(f"{number} mg") == {str(number)}
    assert is_number_word(str(number))

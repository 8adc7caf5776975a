"""What may tell who somebody is in free text is covered, and clinical words stay to be read."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import deidentify as made_up
from pipelines import deidentify
from pipelines.deidentify import MASK


@pytest.mark.parametrize(
    ("text", "telling"),
    [
        ("Her daughter, fatima, brought her.", "fatima"),
        ("Reviewed by Dr Okonkwo-Reyes today.", "Okonkwo-Reyes"),
        ("SPOKE TO MRS KOWALCZYK", "KOWALCZYK"),
        ("His son Will lives near Rookhope.", "Will Rookhope"),
        ("Lives at 12 Oxmoor Road, flat 3b.", "12 Oxmoor Road 3b"),
        ("Moved to AB1 2QT in May.", "AB1 2QT May"),
        ("Ring 020 7946 0958 ext 4471 or 555-0137.", "020 7946 0958 4471 555 0137"),
        ("NHS 943 476 5919, MRN 0012345, AB123456C", "943 476 5919 0012345 AB123456C"),
        ("See kavita dot m at post dot example or @kavita_m", "kavita kavita_m"),
        ("Mail g.long@mail.example, www.family.example/long", "long family"),
        ("Admitted on the twenty-second of March, home 3 April.", "second March April"),
        ("Since 4/11 worse; seen 2024/3/9.", "4 11"),
        ("Now 97 years old.", "97"),
        ("GP is T. Featherstone.", "T Featherstone"),
        ("Le patient Müller-Şahin habite à Köln.", "Müller Şahin Köln"),
    ],
)
def test_what_tells_who_or_where_somebody_is_is_covered(text: str, telling: str) -> None:
    shown = deidentify.text(text, made_up.nobody())
    left = [word for word in telling.split() if word in shown.replace(MASK, " ").replace("/", " ").split()]
    assert left == [], shown
    for word in telling.split():
        assert not (len(word) > 3 and word in shown), shown


@pytest.mark.parametrize("line", made_up.CLINICAL)
def test_clinical_words_stay_to_be_read(line: str) -> None:
    assert deidentify.text(line, made_up.nobody()) == line


@pytest.mark.parametrize(
    "line",
    [
        "Reference 3.5 to 5.1.", "Named on █; denied on █: “no known allergies”.", "Marked so on the page.",
        "Asked for on █; no visit within 30 days of that day is on the chart.", "Compare it with the page.",
        "Changed: Ramipril 2.5 mg once daily → 5 mg once daily", "New problem: Asthma", "Left against right: hip fracture",
        "Prescribed on █; “stopped” on █.", "Source of the rule: the patient's own records.",
    ],
)  # fmt: skip
def test_what_the_chart_itself_says_stays_to_be_read(line: str) -> None:
    assert deidentify.text(line, made_up.nobody()) == line


def test_a_name_misread_by_a_letter_or_within_a_compound_is_covered() -> None:
    of = made_up.nobody()
    named = type(of)("p", "Anne Petropoulos", of.birth_date, of.sex, "HC-1", of.created_at)
    assert deidentify.text("petropou1os anne-marie pain", named) == f"{MASK} {MASK} pain"


@pytest.mark.parametrize("half", [0, 1, 2])
def test_of_made_up_notes_hardly_anything_is_missed(half: int) -> None:
    found, all_of = made_up.recall(made_up.notes(half, 150, random.Random(half)))
    assert sum(found.values()) >= 0.98 * sum(all_of.values()), {kind: (found[kind], all_of[kind]) for kind in all_of}


@given(st.text(max_size=120))
def test_any_text_is_covered_word_for_word(text: str) -> None:
    assert len(deidentify.text(text, made_up.nobody()).split(" ")) == len(text.split(" "))

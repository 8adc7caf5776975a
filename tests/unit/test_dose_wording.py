"""Two ways to write a dose: which are the same dose said otherwise or more exactly, and which are another dose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.dose_wording import says_another_dose

MASSES = (("5 mg", "5mg", "5,0 mg", "5000 mcg"), ("10 mg", "10mg", "0.01 g"), ("2.5 mg", "2.5mg", "2500 micrograms"))
ROUTES = (("", "PO", "by mouth", "orally", "oral"), ("IV", "intravenous"), ("SC", "subcutaneously"))
RHYTHMS = (
    ("", "twice daily", "bd", "BID", "2 times a day", "twice a day", "every 12 hours"),
    ("once daily", "od", "daily", "every day"),
    ("twice daily as needed", "bd prn"),
)
dose = st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2))
pick = st.randoms(use_true_random=False)


def written(parts: tuple[int, int, int], rng: object, whole: bool = False) -> str:
    """A dose of these parts in some wording; `whole`: route and rhythm are both said."""
    chosen = []
    for options, at in zip((MASSES, ROUTES, RHYTHMS), parts, strict=True):
        chosen.append(rng.choice([one for one in options[at] if one or not whole]))
    return " ".join(filter(None, chosen))


@given(dose, pick)
def test_the_same_dose_in_other_words_or_more_exactly_is_no_other_dose(
    parts: tuple[int, int, int], rng: object
) -> None:
    before, after = written(parts, rng), written(parts, rng)
    assert not says_another_dose(before, after), (before, after)


@given(dose, dose, pick)
def test_another_amount_rhythm_or_route_is_another_dose(
    parts: tuple[int, int, int], others: tuple[int, int, int], rng: object
) -> None:
    before, after = written(parts, rng, whole=True), written(others, rng, whole=True)
    assert says_another_dose(before, after) is (parts != others), (before, after)


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_words_are_compared_and_words_are_the_same_as_themselves(before: str, after: str) -> None:
    assert not says_another_dose(before, before)
    assert says_another_dose(before, after) is says_another_dose(after, before)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("5 mg twice daily", "5 mg PO twice daily"),
        ("5 mg twice daily", "5 mg, 1 tablet, twice daily"),  # as a prescription says it
        ("5 mg, 2 tablets, twice daily", "10 mg bd"),
        ("40 mg", "40 mg once daily in the morning"),
        ("20 mg once daily", "20 mg once daily at night"),
        ("100 micrograms, 2 puffs, as needed", "100 mcg, two puffs, prn"),
        ("1 g four times daily", "1000 mg qds"),
        ("5 mg as needed", "5 mg three times daily as needed"),
    ],
)
def test_no_other_dose(before: str, after: str) -> None:
    assert not says_another_dose(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("5 mg, 1 tablet, twice daily", "5 mg, 2 tablets, twice daily"),
        ("5 mg twice daily", "5-10 mg twice daily"),
        ("20 mg once daily in the morning", "20 mg once daily at night"),
        ("10 mg once daily", "5 mg twice daily"),  # as much a day, and taken otherwise
        ("5 mg twice daily", "5 mg twice daily on alternate weeks"),
        ("5 mg twice daily", "5 mg twice daily for 7 days"),
        ("125 mg/5 ml, 5 ml, three times daily", "250 mg/5 ml, 5 ml, three times daily"),
        ("1 tablet daily", "2 tablets daily"),
        ("1O mg daily", "10 mg daily"),  # a letter among the digits is no number
        ("sliding scale", "10 units twice daily"),
        ("500 mg four times daily", "500 mg four times daily as needed"),
        ("10 units in the morning", "10 units at night"),
    ],
)
def test_another_dose(before: str, after: str) -> None:
    assert says_another_dose(before, after)

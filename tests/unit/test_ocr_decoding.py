"""Where the ink shows a space, and where it only seems to: figures must not fall apart."""

from __future__ import annotations

import numpy as np
import pytest

from models.ocr_decoding import Gaps, Reading, spaced

LETTER, WORD = 0.06, 0.30  # blanks between letters and between words of the drawn line, shares of its height
LINE = "seen at home and well today"


def reading(text: str, thought_of: float = 0.0) -> Reading:
    count = len(text)
    centres = (np.arange(count) + 0.5) / count
    return Reading(text, np.ones(count), centres, np.full(count, thought_of), np.zeros(count))


def blanks(text: str, special: dict[int, float]) -> Gaps:
    widths = [0.5 * WORD if " " in text[i : i + 2] else LETTER for i in range(len(text) - 1)]
    for index, width in special.items():
        widths[index] = width
    return Gaps(np.array(widths))


def read_back(text: str, special: dict[int, float], thought_of: float = 0.0) -> str:
    """The text after spacing, on a page with a line that shows what its spaces are."""
    lines = [reading(LINE), reading(text, thought_of)]
    return spaced(lines, [blanks(LINE, {}), blanks(text, special)])[1].text


@pytest.mark.parametrize(
    ("text", "at", "width"),
    [
        ("Result 111/83 today", 7, 0.22),
        ("on 06/11/1958", 6, 0.22),
        ("value 112.11", 7, 0.22),
        ("range 115-165", 6, 0.22),
    ],
)
def test_the_blank_beside_a_1_is_no_space(text: str, at: int, width: float) -> None:
    assert read_back(text, {at: width}) == text


def test_a_date_holds_together_even_where_the_network_wavers() -> None:
    assert read_back("on 06/11/1958", {6: 0.24}, thought_of=0.05) == "on 06/11/1958"


def test_figures_apart_as_the_network_thought_are_parted() -> None:
    assert read_back("call 0151127", {8: 0.30}, thought_of=0.1) == "call 0151 127"


def test_a_slash_between_words_stands_free_and_one_in_a_figure_does_not() -> None:
    assert read_back("AB-12/1998", {4: 0.3, 5: 0.3}) == "AB-12 / 1998"
    assert read_back("AB-12/1998", {4: 0.3}) == "AB-12/1998"


def test_the_dash_of_a_range_stands_free_even_where_it_is_not_in_the_middle_of_its_room() -> None:
    assert read_back("range 35-50", {7: 0.14, 8: 0.24}) == "range 35 - 50"
    assert read_back("range 35-50", {7: 0.12, 8: 0.17}, thought_of=0.05) == "range 35 - 50"
    assert read_back("range 35-50", {7: 0.10, 8: 0.12}) == "range 35-50"


def test_the_space_behind_a_sign_of_comparison_is_narrow() -> None:
    assert read_back("below <21", {6: 0.16}) == "below < 21"
    assert read_back("below <21", {}) == "below <21"

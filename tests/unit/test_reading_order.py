"""Lines come in the order a person reads them: columns of prose one after the other, tables row by row."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.reading_order import in_reading_order
from tests.page_kit import line_at

PROSE = "the wound is healing well and shows no sign"


def texts(lines) -> list[str]:  # type: ignore[no-untyped-def]
    return [line.text for line in in_reading_order(lines)]


def columns(count: int, rows: int) -> tuple[list, list[str]]:  # type: ignore[type-arg]
    """Prose in columns, and what it says in order."""
    wanted = [
        (f"c{column} r{row} {PROSE}", 100 + column * 600, 200 + row * 30)
        for column in range(count)
        for row in range(rows)
    ]
    return [line_at(text, left, top) for text, left, top in wanted], [text for text, _, _ in wanted]


@given(st.integers(2, 3), st.integers(4, 12), st.randoms())
@settings(max_examples=25, deadline=None)
def test_columns_are_read_one_after_the_other(count: int, rows: int, chance: random.Random) -> None:
    lines, wanted = columns(count, rows)
    chance.shuffle(lines)
    assert texts(lines) == wanted


@given(st.integers(2, 6), st.integers(3, 12), st.randoms())
@settings(max_examples=25, deadline=None)
def test_a_table_is_read_row_by_row(cells: int, rows: int, chance: random.Random) -> None:
    places = [(row, cell) for row in range(rows) for cell in range(cells)]
    lines = [line_at(f"t{row}.{cell}", 100 + cell * 250, 100 + row * 34) for row, cell in places]
    chance.shuffle(lines)
    assert texts(lines) == [" ".join(f"t{row}.{cell}" for cell in range(cells)) for row in range(rows)]


def test_a_heading_across_columns_comes_first_and_a_foot_last() -> None:
    lines, wanted = columns(2, 6)
    head = line_at("a heading that runs across both of the columns " * 2, 100, 120)
    foot = line_at("a foot " * 14, 100, 420)
    assert texts([foot, *lines, head]) == [head.text, *wanted, foot.text]


@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 3000), st.integers(8, 60)), min_size=1, max_size=40))
@settings(max_examples=50, deadline=None)
def test_no_word_is_lost_and_none_comes_twice(places: list[tuple[int, int, int]]) -> None:
    lines = [line_at(f"w{n} x{n}", left, top, height) for n, (left, top, height) in enumerate(places)]
    read = [word for line in in_reading_order(lines) for word in line.words]
    assert sorted(word.text for word in read) == sorted(word.text for line in lines for word in line.words)


def test_a_page_without_words_has_no_lines() -> None:
    assert in_reading_order([]) == ()

"""The lexicon's files are well formed, and a query is understood in lay words, short forms and brands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import lay_patterns, lexicon
from pipelines.keywords import split_words

TELLING_WITH_PATTERNS = {
    "analgesic",
    "electrocardiogram",
    "lumbar puncture",
    "oxygen therapy",
    "physical therapy",
    "stress",
}


@pytest.mark.parametrize("name", ["lay_clinical.txt", "abbreviations.txt", "drugs.txt"])
def test_every_line_has_two_sides(name: str) -> None:
    lines = [
        line for line in (lexicon.LEXICON / name).read_text("utf-8").splitlines() if line and not line.startswith("#")
    ]
    assert len(lines) > 100
    for line in lines:
        left, mark, _right = line.partition("|")
        assert left.strip(), line
        assert mark or name == "drugs.txt", line


@pytest.mark.parametrize(
    ("query", "clinical"),
    [
        ("can't catch my breath lying flat", "orthopnea"),
        ("SOB", "shortness of breath"),
        ("Tylenol", "acetaminophen"),
        ("coughing up blood", "hemoptysis"),
    ],
)
def test_a_query_names_its_concept(query: str, clinical: str) -> None:
    assert clinical in {name for concept in lexicon.understand(query).concepts for name in concept.clinical}


@pytest.mark.parametrize("query", ["it hit me at the age of four", "my pet", "apple pie"])
def test_everyday_words_are_no_abbreviations(query: str) -> None:
    assert not any(concept.asked_as & {("hit",), ("pet",)} for concept in lexicon.understand(query).concepts)


def test_places_are_found_in_stems() -> None:
    (concept,) = [c for c in lexicon.understand("hemoptysis").concepts if "hemoptysis" in c.clinical]
    assert lexicon.places(concept, ["he", "hemoptysi", "today"]) == ((1, 2),)


def test_every_pattern_names_a_concept() -> None:
    known = {concept.clinical[0] for concept in lexicon._concepts() if not concept.telling}
    assert lay_patterns.names() - known <= TELLING_WITH_PATTERNS


@pytest.mark.parametrize(
    ("query", "clinical"),
    [
        ("breathless when flat in bed", "orthopnea"),
        ("lying flat in bed she is breathless", "orthopnea"),
        ("my poor old head is pounding", "headache"),
        ("legs have been terribly swollen", "peripheral edema"),
        ("he couldnt feel his left foot", "paresthesia"),
        ("pills for her pressure", "antihypertensive medication"),
    ],
)
def test_words_may_stand_in_any_order(query: str, clinical: str) -> None:
    assert clinical in {concept.clinical[0] for concept in lexicon.understand(query).concepts}


def test_a_pattern_ends_with_its_clause() -> None:
    assert "knee pain" not in {concept.clinical[0] for concept in lexicon.understand("bent knee, sore throat").concepts}


def test_one_word_of_a_query_fills_one_slot() -> None:
    assert not lay_patterns.read_as("breathing")


def test_readings_of_the_same_words_are_one_mention() -> None:
    mention = lexicon.understand("hearing voices").mentions[0]
    assert {"psychosis", "hallucinations"} & {concept.clinical[0] for concept in mention}
    assert len(mention) > 1


@given(st.text(max_size=200))
def test_any_text_is_read(query: str) -> None:
    words = split_words(query)
    assert all(0 <= start < end <= len(words) for start, end, _ in lay_patterns.read_as(query))

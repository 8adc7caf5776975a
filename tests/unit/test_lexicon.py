"""The lexicon's files are well formed, and a query is understood in lay words, short forms and brands."""

from __future__ import annotations

import pytest

from pipelines import lexicon


@pytest.mark.parametrize("name", ["lay_clinical.txt", "abbreviations.txt", "drugs.txt"])
def test_every_line_has_two_sides(name: str) -> None:
    lines = [line for line in (lexicon.LEXICON / name).read_text("utf-8").splitlines() if line and not line.startswith("#")]
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

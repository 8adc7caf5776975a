"""Which signs make an answer and which make a refusal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines import lexicon
from pipelines.search import Signs, answers

NOTHING_KNOWN = Signs(
    typed=0.22, widened=0.22, coverage=0.3, explained=0.0, findings=0, named=False, drug=False, health=0.5
)


@pytest.mark.parametrize(
    ("change", "answered"),
    [
        ({}, False),
        ({"typed": 0.6}, True),
        ({"coverage": 1.0}, True),
        ({"coverage": 0.8}, False),
        ({"coverage": 0.8, "typed": 0.38}, True),
        ({"explained": 1.0, "findings": 1}, True),
        ({"explained": 1.0, "findings": 1, "typed": 0.05, "widened": 0.05}, False),
        ({"explained": 1.0, "findings": 1, "typed": 0.05, "widened": 0.05, "named": True}, True),
        ({"explained": 0.2, "findings": 3}, True),
        ({"explained": 0.3, "findings": 1, "named": True}, False),
        ({"explained": 0.3, "findings": 1, "typed": 0.38}, True),
        ({"drug": True}, True),
        ({"health": 0.9}, True),
        ({"health": 0.9, "typed": 0.05, "widened": 0.05}, False),
        ({"health": 0.01, "explained": 0.6, "findings": 1}, False),
        ({"health": 0.01, "explained": 1.0, "findings": 1}, True),
        ({"health": 0.01, "explained": 0.6, "findings": 2}, True),
        ({"health": 0.01, "coverage": 1.0}, True),
    ],
)
def test_what_speaks_for_an_answer(change: dict[str, float], answered: bool) -> None:
    assert answers(replace(NOTHING_KNOWN, **change)) is answered


@pytest.mark.parametrize("query", ["knee pads for skateboarding", "gift for an old man", "labour party manifesto"])
def test_an_everyday_word_of_illness_explains_little(query: str) -> None:
    understood = lexicon.understand(query)
    assert understood.explained < 0.5
    assert understood.findings < 2


@pytest.mark.parametrize(
    "query", ["can't feel my toes", "HTN, DM2, CAD", "burning when I pee", "old man with a chesty cough"]
)
def test_a_complaint_is_mostly_explained(query: str) -> None:
    assert lexicon.understand(query).explained >= 0.5

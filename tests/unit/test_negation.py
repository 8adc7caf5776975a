"""What a passage denies and what it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.negation import denied


def marked(text: str) -> set[str]:
    words = text.split()
    return {word.strip(".,:;").lower() for word, no in zip(words, denied(words), strict=True) if no}


@pytest.mark.parametrize(
    ("text", "refused", "asserted"),
    [
        ("She denies chest pain, fever or cough.", {"chest", "pain", "fever", "cough"}, {"she"}),
        ("No fever but has a cough.", {"fever"}, {"cough"}),
        ("Chest pain was ruled out. Cough persists.", {"pain"}, {"cough", "persists"}),
        ("There is no evidence of pneumonia. Fever continues.", {"pneumonia"}, {"fever"}),
        ("Negative for orthopnea and PND.", {"orthopnea", "pnd"}, set()),
        ("No change in the wheeze.", set(), {"wheeze"}),
        ("Without relief of headache.", set(), {"headache"}),
        ("He was not able to lie flat.", set(), {"flat"}),
        ("Troponin negative. Chest pain continues.", {"troponin"}, {"pain"}),
        ("Denies syncope however reports palpitations.", {"syncope"}, {"palpitations"}),
        ("NECK: No masses. HEART: Murmur.", {"masses"}, {"murmur"}),
        ("ROS: -fever, -chest pain, +cough today", {"-fever", "-chest", "pain"}, {"+cough", "today"}),
        ("Fever -, chills -, cough + for a week", {"fever", "chills"}, {"cough", "week"}),
        ("GENERAL: (-) fatigue, (-) weight loss, (+) rash", {"fatigue", "weight", "loss"}, {"rash"}),
        ("Cough (-), wheeze (+)", {"cough"}, {"wheeze"}),
        ("Problems: - gout - rash - asthma", set(), {"gout", "rash", "asthma"}),
        ("Post-operative fever - treated with paracetamol", set(), {"fever", "treated"}),
    ],
)
def test_scope_of_a_denial(text: str, refused: set[str], asserted: set[str]) -> None:
    found = marked(text)
    assert refused <= found
    assert not asserted & found


@given(st.lists(st.text(max_size=12), max_size=40))
def test_every_word_gets_a_verdict(words: list[str]) -> None:
    assert len(denied(words)) == len(words)


@given(st.lists(st.sampled_from(["pain", "fever", "cough", "leg", "red"]), max_size=30))
def test_nothing_is_denied_where_nobody_denies(words: list[str]) -> None:
    assert not any(denied(words))

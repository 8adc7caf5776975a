"""How sentences mean their findings: denied, asserted, past, of a relative, of what might be."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pipelines.negation import Stance, stances

MEANT = {"D": Stance.DENIED, "A": Stance.ASSERTED, "P": Stance.PAST, "F": Stance.FAMILY, "H": Stance.POSSIBLE}
LINES = (Path(__file__).parent / "stance_sentences.txt").read_text("utf-8").splitlines()
SENTENCES = tuple(tuple(line.split(" | ")) for line in LINES if line and not line.startswith("#"))
# Half was in sight while the rules were mended, the other half was only counted.
SEEN = tuple(pair for pair in SENTENCES if hashlib.sha256(pair[1].encode()).digest()[0] % 2 == 0)
UNSEEN = tuple(pair for pair in SENTENCES if pair not in SEEN)


def _heard(sentence: str) -> set[Stance]:
    """Stances of the words in brackets."""
    inside, marked = False, []
    for word in sentence.split():
        marked.append(inside or "[" in word)
        inside = word.rfind("[") > word.rfind("]") if "[" in word or "]" in word else inside
    found = stances(sentence.replace("[", "").replace("]", "").split())
    return {stance for stance, wanted in zip(found, marked, strict=True) if wanted}


@pytest.mark.parametrize(("pairs", "share"), [(SEEN, 0.95), (UNSEEN, 0.89)], ids=["seen", "unseen"])
def test_most_sentences_are_heard_as_they_are_meant(pairs: tuple[tuple[str, str], ...], share: float) -> None:
    right = [_heard(sentence) == {MEANT[kind]} for kind, sentence in pairs]
    assert sum(right) >= share * len(right)


@pytest.mark.parametrize(
    ("sentence", "stance"),
    [
        ("Known history of [hypertension], on amlodipine.", Stance.ASSERTED),
        ("History of [pneumonia] in 2012.", Stance.PAST),
        ("Past history of [diabetes] and [pneumonia].", None),
        ("A 3-month history of [headaches].", Stance.ASSERTED),
        ("Long history of [dizziness] and still gets it weekly.", Stance.ASSERTED),
        ("[Diarrhea] (-).", Stance.DENIED),
        ("Nor does he report [palpitations].", Stance.DENIED),
        ("She has [migraine] rather than sinusitis.", Stance.ASSERTED),
        ("She has migraine rather than [sinusitis].", Stance.DENIED),
        ("If anything, the [headache] is worse.", Stance.ASSERTED),
        ("Cannot exclude [fracture].", Stance.POSSIBLE),
        ("Appears to be [gout] versus [cellulitis].", Stance.POSSIBLE),
        ("[Diabetes] runs in the family.", Stance.FAMILY),
        ("Maternal aunt: [breast cancer].", Stance.FAMILY),
        ("Her coworker has [influenza].", Stance.FAMILY),
        ("FH: [gout], [diabetes].", Stance.FAMILY),
    ],
)
def test_each_kind_that_was_mended(sentence: str, stance: Stance | None) -> None:
    expected = {stance} if stance is not None else {Stance.ASSERTED, Stance.PAST}
    assert _heard(sentence) == expected

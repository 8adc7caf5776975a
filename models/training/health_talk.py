"""How models/lexicon/health_talk.json is made: one logistic regression that tells talk of health from all other talk.

It learns from the lexicon's own phrases against everyday.txt and made-up strings, on the vectors of the text encoder
that search uses anyway, so asking it costs one dot product. `python -m models.training.health_talk` makes the file
anew and prints how well each fifth of the phrases is told apart by what was learnt from the others.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

LEXICON = Path(__file__).resolve().parent.parent / "lexicon"
OUT = LEXICON / "health_talk.json"
TELLING = "ways of telling"  # a section of the lexicon that says how and when, not what
SEED = 5
LETTERS, SYLLABLES, NUMBERS = 250, 150, 60  # made-up strings: keys struck at random, sayable nonsense, numbers
STRENGTH = 10.0  # inverse of the regularisation: 3 to 30 tell the fifths apart equally well
FOLDS = 5
DECIMALS = 4
MEMORY_MB = 2048


def health_phrases() -> list[str]:
    """Every way in which the lexicon says a finding, an illness, a treatment or a medicine."""
    found: list[str] = []
    telling = False
    for line in (LEXICON / "lay_clinical.txt").read_text("utf-8").splitlines():
        if line.startswith("#"):
            telling = TELLING in line
        elif not telling:
            found += line.replace("|", ";").split(";")
    for line in _lines("abbreviations.txt"):
        found += line.partition("|")[2].split(";")
    found += [line.partition("|")[0].partition(";")[0] for line in _lines("drugs.txt")]
    return list(dict.fromkeys(phrase.strip() for phrase in found if phrase.strip()))


def other_phrases() -> list[str]:
    """What everyday.txt holds, its topics put into their sentences, and strings that mean nothing."""
    things: dict[str, list[str]] = {}
    found: list[str] = []
    for line in _lines("everyday.txt"):
        topic, bar, said = line.removeprefix("= ").partition(" | ")
        if not bar:
            found.append(line)
        elif not line.startswith("= "):
            things[topic] = said.split("; ")
        else:
            found += [sentence.format(thing) for thing in things[topic] for sentence in [*said.split("; "), "{}"]]
    return list(dict.fromkeys([*found, *_strings(np.random.default_rng(SEED))]))


def _strings(rng: np.random.Generator) -> Iterator[str]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    syllables = [a + b + c for a in "bdfgklmnprstvz" for b in "aeiou" for c in ("", "n", "r", "s", "p", "b")]
    for alphabet, count, longest in ((letters, LETTERS, 10), (syllables, SYLLABLES, 4)):
        for _ in range(count):
            sizes = rng.integers(2, longest, size=int(rng.integers(1, 5)))
            yield " ".join("".join(alphabet[int(i)] for i in rng.integers(len(alphabet), size=size)) for size in sizes)
    for _ in range(NUMBERS):
        yield " ".join(map(str, rng.integers(10 ** int(rng.integers(1, 7)), size=int(rng.integers(1, 4)))))


def _lines(name: str) -> list[str]:
    lines = (LEXICON / name).read_text("utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def main() -> None:
    """Learns, measures, writes."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    from models.cards import CARDS
    from models.shelf import ModelShelf

    ours, others = health_phrases(), other_phrases()
    card = next(card for card in CARDS if card.task == "text_encoder")
    with ModelShelf(CARDS, MEMORY_MB).borrow(card.id) as encoder:
        vectors = encoder.encode_passages([*ours, *others])  # (phrases, dimensions)
    health = np.arange(len(vectors)) < len(ours)
    model = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=2000)
    likely = cross_val_predict(model, vectors, health, cv=FOLDS, method="predict_proba")[:, 1]
    sys.stdout.write(
        f"{len(ours)} phrases of health, {np.mean(likely[health] >= 0.5):.1%} told as such by the other fifths; "
        f"{len(others)} others, {np.mean(likely[~health] < 0.5):.1%} (whole topics are new to each fifth)\n"
    )
    model.fit(vectors, health)
    weights = [round(float(weight), DECIMALS) for weight in model.coef_[0]]
    made = {
        "encoder": card.id,
        "revision": card.stamp.revision,
        "bias": round(float(model.intercept_[0]), DECIMALS),
        "weights": weights,
    }
    OUT.write_text(json.dumps(made, indent=None, separators=(", ", ": ")) + "\n", "utf-8")


if __name__ == "__main__":
    main()

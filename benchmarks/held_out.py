"""Made-up notes, and queries in words that search was not made with: an estimate of what it finds beyond its lexicon.

search_data/lay_phrasings.txt holds what records say and how people say it, search_data/nonsense.txt what no record
answers; README.md there tells how they were made. Every phrasing belongs to one of two halves by its hash: the first
may be read while the lexicon is mended, the second may not, so the second is the estimate.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

DATA = Path(__file__).resolve().parent / "search_data"
HALVES = ("first", "second")
NOTES = 300
ASSERTED, DENIED = 4, 4  # concepts of a note
TOLD = 3  # of the asserted ones, in a query that tells a story
SAID = ("presents with {}", "complains of {}", "{} was noted", "{} for the past weeks", "known {}", "findings of {}",
        "assessed for {}", "{}, ongoing", "has {}", "{} is documented")  # fmt: skip
FILLER = ("Vital signs were taken on arrival.", "Medications were reviewed.", "Plan was discussed at length.",
          "Lives with family.", "Follow-up in two weeks.", "Abdomen soft.", "Lungs clear to auscultation.",
          "Regular rate and rhythm.", "Alert and oriented.", "Laboratory results are pending.")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Phrasing:
    """`concept`: as records say it; `lay`: as a person says it."""

    concept: str
    lay: str
    half: str


@dataclass(frozen=True, slots=True)
class Note:
    """`asserted` and `denied`: names of concepts."""

    id: str
    text: str
    asserted: tuple[str, ...]
    denied: tuple[str, ...]
    person: str


def half(text: str) -> str:
    """To which half a phrasing belongs, for ever."""
    return HALVES[hashlib.sha256(text.encode()).digest()[0] % 2]


def phrasings() -> tuple[Phrasing, ...]:
    """All of both halves, in the order of the file."""
    found = []
    for line in _lines("lay_phrasings.txt"):
        concept, _, said = line.partition(" | ")
        found.extend(Phrasing(concept.strip(), lay.strip(), half(lay.strip())) for lay in said.split(" ; "))
    return tuple(found)


def nonsense() -> tuple[tuple[str, str], ...]:
    """(query, half)."""
    return tuple((line, half(line)) for line in _lines("nonsense.txt"))


def notes() -> tuple[Note, ...]:
    """The same every time. Each concept is asserted in two or three notes and denied in as many."""
    rng = np.random.default_rng(2)
    concepts = list(dict.fromkeys(phrasing.concept for phrasing in phrasings()))
    asserted, denied = _dealt(rng, concepts, ASSERTED), _dealt(rng, concepts, DENIED)
    return tuple(
        _note(f"made{number:03d}", own, tuple(name for name in others if name not in own), rng)
        for number, (own, others) in enumerate(zip(asserted, denied, strict=True))
    )


def single_queries(which: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """(lay phrasing, ids of the notes that assert it) of one half."""
    return tuple(
        (said.lay, frozenset(note.id for note in notes() if said.concept in note.asserted))
        for said in phrasings()
        if said.half == which
    )


def story_queries(which: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """(what a person would tell of one note, its id): who it is, and some of its findings in lay words of one half."""
    rng = np.random.default_rng(3)
    lay: dict[str, list[str]] = {}
    for said in phrasings():
        if said.half == which:
            lay.setdefault(said.concept, []).append(said.lay)
    told = []
    for note in notes():
        known = [lay[concept][int(rng.integers(len(lay[concept])))] for concept in note.asserted if concept in lay]
        if len(known) >= TOLD:
            told.append((f"{note.person}, {', '.join(known[:TOLD])}", frozenset([note.id])))
    return tuple(told)


def _note(note_id: str, asserted: tuple[str, ...], denied: tuple[str, ...], rng: np.random.Generator) -> Note:
    woman, age = bool(rng.integers(2)), int(rng.integers(18, 90))
    person = ("she", "woman") if woman else ("he", "man")
    said = [f"{SAID[int(rng.integers(len(SAID)))].format(name)}." for name in asserted]
    sentences = [
        f"This {age}-year-old {'female' if woman else 'male'} {said[0]}",
        *(sentence[:1].upper() + sentence[1:] for sentence in said[1:]),
        f"{'Denies' if rng.integers(2) else 'No'} {', '.join(denied[:-2])} or {denied[-2]}.",
        f"There is no {denied[-1]}.",
        *(FILLER[i] for i in rng.choice(len(FILLER), 3, replace=False)),
    ]
    return Note(note_id, " ".join(sentences), asserted, denied, f"{person[1]} of {age}")


def _dealt(rng: np.random.Generator, concepts: list[str], each: int) -> list[tuple[str, ...]]:
    """Concepts for every note, `each` a note, dealt like cards until the pack is empty, then from a new pack."""
    packs = -(-NOTES * each // len(concepts))
    cards = [concepts[place] for _ in range(packs) for place in rng.permutation(len(concepts))]
    return [tuple(dict.fromkeys(cards[start : start + each])) for start in range(0, NOTES * each, each)]


def _lines(name: str) -> list[str]:
    lines = (DATA / name).read_text("utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]

"""The lay-clinical lexicon: which concepts a query names, in anybody's words, and how records call them.

Data and its making: models/lexicon. Knows words; knows no index and no model.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.keywords import STOP_WORDS, index_words, split_words, stem

LEXICON = Path(__file__).resolve().parent.parent / "models" / "lexicon"
TELLING = "ways of telling"  # the section of words that say how, when and where, not what


@dataclass(frozen=True, slots=True)
class Concept:
    """`clinical`: how records say it, the usual name first; `forms`: stems of every way to say it.

    `telling`: it says how, when or where ("for ages", "in hospital"), so alone it is no symptom.
    """

    clinical: tuple[str, ...]
    forms: frozenset[tuple[str, ...]]
    telling: bool


@dataclass(frozen=True, slots=True)
class Understood:
    """A query as the lexicon reads it: `concepts` in order of appearance, `words` its own stems."""

    words: tuple[str, ...]
    concepts: tuple[Concept, ...]

    @property
    def medical(self) -> bool:
        """Whether it names a symptom, finding, illness or body function at all."""
        return any(not concept.telling for concept in self.concepts)


@functools.cache
def _concepts() -> tuple[Concept, ...]:
    concepts, telling = [], False
    for line in (LEXICON / "lay_clinical.txt").read_text("utf-8").splitlines():
        if line.startswith("#"):
            telling = TELLING in line
        elif line.strip():
            records, _, people = line.partition("|")
            clinical, lay = _parts(records), _parts(people)
            concepts.append(Concept(clinical, frozenset(filter(None, map(_stems, (*clinical, *lay)))), telling))
    for line in (LEXICON / "abbreviations.txt").read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            short, _, long = line.partition("=")
            meanings = _parts(long)
            concepts.append(Concept(meanings, frozenset(filter(None, map(_stems, (short, *meanings)))), False))
    return tuple(concepts)


@functools.cache
def _by_form() -> dict[tuple[str, ...], tuple[Concept, ...]]:
    table: dict[tuple[str, ...], list[Concept]] = {}
    for concept in _concepts():
        for form in concept.forms:
            table.setdefault(form, []).append(concept)
    return {form: tuple(concepts) for form, concepts in table.items()}


@functools.lru_cache(maxsize=2048)
def understand(query: str) -> Understood:
    """Longest forms first; a word counts for one form only."""
    words = _stems(query)
    longest = max(map(len, _by_form()))
    taken = [False] * len(words)
    found: list[tuple[int, Concept]] = []
    for length in range(min(longest, len(words)), 0, -1):
        for start in range(len(words) - length + 1):
            span = slice(start, start + length)
            if not any(taken[span]) and words[span] in _by_form():
                taken[span] = [True] * length
                found.extend((start, concept) for concept in _by_form()[words[span]])
    ordered = [concept for _, concept in sorted(found, key=lambda pair: pair[0])]
    return Understood(tuple(index_words(query)), tuple(dict.fromkeys(ordered)))


def places(concept: Concept, words: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Where stems `words` say the concept: (start, end) spans, end exclusive, longest first, none overlapping."""
    found: list[tuple[int, int]] = []
    for length in sorted({len(form) for form in concept.forms}, reverse=True):
        for start in range(len(words) - length + 1):
            if tuple(words[start : start + length]) in concept.forms and not any(
                start < end and begin < start + length for begin, end in found
            ):
                found.append((start, start + length))
    return tuple(sorted(found))


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())


def _stems(text: str) -> tuple[str, ...]:
    return tuple(stem(word) for word in split_words(text) if word not in STOP_WORDS)

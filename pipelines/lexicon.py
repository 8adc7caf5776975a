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
# Abbreviations that are everyday words too: in a sentence "hit", "age" or "pet" hardly ever means the short form.
ALSO_ENGLISH = frozenset(
    "hit age cap pet gas pop all as or us am ed ad add max med mod sup ms he hi mac from lad soap peg map rom pos neg "
    "temp consult steroids echo preg".split()
)
TELLING = "ways of telling"  # the section of words that say how, when and where, not what


@dataclass(frozen=True, slots=True)
class Concept:
    """`clinical`: how records say it, the usual name first; `forms`: stems of every way to say it.

    `telling`: it says how, when or where ("for ages", "in hospital"), so alone it is no symptom.
    """

    clinical: tuple[str, ...]
    forms: frozenset[tuple[str, ...]]
    telling: bool
    asked_as: frozenset[tuple[str, ...]]  # the forms that a query is read by: of an abbreviation only its short one
    phrases: tuple[str, ...] = ()  # asked word for word: "the runs", whose one stem says nothing in a record


@dataclass(frozen=True, slots=True)
class Understood:
    """A query as the lexicon reads it: `concepts` in order of appearance, `words` its own stems, `text` as typed."""

    text: str
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
            forms = frozenset(form for said in (*clinical, *lay) if (form := _stems(said)) and not _thin(said))
            phrases = tuple(" ".join(split_words(said)) for said in lay if _thin(said))
            concepts.append(Concept(clinical, forms, telling, forms, phrases))
    for line in (LEXICON / "abbreviations.txt").read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            short, _, long = line.partition("|")
            short, meanings = short.strip(), _parts(long)
            said = frozenset(form for form in map(_stems, meanings) if len(form) > 1)
            if len(short) > 1 and short.lower() not in ALSO_ENGLISH and _stems(short):
                asked = frozenset([_stems(short)])
                concepts.append(Concept(meanings, said | asked, False, asked))
    for line in (LEXICON / "drugs.txt").read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            generic, _, brands = line.partition("|")
            names = (*_parts(generic), *_parts(brands))
            forms = frozenset(filter(None, map(_stems, names)))
            concepts.append(Concept(names, forms, False, forms))
    return tuple(concepts)


@functools.cache
def _by_form() -> dict[tuple[str, ...], tuple[Concept, ...]]:
    table: dict[tuple[str, ...], list[Concept]] = {}
    for concept in _concepts():
        for form in concept.asked_as:
            table.setdefault(form, []).append(concept)
    return {form: tuple(concepts) for form, concepts in table.items()}


@functools.cache
def _by_phrase() -> tuple[tuple[str, Concept], ...]:
    """Phrases of one stem, each with what it means; one phrase may mean several things."""
    return tuple((phrase, concept) for concept in _concepts() for phrase in concept.phrases)


@functools.lru_cache(maxsize=2048)
def understand(query: str) -> Understood:
    """Longest forms first; a word counts for one form only, a phrase of one stem before that stem alone."""
    words = _stems(query)
    longest = max(map(len, _by_form()))
    taken = [False] * len(words)
    found: list[tuple[int, Concept]] = []
    claimed: set[int] = set()
    plain = f" {' '.join(split_words(query))} "
    for length in range(min(longest, len(words)), 0, -1):
        if length == 1:  # "puffed up" is a swelling, "puffed" alone is breathlessness
            for phrase, concept in _by_phrase():
                spots = [at for at, word in enumerate(words) if (word,) == _stems(phrase) and not taken[at]]
                if spots and f" {phrase} " in plain:
                    found.append((spots[0], concept))
                    claimed.add(spots[0])
            for at in claimed:
                taken[at] = True
        for start in range(len(words) - length + 1):
            span = slice(start, start + length)
            if not any(taken[span]) and words[span] in _by_form():
                taken[span] = [True] * length
                found.extend((start, concept) for concept in _by_form()[words[span]])
    ordered = [concept for _, concept in sorted(found, key=lambda pair: pair[0])]
    return Understood(query, tuple(index_words(query)), tuple(dict.fromkeys(ordered)))


def places(concept: Concept, words: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Where stems `words` say it: (start, end) spans, end exclusive, leftmost and longest, not overlapping."""
    by_first = _by_first(concept.forms)
    found: list[tuple[int, int]] = []
    free = 0
    for start, word in enumerate(words):
        if start < free or word not in by_first:
            continue
        for form in by_first[word]:
            if tuple(words[start : start + len(form)]) == form:
                free = start + len(form)
                found.append((start, free))
                break
    return tuple(found)


@functools.lru_cache(maxsize=4096)
def _by_first(forms: frozenset[tuple[str, ...]]) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Forms by their first stem, longest first: most words of a passage begin none, and cost one look-up."""
    table: dict[str, list[tuple[str, ...]]] = {}
    for form in sorted(forms, key=lambda form: (-len(form), form)):
        table.setdefault(form[0], []).append(form)
    return {first: tuple(rest) for first, rest in table.items()}


def _thin(said: str) -> bool:
    """Whether several words come down to one stem once the stop words are gone: "had a turn", "off food"."""
    return len(_stems(said)) == 1 and len(split_words(said)) > 1


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())


def _stems(text: str) -> tuple[str, ...]:
    return tuple(stem(word) for word in split_words(text) if word not in STOP_WORDS)

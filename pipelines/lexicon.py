"""The lay-clinical lexicon: which concepts a query names, in anybody's words, and how records call them.

Data and its making: models/lexicon. Knows words; knows no index and no model.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines import lay_patterns
from pipelines.keywords import STOP_WORDS, index_words, split_words, stem

LEXICON = Path(__file__).resolve().parent.parent / "models" / "lexicon"
# Abbreviations that are everyday words too: in a sentence "hit", "age" or "pet" hardly ever means the short form.
ALSO_ENGLISH = frozenset(
    "hit age cap pet gas pop all as or us am ed ad add max med mod sup ms he hi mac from lad soap peg map rom pos neg "
    "temp consult steroids echo preg".split()
)
# Short forms that head a section of a record: "PE:" is the physical examination, "MS:" the mental status or the joints.
HEADINGS = frozenset(["pe:", "ms:"])
PERSONS = frozenset("infant child adolescent elderly woman man".split())  # concepts that say who, not what
SAME_WORDS = 0.6  # of the words that two readings span together
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

    @property
    def says_what(self) -> bool:
        """Whether it is a finding, an illness or a treatment, rather than who has it, or how and when."""
        return not self.telling and self.clinical[0] not in PERSONS


@dataclass(frozen=True, slots=True)
class Understood:
    """A query as the lexicon reads it: `concepts` in order of appearance, `words` its own stems, `text` as typed.

    `mentions`: the concepts again, those together that the same words may mean ("room spinning": dizziness or vertigo).
    `explained`: 0 to 1, the share of the query's words, but for those of who, how and when, that a concept takes up.
    """

    text: str
    words: tuple[str, ...]
    concepts: tuple[Concept, ...]
    mentions: tuple[tuple[Concept, ...], ...] = ()
    explained: float = 0.0

    @property
    def findings(self) -> int:
        """How many symptoms, findings, illnesses or treatments it names."""
        return sum(any(concept.says_what for concept in mention) for mention in self.mentions)


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
def _by_name() -> dict[str, Concept]:
    """Concepts by the name that they go by: the first clinical one."""
    table: dict[str, Concept] = {}
    for concept in _concepts():
        if concept.clinical[0] not in table or table[concept.clinical[0]].telling:
            table[concept.clinical[0]] = concept
    return table


@functools.cache
def _by_phrase() -> tuple[tuple[str, Concept], ...]:
    """Phrases of one stem, each with what it means; one phrase may mean several things."""
    return tuple((phrase, concept) for concept in _concepts() for phrase in concept.phrases)


@functools.lru_cache(maxsize=2048)
def understand(query: str) -> Understood:
    """Longest forms first; a word counts for one form only, a phrase of one stem before that stem alone. What patterns
    read is added, whatever the forms have taken."""
    plain = split_words(query)
    spots = [at for at, word in enumerate(plain) if word not in STOP_WORDS]  # of each stem, among the plain words
    found = [
        (spots[start], spots[end - 1] + 1, concept)
        for start, end, concept in _by_forms(tuple(stem(plain[at]) for at in spots), plain)
    ]
    found.extend((start, end, _by_name()[name]) for start, end, name in lay_patterns.read_as(query))
    found.sort(key=lambda item: item[0])
    return Understood(
        query,
        tuple(index_words(query)),
        tuple(dict.fromkeys(concept for _, _, concept in found)),
        _mentions(found),
        _explained(found, [at for at in spots if not plain[at].isdigit()]),
    )


def _by_forms(words: tuple[str, ...], plain: Sequence[str]) -> list[tuple[int, int, Concept]]:
    """(start, end, concept) of the forms among stems `words`."""
    longest = max(map(len, _by_form()))
    taken = [False] * len(words)
    found: list[tuple[int, int, Concept]] = []
    claimed: set[int] = set()
    text = f" {' '.join(plain)} "
    for length in range(min(longest, len(words)), 0, -1):
        if length == 1:  # "puffed up" is a swelling, "puffed" alone is breathlessness
            for phrase, concept in _by_phrase():
                spots = [at for at, word in enumerate(words) if (word,) == _stems(phrase) and not taken[at]]
                if spots and f" {phrase} " in text:
                    found.append((spots[0], spots[0] + 1, concept))
                    claimed.add(spots[0])
            for at in claimed:
                taken[at] = True
        for start in range(len(words) - length + 1):
            span = slice(start, start + length)
            if not any(taken[span]) and words[span] in _by_form():
                taken[span] = [True] * length
                found.extend((start, start + length, concept) for concept in _by_form()[words[span]])
    return found


def _explained(found: Sequence[tuple[int, int, Concept]], spots: Sequence[int]) -> float:
    """Of the words at `spots`, those that a concept takes up, among those that say what."""
    what = {at for start, end, concept in found if concept.says_what for at in range(start, end)}
    how = {at for start, end, concept in found for at in range(start, end)} - what
    words = [at for at in spots if at not in how]
    return sum(at in what for at in words) / len(words) if words else 0.0


def _mentions(found: Sequence[tuple[int, int, Concept]]) -> tuple[tuple[Concept, ...], ...]:
    """Concepts read out of mostly the same words are several readings of one thing."""
    groups: list[tuple[int, int, list[Concept]]] = []
    for start, end, concept in found:
        if any(concept in concepts for _, _, concepts in groups):
            continue
        for known_start, known_end, concepts in groups:
            shared = min(end, known_end) - max(start, known_start)
            if shared >= SAME_WORDS * (max(end, known_end) - min(start, known_start)):
                concepts.append(concept)
                break
        else:
            groups.append((start, end, [concept]))
    return tuple(tuple(dict.fromkeys(concepts)) for _, _, concepts in groups)


def heads_a_section(word: str) -> bool:
    """Whether a word of a record, as written, is a heading and not the illness that its letters also stand for."""
    return word.lower() in HEADINGS


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

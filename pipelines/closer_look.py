"""The likeliest passages read closely: is what was asked said of the patient, or denied, past, of a relative?

Reorders candidates; knows scores and words, no store's insides and no model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from domain.document import Passage
from domain.search import ScoredPassages
from pipelines import lexicon
from pipelines.keywords import stems_with_owner
from pipelines.negation import Stance, stances

FEW = 2  # asked concepts up to which a query is about them and nothing else
# What a mention is worth, as a share of the weight below. A query about one or two things asks who has them; one that
# tells a whole story is answered by a record that at least speaks of them.
WORTH_TO_FEW = {
    Stance.ASSERTED: 1.0,
    Stance.PAST: -1.5,
    Stance.POSSIBLE: -2.0,
    Stance.FAMILY: -2.0,
    Stance.DENIED: -2.0,
}
WORTH_TO_MANY = {Stance.ASSERTED: 1.0, Stance.PAST: 0.7, Stance.POSSIBLE: 0.4, Stance.FAMILY: 0.0, Stance.DENIED: -1.0}
WEIGHT_OF_FEW = 0.3  # against a fused score of about 0 to 1.6
WEIGHT_OF_MANY = 0.12
DOCUMENTS = 12  # of the best ones, further passages are read too: the denial may stand in another part of the record
PASSAGES = 6  # of each


@dataclass(frozen=True, slots=True)
class Found:
    """A candidate: where it stands among the scored ones, its score with the bonus, whether it or its record denies
    what was asked, and whether it names it at all."""

    position: int
    passage: Passage
    score: float
    negated: bool
    named: bool


@dataclass(frozen=True, slots=True)
class _Asked:
    """Things whose presence is asked, and the query's own words for a query without any. A thing: the concepts that
    its words may mean, and the stance from which a mention counts as asserted."""

    concepts: tuple[tuple[tuple[lexicon.Concept, ...], Stance], ...]
    words: frozenset[str]

    def __len__(self) -> int:
        return max(1, len(self.concepts))


def look(
    best: Iterable[int], scores: np.ndarray, scored: ScoredPassages, understood: lexicon.Understood
) -> list[Found]:
    """Candidates at positions `best` (of `scores`, float (n,)), best first; a denial never above an assertion."""
    asked = _asked(understood)
    passages = {place: passage for place in map(int, best) if (passage := scored.passage(place))}
    verdicts = {place: _verdicts(passage, asked) for place, passage in passages.items()}
    of_document: dict[int, list[Stance | None]] = {}
    for place, said in verdicts.items():
        _merge(of_document, int(scored.documents[place]), said)
    for number in list(of_document)[:DOCUMENTS]:
        for place in _further(number, scores, scored, verdicts):
            if passage := scored.passage(place):
                _merge(of_document, number, _verdicts(passage, asked))
    found = [
        _judged(place, passages[place], float(scores[place]), (said, of_document[int(scored.documents[place])]), asked)
        for place, said in verdicts.items()
    ]
    found.sort(key=lambda item: (item.negated, item.negated and not item.named, -item.score))
    return found


def _asked(understood: lexicon.Understood) -> _Asked:
    """A concept that the query itself denies is not asked for; one it puts into the past may stand so in a record."""
    words = understood.text.split()
    meant = stances(words)
    stems, owners = stems_with_owner(words)
    things = []
    for mention in understood.mentions:
        readings = tuple(concept for concept in mention if not concept.telling)
        spots = [meant[owners[start]] for concept in readings for start, _end in lexicon.places(concept, stems)]
        said = max(spots, default=Stance.ASSERTED)
        if readings and said is not Stance.DENIED:
            things.append((readings, said))
    return _Asked(tuple(dict.fromkeys(things)), frozenset(understood.words))


def _verdicts(passage: Passage, asked: _Asked) -> list[Stance | None]:
    """For each thing asked the strongest stance in which the passage names it; None where it does not."""
    words = passage.text.split()
    stems, owners = stems_with_owner(words)
    if not asked.concepts:
        places = [[owners[place] for place, known in enumerate(stems) if known in asked.words]]
        enough = [Stance.ASSERTED]
    else:
        places = [
            [
                owners[start]
                for concept in readings
                for start, _end in lexicon.places(concept, stems)
                if not lexicon.heads_a_section(words[owners[start]])
            ]
            for readings, _enough in asked.concepts
        ]
        enough = [least for _readings, least in asked.concepts]
    if not any(places):  # most candidates are alike in meaning only: how they mean their words takes the longest
        return [None] * len(places)
    meant = stances(words)
    strongest = [max((meant[place] for place in spots), default=None) for spots in places]
    return [
        said if said is None or said < least else Stance.ASSERTED for said, least in zip(strongest, enough, strict=True)
    ]


def _merge(of_document: dict[int, list[Stance | None]], number: int, said: Sequence[Stance | None]) -> None:
    known = of_document.setdefault(number, [None] * len(said))
    for place, stance in enumerate(said):
        if stance is not None and (known[place] is None or stance > known[place]):  # type: ignore[operator]
            known[place] = stance


def _further(
    number: int, scores: np.ndarray, scored: ScoredPassages, seen: dict[int, list[Stance | None]]
) -> list[int]:
    """Unread passages of a document that hold a word of the query, best first."""
    same = np.flatnonzero((scored.documents == number) & (scored.keyword[:, 1] > 0))
    unread = [int(place) for place in same if int(place) not in seen]
    return sorted(unread, key=lambda place: -float(scores[place]))[:PASSAGES]


def _judged(
    place: int, passage: Passage, score: float, verdicts: tuple[list[Stance | None], list[Stance | None]], asked: _Asked
) -> Found:
    """`verdicts`: of the passage itself and of its whole record."""
    said, record = verdicts
    named = any(
        stance is not None and any(concept.says_what for concept in readings)
        for stance, (readings, _enough) in zip(said, asked.concepts, strict=False)
    )
    # A passage silent on something inherits what the rest of its record says against it.
    meant = [
        own if own is not None else None if other is Stance.ASSERTED else other
        for own, other in zip(said, record, strict=True)
    ]
    few = len(said) <= FEW
    worth, weight = (WORTH_TO_FEW, WEIGHT_OF_FEW) if few else (WORTH_TO_MANY, WEIGHT_OF_MANY)
    bonus = weight * sum(worth[stance] for stance in meant if stance is not None) / len(meant)
    heard = [stance for stance in meant if stance is not None]
    negated = bool(heard) and all(stance is Stance.DENIED for stance in heard)
    return Found(place, passage, score + bonus, negated, named)

"""Finding by symptom: keyword and semantic rank fused, what is denied put below what is asserted, nonsense refused.

Pure ranking over scores that the index gives; knows no store's insides and loads no model.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from domain.document import Hit, Passage
from domain.errors import UploadRejected
from domain.search import PassageFilter, PassageScores, ScoredPassages
from models.contracts import TextEncoder
from pipelines import closer_look, drug_names, health_talk, lexicon
from pipelines.keywords import index_words, stems_with_owner

MAX_QUERY_CHARS = 1000
MAX_LIMIT = 100
EXPANSION_WEIGHT = 0.4  # of a word the lexicon adds, against 1 for a word the person typed
EXPANDED_SHARE = 0.5  # of the expanded wording in the semantic score
KEYWORD_WEIGHT = 0.6  # of the keyword score (0 to about 1) against cosine similarity
ONCE = 2.5  # BM25 counts a word that stands once in an average passage as 1 / 2.5 of its weight
CANDIDATES = 60  # passages that are looked at closely
SURE_SIMILARITY = 0.42  # cosine above which a passage answers even a query without a known word
NAMED_SIMILARITY = 0.31  # the same, where the lexicon understands a third of it and a record names what that is
PARTLY_UNDERSTOOD = 0.3
LIKELY_SIMILARITY = 0.35  # cosine above which a passage answers a query of which little is understood
ANY_SIMILARITY = 0.2  # cosine below which nothing answers, unless a record names what is asked
UNDERSTOOD = 0.5  # share of its words by which a query is about an illness, whatever else it says
HEALTH_TALK = 0.8  # likeness to talk of health by which a query is believed, whatever words it uses
FAINT_SIMILARITY = 0.15  # cosine below which nothing answers even such a query
OTHER_TALK = 0.05  # likeness below which a few known words ("temperature of the oven") make no query about health
SURE_COVERAGE = 0.60  # share of a query's weight of words that a passage must hold beside being alike
COVERED = 10  # passages, best by words, that are looked at for it
ALL_COVERAGE = 0.95  # the same, to answer by words alone

NOTHING = (
    "Nothing in the records answers this. Try the symptom in other words, fewer words, or search all patients; "
    "a record that was not digitised yet cannot be found."
)
NO_RECORDS = "There is no record to search here yet. Digitise or type a record first, or widen the filters."


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """`patient_id` "" searches everybody; `since` and `until` include their day."""

    text: str
    patient_id: str = ""
    limit: int = 10
    kinds: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None

    @property
    def where(self) -> PassageFilter:
        """Which passages may answer."""
        return PassageFilter(self.patient_id, self.kinds, self.since, self.until)


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """`message` says why there is no hit, where there is none; else "". `took_ms`: milliseconds, encoding included.

    `taken_for`: clinical names of what was asked in other words ("can't lie flat": orthopnea).
    """

    hits: tuple[Hit, ...]
    took_ms: float
    message: str
    taken_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks for an answer, none of which moves much with the store's size.

    `typed`, `widened`: the best passage's cosine to the query as typed, and with clinical names added. `coverage`: the
    best share (0 to 1) of the query's weight of words in one passage. `explained`: share of its words that the lexicon
    understands. `findings`: how many things it asks for, as the lexicon sees it. `named`: whether a likely passage
    names what is asked. `drug`: whether the query names a medicine. `health`: 0 to 1, how like talk of health it is.
    """

    typed: float
    widened: float
    coverage: float
    explained: float
    findings: int
    named: bool
    drug: bool
    health: float


def search(query: SearchQuery, index: PassageScores, encoder: TextEncoder) -> SearchAnswer:
    """The passages that answer, best first, one a document unless a single patient is searched.

    Raises UploadRejected for an empty or far too long query, or a limit out of range.
    """
    started = time.perf_counter()
    text = " ".join(query.text.split())
    if not text or len(text) > MAX_QUERY_CHARS:
        raise UploadRejected(
            f"A search needs 1 to {MAX_QUERY_CHARS:,} characters. Type the symptom in your own words, then try again."
        )
    if not 1 <= query.limit <= MAX_LIMIT:
        raise UploadRejected(f"A search gives 1 to {MAX_LIMIT} hits. Choose a number between the two.")
    understood = lexicon.understand(text)
    vectors = _vectors(text, understood, encoder)
    tables = [dict.fromkeys(understood.words, 1.0), _expanded_words(understood)]
    scored = index.score(vectors, tables, query.where)
    if not len(scored.similarity):
        return SearchAnswer((), _ms(started), NO_RECORDS)
    weights = _idf(tables[1], index)
    similarity = scored.similarity @ np.array([1 - EXPANDED_SHARE, EXPANDED_SHARE], np.float32)
    keyword = ONCE * scored.keyword[:, 1] / max(1e-6, sum(weights.values()))
    fused = similarity + KEYWORD_WEIGHT * keyword
    found = closer_look.look(_best(fused, CANDIDATES), fused, scored, understood)
    signs = Signs(
        typed=float(scored.similarity[:, 0].max()),
        widened=float(similarity.max()),
        coverage=_coverage(scored, _idf(tables[0], index)),
        explained=understood.explained,
        findings=understood.findings,
        named=any(item.named for item in found),
        drug=bool(drug_names.find_drugs(text.split())),
        health=health_talk.likeness(vectors[0], encoder.card.stamp),
    )
    if not answers(signs):
        return SearchAnswer((), _ms(started), NOTHING)
    kept = found if query.patient_id else _one_a_document(found)
    ranks = _ranks(scored.keyword[:, 1]), _ranks(similarity)
    asks_a_finding = any(concept.says_what for mention in understood.mentions for concept in mention)
    hits = tuple(
        Hit(
            passage=item.passage,
            score=float(np.clip(item.score / (1 + KEYWORD_WEIGHT), 0.0, 1.0)),
            keyword_rank=ranks[0](item.position) if scored.keyword[item.position, 1] > 0 else None,
            semantic_rank=ranks[1](item.position),
            negated=item.negated,
            named=item.named if asks_a_finding else bool(scored.keyword[item.position, 1] > 0),
        )
        for item in kept[: query.limit]
    )
    return SearchAnswer(hits, _ms(started), "", _taken_for(understood))


def matched_word_indices(passage: Passage, words: Sequence[str], query: str) -> tuple[int, ...]:
    """Which of the passage's words answer the query: its `word_indices` whose stems the query or its concepts hold.

    `words`: the texts of those words, in step with `passage.word_indices`.
    """
    understood = lexicon.understand(" ".join(query.split()))
    stems, owners = stems_with_owner(words)
    wanted = set(understood.words)
    lit = {owners[place] for place, known in enumerate(stems) if known in wanted}
    for concept in understood.concepts:
        for start, end in lexicon.places(concept, stems):
            if not lexicon.heads_a_section(words[owners[start]]):
                lit.update(owners[start:end])
    return tuple(passage.word_indices[place] for place in sorted(lit) if place < len(passage.word_indices))


def _vectors(text: str, understood: lexicon.Understood, encoder: TextEncoder) -> np.ndarray:
    """float32 (2, dimensions): the query as typed, and with the clinical names of its concepts."""
    typed = encoder.encode_query(text)
    names = list(dict.fromkeys(name for mention in understood.mentions for name in _names(mention)))
    widened = encoder.encode_query(f"{text}. {'; '.join(names)}") if names else typed
    return np.stack([typed, widened]).astype(np.float32)


def _names(mention: tuple[lexicon.Concept, ...]) -> list[str]:
    """Two or three clinical names of what a few words may mean: more of them blur the vector."""
    if len(mention) == 1:
        return list(mention[0].clinical[:2])
    return [concept.clinical[0] for concept in mention[:3]]


def _taken_for(understood: lexicon.Understood) -> tuple[str, ...]:
    """The first reading of each finding or illness that the query does not name itself."""
    asked = set(understood.words)
    names = [next((c.clinical[0] for c in mention if c.says_what), "") for mention in understood.mentions]
    return tuple(dict.fromkeys(name for name in names if name and not asked.issuperset(index_words(name))))


def _expanded_words(understood: lexicon.Understood) -> dict[str, float]:
    table = dict.fromkeys(understood.words, 1.0)
    for concept in understood.concepts:
        for name in concept.clinical:
            for word in index_words(name):
                table.setdefault(word, EXPANSION_WEIGHT)
    return table


def _idf(table: dict[str, float], index: PassageScores) -> dict[str, float]:
    total = max(1, index.count())
    return {
        word: weight * math.log(1 + (total - live + 0.5) / (live + 0.5))
        for word, weight in table.items()
        for live in (min(total, index.rows_with(word)),)
    }


def _coverage(scored: ScoredPassages, weights: dict[str, float]) -> float:
    """The best share (0 to 1) of the words' weight that one passage holds, whatever the passage's length."""
    best = np.argsort(-scored.keyword[:, 0], kind="stable")[:COVERED]
    shares = [0.0]
    for place in map(int, best):
        if scored.keyword[place, 0] > 0 and (passage := scored.passage(place)):
            held = set(stems_with_owner(passage.text.split())[0])
            shares.append(sum(weight for word, weight in weights.items() if word in held))
    return max(shares) / max(1e-6, sum(weights.values()))


def answers(signs: Signs) -> bool:
    """Whether anything answers at all. A query that the lexicon understands is believed, and so is one that is plainly
    talk of health; one of whose words it knows few ("knee pads for skateboarding") must also be alike in meaning to
    some passage."""
    alike = max(signs.typed, signs.widened)
    if signs.typed >= SURE_SIMILARITY or (signs.health >= HEALTH_TALK and alike >= FAINT_SIMILARITY):
        return True
    partly = 0 < signs.explained < 1 and signs.findings < 2 and not signs.drug
    if partly and signs.health < OTHER_TALK:
        return False
    if signs.explained >= UNDERSTOOD or signs.findings > 1 or signs.drug:
        return alike >= ANY_SIMILARITY or signs.named
    if signs.explained > 0:
        named = signs.named and signs.explained >= PARTLY_UNDERSTOOD
        return alike >= (NAMED_SIMILARITY if named else LIKELY_SIMILARITY)
    return signs.coverage >= ALL_COVERAGE or (signs.coverage >= SURE_COVERAGE and alike >= LIKELY_SIMILARITY)


def _one_a_document(found: list[closer_look.Found]) -> list[closer_look.Found]:
    """The best passage of each document; a document's denial does not hide behind another document's hits."""
    best: dict[str, closer_look.Found] = {}
    for item in found:
        best.setdefault(item.passage.document_id, item)
    return list(best.values())


def _best(scores: np.ndarray, count: int) -> np.ndarray:
    if len(scores) <= count:
        return np.argsort(-scores, kind="stable")
    top = np.argpartition(-scores, count)[:count]
    return top[np.argsort(-scores[top], kind="stable")]


def _ranks(scores: np.ndarray):  # type: ignore[no-untyped-def]
    """Rank from 1 of a position among all scores."""
    return lambda position: int((scores > scores[position]).sum()) + 1


def _ms(started: float) -> float:
    return (time.perf_counter() - started) * 1000


__all__ = ["SearchAnswer", "SearchQuery", "matched_word_indices", "search"]

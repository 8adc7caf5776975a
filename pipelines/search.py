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
from domain.search import PassageFilter, PassageScores
from models.contracts import TextEncoder
from pipelines import closer_look, drug_names, lexicon
from pipelines.keywords import index_words, stems_with_owner

MAX_QUERY_CHARS = 1000
MAX_LIMIT = 100
EXPANSION_WEIGHT = 0.4  # of a word the lexicon adds, against 1 for a word the person typed
EXPANDED_SHARE = 0.5  # of the expanded wording in the semantic score
KEYWORD_WEIGHT = 0.6  # of the keyword score (0 to about 1) against cosine similarity
ONCE = 2.5  # BM25 counts a word that stands once in an average passage as 1 / 2.5 of its weight
CANDIDATES = 60  # passages that are looked at closely
SURE_SIMILARITY = 0.42  # cosine above which a passage answers even a query without a known word
ANY_SIMILARITY = 0.25  # cosine below which nothing answers, unless the words themselves agree
SURE_COVERAGE = 0.60  # share of a query's weight of words that a passage must hold to answer by words alone

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
    """`message` says why there is no hit, where there is none; else "". `took_ms`: milliseconds, encoding included."""

    hits: tuple[Hit, ...]
    took_ms: float
    message: str


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
    coverage = ONCE * scored.keyword[:, 0] / max(1e-6, sum(_idf(tables[0], index).values()))
    fused = similarity + KEYWORD_WEIGHT * keyword
    found = closer_look.look(_best(fused, CANDIDATES), fused, scored, understood)
    # A passage that names what was asked answers, however unlike its wording is.
    named = any(item.named for item in found)
    if not named and not _answers(text, understood, scored.similarity[:, 0], similarity, coverage):
        return SearchAnswer((), _ms(started), NOTHING)
    kept = found if query.patient_id else _one_a_document(found)
    ranks = _ranks(scored.keyword[:, 1]), _ranks(similarity)
    hits = tuple(
        Hit(
            passage=item.passage,
            score=float(np.clip(item.score / (1 + KEYWORD_WEIGHT), 0.0, 1.0)),
            keyword_rank=ranks[0](item.position) if scored.keyword[item.position, 1] > 0 else None,
            semantic_rank=ranks[1](item.position),
            negated=item.negated,
        )
        for item in kept[: query.limit]
    )
    return SearchAnswer(hits, _ms(started), "")


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
            lit.update(owners[start:end])
    return tuple(passage.word_indices[place] for place in sorted(lit) if place < len(passage.word_indices))


def _vectors(text: str, understood: lexicon.Understood, encoder: TextEncoder) -> np.ndarray:
    """float32 (2, dimensions): the query as typed, and with the clinical names of its concepts."""
    typed = encoder.encode_query(text)
    names = [name for concept in understood.concepts for name in concept.clinical[:2]]
    widened = encoder.encode_query(f"{text}. {'; '.join(names)}") if names else typed
    return np.stack([typed, widened]).astype(np.float32)


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


def _answers(
    text: str, understood: lexicon.Understood, typed: np.ndarray, similarity: np.ndarray, coverage: np.ndarray
) -> bool:
    """Whether anything answers at all, by cosine and by shares of words, which do not move with the store's size."""
    best = float(typed.max())
    if best >= SURE_SIMILARITY:
        return True
    if understood.medical or drug_names.find_drugs(text.split()):
        return max(best, float(similarity.max())) >= ANY_SIMILARITY
    return float(coverage.max()) >= SURE_COVERAGE


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

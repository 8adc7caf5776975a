"""What a search asks of an index of passages, and what it gets: the one place both sides read it from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import numpy as np

from domain.document import Passage


@dataclass(frozen=True, slots=True)
class PassageFilter:
    """`patient_id` "" is everybody, `kinds` () every kind; `since` and `until` include their day and leave out
    undated passages."""

    patient_id: str = ""
    kinds: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None


EVERYTHING = PassageFilter()


@dataclass(frozen=True, slots=True)
class ScoredPassages:
    """Every passage that a filter lets through, with both raw scores; the arrays run in step.

    `similarity`: float32 (n, vectors), cosine -1 to 1. `keyword`: float32 (n, tables), BM25, 0 upward. `passage`: the
    passage at a position of these; None when it was removed since: its text must not be shown. `documents`: int32 (n,),
    the same number for passages of the same document.
    """

    similarity: np.ndarray
    keyword: np.ndarray
    documents: np.ndarray
    passage: Callable[[int], Passage | None]


class PassageScores(Protocol):
    """An index of passages as search sees it; storage.passages.PassageIndex is one."""

    def count(self) -> int:
        """How many passages are kept."""
        ...

    def rows_with(self, word: str) -> int:
        """How many passages hold this index word."""
        ...

    def score(
        self, vectors: np.ndarray, words: Sequence[dict[str, float]], where: PassageFilter = EVERYTHING
    ) -> ScoredPassages:
        """Scores of every passage let through, for several wordings of a query at once.

        `vectors`: float32 (wordings, dimensions). `words`: a table of weighted index words for each keyword query.
        """
        ...

"""Keyword search over numbered rows, kept in memory and changed one row at a time.

BM25 (Robertson and Zaragoza 2009) with Lucene's idf, as bm25s computes it: the tests compare the two. bm25s itself
stores finished scores, so one new record would rebuild the whole matrix; here postings are kept and the statistics
of the day are applied when a query comes. Receives words that are already stemmed; knows no text and no patient.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

K1 = 1.5  # how soon a repeated word stops counting: the literature's usual value, and bm25s's
B = 0.75  # how much a long passage is discounted: likewise
MAX_REPEATS = 65_535  # what an unsigned 16-bit count holds; BM25 is flat long before


class KeywordIndex:
    """Postings of words by row. Not locked: its owner calls it under its own lock."""

    def __init__(self) -> None:
        self._rows: dict[str, array] = {}  # word -> row numbers, rising
        self._counts: dict[str, array] = {}  # word -> how often in that row
        self._live: Counter[str] = Counter()  # word -> live rows that hold it
        self._words_of: dict[int, tuple[str, ...]] = {}
        self._lengths = np.zeros(1024, dtype=np.float32)  # (capacity,) words in each row
        self._total_words = 0

    def __len__(self) -> int:
        return len(self._words_of)

    def add(self, row: int, words: Sequence[str]) -> None:
        """Take in `row`, a number above every one given before."""
        counts = Counter(words)
        for word, count in counts.items():
            self._rows.setdefault(word, array("i")).append(row)
            self._counts.setdefault(word, array("H")).append(min(count, MAX_REPEATS))
            self._live[word] += 1
        if row >= len(self._lengths):
            self._lengths = np.resize(self._lengths, max(row + 1, 2 * len(self._lengths)))
        self._lengths[row] = len(words)
        self._total_words += len(words)
        self._words_of[row] = tuple(counts)

    def remove(self, row: int) -> None:
        """Forget `row`: it no longer counts in any statistic. Its postings stay until the index is built anew; the
        owner never shows a removed row."""
        for word in self._words_of.pop(row):
            self._live[word] -= 1
        self._total_words -= int(self._lengths[row])

    def rows_with(self, word: str) -> int:
        """How many live rows hold this word."""
        return self._live.get(word, 0)

    def scores(self, weights: Mapping[str, float], row_count: int) -> np.ndarray:
        """BM25 of every row below `row_count` for weighted words: float32 (row_count,), 0 where no word matches."""
        scores = np.zeros(row_count, dtype=np.float32)
        if not self._words_of:
            return scores
        mean_length = max(self._total_words / len(self._words_of), 1.0)
        for word, weight in weights.items():
            live = self._live.get(word, 0)
            if not live or weight == 0.0:
                continue
            rows = np.frombuffer(self._rows[word], dtype=np.int32)
            counts = np.frombuffer(self._counts[word], dtype=np.uint16).astype(np.float32)
            idf = math.log(1.0 + (len(self._words_of) - live + 0.5) / (live + 0.5))
            saturation = counts + K1 * (1.0 - B + B * self._lengths[rows] / mean_length)
            scores[rows] += weight * idf * counts / saturation  # a row stands once in a posting list
        return scores

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
MIN_TAIL = 200_000  # entries that a query may scan unsorted: below a millisecond
TAIL_SHARE = 0.25  # of the sorted entries; sorting whenever the tail outgrows it costs a constant share of filling


class KeywordIndex:
    """Postings of words by row. Not locked: its owner calls it under its own lock.

    An entry says that a row holds a word so many times. Entries stand in the order of rows as they came, which is all
    that filling costs; a sorted copy by word is made now and then, and a query scans what came after it.
    """

    def __init__(self) -> None:
        self._number_of: dict[str, int] = {}
        self._entries = array("i")  # word numbers, row after row, each word once a row
        self._counts = array("f")  # how often the word stands in that row
        self._starts: dict[int, tuple[int, int]] = {}  # live row -> its entries, end exclusive
        self._rows_of_entry = array("i")
        self._live = array("i")  # by word number: live rows that hold it
        self._lengths = np.zeros(1024, dtype=np.float32)  # (capacity,) words in each row
        self._total_words = 0
        self._sorted = 0  # entries that the sorted copy covers
        self._order = np.zeros(0, dtype=np.int32)  # (sorted,) entry numbers by word, then by row
        self._bounds = np.zeros(1, dtype=np.int64)  # (words + 1,) where each word's part of the order begins

    def __len__(self) -> int:
        return len(self._starts)

    def add(self, row: int, words: Sequence[str]) -> None:
        """Take in `row`, a number above every one given before."""
        counts = Counter(words)
        numbers = self._number_of
        start = len(self._entries)
        found = [numbers.setdefault(word, len(numbers)) for word in counts]
        self._live.extend([0] * (len(numbers) - len(self._live)))
        for number in found:
            self._live[number] += 1
        self._entries.extend(found)
        self._counts.extend(counts.values())
        self._rows_of_entry.extend([row] * len(found))
        self._starts[row] = (start, start + len(found))
        if row >= len(self._lengths):
            self._lengths = np.resize(self._lengths, max(row + 1, 2 * len(self._lengths)))
        self._lengths[row] = len(words)
        self._total_words += len(words)

    def remove(self, row: int) -> None:
        """Forget `row`: it no longer counts in any statistic. Its entries stay until the index is built anew; the
        owner never shows a removed row."""
        start, end = self._starts.pop(row)
        for number in self._entries[start:end]:
            self._live[number] -= 1
        self._total_words -= int(self._lengths[row])

    def rows_with(self, word: str) -> int:
        """How many live rows hold this word."""
        number = self._number_of.get(word)
        return 0 if number is None else self._live[number]

    def scores(self, weights: Mapping[str, float], row_count: int) -> np.ndarray:
        """BM25 of every row below `row_count` for weighted words: float32 (row_count,), 0 where no word matches."""
        scores = np.zeros(row_count, dtype=np.float32)
        if not self._starts:
            return scores
        self._sort_when_due()
        mean_length = max(self._total_words / len(self._starts), 1.0)
        for word, weight in weights.items():
            live = self.rows_with(word)
            if not live or weight == 0.0:
                continue
            rows, counts = self._postings(self._number_of[word])
            idf = math.log(1.0 + (len(self._starts) - live + 0.5) / (live + 0.5))
            saturation = counts + K1 * (1.0 - B + B * self._lengths[rows] / mean_length)
            scores[rows] += weight * idf * counts / saturation  # a row stands once in a posting list
        return scores

    def _postings(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows that hold the word, int32 (n,), and how often each does, float32 (n,)."""
        places = np.zeros(0, dtype=np.int32)
        if number + 1 < len(self._bounds):
            places = self._order[self._bounds[number] : self._bounds[number + 1]]
        tail = np.frombuffer(self._entries, dtype=np.int32)[self._sorted :]
        places = np.concatenate([places, np.flatnonzero(tail == number) + self._sorted])
        rows = np.frombuffer(self._rows_of_entry, dtype=np.int32)[places]
        return rows, np.frombuffer(self._counts, dtype=np.float32)[places]

    def _sort_when_due(self) -> None:
        if len(self._entries) - self._sorted <= max(MIN_TAIL, TAIL_SHARE * self._sorted):
            return
        entries = np.frombuffer(self._entries, dtype=np.int32)
        self._order = np.argsort(entries, kind="stable").astype(np.int32)
        self._bounds = np.concatenate([[0], np.cumsum(np.bincount(entries, minlength=len(self._number_of)))])
        self._sorted = len(entries)

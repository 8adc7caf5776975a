"""Text to index words: one way for records and for queries, so that they meet.

Knows spelling (British and American forms fall together) and word stems; knows nothing of medicine, stores or ranks.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

STOP_WORDS = frozenset(
    (
        "a about after again all also am an and any are as at be because been before being both but by can could did "
        "do does doing done for from further had has have having he her here hers herself him himself his how i if in "
        "into is it its itself just me more most my myself now of off on once only or other our ours out over own per "
        "same she should so some such than that the their theirs them themselves then there these they this those "
        "through to too under until up very was we were what when where which while who whom why will with would you "
        "your yours yourself patient pt s t re ve ll d m o'clock im ive dont isnt"
    ).split()
)
_WORD = re.compile(r"[a-z0-9]+(?:\.[0-9]+)?(?:['’][a-z]+)?")
_LIGATURE = re.compile(r"(?<=[a-z])?(?:oe|ae)(?=[a-z])")
_OUR = re.compile(r"our(s|ed|ing)?$")
_stemmers = threading.local()  # a Snowball stemmer keeps state, so each thread has its own


def split_words(text: str) -> list[str]:
    """Lower-case words of `text` in order, accents taken off; decimals stay whole, hyphens and slashes part words."""
    plain = text.lower()
    if not plain.isascii():  # most records are: taking accents off costs more than all the rest
        plain = "".join(letter for letter in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(letter))
    return _WORD.findall(plain)


def index_words(text: str) -> list[str]:
    """Stems of the words of `text` that carry meaning, in order, repeats kept: what keyword search matches on."""
    return [stem(word) for word in split_words(text) if word not in STOP_WORDS]


def stems_with_owner(words: Sequence[str]) -> tuple[list[str], list[int]]:
    """Stems that carry meaning, and which word each came from ("mother/baby" gives two)."""
    stems, owners = [], []
    for place, word in enumerate(words):
        for known in _stems_of(word):
            stems.append(known)
            owners.append(place)
    return stems, owners


@lru_cache(maxsize=200_000)
def _stems_of(word: str) -> tuple[str, ...]:
    """Stems of one word as written; a query looks at some ten thousand words, most of them seen before."""
    return tuple(stem(part) for part in split_words(word) if part not in STOP_WORDS)


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """The stem under which a lower-case word is indexed ("oedema", "edemas" -> "edema")."""
    bare = re.sub(r"['’].*$", "", word)
    if len(bare) > 4:
        bare = _LIGATURE.sub("e", bare)
        if len(bare) > 5:
            bare = _OUR.sub(r"or\1", bare)
    return _stemmer().stemWord(bare)


def _stemmer():
    if not hasattr(_stemmers, "english"):
        import Stemmer

        _stemmers.english = Stemmer.Stemmer("english")
    return _stemmers.english

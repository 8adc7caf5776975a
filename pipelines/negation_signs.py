"""Denials written as a minus: "-fever -chills +cough", "(-) weight loss, (+) cough", "fever -, cough +". English only.

A dash is a bullet or a hyphen far more often than a denial, so a bare one denies only where a plus stands near it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

ITEM_WORDS = 3  # "-shortness of breath"
NEAR = 12  # words: a list of signs is written close together
_SIGN = re.compile(r"^(?P<open>[(\[])?(?P<sign>[-–−+])(?P<close>[)\]])?(?P<item>[^\W\d]\S{2,})?[,.;]?$")


def signed_spans(words: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """(place of a minus, start and end of what it denies), end exclusive, among the words of a passage as written."""
    signs = {place: found for place, word in enumerate(words) if (found := _SIGN.match(word))}
    pluses = [place for place, found in signs.items() if found["sign"] == "+"]
    for place, found in signs.items():
        if found["sign"] == "+":
            continue
        bracketed = bool(found["open"] and found["close"])
        if not bracketed and not any(abs(place - plus) <= NEAR for plus in pluses):
            continue
        if found["item"]:
            yield place, place, _item_end(words, signs, place)
        elif _leads(words, signs, place):
            yield place, place + 1, _item_end(words, signs, place + 1)
        else:
            yield place, _item_start(words, signs, place), place


def _leads(words: Sequence[str], signs: dict[int, re.Match[str]], place: int) -> bool:
    """Whether a sign stands before its item: at the head of a list, or behind the comma of the item before."""
    if place + 1 >= len(words) or place + 1 in signs or words[place].endswith((",", ";", ".")):
        return False
    if words[place + 1].endswith(":"):  # "Fever: - Cough: +"
        return False
    return place == 0 or words[place - 1].endswith((",", ";", ":", "."))


def _item_end(words: Sequence[str], signs: dict[int, re.Match[str]], start: int) -> int:
    for place in range(start, min(len(words), start + ITEM_WORDS)):
        if words[place].endswith((",", ";", ".", ":")) or place + 1 in signs:
            return place + 1
    return min(len(words), start + ITEM_WORDS)


def _item_start(words: Sequence[str], signs: dict[int, re.Match[str]], end: int) -> int:
    first = max(0, end - ITEM_WORDS)
    for place in range(end - 1, first - 1, -1):
        if place in signs or (place < end - 1 and words[place].endswith((",", ";", ".", ":"))):
            return place + 1
    return first

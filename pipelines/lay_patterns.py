"""Ways of saying that vary too much to be listed: words near each other in one clause, in any order.

"breathless when flat in bed", "can't lie flat, I lose my breath" and "sleeps in a chair to breathe" are all read by a
few patterns of word classes. Data: models/lexicon/patterns.txt. Knows words; knows no concept, index or model.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipelines.keywords import split_words, stem

PATTERNS = Path(__file__).resolve().parent.parent / "models" / "lexicon" / "patterns.txt"
REACH = 4  # words that may stand between those of a pattern, in all
# A clause ends at a comma or a full stop: "swollen knee, sore back" is no sore knee.
_CLAUSES = re.compile(r"[,;:.!?()]+(?=\s|$)|\s+(?:but|then|plus|also)\s+")
_DENYING = re.compile(
    r"\b(?:ca|wo|do|does|did|is|was|are|were|has|have|had|could|would|should)n['’]?t\b|\bcant\b|\bain['’]?t\b"
)
Slot = frozenset[str]


def read_as(query: str) -> tuple[tuple[int, int, str], ...]:
    """(begin, end, name of the concept) for each concept that a pattern reads; places among split_words(query), end
    exclusive."""
    found: dict[str, tuple[int, int]] = {}
    for begin, clause in _clauses(query.lower()):
        words = [stem(word) for word in split_words(_DENYING.sub("not", clause))]
        present = frozenset(words)
        for first in present:
            for name, slots in _by_word().get(first, ()):
                if name not in found and not any(present.isdisjoint(slot) for slot in slots):
                    place = _place(words, slots)
                    if place is not None:
                        found[name] = begin + place[0], begin + place[1]
    return tuple(sorted((start, end, name) for name, (start, end) in found.items()))


def _clauses(text: str) -> Iterator[tuple[int, str]]:
    """(how many words stand before it, the clause)."""
    start = 0
    for seam in _CLAUSES.finditer(text):
        yield len(split_words(text[:start])), text[start : seam.start()]
        start = seam.end()
    yield len(split_words(text[:start])), text[start:]


def names() -> frozenset[str]:
    """Concepts that have patterns."""
    return frozenset(name for name, _ in _patterns())


def _place(words: Sequence[str], slots: Sequence[Slot]) -> tuple[int, int] | None:
    """The shortest stretch that holds a word of its own for every slot; None where none is short enough."""
    longest = len(slots) + REACH
    for length in range(len(slots), longest + 1):
        for start in range(len(words) - length + 1):
            stretch = words[start : start + length]
            if any(stretch[0] in slot for slot in slots) and _filled(stretch, slots):
                return start, start + length
    return None


def _filled(words: Sequence[str], slots: Sequence[Slot]) -> bool:
    """Whether each slot finds a word that no other slot takes."""
    if not slots:
        return True
    return any(
        word in slots[0] and _filled([*words[:at], *words[at + 1 :]], slots[1:]) for at, word in enumerate(words)
    )


@functools.cache
def _by_word() -> dict[str, tuple[tuple[str, tuple[Slot, ...]], ...]]:
    """Patterns by each word of their rarest-looking slot: most words of a query begin none."""
    table: dict[str, list[tuple[str, tuple[Slot, ...]]]] = {}
    for name, slots in _patterns():
        for word in min(slots, key=len):
            table.setdefault(word, []).append((name, slots))
    return {word: tuple(known) for word, known in table.items()}


@functools.cache
def _patterns() -> tuple[tuple[str, tuple[Slot, ...]], ...]:
    """(concept, slots), a slot being the stems that fill it."""
    classes: dict[str, Slot] = {}
    found = []
    for line in PATTERNS.read_text("utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        head, mark, rest = line.partition(" = ")
        if mark and head.isupper():
            classes[head] = frozenset(map(stem, rest.split()))
            continue
        concept, _, ways = line.partition(" | ")
        for way in ways.split(" ; "):
            slots = tuple(classes[slot] if slot.isupper() else frozenset([stem(slot)]) for slot in way.split())
            found.append((concept.strip(), slots))
    return tuple(found)

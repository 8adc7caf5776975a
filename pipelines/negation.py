"""Which words of a passage are denied, in the manner of ConText (Harkema et al. 2009): a trigger and its scope.

"denies chest pain, fever or cough" denies all three; "no fever but cough" does not deny the cough.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MAX_SCOPE = 14  # words a trigger reaches at most; lists of denied symptoms run long, sentences with "no" do not

# Before what they deny.
FORWARD = tuple(
    tuple(phrase.split())
    for phrase in (
        "no", "not", "without", "denies", "denied", "deny", "denying", "negative for", "no evidence of", "no signs of",
        "no sign of", "no history of", "no hx of", "free of", "absence of", "absent", "rule out", "rules out", "ruled out for",
        "r/o", "never had", "never", "nor", "neither", "fails to reveal", "does not have", "did not have", "doesn't have",
        "has not had", "hasn't had", "unremarkable for", "non", "cannot see any", "nil", "no complaints of", "no complaint of",
        "no known", "not complaining of", "does not complain of", "does not report", "has no", "had no", "have no",
    )
)  # fmt: skip
# After what they deny.
BACKWARD = tuple(
    tuple(phrase.split())
    for phrase in (
        "negative", "was negative", "is negative", "were negative", "absent", "is absent", "was ruled out", "ruled out",
        "were ruled out", "is ruled out", "not seen", "not present", "is denied", "are denied", "was denied", "were denied",
        "not noted", "not identified", "is unlikely", "has resolved",
    )
)  # fmt: skip
# Look like a denial and are none.
NOT_DENYING = tuple(
    tuple(phrase.split())
    for phrase in (
        "not only", "no change", "no longer able", "not sure", "no improvement", "no relief", "not improved", "not improving",
        "not certain", "no doubt", "without difficulty", "not able to", "not relieved", "no better", "not controlled",
        "not resolved", "not well", "not responding", "not responded", "cannot", "not extend", "without improvement",
        "not drain", "no increase", "no response", "without relief", "not been able to",
    )
)  # fmt: skip
ENDS_SCOPE = frozenset(
    "but however although though except yet still nevertheless which who apart aside because since".split()
)
_SENTENCE_END = re.compile(r"[.;:!?][\"')\]]*$")
_HEADING = re.compile(r"^[A-Z][A-Z/&\-]{2,}[:,]?$")


def denied(words: Sequence[str]) -> tuple[bool, ...]:
    """For each word of a passage as written, whether it lies in the scope of a denial."""
    plain = [re.sub(r"^[^\w/]+|[^\w/]+$", "", word).lower() for word in words]
    marks = [False] * len(words)
    start = 0
    while start < len(words):
        if _matches(plain, start, NOT_DENYING):
            start += 1
            continue
        length = _matches(plain, start, FORWARD)
        if length:
            end = _scope_end(words, plain, start + length)
            for place in range(start + length, end):
                marks[place] = True
            start += length
            continue
        length = _matches(plain, start, BACKWARD)
        if length:
            for place in range(_scope_start(words, plain, start), start):
                marks[place] = True
        start += max(1, length)
    return tuple(marks)


def _matches(plain: Sequence[str], start: int, phrases: Sequence[tuple[str, ...]]) -> int:
    """Length of the longest phrase that stands at `start`; 0 for none."""
    return max((len(p) for p in phrases if tuple(plain[start : start + len(p)]) == p), default=0)


def _scope_end(words: Sequence[str], plain: Sequence[str], start: int) -> int:
    place = start
    # A trigger at the end of its own sentence ("Chest pain: no.") reaches nothing that follows.
    if place > 0 and _SENTENCE_END.search(words[place - 1]):
        return start
    while place < len(words) and place - start < MAX_SCOPE:
        if plain[place] in ENDS_SCOPE or (_HEADING.match(words[place]) and words[place].endswith(":")):
            return place
        if plain[place] in ("has", "reports", "complains", "states", "is", "was", "presents", "does") and place > start:
            return place
        if _SENTENCE_END.search(words[place]):
            return place + 1
        place += 1
    return place


def _scope_start(words: Sequence[str], plain: Sequence[str], end: int) -> int:
    place = end
    while place > 0 and end - place < 6:
        if _SENTENCE_END.search(words[place - 1]) or plain[place - 1] in ENDS_SCOPE:
            return place
        place -= 1
    return place

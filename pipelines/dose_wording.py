"""Whether two wordings give another dose, or the same one said in other words or more exactly.

Knows amounts, routes and rhythms of English prescribing. What one wording leaves unsaid contradicts nothing; what it
says in words that are not known here counts as another dose, so that a change is rather shown once too often.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from pipelines.medicine_words import ROUTE
from pipelines.prescription_sig import COUNTED, MASS_MG, VOLUME_ML, Rhythm, read_dose, read_rhythm, unit_name

MAX_RHYTHM_WORDS = 6
# A number that stands alone: a range or a fraction stays among the words that are compared as they are.
_AMOUNT = re.compile(
    r"(?<![\w.,/-])(\d+(?:[.,]\d+)?|one|two|three|four|half an?)\s?([^\W\d_]+|%)"
    r"(\s?/\s?\d*\s?[^\W\d_]+)?(?![\w/-])",
    re.IGNORECASE,
)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_GLUE = frozenset(("take", "of", "dose", "at", "a", "time"))
_ROUTES = (
    ("oral", re.compile(r"po|oral(?:ly)?|by mouth", re.IGNORECASE)),
    ("iv", re.compile(r"iv|intravenous(?:ly)?", re.IGNORECASE)),
    ("sc", re.compile(r"sc|subcutaneous(?:ly)?", re.IGNORECASE)),
    ("skin", re.compile(r"top|topical(?:ly)?", re.IGNORECASE)),
    ("inhaled", re.compile(r"inh|inhaled", re.IGNORECASE)),
)


@dataclass(frozen=True, slots=True)
class _Wording:
    """What a wording says; "" and None: it does not. `amounts`: strength or dose, or both, as (number, unit)."""

    amounts: tuple[tuple[Fraction, str], ...]
    route: str
    rhythm: Rhythm | None
    rest: frozenset[str]

    @property
    def at_a_time(self) -> tuple[Fraction, str] | None:
        """How much is taken at once, in milligrams, millilitres, or what is counted; None where it is unclear."""
        masses = [one for one in self.amounts if one[1] not in COUNTED]
        counts = [one for one in self.amounts if one[1] in COUNTED]
        if len(self.amounts) == 1:
            return self.amounts[0]
        if len(self.amounts) == 2 and len(masses) == 2 and masses[0][1] == masses[1][1]:
            return masses[1]  # strength, then the dose in the same unit
        if len(self.amounts) == 2 and self.amounts == (*masses[:1], *counts[:1]):
            return masses[0][0] * counts[0][0], masses[0][1]  # strength, then how many of it
        return None


def says_another_dose(before: str, after: str) -> bool:
    """True where amount, route, rhythm or words that are not known here differ."""
    if _plain(before) == _plain(after):
        return False
    old, new = _read(_plain(before)), _read(_plain(after))
    return (
        old.rest != new.rest
        or _differ(old.route, new.route)
        or _amounts_differ(old, new)
        or (old.rhythm is not None and new.rhythm is not None and _rhythms_differ(old.rhythm, new.rhythm))
    )


def _plain(text: str) -> str:
    return " ".join(_THOUSANDS.sub("", text).casefold().replace("μ", "µ").split())


@functools.lru_cache(maxsize=8192)  # letters of years repeat the same few doses
def _read(text: str) -> _Wording:
    amounts: list[tuple[Fraction, str]] = []

    def take(found: re.Match[str]) -> str:
        amount = _amount(found)
        if amount is None:
            return found[0]
        amounts.append(amount)
        return " | "  # words on both sides of it do not belong together

    left = _AMOUNT.sub(take, text)
    route = ROUTE.search(left)
    if route:
        left = f"{left[: route.start()]} {left[route.end() :]}"
    said = [word.strip(",;()") for word in re.sub(r"\.(?=\s|$)", "", left).split()]
    words = [word for word in said if word]
    rhythm, start, end = next(_rhythms(words), (None, 0, 0))
    rest = frozenset([*words[:start], *words[end:]]) - _GLUE - {"|"}
    return _Wording(tuple(amounts), _route_name(route[0]) if route else "", rhythm, rest)


def _amount(found: re.Match[str]) -> tuple[Fraction, str] | None:
    dose = read_dose(f"{found[1].replace(',', '.')} {found[2]}")
    if dose is None or dose.low != dose.high:
        return None
    per = re.sub(r"\s", "", found[3] or "")
    for known, base in ((MASS_MG, "mg"), (VOLUME_ML, "ml")):
        if dose.unit in known:
            return Fraction(dose.low * known[dose.unit]), base + per
    if dose.unit in COUNTED or dose.unit in ("unit", "%"):
        return Fraction(dose.low), unit_name(dose.unit) + per
    return None  # "2 times", "7 days": no amount


def _rhythms(words: list[str]) -> Iterator[tuple[Rhythm | None, int, int]]:
    """Rhythms that words in a row say, the longest first, with where they stand."""
    for length in range(min(MAX_RHYTHM_WORDS, len(words)), 0, -1):
        for start in range(len(words) - length + 1):
            read = read_rhythm(" ".join(words[start : start + length]))
            if read is not None:
                yield read, start, start + length


def _route_name(said: str) -> str:
    return next((name for name, pattern in _ROUTES if pattern.fullmatch(said)), said)


def _differ(old: str, new: str) -> bool:
    return bool(old and new) and old != new


def _amounts_differ(old: _Wording, new: _Wording) -> bool:
    if not old.amounts or not new.amounts:
        return False
    if old.amounts == new.amounts:
        return False
    mine, yours = old.at_a_time, new.at_a_time
    if mine is not None and yours is not None and mine[1] == yours[1]:
        return mine[0] != yours[0]
    return True


def _rhythms_differ(old: Rhythm, new: Rhythm) -> bool:
    if old.as_needed != new.as_needed:
        return True
    if old.times and new.times and _a_day(old) != _a_day(new):  # none where only "as needed" is said
        return True
    return bool(old.moments and new.moments) and set(old.moments) != set(new.moments)


def _a_day(rhythm: Rhythm) -> tuple[Fraction, Fraction]:
    """How often a day, least and most."""
    most = rhythm.times_a_day
    slower = Fraction(rhythm.times, rhythm.times_max) * Fraction(rhythm.period) / Fraction(rhythm.period_max)
    return most * slower, most

"""Dates as records write them. Day and month are never guessed: what is ambiguous is said to be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_NAMED = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
DATE = re.compile(
    rf"(?P<iso>\b(?:19|20)\d\d-\d\d?-\d\d?\b)"
    rf"|(?P<dmy>(?<![\d.])\d\d?(?P<mark>[/.\-])\d\d?(?P=mark)(?:\d{{4}}|\d\d)\b(?![/.\-]\d))"
    rf"|(?P<dny>\b\d\d?(?:st|nd|rd|th)?[ \-]{_NAMED},?[ \-]\d{{4}}\b)"
    rf"|(?P<ndy>\b{_NAMED} \d\d?(?:st|nd|rd|th)?,? \d{{4}}\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """A date found at [start, end) of a text. `readings`: what it can mean, most likely first; two where ambiguous."""

    start: int
    end: int
    readings: tuple[date, ...]


def find_dates(text: str, day_first: bool | None = None) -> tuple[WrittenDate, ...]:
    """All dates of a text. `day_first`: the page's own habit where another date on it shows one; None if unknown."""
    found = []
    for match in DATE.finditer(text):
        readings = _readings(match, day_first)
        if readings:
            found.append(WrittenDate(match.start(), match.end(), readings))
    return tuple(found)


def habit(text: str) -> bool | None:
    """Whether the page writes the day first, as its unambiguous dates show; None where they show nothing or both."""
    seen = set()
    for match in DATE.finditer(text):
        if match["dmy"]:
            first, second, _year = (int(part) for part in re.split(r"[/.\-]", match["dmy"]))
            if (first > 12) != (second > 12):
                seen.add(first > 12)
    return seen.pop() if len(seen) == 1 else None


def _readings(match: re.Match[str], day_first: bool | None) -> tuple[date, ...]:
    if match["iso"]:
        year, month, day = (int(part) for part in match["iso"].split("-"))
        return _existing((year, month, day))
    if match["dmy"]:
        first, second, year = (int(part) for part in re.split(r"[/.\-]", match["dmy"]))
        year = _full_year(year)
        day_led, month_led = (year, second, first), (year, first, second)
        if first == second:
            return _existing(day_led)
        if day_first is None:
            return _existing(day_led, month_led)
        return _existing(day_led if day_first else month_led) or _existing(month_led if day_first else day_led)
    numbers = re.findall(r"\d+", match.group())
    month = _MONTHS.index(re.search(_NAMED, match.group(), re.IGNORECASE).group()[:3].lower()) + 1  # type: ignore[union-attr]
    return _existing((int(numbers[-1]), month, int(numbers[0])))


def _full_year(year: int) -> int:
    if year > 99:
        return year
    return year + (2000 if year <= (date.today().year + 1) % 100 else 1900)


def _existing(*candidates: tuple[int, int, int]) -> tuple[date, ...]:
    dates = []
    for year, month, day in candidates:
        try:
            dates.append(date(year, month, day))
        except ValueError:
            continue
    return tuple(dates)

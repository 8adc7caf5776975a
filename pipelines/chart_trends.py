"""Values over time: which of them are one series, their reference band, and whether they rise or fall.

Values in different units are different series; none is converted, because a wrong conversion would look like a trend.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from domain.chart import Measurement, Said, Series
from domain.document import Fact

VITALS = frozenset(
    {"blood pressure", "pulse", "respiratory rate", "temperature", "oxygen saturation", "weight", "height", "bmi"}
)
ORDER = ("Blood pressure", "Pulse", "Oxygen saturation", "Temperature", "Respiratory rate", "Weight", "BMI", "Height")
TREND_POINTS = 3  # fewer are no trend
TREND_SHARE = 0.10  # of the band's width, or of the first value where no band is given: less is noise


def measured(fact: Fact, said: Said) -> Measurement:
    """A value as a page gives it."""
    first, second = _numbers(fact.value)
    low, high = _band(fact.reference)
    return Measurement(said, first, second, fact.unit, fact.flag, low, high)


def series_of(values: Iterable[tuple[str, Measurement]]) -> tuple[Series, ...]:
    """Measurements by (label, unit), oldest first in each; vitals first, then those last out of range, then by name."""
    rows: dict[tuple[str, str], list[Measurement]] = {}
    names: dict[tuple[str, str], str] = {}
    for label, value in values:
        key = (label.casefold(), _plain_unit(value.unit))
        names.setdefault(key, label)
        rows.setdefault(key, []).append(value)
    made = []
    for key, found in rows.items():
        points = _once(sorted(found, key=lambda point: point.said.on))
        trend, why = trend_of(points)
        made.append(Series(names[key], points[-1].unit, key[0] in VITALS, tuple(points), trend, why))
    return tuple(sorted(made, key=_place))


def trend_of(points: list[Measurement]) -> tuple[str, str]:
    """("rising" or "falling", how it was seen) over the last three numbers on different days; ("", "") without one."""
    by_day = {point.said.on: point for point in points if point.number is not None and not point.said.denied}
    last = [by_day[day] for day in sorted(by_day)][-TREND_POINTS:]
    if len(last) < TREND_POINTS:
        return "", ""
    numbers = [point.number or 0.0 for point in last]
    steps = [after - before for before, after in pairwise(numbers)]
    low, high = last[-1].low, last[-1].high
    scale = high - low if low is not None and high is not None and high > low else abs(numbers[0])
    whole = numbers[-1] - numbers[0]
    if not scale or abs(whole) < TREND_SHARE * scale or not (all(s > 0 for s in steps) or all(s < 0 for s in steps)):
        return "", ""
    named = ", ".join(f"{point.said.text} on {point.said.on}" for point in last)
    return ("rising" if whole > 0 else "falling"), f"The last {TREND_POINTS} values: {named}."


def outside(point: Measurement) -> str:
    """Which side of the band beside it a value lies on, "low", "high" or ""; what the page itself marks comes first."""
    if point.flag:
        return point.flag
    if point.number is not None and point.high is not None and point.number > point.high:
        return "high"
    if point.number is not None and point.low is not None and point.number < point.low:
        return "low"
    return ""


def _once(points: list[Measurement]) -> list[Measurement]:
    """One value a day and number: a letter that repeats a laboratory's value adds no point."""
    seen: dict[tuple[object, ...], Measurement] = {}
    for point in points:
        seen.setdefault((point.said.on, point.said.text), point)
    return list(seen.values())


def _place(series: Series) -> tuple[object, ...]:
    known = ORDER.index(series.label) if series.label in ORDER else len(ORDER)
    return not series.vital, known, not outside(series.last), series.label.casefold()


def _numbers(text: str) -> tuple[float | None, float | None]:
    pair = re.fullmatch(r"\s*(\d{2,3})\s*/\s*(\d{2,3})\s*", text)
    if pair:
        return float(pair[1]), float(pair[2])
    one = re.fullmatch(r"\s*(\d+(?:[.,]\d+)?)\s*", text)
    return (float(one[1].replace(",", ".")), None) if one else (None, None)


def _band(text: str) -> tuple[float | None, float | None]:
    if text.startswith("number unclear"):
        return None, None
    between = re.search(r"(\d+(?:[.,]\d+)?)\s*(?:[-–]|to)\s*(\d+(?:[.,]\d+)?)", text)
    if between:
        low, high = (float(part.replace(",", ".")) for part in between.groups())
        return (low, high) if low <= high else (None, None)
    under = re.search(r"[<≤]=?\s*(\d+(?:[.,]\d+)?)", text)
    over = re.search(r"[>≥]=?\s*(\d+(?:[.,]\d+)?)", text)
    return (
        float(over[1].replace(",", ".")) if over else None,
        float(under[1].replace(",", ".")) if under else None,
    )


def _plain_unit(unit: str) -> str:
    return unit.lower().replace(" ", "").replace("μ", "µ").replace("^", "")

"""A chart from statements: problems, medicines, allergies, values over time, the timeline, and what is new.

Pure: what is kept comes in as statements and items with their sources, what goes out is domain.chart. The newest
statement comes first everywhere, and nothing that was said is left out: it stands under the newest.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from domain.chart import (
    Allergy,
    Change,
    Measurement,
    MedicineLine,
    MedicineState,
    Problem,
    Said,
    Series,
    SourceKind,
    TimelineItem,
)
from domain.document import Fact, FactKind
from domain.prescription import Medicine
from pipelines import chart_trends, dose_wording
from pipelines.medicine_status import Status
from pipelines.prescription_checks import milligrams_a_day
from pipelines.prescription_prefill import MASS
from pipelines.prescription_sig import read_rhythm

CLOSE_DAYS = 14  # two doses written within so many days of one another contradict each other; later it is a change
VISIT_KINDS = frozenset({"clinic_letter", "discharge_letter", "note"})
MAX_RHYTHM_WORDS = 6
Ingredient = Callable[[str], str]
"""Canonical name of a medicine, lower case; "" where the vocabulary does not know it."""


@dataclass(frozen=True, slots=True)
class Stated:
    """A fact, who says it, and when. `medicine`: the line of a prescription that says it, None for other sources."""

    fact: Fact
    said: Said
    medicine: Medicine | None = None


def problems(statements: Iterable[Stated]) -> tuple[Problem, ...]:
    """Diagnoses, newest first; those that the newest source denies come last."""
    grouped = _grouped(statements, FactKind.DIAGNOSIS, lambda one: " ".join(one.fact.label.casefold().split()))
    made = [Problem(_capital(said[0].fact.label), tuple(one.said for one in said)) for said in grouped]
    return tuple(sorted(made, key=lambda problem: problem.denied))


def medicines(statements: Iterable[Stated], ingredient: Ingredient) -> tuple[MedicineLine, ...]:
    """One line for each ingredient; current ones first, then conflicting before stopped."""
    named = [one for one in statements if one.fact.flag != Status.NOT_TAKEN]  # only thought of, or declined
    grouped = _grouped(
        named, FactKind.MEDICATION, lambda one: ingredient(one.fact.label) or one.fact.label.casefold().strip()
    )
    made = []
    for said in grouped:
        name = ingredient(said[0].fact.label) or said[0].fact.label.casefold()
        made.append(MedicineLine(_capital(said[0].fact.label), name, _state(said), tuple(one.said for one in said)))
    order = (MedicineState.CONFLICTING, MedicineState.CURRENT, MedicineState.STOPPED)
    return tuple(sorted(made, key=lambda line: (order.index(line.state), line.name.casefold())))


def allergies(statements: Sequence[Stated]) -> tuple[tuple[Allergy, ...], tuple[Said, ...]]:
    """What is not tolerated, newest first, and who says that there is no allergy."""
    named = [one for one in statements if not one.said.denied]
    grouped = _grouped(named, FactKind.ALLERGY, lambda one: " ".join(one.fact.label.casefold().split()), _by_day)
    none = [one.said for one in statements if one.fact.kind is FactKind.ALLERGY and one.said.denied]
    found = tuple(Allergy(said[0].fact.label, tuple(one.said for one in said)) for said in grouped)
    return found, tuple(sorted(none, key=lambda said: said.on, reverse=True))


def series(statements: Iterable[Stated]) -> tuple[Series, ...]:
    """Values over time."""
    values: list[tuple[str, Measurement]] = [
        (one.fact.label, chart_trends.measured(one.fact, one.said))
        for one in statements
        if one.fact.kind is FactKind.LAB and not one.said.denied
    ]
    return chart_trends.series_of(values)


def timeline(items: Iterable[TimelineItem]) -> tuple[TimelineItem, ...]:
    """Newest first; within a day, what was kept last comes first."""
    return tuple(sorted(items, key=lambda item: (*_moment(item), item.source.id), reverse=True))


def last_visit(items: Sequence[TimelineItem], today: date) -> TimelineItem | None:
    """The newest visit that something came after; without any such, the newest visit; None without a visit."""
    past = sorted((item for item in items if item.at <= today), key=_moment, reverse=True)
    visits = [one for one in past if one.source.kind is SourceKind.CONSULTATION or one.kind_of_record in VISIT_KINDS]
    return next((one for one in visits if _moment(one) < _moment(past[0])), visits[0] if visits else None)


def changes(
    visit: TimelineItem | None,
    shown: Sequence[TimelineItem],
    lines: Sequence[MedicineLine],
    found: Sequence[Problem],
    values: Sequence[Series],
) -> tuple[Change, ...]:
    """What is new after a visit, newest first: medicines begun, changed or stopped, problems, values, things filed.

    New is what bears a later day, or the same day and was kept later. After a visit that was held here it is also
    whatever was kept since: an old letter that came in yesterday is news to the doctor.
    """
    if visit is None:
        return ()
    here = visit.source.kind is SourceKind.CONSULTATION
    later = {
        item.source.id
        for item in shown
        if item.at > visit.at
        or (item.kept_at and visit.kept_at and item.kept_at > visit.kept_at and (here or item.at == visit.at))
    }

    def new(said: Said) -> bool:
        return said.on > visit.at or said.source.id in later

    made = [Change(text, said.on, said.source) for line in lines for text, said in _medicine_changes(line, new)]
    for problem in found:
        first = problem.said[-1]
        if new(first) and not first.denied:
            made.append(Change(f"New problem: {problem.name}", first.on, first.source))
    for one in values:
        side = chart_trends.outside(one.last)
        if side and new(one.last.said):
            value = f"{one.label} {one.last.said.text} {one.unit}".strip()
            made.append(Change(f"{value} is {side}", one.last.said.on, one.last.said.source))
    made += [
        Change(f"{_what(item)}: {item.source.title.removeprefix('Prescription: ')}", item.at, item.source)
        for item in shown
        if item.source.id in later
    ]
    return tuple(sorted(made, key=lambda change: change.on, reverse=True))


def daily_dose(one: Stated) -> Fraction | None:
    """Milligrams a day, as written; None where the words do not say."""
    if one.medicine is not None:
        return _dose_of(one.medicine)
    return _dose_said(one.said.text)


@functools.lru_cache(maxsize=8192)
def _dose_of(medicine: Medicine) -> Fraction | None:
    return milligrams_a_day(medicine)


@functools.lru_cache(maxsize=8192)  # letters of years repeat the same few doses
def _dose_said(text: str) -> Fraction | None:
    mass = MASS.search(text)
    if not mass:
        return None
    words = re.sub(r"[,.;]+(?=\s|$)", "", text[mass.end() :]).split()
    for length in range(min(MAX_RHYTHM_WORDS, len(words)), 0, -1):
        for start in range(len(words) - length + 1):
            rhythm = " ".join(words[start : start + length])
            if read_rhythm(rhythm) is not None:
                return milligrams_a_day(Medicine("x", "", "", "", mass[0], rhythm, 0, Decimal(1)))
    return None


def doses_that_clash(said: Sequence[Stated]) -> tuple[Stated, Stated] | None:
    """The newest statement and another one of about the same time whose daily dose differs; None where all agree."""
    dosed = [(one, dose) for one in said if not one.said.denied and (dose := daily_dose(one)) is not None]
    if not dosed:
        return None
    newest, dose = dosed[0]
    for other, another in dosed[1:]:
        if newest.said.on - other.said.on > timedelta(days=CLOSE_DAYS):
            return None
        if another != dose and other.said.source.id != newest.said.source.id:
            return newest, other
    return None


def of_one_ingredient(statements: Iterable[Stated], ingredient: Ingredient) -> tuple[tuple[Stated, ...], ...]:
    """Statements on medicines, gathered by what is in them, newest first in each."""
    return _grouped(
        statements, FactKind.MEDICATION, lambda one: ingredient(one.fact.label) or one.fact.label.casefold().strip()
    )


def _medicine_changes(line: MedicineLine, new: Callable[[Said], bool]) -> Iterable[tuple[str, Said]]:
    newest = line.said[0]
    before = [said for said in line.said if not new(said)]
    if not new(newest):
        return
    if newest.denied and any(not said.denied for said in before):
        yield f"Stopped: {line.name}", newest
    elif not newest.denied and not before:
        yield f"New medicine: {line.name} {newest.text}".strip(), newest
    elif not newest.denied and newest.text and before[0].text and _another_dose(before[0], newest):
        yield f"Changed: {line.name} {before[0].text} → {newest.text}", newest


def _another_dose(before: Said, newest: Said) -> bool:
    """A page that says itself that a dose was changed is believed, where it has other words for it."""
    if newest.note == Status.CHANGED:
        return newest.text.casefold() != before.text.casefold()
    return dose_wording.says_another_dose(before.text, newest.text)


def _state(said: Sequence[Stated]) -> MedicineState:
    if said[0].said.denied:
        return MedicineState.STOPPED
    return MedicineState.CONFLICTING if doses_that_clash(said) else MedicineState.CURRENT


def _grouped(
    statements: Iterable[Stated],
    kind: FactKind,
    key: Callable[[Stated], str],
    order: Callable[[Stated], tuple[object, ...]] | None = None,
) -> tuple[tuple[Stated, ...], ...]:
    rows: dict[str, list[Stated]] = {}
    for one in statements:
        if one.fact.kind is kind and one.fact.label.strip():
            rows.setdefault(key(one), []).append(one)
    place = order or _newest_first
    made = [tuple(sorted(found, key=order or _last_word_first(found))) for found in rows.values()]
    return tuple(sorted(made, key=lambda found: place(found[0])))


def _last_word_first(found: Sequence[Stated]) -> Callable[[Stated], tuple[object, ...]]:
    """Newest first; where a record lists a medicine and then says that it was stopped, its end counts."""
    last = {one.said.source.id: one.said.denied for one in found}  # a record's statements come in reading order

    def place(one: Stated) -> tuple[object, ...]:
        day, page, length = _newest_first(one)
        return day, page, one.said.denied is not last[one.said.source.id], length

    return place


def _by_day(one: Stated) -> tuple[object, ...]:
    return (-one.said.on.toordinal(),)  # of one day in the order of the page


def _newest_first(one: Stated) -> tuple[object, ...]:
    # Of one day, a signed order counts before a page, and a page that gives the dose before one that only names it.
    return -one.said.on.toordinal(), one.medicine is None, -len(one.said.text)


def _moment(item: TimelineItem) -> tuple[date, float]:
    return item.at, item.kept_at.timestamp() if item.kept_at else 0.0


def _what(item: TimelineItem) -> str:
    names = {
        SourceKind.RECORD: "New record",
        SourceKind.READING: "New image reading",
        SourceKind.CONSULTATION: "New consultation",
        SourceKind.PRESCRIPTION: "New prescription",
        SourceKind.IMPORT: "Received from elsewhere",
        SourceKind.PATIENT: "Changed",
    }
    return names[item.source.kind]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

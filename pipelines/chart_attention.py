"""What needs a clinician's attention on a chart: contradictions, values, silences, doubts and dates, each explained.

Every entry says how it was worked out and where it stands, and has an id made of what it rests on: when that changes,
a dismissal no longer covers it and it is shown again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations

from domain.chart import (
    Allergy,
    Attention,
    Concern,
    Dismissal,
    MedicineLine,
    MedicineState,
    Said,
    Series,
    Source,
    SourceKind,
    TimelineItem,
)
from domain.document import FactKind
from domain.patient import Patient
from domain.prescription import Medicine
from pipelines import chart, chart_trends
from pipelines.chart import Stated
from pipelines.digitise import DOUBT
from pipelines.identity import identity_conflicts
from pipelines.prescription_checks import allergy_conflicts
from pipelines.prescription_drugs import DrugLookup

DUE_SOON = timedelta(days=14)
SAME_TIME = timedelta(days=60)  # one illness on two sides within so many days is more likely a slip than two illnesses
RECENT_VALUE = timedelta(days=365)  # an older value out of range that was never repeated is a note
SIDE = re.compile(r"\b(left|right)\b", re.IGNORECASE)


def worked_out(
    patient: Patient,
    statements: Sequence[Stated],
    lines: Sequence[MedicineLine],
    allergies: Sequence[Allergy],
    no_allergies: Sequence[Said],
    values: Sequence[Series],
    items: Sequence[TimelineItem],
    dismissed: Mapping[str, Dismissal],
    lookup: DrugLookup,
    today: date,
) -> tuple[Attention, ...]:
    """Every entry, the gravest first, those set aside last."""
    ingredient = _ingredient_of(lookup)
    found = [
        *_allergic(lines, allergies, lookup),
        *_denied_allergies(allergies, no_allergies),
        *_two_doses(statements, ingredient),
        *_stopped_and_ordered(lines),
        *_sides(statements),
        *_identity(statements, patient),
        *_doubtful_doses(statements, lines),
        *_values(values, today),
        *_silent(items),
        *_due(statements, items, today),
    ]
    order = list(Concern)
    once = {one.item: one for one in found}
    shown = [replace(one, dismissal=dismissed.get(one.item)) for one in once.values()]
    return tuple(sorted(shown, key=lambda one: (one.dismissal is not None, order.index(one.concern))))


def _allergic(lines: Sequence[MedicineLine], allergies: Sequence[Allergy], lookup: DrugLookup) -> Iterator[Attention]:
    taken = [line for line in lines if line.state is not MedicineState.STOPPED]
    medicines = [Medicine(line.name, "", "", "", "", "", 0, Decimal(1)) for line in taken]
    drugs = [lookup.identify(line.ingredient) for line in taken]
    for allergy in allergies:
        for warning in allergy_conflicts(medicines, drugs, [allergy.substance], lookup):
            line = taken[warning.medicines[0]]
            how = "prescribed" if line.said[0].source.kind is SourceKind.PRESCRIPTION else "recorded as taken"
            yield _entry(
                "allergy",
                Concern.DANGER if warning.stops else Concern.WARNING,
                f"Allergy to {allergy.substance}, and {line.name} is {how}",
                f"{warning.text} Source of the rule: {warning.source}.",
                (allergy.said[0].source, line.said[0].source),
            )


def _denied_allergies(allergies: Sequence[Allergy], none: Sequence[Said]) -> Iterator[Attention]:
    if allergies and none:
        yield _entry(
            "allergy",
            Concern.WARNING,
            f"One source names an allergy to {allergies[0].substance}, another says there is none",
            f"Named on {allergies[0].said[0].on}; denied on {none[0].on}: “{none[0].text}”.",
            (allergies[0].said[0].source, none[0].source),
        )


def _two_doses(statements: Sequence[Stated], ingredient: chart.Ingredient) -> Iterator[Attention]:
    for said in chart.of_one_ingredient(statements, ingredient):
        clash = None if said[0].said.denied else chart.doses_that_clash(said)
        if clash:
            first, second = clash
            yield _entry(
                "dose",
                Concern.DANGER,
                f"Two doses of {first.fact.label}: {first.said.text} and {second.said.text}",
                f"Written on {first.said.on} and {second.said.on}, within {chart.CLOSE_DAYS} days of one another, and "
                "they come to different amounts a day. A dose that was changed on purpose is usually written later.",
                (first.said.source, second.said.source),
            )


def _stopped_and_ordered(lines: Sequence[MedicineLine]) -> Iterator[Attention]:
    for line in lines:
        ordered = next((s for s in line.said if s.source.kind is SourceKind.PRESCRIPTION and not s.denied), None)
        stopped = next((s for s in line.said if s.denied and s.source.kind is not SourceKind.PRESCRIPTION), None)
        if ordered and stopped and abs(ordered.on - stopped.on) <= timedelta(days=chart.CLOSE_DAYS):
            yield _entry(
                "medicine",
                Concern.DANGER,
                f"{line.name} is prescribed, and another source says it was stopped",
                f"Prescribed on {ordered.on}; “{stopped.text or 'not taken'}” on {stopped.on}.",
                (ordered.source, stopped.source),
            )


def _sides(statements: Sequence[Stated]) -> Iterator[Attention]:
    sided: dict[str, list[tuple[str, Stated]]] = {}
    for one in statements:
        side = SIDE.search(one.fact.label)
        if one.fact.kind is FactKind.DIAGNOSIS and side and not one.said.denied:
            name = " ".join(SIDE.sub(" ", one.fact.label.casefold()).split())
            sided.setdefault(name, []).append((side[1].lower(), one))
    for name, found in sided.items():
        for (first_side, first), (second_side, second) in combinations(found, 2):
            if first_side != second_side and abs(first.said.on - second.said.on) <= SAME_TIME:
                yield _entry(
                    "side",
                    Concern.DANGER,
                    f"Left against right: {name}",
                    f"“{first.fact.label}” on {first.said.on}, “{second.fact.label}” on {second.said.on}.",
                    (first.said.source, second.said.source),
                )
                break


def _identity(statements: Sequence[Stated], patient: Patient) -> Iterator[Attention]:
    kinds = (FactKind.NAME, FactKind.BIRTH_DATE, FactKind.RECORD_NUMBER)
    for one in statements:
        if one.fact.kind in kinds:
            for conflict in identity_conflicts((one.fact,), patient):
                what = conflict.field.replace("_", " ")
                yield _entry(
                    "identity",
                    Concern.DANGER,
                    f"Another {what} than the chart's stands in “{one.said.source.title}”",
                    f"There: {conflict.on_record}. In the chart: {conflict.in_chart}. It may be another person's.",
                    (one.said.source,),
                )


def _doubtful_doses(statements: Sequence[Stated], lines: Sequence[MedicineLine]) -> Iterator[Attention]:
    newest = {(line.said[0].source.id, line.said[0].on) for line in lines if line.state is not MedicineState.STOPPED}
    for one in statements:
        if one.fact.kind is not FactKind.MEDICATION or (one.said.source.id, one.said.on) not in newest:
            continue
        unclear = "dose unclear" in one.fact.reference
        if not re.search(r"\d", one.said.text) or (one.fact.confidence >= DOUBT and not unclear):
            continue
        read = f"Its least sure word was read with {one.fact.confidence:.0%}."
        why = "A letter stands among its digits." if unclear else read
        yield _entry(
            "doubt",
            Concern.WARNING,
            f"A word inside a dose was hard to read: {one.fact.label} {one.said.text}",
            f"{why} The line of doubt is {DOUBT:.0%}. Compare it with the page.",
            (one.said.source,),
        )


def _values(values: Sequence[Series], today: date) -> Iterator[Attention]:
    for one in values:
        side, last = chart_trends.outside(one.last), one.last
        old = last.said.on < today - RECENT_VALUE
        shown = f"{one.label} {last.said.text} {one.unit}".strip()
        away = (one.trend == "rising" and side == "high") or (one.trend == "falling" and side == "low")
        if side:
            band = " to ".join(f"{edge:g}" for edge in (last.low, last.high) if edge is not None)
            reference = f"Reference {band}." if band else "Marked so on the page."
            yield _entry(
                "value",
                Concern.NOTE if old else Concern.WARNING,
                f"{shown} is {side}"
                + (f", and {one.trend}" if away else "")
                + (f", and no later value is on the chart ({last.said.on})" if old else ""),
                f"{reference} {one.why if away else ''}".strip(),
                tuple(point.said.source for point in (one.points[-3:] if away else one.points[-1:])),
            )
        elif one.trend and not old and _nears_edge(one):
            yield _entry(
                "trend",
                Concern.NOTE,
                f"{shown} is {one.trend} towards the edge of its band",
                one.why,
                tuple(point.said.source for point in one.points[-3:]),
            )


def _nears_edge(one: Series) -> bool:
    last = one.last
    if last.number is None or last.low is None or last.high is None or last.high <= last.low:
        return False
    share = (last.number - last.low) / (last.high - last.low)
    return share > 0.8 if one.trend == "rising" else share < 0.2


def _silent(items: Sequence[TimelineItem]) -> Iterator[Attention]:
    for item in items:
        if item.source.kind is SourceKind.READING and item.state == "abstained":
            yield _entry(
                "silence",
                Concern.NOTE,
                f"An image was not read: {item.source.title}",
                item.detail,
                (item.source,),
            )


def _due(statements: Sequence[Stated], items: Sequence[TimelineItem], today: date) -> Iterator[Attention]:
    seen_on = [
        item.at
        for item in items
        if item.source.kind is SourceKind.CONSULTATION or item.kind_of_record in chart.VISIT_KINDS
    ]
    for one in statements:
        if one.fact.kind is not FactKind.DATE or one.fact.label not in ("follow-up", "due"):
            continue
        due = date.fromisoformat(one.fact.value)
        kept = any(one.said.on < day and abs(day - due) <= DUE_SOON for day in seen_on)
        if kept or due > today + DUE_SOON:
            continue
        late = due < today
        yield _entry(
            "follow-up",
            Concern.WARNING if late else Concern.NOTE,
            f"Follow-up {'was due' if late else 'is due'} on {due}",
            f"Asked for on {one.said.on}; no visit within {DUE_SOON.days} days of that day is on the chart.",
            (one.said.source,),
        )


def _entry(kind: str, concern: Concern, text: str, why: str, sources: tuple[Source, ...]) -> Attention:
    rests_on = "\n".join((kind, text, why, *sorted(source.id for source in sources)))
    return Attention(hashlib.sha256(rests_on.encode()).hexdigest()[:32], kind, concern, text, why, sources)


def _ingredient_of(lookup: DrugLookup) -> chart.Ingredient:
    def ingredient(name: str) -> str:
        drug = lookup.identify(name)
        return "+".join(drug.ingredients) if drug else ""

    return ingredient

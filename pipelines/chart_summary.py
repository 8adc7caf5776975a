"""The page to read before the visit: lines taken word for word from the chart, each with its sources."""

from __future__ import annotations

from collections.abc import Sequence

from domain.chart import Chart, MedicineState, Series, SummaryLine, SummaryPart
from pipelines.chart_trends import outside

MOST_LINES = {"attention": 6, "changes": 6, "problems": 8, "medicines": 12, "allergies": 6, "values": 8}  # one A4 page
# LOINC codes of the sections, those of the International Patient Summary where it has them.
CODES = {
    "attention": "75326-9", "changes": "11329-0", "allergies": "48765-2", "medicines": "10160-0",
    "problems": "11450-4", "values": "30954-2",
}  # fmt: skip


def before_the_visit(value: Chart) -> tuple[SummaryPart, ...]:
    """The sections in the order a clinician asks for them. A section without lines says so in one."""
    shown = [one for one in value.attention if one.dismissal is None]
    attention = [SummaryLine(one.text, one.sources, alert=one.concern.value == "danger") for one in shown]
    since = f"Since the visit of {value.since}" if value.since else "Since the last visit"
    changed = [SummaryLine(f"{one.on}: {one.text}", (one.source,)) for one in value.changes]
    allergies = [SummaryLine(one.substance, (one.said[0].source,), alert=True) for one in value.allergies]
    if not allergies:
        allergies = [SummaryLine(f"Denied: {one.text}", (one.source,)) for one in value.no_allergies[:1]]
    medicines = [
        SummaryLine(
            f"{one.name} {one.said[0].text} ({one.said[0].on})"
            + (" — sources differ" if one.state is MedicineState.CONFLICTING else ""),
            tuple(said.source for said in one.said[:3]),
            alert=one.state is MedicineState.CONFLICTING,
        )
        for one in value.medicines
        if one.state is not MedicineState.STOPPED
    ]
    problems = [
        SummaryLine(f"{one.name} ({one.said[0].on})", (one.said[0].source,)) for one in value.problems if not one.denied
    ]
    return (
        _part("Needs attention", "attention", attention, "Nothing was found that needs attention."),
        _part("Allergies", "allergies", allergies, "No record says anything about allergies."),
        _part(since, "changes", changed, "Nothing new is on the chart."),
        _part("Problems", "problems", problems, "No record names a diagnosis."),
        _part("Medicines", "medicines", medicines, "No record names a medicine."),
        _part("Last values", "values", _values(value.series), "No record gives a value."),
    )


def _values(series: Sequence[Series]) -> list[SummaryLine]:
    made = []
    for one in sorted(series, key=lambda each: (not outside(each.last), -each.last.said.on.toordinal())):
        side = outside(one.last)
        text = f"{one.label} {one.last.said.text} {one.unit}".strip() + f" ({one.last.said.on})"
        text += f", {side}" if side else ""
        text += f", {one.trend}" if one.trend else ""
        made.append(SummaryLine(text, (one.last.said.source,), alert=bool(side)))
    return made


def _part(title: str, name: str, lines: Sequence[SummaryLine], none: str) -> SummaryPart:
    most = MOST_LINES[name]
    kept = tuple(lines[:most]) or (SummaryLine(none, ()),)
    return SummaryPart(title, CODES[name], kept, max(0, len(lines) - most))

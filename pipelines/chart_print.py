"""The page to read before the visit as a PDF: who, what was found, and for every line the source that it stands in."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from domain.chart import Chart, Source, SourceKind, SummaryPart
from pipelines.print_page import MARGIN, NO_PICTURE, open_pdf, rule, write

A4 = (210.0, 297.0)  # millimetres
TITLE, HEAD, BODY, SMALL = 14.0, 10.5, 9.0, 7.0  # points
WARNING = "Read by a machine, which misreads. Compare each line with its source before you rely on it."
KINDS = {
    SourceKind.RECORD: "record", SourceKind.CONSULTATION: "consultation", SourceKind.READING: "image reading",
    SourceKind.PRESCRIPTION: "prescription", SourceKind.IMPORT: "received", SourceKind.PATIENT: "chart",
}  # fmt: skip
MOST_SOURCES = 3  # named behind one line; the rest are counted


def as_pdf(chart: Chart, parts: Sequence[SummaryPart], at: datetime) -> bytes:
    """A4, PDF/A-2b. The sources are numbered, and their list stands at the end."""
    numbers: dict[tuple[str, str, int], tuple[int, Source]] = {}
    for source in (one for part in parts for line in part.lines for one in line.sources):
        numbers.setdefault(_key(source), (len(numbers) + 1, source))
    written = [_line(line.text, line.sources, numbers, line.alert) for part in parts for line in part.lines]
    named = [f"[{number}] {where(source)}" for number, source in numbers.values()]
    person = chart.patient
    who = f"{person.name}, born {person.birth_date} ({person.age_on(at.date())} years), {person.sex}"
    text = "".join((who, person.record_number, WARNING, *written, *named, *(part.title for part in parts)))
    with tempfile.TemporaryDirectory() as folder:
        pdf, unseen = open_pdf(A4, "Summary before the visit", text, Path(folder))
        write(pdf, "Summary before the visit", TITLE, unseen, bold=True)
        write(pdf, who, HEAD, unseen, bold=True)
        printed = f"Printed {at:%Y-%m-%d %H:%M} UTC, chart revision {chart.revision}."
        write(pdf, f"Record number {person.record_number}. {printed}", BODY, unseen)
        rule(pdf)
        rest = iter(written)
        for part in parts:
            _part(pdf, part, [next(rest) for _ in part.lines], unseen)
        rule(pdf)
        write(pdf, "Sources", HEAD, unseen, bold=True)
        for row in named or ["Nothing is on the chart."]:
            write(pdf, row, SMALL, unseen)
        pdf.ln(1)
        write(pdf, WARNING, SMALL, unseen)
        if unseen:
            write(pdf, f"{NO_PICTURE} stands for a character that the fonts here lack.", SMALL, frozenset())
        return bytes(pdf.output())


def where(source: Source) -> str:
    """A source in words, so that somebody finds the place on paper too."""
    page = f", page {source.page}" if source.page else ""
    moment = "" if source.start_s is None else f", at {int(source.start_s) // 60}:{int(source.start_s) % 60:02d}"
    return f"{KINDS[source.kind].capitalize()}: {source.title}{page}{moment} ({source.id[:12]})"


def _part(pdf: Any, part: SummaryPart, lines: Sequence[str], unseen: frozenset[str]) -> None:
    if pdf.get_y() > pdf.h - MARGIN - 16:
        pdf.add_page()  # a heading does not stand alone at the end of a page
    write(pdf, part.title, HEAD, unseen, bold=True)
    for row, line in zip(lines, part.lines, strict=True):
        write(pdf, row, BODY, unseen, bold=line.alert)
    if part.left_out:
        write(pdf, f"and {part.left_out} more on the chart", SMALL, unseen)
    pdf.ln(1.5)


def _line(
    text: str, sources: Sequence[Source], numbers: dict[tuple[str, str, int], tuple[int, Source]], alert: bool
) -> str:
    found = list(dict.fromkeys(numbers[_key(one)][0] for one in sources))
    more = f" +{len(found) - MOST_SOURCES}" if len(found) > MOST_SOURCES else ""
    named = f" [{', '.join(map(str, found[:MOST_SOURCES]))}{more}]" if found else ""
    return f"{'!' if alert else '•'} {text}{named}"


def _key(source: Source) -> tuple[str, str, int]:
    return source.kind.value, source.id, source.page

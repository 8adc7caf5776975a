"""The page to read before the visit as a PDF: who, what was found, and for every line the source that it stands in."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from domain.chart import Chart, Source, SourceKind, SummaryPart
from pipelines.print_page import MARGIN, NO_PICTURE, open_pdf, rule, write

A4 = (210.0, 297.0)  # millimetres
TITLE, HEAD, BODY, SMALL = 14.0, 10.5, 9.0, 7.0  # points
SCALES = (1.0, 0.88, 0.76)  # tried until all of it is on one page; smaller nobody reads
WARNING = "Read by a machine, which misreads. Compare each line with its source before you rely on it."
KINDS = {
    SourceKind.RECORD: "record", SourceKind.CONSULTATION: "consultation", SourceKind.READING: "image reading",
    SourceKind.PRESCRIPTION: "prescription", SourceKind.IMPORT: "received", SourceKind.PATIENT: "chart",
}  # fmt: skip
MOST_SOURCES = 3  # named behind one line; the rest are counted


def as_pdf(chart: Chart, parts: Sequence[SummaryPart], at: datetime) -> bytes:
    """A4, PDF/A-2b, one page as long as that can be read. The sources are numbered; their list stands at the end."""
    numbers: dict[tuple[str, str, int], tuple[int, Source]] = {}
    for source in (one for part in parts for line in part.lines for one in line.sources):
        numbers.setdefault(_key(source), (len(numbers) + 1, source))
    written = [_line(line.text, line.sources, numbers, line.alert) for part in parts for line in part.lines]
    named = [f"[{number}] {where(source)}" for number, source in numbers.values()]
    person = chart.patient
    who = f"{person.name}, born {person.birth_date} ({person.age_on(at.date())} years), {person.sex}"
    text = "".join((who, person.record_number, WARNING, *written, *named, *(part.title for part in parts)))
    with tempfile.TemporaryDirectory() as folder:
        for scale in SCALES:
            pdf, unseen = open_pdf(A4, "Summary before the visit", text, Path(folder))
            _lay_out(_Pen(pdf, scale, unseen), who, chart, at, parts, written, named)
            if pdf.pages_count == 1:
                break
        return bytes(pdf.output())


@dataclass(frozen=True, slots=True)
class _Pen:
    """Writes into a PDF, `scale` times as large as usual."""

    pdf: Any
    scale: float
    unseen: frozenset[str]

    def write(self, text: str, points: float, bold: bool = False) -> None:
        write(self.pdf, text, points * self.scale, self.unseen, bold)


def _lay_out(
    pen: _Pen, who: str, chart: Chart, at: datetime, parts: Sequence[SummaryPart], written: Sequence[str],
    named: Sequence[str],
) -> None:  # fmt: skip
    pen.write("Summary before the visit", TITLE, bold=True)
    pen.write(who, HEAD, bold=True)
    printed = f"Printed {at:%Y-%m-%d %H:%M} UTC, chart revision {chart.revision}."
    pen.write(f"Record number {chart.patient.record_number}. {printed}", BODY)
    rule(pen.pdf)
    rest = iter(written)
    for part in parts:
        if pen.pdf.get_y() > pen.pdf.h - MARGIN - 16:
            pen.pdf.add_page()  # a heading does not stand alone at the end of a page
        pen.write(part.title, HEAD, bold=True)
        for line in part.lines:
            pen.write(next(rest), BODY, bold=line.alert)
        if part.left_out:
            pen.write(f"and {part.left_out} more on the chart", SMALL)
        pen.pdf.ln(1.5 * pen.scale)
    rule(pen.pdf)
    pen.write("Sources", HEAD, bold=True)
    pen.write("   ".join(named) or "Nothing is on the chart.", SMALL)
    pen.pdf.ln(1)
    pen.write(WARNING, SMALL)
    if pen.unseen:
        write(pen.pdf, f"{NO_PICTURE} stands for a character that the fonts here lack.", SMALL, frozenset())


def where(source: Source) -> str:
    """A source in words, so that somebody finds the place on paper too."""
    page = f", page {source.page}" if source.page else ""
    moment = "" if source.start_s is None else f", at {int(source.start_s) // 60}:{int(source.start_s) % 60:02d}"
    kind = KINDS[source.kind]
    named = source.title if source.title.casefold().startswith(kind) else f"{kind.capitalize()}: {source.title}"
    return f"{named}{page}{moment} ({source.id[:12]})"


def _line(
    text: str, sources: Sequence[Source], numbers: dict[tuple[str, str, int], tuple[int, Source]], alert: bool
) -> str:
    found = list(dict.fromkeys(numbers[_key(one)][0] for one in sources))
    more = f" +{len(found) - MOST_SOURCES}" if len(found) > MOST_SOURCES else ""
    named = f" [{', '.join(map(str, found[:MOST_SOURCES]))}{more}]" if found else ""
    return f"{'!' if alert else '•'} {text}{named}"


def _key(source: Source) -> tuple[str, str, int]:
    return source.kind.value, source.id, source.page

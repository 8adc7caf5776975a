"""A chart as a researcher sees it: what was found and in which year, without what names the patient.

Pages, pictures, recordings and notes are not offered, only what was understood of them; whoever set something aside,
what another person's name on a page was, and the days of it all are left out. See deidentify for what is recognised.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from domain.chart import (
    Attention,
    Change,
    Chart,
    Measurement,
    MedicineLine,
    Problem,
    Said,
    Series,
    Source,
    SourceKind,
    TimelineItem,
)
from domain.patient import Patient

FREE_TALK = frozenset({SourceKind.CONSULTATION, SourceKind.IMPORT})  # their details may name anybody


@dataclass(frozen=True, slots=True)
class Cover:
    """How things are covered. `patient`: under a pseudonym; `text`: a line without names and days; `year`: of a day."""

    patient: Patient
    text: Callable[[str], str]
    year: Callable[[date], date]

    def chart(self, of: Chart) -> Chart:
        """The whole chart."""
        return replace(
            of,
            patient=self.patient,
            problems=tuple(Problem(self.text(one.name), self._all(one.said)) for one in of.problems),
            medicines=tuple(self._medicine(one) for one in of.medicines),
            allergies=tuple(replace(o, substance=self.text(o.substance), said=self._all(o.said)) for o in of.allergies),
            no_allergies=self._all(of.no_allergies),
            series=tuple(self._series(one) for one in of.series),
            timeline=tuple(self._item(one) for one in of.timeline),
            attention=tuple(self._attention(one) for one in of.attention if one.kind != "identity"),
            since=self.year(of.since) if of.since else None,
            changes=tuple(Change(self.text(o.text), self.year(o.on), self._source(o.source)) for o in of.changes),
            merges=(),
            merged_into="",
            masked=True,
        )

    def _source(self, of: Source) -> Source:
        return Source(of.kind, of.id, self.text(of.title), of.page)

    def _said(self, of: Said) -> Said:
        return replace(
            of, text=self.text(of.text), on=self.year(of.on), source=self._source(of.source), note=self.text(of.note)
        )

    def _all(self, of: tuple[Said, ...]) -> tuple[Said, ...]:
        return tuple(self._said(one) for one in of)

    def _medicine(self, of: MedicineLine) -> MedicineLine:
        return replace(of, name=self.text(of.name), said=self._all(of.said))

    def _series(self, of: Series) -> Series:
        points: tuple[Measurement, ...] = tuple(replace(one, said=self._said(one.said)) for one in of.points)
        return replace(of, label=self.text(of.label), points=points, why=self.text(of.why))

    def _item(self, of: TimelineItem) -> TimelineItem:
        detail = "" if of.source.kind in FREE_TALK else self.text(of.detail)
        return replace(of, source=self._source(of.source), at=self.year(of.at), detail=detail, kept_at=None)

    def _attention(self, of: Attention) -> Attention:
        aside = replace(of.dismissal, reason="", who="") if of.dismissal else None
        sources = tuple(self._source(one) for one in of.sources)
        return replace(
            of, item="", text=self.text(of.text), why=self.text(of.why), sources=sources,
            dismissal=aside and replace(aside, at=aside.at.replace(month=1, day=1, hour=0, minute=0, second=0)),
        )  # fmt: skip

"""From what is kept to what a chart is made of: statements with their source, and items of the timeline."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from domain.chart import Said, Source, SourceKind, TimelineItem
from domain.document import Box, Fact, FactKind, OcrPage, PageSource, TextLine, TextWord
from domain.kept_reading import KeptReading
from domain.models import ModelStamp
from domain.prescription import Medicine, PrescriptionRecord
from pipelines import understanding
from pipelines.chart import Stated

NOWHERE = Box(0, 0, 0, 0)
MODELS_SHOWN = 1


class KeptRecord(Protocol):
    """A record without its pages, as storage.chart reads it."""

    document_id: str
    title: str
    kind: str
    document_date: date | None
    created_at: Any
    page_count: int
    confidence: float
    model: ModelStamp
    facts: tuple[Fact, ...]
    boxes: tuple[tuple[tuple[float, ...], ...], ...]


class KeptVisit(Protocol):
    """A visit with its newest transcript and note as JSON, as storage.chart reads it."""

    consultation_id: str
    created_at: Any
    transcript: dict[str, Any]
    note: dict[str, Any] | None
    signature: dict[str, Any] | None
    addenda: tuple[dict[str, Any], ...]


def from_records(kept: Sequence[KeptRecord]) -> Iterator[Stated]:
    """What the pages say, as it was understood when they were filed."""
    for record in kept:
        on = record.document_date or record.created_at.date()
        for fact, boxes in zip(record.facts, record.boxes, strict=True):
            source = Source(SourceKind.RECORD, record.document_id, record.title, fact.page, boxes)
            # Of a medicine the flag says what becomes of it: started, changed, stopped, to be avoided, not taken.
            note = fact.flag if fact.kind is FactKind.MEDICATION and fact.flag else fact.reference
            yield Stated(fact, Said(fact.value, on, source, fact.confidence, fact.negated, note))


def from_visits(kept: Sequence[KeptVisit]) -> Iterator[Stated]:
    """What signed notes say; a draft says nothing yet."""
    for visit in kept:
        if visit.note is None or visit.signature is None:
            continue
        lines = [line for section in visit.note["sections"].values() for line in section]
        for at, fact in _understood(tuple(str(line["text"]) for line in lines)):
            source = _visit_source(visit, tuple(lines[at].get("evidence", ())))
            said = Said(fact.value, visit.created_at.date(), source, 1.0, fact.negated, fact.reference)
            yield Stated(fact, said)


def from_prescriptions(kept: Sequence[PrescriptionRecord], today: date) -> Iterator[Stated]:
    """What was prescribed. What was revoked is denied; a course that has ended is not, for it was taken."""
    for record in kept:
        order = record.signed.prescription
        source = Source(SourceKind.PRESCRIPTION, order.prescription_id, prescription_title(record))
        for medicine in order.medicines:
            said = ", ".join(part for part in (medicine.strength, medicine.dose, medicine.frequency) if part)
            note = f"for {medicine.duration_days} days" if medicine.duration_days else ""
            on, denied = order.issued_at.date(), record.revoked_at is not None
            if denied:
                said = f"{said}, revoked"
            elif course_ended(medicine, on, today):
                said, denied, note = f"{said}, course ended", True, note
            fact = Fact(FactKind.MEDICATION, medicine.name, said, 1, (), 1.0, negated=denied)
            yield Stated(fact, Said(said, on, source, 1.0, denied, note), medicine)


def course_ended(medicine: Medicine, issued: date, today: date) -> bool:
    """Whether all that was prescribed is taken by now; never where nobody said for how long."""
    return bool(medicine.duration_days) and (today - issued).days > medicine.duration_days * (1 + medicine.refills)


def record_items(kept: Sequence[KeptRecord]) -> Iterator[TimelineItem]:
    for record in kept:
        source = Source(SourceKind.RECORD, record.document_id, record.title, 1)
        sheets = f"{record.page_count} page" + ("s" if record.page_count != 1 else "")
        on = record.document_date or record.created_at.date()
        yield TimelineItem(source, on, sheets, "", record.kind, record.confidence, record.model, record.created_at)


def visit_items(kept: Sequence[KeptVisit]) -> Iterator[TimelineItem]:
    for visit in kept:
        source = _visit_source(visit, ())
        lines = [line for section in visit.note["sections"].values() for line in section] if visit.note else []
        said = " ".join(str(line["text"]) for line in lines[:2])
        said = said or " ".join(str(one["text"]) for one in visit.transcript["utterances"][:2])
        state = "signed" if visit.signature else "draft" if visit.note else "transcript only"
        models = (visit.note or visit.transcript).get("models", ())
        model = ModelStamp(models[0]["id"], models[0]["revision"]) if models else None
        at = visit.created_at
        yield TimelineItem(source, at.date(), said[:200], state, "consultation", None, model, at)


def reading_items(kept: Sequence[KeptReading]) -> Iterator[TimelineItem]:
    for reading in kept:
        shape = reading.outside
        source = Source(SourceKind.READING, reading.reading_id, str(reading.task).replace("_", " ").capitalize())
        positive = [one for one in shape["findings"] if one["positive"]]
        shown = max(positive or shape["findings"], key=lambda one: one["score"], default=None)
        detail = (
            str(shape["reason"] or "")
            if reading.abstained
            else f"{str(shown['label']).replace('_', ' ')} {100 * shown['score']:.0f} %"
            if shown
            else ""
        )
        model = ModelStamp(shape["model"]["id"], shape["model"]["revision"])
        trust = None if reading.abstained or not shown else float(shown["score"])
        state = "abstained" if reading.abstained else "read"
        at = reading.created_at
        yield TimelineItem(source, at.date(), detail, state, reading.task, trust, model, at)


def prescription_items(kept: Sequence[PrescriptionRecord], today: date) -> Iterator[TimelineItem]:
    for record in kept:
        order = record.signed.prescription
        source = Source(SourceKind.PRESCRIPTION, order.prescription_id, prescription_title(record))
        handed = sum(1 for at in range(len(order.medicines)) if record.dispensed(at))
        state = "revoked" if record.revoked_at else "expired" if order.expires_at.date() < today else "active"
        if not record.revoked_at and all(record.remaining(at) <= 0 for at in range(len(order.medicines))):
            state = "dispensed"
        count = "1 medicine" if len(order.medicines) == 1 else f"{len(order.medicines)} medicines"
        detail = f"{count}, {handed} handed out, by {order.prescriber.name}"
        yield TimelineItem(source, order.issued_at.date(), detail, state, "prescription", kept_at=order.issued_at)


def prescription_title(record: PrescriptionRecord) -> str:
    """What was prescribed, in a line."""
    names = [medicine.name for medicine in record.signed.prescription.medicines]
    return "Prescription: " + ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _visit_source(visit: KeptVisit, evidence: tuple[str, ...]) -> Source:
    starts = _starts(visit.transcript) if evidence else {}
    start = next((starts[one] for one in evidence if starts.get(one) is not None), None)
    title = f"Consultation of {visit.created_at.date()}"
    return Source(SourceKind.CONSULTATION, visit.consultation_id, title, utterances=evidence, start_s=start)


def _starts(transcript: Mapping[str, Any]) -> dict[str, float | None]:
    return {one["id"]: one["start_s"] for one in transcript["utterances"]}


@functools.lru_cache(maxsize=4096)  # a signed note never changes, and a chart reads all of them each time
def _understood(lines: tuple[str, ...]) -> tuple[tuple[int, Fact], ...]:
    """Facts in lines of typed text, each with the number of its line."""
    made, owner = [], []
    for at, line in enumerate(lines):
        words = tuple(TextWord.upright(word, 1.0, NOWHERE) for word in line.split())
        if words:
            made.append(TextLine(words))
            owner += [at] * len(words)
    page = OcrPage(1, 1, 1, 72, 0, 0.0, PageSource.TYPED, tuple(made))
    return tuple((owner[fact.word_indices[0]], fact) for fact in understanding.understand((page,)) if fact.word_indices)

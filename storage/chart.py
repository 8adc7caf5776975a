"""What a chart is worked out from, read in bulk; what was set aside on it; merged patients; imported resources.

The number of queries does not grow with the chart: no record's page, and no visit alone, is read.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from domain.chart import Dismissal, Merge
from domain.document import Fact
from domain.errors import NotAllowed, NothingFound
from domain.kept_reading import KeptReading
from domain.models import ModelStamp
from storage import fact_places, patients, readings
from storage.page_codec import fact_from_json
from storage.tables import (
    chart_dismissals,
    chart_imports,
    chart_merges,
    consultation_addenda,
    consultation_versions,
    consultations,
    documents,
    events,
    prescriptions,
)
from storage.tables import patients as patient_rows
from storage.tables import readings as reading_rows

MOVED = {
    "documents": (documents, documents.c.document_id),
    "consultations": (consultations, consultations.c.consultation_id),
    "readings": (reading_rows, reading_rows.c.reading_id),
    "prescriptions": (prescriptions, prescriptions.c.prescription_id),
    "imports": (chart_imports, chart_imports.c.import_id),
}
READ = "document_id title kind document_date created_at page_count confidence model_id model_revision facts".split()
NO_TALK: dict[str, Any] = {"utterances": ()}
CHANGED = "This chart was changed elsewhere in the meantime, so nothing was overwritten. Look at it again, then repeat."


@dataclass(frozen=True, slots=True)
class ChartDocument:
    """A record without its pages. `boxes`: of each fact."""

    document_id: str
    title: str
    kind: str
    document_date: date | None
    created_at: datetime
    page_count: int
    confidence: float
    model: ModelStamp
    facts: tuple[Fact, ...]
    boxes: tuple[fact_places.Boxes, ...]


@dataclass(frozen=True, slots=True)
class ChartVisit:
    """A visit with its newest transcript and note, as JSON. `note`: None before the first draft."""

    consultation_id: str
    created_at: datetime
    transcript: dict[str, Any]
    note: dict[str, Any] | None
    note_version: int
    signature: dict[str, Any] | None
    addenda: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Imported:
    """A FHIR resource as it came."""

    import_id: str
    kind: str
    full_url: str
    content: dict[str, Any]
    at: datetime


def records(tx: sa.Connection, patient_id: str, limit: int) -> tuple[ChartDocument, ...]:
    """Newest first by the day they bear, in two queries."""
    query = sa.select(*(documents.c[name] for name in READ)).where(documents.c.patient_id == patient_id)
    rows = tx.execute(query.order_by(documents.c.created_at.desc()).limit(limit)).all()
    facts = {row.document_id: tuple(fact_from_json(fact) for fact in row.facts) for row in rows}
    boxes = fact_places.of_documents(tx, facts)
    return tuple(
        ChartDocument(
            row.document_id, row.title, row.kind, row.document_date, _aware(row.created_at), row.page_count,
            row.confidence, ModelStamp(row.model_id, row.model_revision), facts[row.document_id],
            boxes[row.document_id],
        )
        for row in rows
    )  # fmt: skip


def visits(tx: sa.Connection, patient_id: str, limit: int, with_talk: bool = True) -> tuple[ChartVisit, ...]:
    """Newest first, in three queries. `with_talk`: with the transcripts, which are by far the most of it."""
    query = sa.select(consultations).where(consultations.c.patient_id == patient_id)
    rows = tx.execute(query.order_by(consultations.c.created_at.desc()).limit(limit)).all()
    ids = [row.consultation_id for row in rows]
    v, c = consultation_versions.c, consultations.c
    newest = sa.or_(
        sa.and_(v.kind == "transcript", v.number == c.transcript_version),
        sa.and_(v.kind == "note", v.number == c.note_version),
    )
    joined = consultation_versions.join(consultations, v.consultation_id == c.consultation_id)
    found = sa.select(v.consultation_id, v.kind, v.content).select_from(joined)
    found = found.where(newest, v.consultation_id.in_(ids))
    if not with_talk:
        found = found.where(v.kind == "note")
    content = {(row.consultation_id, row.kind): row.content for row in tx.execute(found)}
    a = consultation_addenda.c
    added: dict[str, list[dict[str, Any]]] = {}
    for row in tx.execute(sa.select(consultation_addenda).where(a.consultation_id.in_(ids)).order_by(a.number)):
        added.setdefault(row.consultation_id, []).append(row.content)
    return tuple(
        ChartVisit(
            row.consultation_id, _aware(row.created_at), content.get((row.consultation_id, "transcript"), NO_TALK),
            content.get((row.consultation_id, "note")), row.note_version, row.signature,
            tuple(added.get(row.consultation_id, ())),
        )
        for row in rows
    )  # fmt: skip


def scans(tx: sa.Connection, patient_id: str, limit: int) -> tuple[KeptReading, ...]:
    """Newest first, in two queries."""
    return readings.of_patient(tx, patient_id, limit)


def revision(tx: sa.Connection, patient_id: str) -> int:
    """Index of the newest event that changed something of this patient, plus one; 0 before the first."""
    changing = sa.or_(
        events.c.action.in_(("C", "U", "D")), sa.and_(events.c.action == "E", events.c.entity.like("Composition/%"))
    )
    found = tx.scalar(sa.select(sa.func.max(events.c["index"])).where(events.c.patient_id == patient_id, changing))
    return 0 if found is None else int(found) + 1


def claim(tx: sa.Connection, patient_id: str, seen: int, *others: str) -> None:
    """Hold the chart, and `others` that the change concerns, until `tx` ends.

    Raises NotAllowed when it is not any more what the writer saw (`seen`), or one of them was merged into another.
    """
    charts = sorted({patient_id, *others})  # always in one order, so that two writers wait and never block each other
    for one in charts:
        tx.execute(sa.select(patient_rows.c.patient_id).where(patient_rows.c.patient_id == one).with_for_update())
    if revision(tx, patient_id) != seen or any(merged_into(tx, one) for one in charts):
        raise NotAllowed(CHANGED)


# -- set aside ---------------------------------------------------------------------------------------------------------


def dismissals(tx: sa.Connection, patient_id: str) -> dict[str, Dismissal]:
    """What is set aside now, by item."""
    table = chart_dismissals
    rows = tx.execute(sa.select(table).where(table.c.patient_id == patient_id, table.c.reopened_at.is_(None)))
    return {row.item: Dismissal(row.reason, row.who, _aware(row.at)) for row in rows}


def dismiss(tx: sa.Connection, patient_id: str, item: str, reason: str, who: str) -> None:
    """Set an item aside. Raises NotAllowed where it is already."""
    if item in dismissals(tx, patient_id):
        raise NotAllowed("This was set aside already. Look at the chart again to read the reason.")
    tx.execute(
        chart_dismissals.insert().values(patient_id=patient_id, item=item, reason=reason, who=who, at=datetime.now(UTC))
    )


def reopen(tx: sa.Connection, patient_id: str, item: str, who: str) -> None:
    """Show it again; reason and persons stay in the table. Raises NothingFound where it is not set aside."""
    t = chart_dismissals.c
    here = sa.and_(t.patient_id == patient_id, t.item == item, t.reopened_at.is_(None))
    done = tx.execute(chart_dismissals.update().where(here).values(reopened_by=who, reopened_at=datetime.now(UTC)))
    if not done.rowcount:
        raise NothingFound("This is not set aside, so there is nothing to show again. Look at the chart again.")


# -- merged patients ---------------------------------------------------------------------------------------------------


def belongings(tx: sa.Connection, patient_id: str) -> dict[str, list[str]]:
    """Ids of all that is filed to a patient, by table."""
    return {
        name: list(tx.scalars(sa.select(key).where(table.c.patient_id == patient_id)))
        for name, (table, key) in MOVED.items()
    }


def merge(tx: sa.Connection, kept_id: str, gone_id: str, reason: str, who: str) -> str:
    """File everything of one record of a person to the other; returns the id of the merge."""
    moved = belongings(tx, gone_id)
    _move(tx, moved, kept_id)
    merge_id = uuid.uuid4().hex
    tx.execute(
        chart_merges.insert().values(
            merge_id=merge_id, kept_id=kept_id, gone_id=gone_id, moved=moved, reason=reason, who=who,
            at=datetime.now(UTC),
        )
    )  # fmt: skip
    return merge_id


def merge_of(tx: sa.Connection, merge_id: str) -> tuple[str, str]:
    """Ids of the kept and the gone patient. Raises NothingFound."""
    row = tx.execute(sa.select(chart_merges).where(chart_merges.c.merge_id == merge_id)).first()
    if row is None:
        raise NothingFound("No merge has this id. Open the chart and choose one of its merges.")
    return row.kept_id, row.gone_id


def unmerge(tx: sa.Connection, merge_id: str, who: str) -> list[str]:
    """Give back what went over and is still there; returns ids of the records that moved back.

    Raises NothingFound, NotAllowed where it was undone already.
    """
    row = tx.execute(sa.select(chart_merges).where(chart_merges.c.merge_id == merge_id).with_for_update()).first()
    if row is None or row.undone_at is not None:
        raise NotAllowed("This merge was undone already. Open both charts to see them apart.")
    still = belongings(tx, row.kept_id)
    back = {name: [one for one in ids if one in set(still[name])] for name, ids in row.moved.items()}
    _move(tx, back, row.gone_id)
    this = chart_merges.c.merge_id == merge_id
    tx.execute(chart_merges.update().where(this).values(undone_by=who, undone_at=datetime.now(UTC)))
    return back["documents"]


def merges_of(tx: sa.Connection, patient_id: str) -> tuple[Merge, ...]:
    """Merges into this patient that stand, newest first."""
    m = chart_merges.c
    rows = tx.execute(
        sa.select(chart_merges).where(m.kept_id == patient_id, m.undone_at.is_(None)).order_by(m.at.desc())
    ).all()
    return tuple(
        Merge(
            row.merge_id, patients.get(tx, row.kept_id), patients.get(tx, row.gone_id),
            {name: len(ids) for name, ids in row.moved.items()}, row.reason, row.who, _aware(row.at),
        )
        for row in rows
    )  # fmt: skip


def merged_into(tx: sa.Connection, patient_id: str) -> str:
    """Id of the patient whose chart this one is part of now; "" for a chart of its own."""
    m = chart_merges.c
    return tx.scalar(sa.select(m.kept_id).where(m.gone_id == patient_id, m.undone_at.is_(None))) or ""


def _move(tx: sa.Connection, moved: Mapping[str, Sequence[str]], patient_id: str) -> None:
    for name, ids in moved.items():
        table, key = MOVED[name]
        values: dict[str, Any] = {"patient_id": patient_id}
        if name == "documents":
            values["revision"] = documents.c.revision + 1  # the index is behind until it follows
        for start in range(0, len(ids), 500):
            tx.execute(table.update().where(key.in_(ids[start : start + 500])).values(**values))


# -- imported resources ------------------------------------------------------------------------------------------------


def imports(tx: sa.Connection, patient_id: str, limit: int, kinds: Sequence[str] | None = None) -> tuple[Imported, ...]:
    """Resources that came from elsewhere, oldest first; of these types, or of all."""
    t = chart_imports.c
    mine = sa.select(chart_imports).where(t.patient_id == patient_id)
    if kinds is not None:
        mine = mine.where(t.kind.in_(kinds))
    rows = tx.execute(mine.order_by(t.at, t.import_id).limit(limit))
    return tuple(Imported(row.import_id, row.kind, row.full_url, row.content, _aware(row.at)) for row in rows)


def imported(tx: sa.Connection, patient_id: str, import_id: str) -> dict[str, Any]:
    """One of them, as it came. Raises NothingFound where it is not this patient's."""
    t = chart_imports.c
    found = tx.scalar(sa.select(t.content).where(t.patient_id == patient_id, t.import_id == import_id))
    if found is None:
        raise NothingFound("This was not received for this patient. Look at the chart again.")
    return found


def add_imports(
    tx: sa.Connection, patient_id: str, rows: Sequence[tuple[str, str, str, dict[str, Any]]]
) -> dict[str, str]:
    """Keep resources as (sha256, kind, full_url, content); those that are here already are left.

    Returns the ids of the new ones by sha256.
    """
    t = chart_imports.c
    known = set(tx.scalars(sa.select(t.sha256).where(t.patient_id == patient_id)))
    now, fresh = datetime.now(UTC), []
    for sha256, kind, full_url, content in rows:
        if sha256 not in known:
            known.add(sha256)
            fresh.append(
                {
                    "import_id": uuid.uuid4().hex, "patient_id": patient_id, "sha256": sha256, "kind": kind[:64],
                    "full_url": full_url, "content": content,
                    "at": now + timedelta(microseconds=len(fresh)),  # keeps the order in which they came
                }
            )  # fmt: skip
    if fresh:
        tx.execute(chart_imports.insert(), fresh)
    return {row["sha256"]: row["import_id"] for row in fresh}


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # SQLite keeps no zone

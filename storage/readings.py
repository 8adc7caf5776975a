"""Readings of scans and what persons said of them. A reading is never changed; opinions are added."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

from domain.errors import NothingFound
from domain.kept_reading import Feedback, KeptReading, Opinion
from storage.patients import check_own_chart
from storage.tables import reading_feedback, readings


def add(tx: sa.Connection, kept: KeptReading) -> None:
    """Keep a reading just made. Raises NotAllowed for a chart that was merged away."""
    tx.execute(
        readings.insert().values(
            reading_id=kept.reading_id,
            patient_id=kept.patient_id or None,
            created_at=kept.created_at,
            task=kept.task,
            model_id=kept.outside["model"]["id"],
            model_revision=kept.outside["model"]["revision"],
            outside=kept.outside,
            source_sha256=kept.source_sha256,
            picture_sha256=kept.picture_sha256,
            overlay_sha256=kept.overlay_sha256,
            number=kept.number,
            count=kept.count,
        )
    )
    check_own_chart(tx, kept.patient_id)


def get(tx: sa.Connection, reading_id: str) -> KeptReading:
    """Raises NothingFound."""
    row = tx.execute(sa.select(readings).where(readings.c.reading_id == reading_id)).one_or_none()
    if row is None:
        raise NothingFound("No reading has this id. Choose one from the patient's list.")
    return _kept(row, _feedback(tx, [reading_id]).get(reading_id, ()))


def of_patient(tx: sa.Connection, patient_id: str, limit: int = 200) -> tuple[KeptReading, ...]:
    """Newest first, in two queries; "" for those of nobody."""
    owner = readings.c.patient_id == patient_id if patient_id else readings.c.patient_id.is_(None)
    rows = tx.execute(sa.select(readings).where(owner).order_by(readings.c.created_at.desc()).limit(limit)).all()
    said = _feedback(tx, [row.reading_id for row in rows])
    return tuple(_kept(row, said.get(row.reading_id, ())) for row in rows)


def same(
    tx: sa.Connection, source_sha256: str, number: int, task: str, model_id: str, revision: str, patient_id: str
) -> str:
    """Id of the reading that the same model made of the same picture for the same patient; "" when there is none."""
    owner = readings.c.patient_id == patient_id if patient_id else readings.c.patient_id.is_(None)
    query = sa.select(readings.c.reading_id).where(
        owner,
        readings.c.source_sha256 == source_sha256,
        readings.c.number == number,
        readings.c.task == task,
        readings.c.model_id == model_id,
        readings.c.model_revision == revision,
    )
    return tx.scalar(query.order_by(readings.c.created_at).limit(1)) or ""


def file_to(tx: sa.Connection, reading_id: str, patient_id: str) -> None:
    """File to a patient, or to another one. Raises NothingFound."""
    get(tx, reading_id)
    tx.execute(readings.update().where(readings.c.reading_id == reading_id).values(patient_id=patient_id or None))
    check_own_chart(tx, patient_id)


def say(tx: sa.Connection, reading_id: str, feedback: Feedback) -> None:
    """Add a person's opinion. Raises NothingFound."""
    get(tx, reading_id)
    tx.execute(
        reading_feedback.insert().values(
            reading_id=reading_id,
            opinion=feedback.opinion.value,
            reason=feedback.reason,
            who=feedback.who,
            at=feedback.at,
        )
    )


def with_feedback(tx: sa.Connection) -> tuple[KeptReading, ...]:
    """Every reading that somebody said something of, oldest first."""
    ids = tx.scalars(sa.select(reading_feedback.c.reading_id).distinct()).all()
    rows = tx.execute(sa.select(readings).where(readings.c.reading_id.in_(ids)).order_by(readings.c.created_at)).all()
    said = _feedback(tx, ids)
    return tuple(_kept(row, said.get(row.reading_id, ())) for row in rows)


def files_in_use(tx: sa.Connection) -> frozenset[str]:
    """SHA-256 of all bytes that a reading needs."""
    columns = (readings.c.picture_sha256, readings.c.overlay_sha256)
    return frozenset(value for row in tx.execute(sa.select(*columns)) for value in row if value)


def _feedback(tx: sa.Connection, ids: list[str]) -> dict[str, tuple[Feedback, ...]]:
    said: dict[str, tuple[Feedback, ...]] = {}
    query = sa.select(reading_feedback).where(reading_feedback.c.reading_id.in_(ids)).order_by(reading_feedback.c.id)
    for row in tx.execute(query):
        one = Feedback(Opinion(row.opinion), row.reason, row.who, _aware(row.at))
        said[row.reading_id] = (*said.get(row.reading_id, ()), one)
    return said


def _kept(row: sa.Row, feedback: tuple[Feedback, ...]) -> KeptReading:
    return KeptReading(
        reading_id=row.reading_id,
        patient_id=row.patient_id or "",
        created_at=_aware(row.created_at),
        outside=row.outside,
        source_sha256=row.source_sha256,
        picture_sha256=row.picture_sha256,
        overlay_sha256=row.overlay_sha256,
        number=row.number,
        count=row._mapping["count"],
        feedback=feedback,
    )


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # SQLite keeps no zone

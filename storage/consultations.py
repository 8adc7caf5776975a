"""Visits: transcript and note with every earlier version, addenda, and the recording until the note is signed.

Each change is one transaction with its trail event. A signed note is never written again; only addenda are added. What
a transcript or note looks like is not known here: both are JSON that the desk of the pipelines makes and reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from domain.audit import Action, Actor
from domain.errors import NotAllowed, NothingFound
from domain.models import ModelStamp
from storage import audit
from storage.database import Database
from storage.patients import check_own_chart
from storage.tables import consultation_addenda, consultation_versions, consultations

UNKNOWN = "No consultation of this id is kept here. Check the id, or start again from the recording or the text."
LOCKED = "This note is signed, so it cannot be changed any more. What is still to be said goes into an addendum."
CHANGED = "This consultation was changed elsewhere in the meantime, so nothing was overwritten. Open it again."
TRANSCRIPT, NOTE = "transcript", "note"


@dataclass(frozen=True, slots=True)
class KeptConsultation:
    """A visit as it stands. `note`: None before the first draft; `audio_sha256`: "" when no recording is kept.

    `signature`: {"name", "at", "sha256"} of a signed note; `addenda`: {"text", "name", "at"}, oldest first.
    """

    consultation_id: str
    patient_id: str
    created_at: datetime
    transcript: dict[str, Any]
    transcript_version: int
    note: dict[str, Any] | None
    note_version: int
    audio_sha256: str
    audio_type: str
    signature: dict[str, Any] | None
    addenda: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class KeptVersion:
    """One version of a transcript or note. `number` from 1."""

    number: int
    content: dict[str, Any]
    made_at: datetime
    made_by: str
    reason: str


class ConsultationStore:
    """Visits in the database. Safe to use from several threads and processes at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        consultation_id: str,
        patient_id: str,
        transcript: dict[str, Any],
        actor: Actor,
        detail: str,
        model: ModelStamp | None = None,
        audio_sha256: str = "",
        audio_type: str = "",
    ) -> None:
        """Keep a visit just heard or imported."""
        with self._database.begin() as tx:
            tx.execute(
                consultations.insert().values(
                    consultation_id=consultation_id,
                    patient_id=patient_id or None,
                    created_at=datetime.now(UTC),
                    transcript_version=1,
                    note_version=0,
                    audio_sha256=audio_sha256,
                    audio_type=audio_type,
                    signature=None,
                )
            )
            _keep(tx, consultation_id, TRANSCRIPT, 1, transcript, actor, "first")
            check_own_chart(tx, patient_id)
            audit.append(tx, actor, Action.CREATE, f"Encounter/{consultation_id}", patient_id, detail, model)

    def get(self, consultation_id: str) -> KeptConsultation:
        """Raises NothingFound."""
        with self._database.read() as tx:
            return _load(tx, consultation_id)

    def of_patient(self, patient_id: str, limit: int = 200) -> tuple[KeptConsultation, ...]:
        """Newest first; "" for those of nobody."""
        owner = consultations.c.patient_id == patient_id if patient_id else consultations.c.patient_id.is_(None)
        query = sa.select(consultations.c.consultation_id).where(owner)
        with self._database.read() as tx:
            ids = tx.scalars(query.order_by(consultations.c.created_at.desc()).limit(limit)).all()
            return tuple(_load(tx, one) for one in ids)

    def change(
        self,
        before: KeptConsultation,
        actor: Actor,
        detail: str,
        transcript: dict[str, Any] | None = None,
        note: dict[str, Any] | None = None,
        model: ModelStamp | None = None,
    ) -> None:
        """Keep a new version of transcript, note or both. Raises NotAllowed once signed or when `before` is old."""
        with self._database.begin() as tx:
            row = _lock(tx, before)
            numbers: dict[str, int] = {}
            for kind, content in ((TRANSCRIPT, transcript), (NOTE, note)):
                if content is not None:
                    number = getattr(row, f"{kind}_version") + 1
                    _keep(tx, before.consultation_id, kind, number, content, actor, detail)
                    numbers[f"{kind}_version"] = number
            tx.execute(_this(before.consultation_id).values(**numbers))
            entity = f"{'Composition' if note is not None else 'Consultation'}/{before.consultation_id}"
            audit.append(tx, actor, Action.UPDATE, entity, before.patient_id, detail, model)

    def sign(
        self, before: KeptConsultation, note: dict[str, Any], signature: dict[str, Any], actor: Actor, detail: str
    ) -> None:
        """Lock the note; the recording is no longer named, so that its bytes may go. Raises NotAllowed when signed."""
        with self._database.begin() as tx:
            row = _lock(tx, before)
            number = row.note_version + 1
            _keep(tx, before.consultation_id, NOTE, number, note, actor, "signed")
            tx.execute(
                _this(before.consultation_id).values(
                    note_version=number, signature=signature, audio_sha256="", audio_type=""
                )
            )
            entity = f"Composition/{before.consultation_id}"
            audit.append(tx, actor, Action.EXECUTE, entity, before.patient_id, detail)
            if row.audio_sha256:
                recording = f"Media/{before.consultation_id}"
                audit.append(tx, actor, Action.DELETE, recording, before.patient_id, "recording deleted after signing")

    def add_addendum(self, before: KeptConsultation, addendum: dict[str, Any], actor: Actor) -> None:
        """Add to a signed note. Raises NotAllowed for one that is not signed."""
        with self._database.begin() as tx:
            row = tx.execute(_select(before.consultation_id).with_for_update()).one_or_none()
            if row is None:
                raise NothingFound(UNKNOWN)
            if row.signature is None:
                raise NotAllowed("This note is not signed yet, so it needs no addendum. Change the draft instead.")
            mine = consultation_addenda.c.consultation_id == before.consultation_id
            count = tx.scalar(sa.select(sa.func.count()).select_from(consultation_addenda).where(mine)) or 0
            tx.execute(
                consultation_addenda.insert().values(
                    consultation_id=before.consultation_id, number=count + 1, content=addendum
                )
            )
            entity = f"Composition/{before.consultation_id}"
            audit.append(tx, actor, Action.UPDATE, entity, before.patient_id, f"addendum {count + 1}")

    def discard(self, before: KeptConsultation, actor: Actor) -> None:
        """Remove an unsigned visit with all its versions. Raises NotAllowed once signed."""
        with self._database.begin() as tx:
            _lock(tx, before)
            for table in (consultation_versions, consultations):
                tx.execute(table.delete().where(table.c.consultation_id == before.consultation_id))
            entity = f"Encounter/{before.consultation_id}"
            audit.append(tx, actor, Action.DELETE, entity, before.patient_id, "unsigned consultation discarded")

    def needs_recording(self, audio_sha256: str) -> bool:
        """Whether an unsigned visit still rests on the recording of this hash."""
        with self._database.read() as tx:
            return audio_sha256 in files_in_use(tx)

    def versions(self, consultation_id: str, kind: str) -> tuple[KeptVersion, ...]:
        """Every version of the transcript or the note, oldest first."""
        table = consultation_versions
        mine = sa.and_(table.c.consultation_id == consultation_id, table.c.kind == kind)
        with self._database.read() as tx:
            rows = tx.execute(sa.select(table).where(mine).order_by(table.c.number)).all()
        return tuple(KeptVersion(r.number, r.content, _aware(r.made_at), r.made_by, r.reason) for r in rows)


def files_in_use(tx: sa.Connection) -> frozenset[str]:
    """SHA-256 of the recordings that an unsigned visit still needs."""
    kept = sa.select(consultations.c.audio_sha256).where(consultations.c.audio_sha256 != "")
    return frozenset(tx.scalars(kept).all())


def _keep(
    tx: sa.Connection, consultation_id: str, kind: str, number: int, content: dict[str, Any], actor: Actor, reason: str
) -> None:
    tx.execute(
        consultation_versions.insert().values(
            consultation_id=consultation_id,
            kind=kind,
            number=number,
            content=content,
            made_at=datetime.now(UTC),
            made_by=actor.who,
            reason=reason[:200],
        )
    )


def _lock(tx: sa.Connection, before: KeptConsultation) -> sa.Row:
    """The row as it is now, held; it must be what the caller saw."""
    row = tx.execute(_select(before.consultation_id).with_for_update()).one_or_none()
    if row is None:
        raise NothingFound(UNKNOWN)
    if row.signature is not None:
        raise NotAllowed(LOCKED)
    if (row.transcript_version, row.note_version) != (before.transcript_version, before.note_version):
        raise NotAllowed(CHANGED)
    return row


def _load(tx: sa.Connection, consultation_id: str) -> KeptConsultation:
    row = tx.execute(_select(consultation_id)).one_or_none()
    if row is None:
        raise NothingFound(UNKNOWN)
    added = sa.select(consultation_addenda.c.content).where(consultation_addenda.c.consultation_id == consultation_id)
    return KeptConsultation(
        consultation_id=row.consultation_id,
        patient_id=row.patient_id or "",
        created_at=_aware(row.created_at),
        transcript=_content(tx, consultation_id, TRANSCRIPT, row.transcript_version),
        transcript_version=row.transcript_version,
        note=_content(tx, consultation_id, NOTE, row.note_version) if row.note_version else None,
        note_version=row.note_version,
        audio_sha256=row.audio_sha256,
        audio_type=row.audio_type,
        signature=row.signature,
        addenda=tuple(tx.scalars(added.order_by(consultation_addenda.c.number)).all()),
    )


def _content(tx: sa.Connection, consultation_id: str, kind: str, number: int) -> dict[str, Any]:
    table = consultation_versions
    here = sa.and_(table.c.consultation_id == consultation_id, table.c.kind == kind, table.c.number == number)
    return tx.execute(sa.select(table.c.content).where(here)).scalar_one()


def _select(consultation_id: str) -> sa.Select:
    return sa.select(consultations).where(consultations.c.consultation_id == consultation_id)


def _this(consultation_id: str) -> sa.Update:
    return consultations.update().where(consultations.c.consultation_id == consultation_id)


def _aware(value: datetime) -> datetime:
    """SQLite forgets the zone; what was stored is UTC."""
    return value if value.tzinfo else value.replace(tzinfo=UTC)

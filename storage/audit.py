"""The trail: events appended in the transaction of the change they tell of, each chained to the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import sqlalchemy as sa

from domain.audit import Action, Actor, AuditEvent
from domain.models import ModelStamp
from storage.database import events, trail_head

_FIELDS = (
    "index",
    "at",
    "who",
    "session",
    "role",
    "action",
    "entity",
    "patient_id",
    "detail",
    "model_id",
    "model_revision",
)


def append(
    tx: sa.Connection,
    actor: Actor,
    action: Action,
    entity: str,
    patient_id: str = "",
    detail: str = "",
    model: ModelStamp | None = None,
) -> None:
    """Add one event inside `tx`. `detail` must hold no patient data; it is cut at 400 characters."""
    head = tx.execute(sa.select(trail_head).with_for_update()).one()
    row = {
        "index": head.size,
        "at": datetime.now(UTC).isoformat(),
        "who": actor.who,
        "session": actor.session,
        "role": actor.role,
        "action": action.value,
        "entity": entity,
        "patient_id": patient_id,
        "detail": detail[:400],
        "model_id": model.id if model else "",
        "model_revision": model.revision if model else "",
    }
    chained = _chain(head.chained, row)
    tx.execute(events.insert().values(**row, chained=chained))
    tx.execute(trail_head.update().values(size=head.size + 1, chained=chained))


def of_patient(tx: sa.Connection, patient_id: str, limit: int = 500) -> tuple[AuditEvent, ...]:
    """The newest `limit` events of one patient, oldest first; "" for all patients."""
    query = sa.select(events).order_by(events.c["index"].desc()).limit(limit)
    if patient_id:
        query = query.where(events.c.patient_id == patient_id)
    return tuple(_event(row) for row in reversed(tx.execute(query).all()))


def first_broken(tx: sa.Connection) -> int | None:
    """Index of the first event that was altered, removed or moved; None while the trail is whole."""
    before, expected = "", 0
    for row in _rows(tx):
        if row["index"] != expected or row["chained"] != _chain(before, row):
            return expected
        before, expected = row["chained"], expected + 1
    head = tx.execute(sa.select(trail_head)).one()
    return None if (head.size, head.chained) == (expected, before) else min(expected, head.size)


def checkpoint(tx: sa.Connection) -> str:
    """Size and head of the trail, "size:sha256", to be kept outside; whoever holds it can tell a rewritten trail."""
    head = tx.execute(sa.select(trail_head)).one()
    return f"{head.size}:{head.chained}"


def _rows(tx: sa.Connection) -> Iterator[dict[str, object]]:
    for row in tx.execution_options(yield_per=5000).execute(sa.select(events).order_by(events.c["index"])):
        yield dict(row._mapping)


def _chain(before: str, row: dict[str, object]) -> str:
    content = json.dumps([row[name] for name in _FIELDS], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(f"{before}\n{content}".encode()).hexdigest()


def _event(row: sa.Row) -> AuditEvent:
    model = ModelStamp(row.model_id, row.model_revision) if row.model_id else None
    actor = Actor(row.who, row.session, row.role)
    at = datetime.fromisoformat(row.at)
    index = row._mapping["index"]
    return AuditEvent(index, at, actor, Action(row.action), row.entity, row.patient_id, row.detail, model, row.chained)

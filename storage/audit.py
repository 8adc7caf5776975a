"""The trail: events appended in the transaction of the change they tell of, chained, and leaves of a Merkle tree.

The chain names the first event that was touched; the tree proves one event without the others, and its root, signed and
kept elsewhere, gives away a trail that was rewritten from end to end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import sqlalchemy as sa

from domain.audit import HASHED_FIELDS, Action, Actor, AuditEvent, Checkpoint, EventProof, Examination, hashed_content
from domain.errors import NothingFound, StorageFailed
from domain.merkle import DIGEST_BYTES, Growing, inclusion_proof, leaf_hash
from domain.models import ModelStamp
from storage.tables import events, trail_edge, trail_head, trail_nodes

MAX_DETAIL_CHARS = 400
ROWS_AT_ONCE = 5000
_COLUMNS = tuple(events.c[name] for name in HASHED_FIELDS)


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
        "detail": detail[:MAX_DETAIL_CHARS],
        "model_id": model.id if model else "",
        "model_revision": model.revision if model else "",
    }
    content = hashed_content([row[name] for name in HASHED_FIELDS])
    chained = _chain(head.chained, content)
    tree = _tree(tx, head.size)
    nodes = [
        {"level": level, "number": number, "digest": digest}
        for level, number, digest in tree.append(leaf_hash(content))
    ]
    tx.execute(events.insert().values(**row, chained=chained))
    tx.execute(trail_nodes.insert(), nodes)
    tx.execute(trail_edge.update().values(edge=b"".join(tree.edge).hex()))
    tx.execute(trail_head.update().values(size=head.size + 1, chained=chained))


def of_patient(tx: sa.Connection, patient_id: str, limit: int = 500) -> tuple[AuditEvent, ...]:
    """The newest `limit` events of one patient, oldest first; "" for all patients."""
    query = sa.select(events).order_by(events.c["index"].desc()).limit(limit)
    if patient_id:
        query = query.where(events.c.patient_id == patient_id)
    return tuple(_event(row) for row in reversed(tx.execute(query).all()))


def checkpoint(tx: sa.Connection) -> Checkpoint:
    """The tree as it is now. Raises StorageFailed when its stored edge does not fit the trail's length."""
    size = tx.execute(sa.select(trail_head.c.size)).scalar_one()
    return Checkpoint(size, _tree(tx, size).root().hex(), datetime.now(UTC))


def prove(tx: sa.Connection, index: int) -> EventProof:
    """That event `index` stands in the trail as it is now. Raises NothingFound."""
    now = checkpoint(tx)
    row = tx.execute(sa.select(*_COLUMNS).where(events.c["index"] == index)).one_or_none()
    if row is None or index >= now.size:
        raise NothingFound(f"The trail has no event {index}. It holds events 0 to {now.size - 1}.")

    def node_at(level: int, number: int) -> bytes:
        at = sa.and_(trail_nodes.c.level == level, trail_nodes.c.number == number)
        return bytes(tx.execute(sa.select(trail_nodes.c.digest).where(at)).scalar_one())

    path = tuple(digest.hex() for digest in inclusion_proof(index, now.size, node_at))
    return EventProof(index, hashed_content(row).decode(), path, now)


def examine(tx: sa.Connection, kept: Iterable[Checkpoint] = ()) -> Examination:
    """Read the whole trail again and compare it with its chain, its tree, and checkpoints kept elsewhere."""
    roots: dict[int, set[str]] = {}
    for one in kept:
        roots.setdefault(one.size, set()).add(one.root)
    tree, chained, vouched, finished = Growing(), "", 0, [bytearray()]
    for row in tx.execution_options(yield_per=ROWS_AT_ONCE).execute(
        sa.select(*_COLUMNS, events.c.chained).order_by(events.c["index"])
    ):
        content = hashed_content(row[:-1])
        chained = _chain(chained, content)
        if row[0] != tree.size:
            return _broken(tree, tree.size, f"Event {tree.size} is missing.")
        if row[-1] != chained:
            return _broken(tree, tree.size, f"Event {tree.size} is not as it was written.")
        for level, _, digest in tree.append(leaf_hash(content)):
            if level == len(finished):
                finished.append(bytearray())
            finished[level] += digest
        if tree.size in roots:
            if roots.pop(tree.size) != {tree.root().hex()}:
                return _broken(
                    tree,
                    vouched,
                    f"The first {tree.size} events are not those of the checkpoint kept for them: the trail was "
                    f"rewritten, at event {vouched} or after it.",
                )
            vouched = tree.size
    head = tx.execute(sa.select(trail_head)).one()
    longest = max([head.size, *roots])
    if longest > tree.size:
        return _broken(tree, tree.size, f"The trail had {longest} events, and ends before event {tree.size}.")
    if (head.size, head.chained) != (tree.size, chained):
        return _broken(tree, head.size, f"Event {head.size} was added past the trail's own end.")
    return _compare_tree(tx, tree, finished)


@contextmanager
def one_byte_changed(tx: sa.Connection, index: int) -> Iterator[tuple[str, str]]:
    """For a demonstration: the last byte of an event's time differs inside this block; yields it before and after.

    It is put back by a savepoint, whatever happens inside.
    """
    here = events.c["index"] == index
    before = tx.execute(sa.select(events.c.at).where(here)).scalar_one()
    after = before[:-1] + ("1" if before[-1] != "1" else "2")
    savepoint = tx.begin_nested()
    try:
        tx.execute(events.update().where(here).values(at=after))
        yield before, after
    finally:
        savepoint.rollback()


def _compare_tree(tx: sa.Connection, tree: Growing, finished: list[bytearray]) -> Examination:
    """The stored nodes against those that the events give: differing ones mean that event and chain were forged."""
    count = 0
    for level, number, digest in tx.execution_options(yield_per=ROWS_AT_ONCE).execute(
        sa.select(trail_nodes.c.level, trail_nodes.c.number, trail_nodes.c.digest).order_by(
            trail_nodes.c.level, trail_nodes.c.number
        )
    ):
        at = number * DIGEST_BYTES
        known = finished[level][at : at + DIGEST_BYTES] if level < len(finished) else b""
        if bytes(digest) != bytes(known):
            first = min(number << level, max(tree.size - 1, 0))
            return _broken(tree, first, f"Event {first} is not the one that the tree of the trail holds.")
        count += 1
    if count != sum(map(len, finished)) // DIGEST_BYTES or _stored_edge(tx) != tree.edge:
        return _broken(tree, None, "The tree of the trail is incomplete, though every event is as it was written.")
    return Examination(tree.size, tree.root().hex(), None, "")


def _broken(tree: Growing, first: int | None, reason: str) -> Examination:
    return Examination(tree.size, tree.root().hex(), first, reason)


def _tree(tx: sa.Connection, size: int) -> Growing:
    try:
        return Growing(size, _stored_edge(tx))
    except ValueError as error:
        raise StorageFailed(
            "The trail's tree does not fit its events, so nothing was changed: every change must be on the trail. "
            "Verify it with: python -m pipelines audit, and restore the last backup."
        ) from error


def _stored_edge(tx: sa.Connection) -> tuple[bytes, ...]:
    edge = bytes.fromhex(tx.execute(sa.select(trail_edge.c.edge)).scalar_one())
    return tuple(edge[at : at + DIGEST_BYTES] for at in range(0, len(edge), DIGEST_BYTES))


def _chain(before: str, content: bytes) -> str:
    return hashlib.sha256(before.encode() + b"\n" + content).hexdigest()


def _event(row: sa.Row) -> AuditEvent:
    model = ModelStamp(row.model_id, row.model_revision) if row.model_id else None
    actor = Actor(row.who, row.session, row.role)
    at = datetime.fromisoformat(row.at)
    index = row._mapping["index"]
    return AuditEvent(index, at, actor, Action(row.action), row.entity, row.patient_id, row.detail, model, row.chained)

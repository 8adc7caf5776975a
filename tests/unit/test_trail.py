"""The trail under attack: what is edited, deleted, reordered, cut off or rewritten is found, and named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain.audit import HASHED_FIELDS, Action, Actor, hashed_content
from domain.errors import NothingFound, StorageFailed, UploadRejected
from domain.merkle import Growing, leaf_hash, proof_holds
from pipelines.trail_desk import TrailDesk
from storage import audit
from storage.checkpoint_file import FILE, CheckpointFile
from storage.database import Database
from storage.signing_keys import SigningKeys
from storage.tables import events, trail_edge, trail_head, trail_nodes

EVENTS = 21
NURSE = Actor("nurse", "session", "nurse")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def desk(folder: Path) -> TrailDesk:
    database = Database(f"sqlite:///{folder}/trail.db")
    write(database, EVENTS)
    return TrailDesk(database, CheckpointFile(folder), SigningKeys(folder, "https://clinic.example"))


def write(database: Database, count: int, start: int = 0) -> None:
    with database.begin() as tx:
        for number in range(start, start + count):
            audit.append(tx, NURSE, Action.READ, f"DocumentReference/{number}", "p1", f"page {number}")


def rewrite(tx: sa.Connection, first: int, detail: str) -> None:
    """What somebody with the whole database in his hands does: event, chain, tree and head are made anew."""
    rows = [dict(row._mapping) for row in tx.execute(sa.select(events).order_by(events.c["index"]))]
    rows[first]["detail"] = detail
    tx.execute(events.delete())
    tx.execute(trail_nodes.delete())
    tree, chained = Growing(), ""
    for index, row in enumerate(rows):
        row["index"] = index
        content = hashed_content([row[name] for name in HASHED_FIELDS])
        chained = audit._chain(chained, content)
        tx.execute(events.insert().values(**row | {"chained": chained}))
        nodes = tree.append(leaf_hash(content))
        tx.execute(trail_nodes.insert(), [dict(zip(("level", "number", "digest"), n, strict=True)) for n in nodes])
    tx.execute(trail_edge.update().values(edge=b"".join(tree.edge).hex()))
    tx.execute(trail_head.update().values(size=len(rows), chained=chained))


def edit(tx: sa.Connection) -> None:
    tx.execute(events.update().where(events.c["index"] == 7).values(who="somebody else"))


def delete(tx: sa.Connection) -> None:
    tx.execute(events.delete().where(events.c["index"] == 7))


def reorder(tx: sa.Connection) -> None:
    for before, after in ((7, 1000), (8, 7), (1000, 8)):
        tx.execute(events.update().where(events.c["index"] == before).values(index=after))


def truncate(tx: sa.Connection) -> None:
    tx.execute(events.delete().where(events.c["index"] >= 15))


def invent(tx: sa.Connection) -> None:
    row = dict(tx.execute(sa.select(events).where(events.c["index"] == EVENTS - 1)).one()._mapping)
    tx.execute(events.insert().values(**row | {"index": EVENTS}))


def truncate_with_head(tx: sa.Connection) -> None:
    """The end is cut off so well that chain, head and tree agree with what is left."""
    truncate(tx)
    rewrite(tx, 0, "page 0")


def forge_chain_not_tree(tx: sa.Connection) -> None:
    nodes = tx.execute(sa.select(trail_nodes)).all()
    rewrite(tx, 7, "nothing happened")
    tx.execute(trail_nodes.delete())
    tx.execute(trail_nodes.insert(), [dict(node._mapping) for node in nodes])


@pytest.mark.parametrize(
    ("attack", "named"),
    [
        (edit, 7),
        (delete, 7),
        (reorder, 7),
        (truncate, 15),
        (invent, EVENTS),
        (forge_chain_not_tree, 7),
    ],
)
def test_an_attack_is_found_without_any_checkpoint(
    desk: TrailDesk, attack: Callable[[sa.Connection], None], named: int
) -> None:
    with desk._database.begin() as tx:
        assert audit.examine(tx).intact
        attack(tx)
        found = audit.examine(tx)
    assert (found.intact, found.first_broken) == (False, named)
    assert str(named) in found.reason


@pytest.mark.parametrize(
    ("attack", "named"), [(lambda tx: rewrite(tx, 7, "nothing happened"), 0), (truncate_with_head, 15)]
)
def test_a_trail_rewritten_whole_is_found_by_a_kept_checkpoint(
    desk: TrailDesk, folder: Path, attack: Callable[[sa.Connection], None], named: int
) -> None:
    kept_elsewhere = desk.read().checkpoint
    (folder / FILE).unlink()  # the attacker has the data folder too
    with desk._database.begin() as tx:
        attack(tx)
        assert audit.examine(tx).intact  # nothing inside can tell
    found = desk.read(checkpoint=kept_elsewhere)
    assert (found.examination.intact, found.examination.first_broken) == (False, named)
    assert found.checkpoint == ""  # a broken trail is not vouched for


def test_checkpoints_bracket_where_a_rewriting_begins(desk: TrailDesk) -> None:
    desk.read()
    write(desk._database, 10, EVENTS)
    desk.keep_checkpoint()
    with desk._database.begin() as tx:
        rewrite(tx, EVENTS + 4, "nothing happened")
    found = desk.read().examination
    assert found.first_broken == EVENTS  # the first event that the older checkpoint does not vouch for


def test_a_kept_checkpoint_that_was_forged_is_no_proof_and_is_said(desk: TrailDesk, folder: Path) -> None:
    signed = desk.read().checkpoint
    header, payload, signature = signed.split(".")
    (folder / FILE).write_text(f"{header}.{payload[:-4]}AAAA.{signature}\n")
    found = desk.read().examination
    assert not found.intact
    assert found.first_broken is None
    assert "checkpoint" in found.reason


@pytest.mark.parametrize("text", ["nonsense", "a.b.c", "é" * 10, "x" * 5000, "eyJhbGciOiJub25lIn0.e30."])
def test_a_text_that_is_no_checkpoint_is_refused(desk: TrailDesk, text: str) -> None:
    with pytest.raises(UploadRejected, match="not a checkpoint"):
        desk.read(checkpoint=text)


def test_a_prescription_signature_does_not_pass_for_a_checkpoint(desk: TrailDesk, folder: Path) -> None:
    from pipelines.prescription_code import seal

    with pytest.raises(UploadRejected):
        desk.read(
            checkpoint=seal({"size": 1, "root": "00", "at": "2026-01-01T00:00:00+00:00"}, desk._keys.signing_key())
        )


def test_every_event_is_proved_alone(desk: TrailDesk) -> None:
    for index in range(EVENTS):
        proof = desk.prove(index)
        root = bytes.fromhex(proof.checkpoint.root)
        path = [bytes.fromhex(digest) for digest in proof.path]
        assert proof_holds(leaf_hash(proof.content.encode()), index, EVENTS, path, root)
        assert json.loads(proof.content)[0] == index
    with pytest.raises(NothingFound, match="0 to 20"):
        desk.prove(EVENTS)


def test_the_demonstration_is_found_and_leaves_no_trace(desk: TrailDesk) -> None:
    before = desk.read()
    shown = desk.show_tampering()
    assert shown.before != shown.after
    assert shown.found.first_broken == shown.index
    assert shown.restored.intact
    assert desk.read().events == before.events


def test_a_tree_that_does_not_fit_stops_every_change(desk: TrailDesk) -> None:
    with desk._database.begin() as tx:
        tx.execute(trail_edge.update().values(edge=""))
    with pytest.raises(StorageFailed, match="on the trail"):
        write(desk._database, 1, EVENTS)


def test_a_database_of_the_former_schema_gets_its_tree(folder: Path) -> None:
    database = Database(f"sqlite:///{folder}/old.db")
    write(database, 5)
    with database.begin() as tx:
        root = audit.checkpoint(tx).root
        for table in ("trail_nodes", "trail_edge"):
            tx.execute(sa.text(f"DROP TABLE {table}"))
        tx.execute(sa.text("DELETE FROM schema_version WHERE version >= 3"))
    database.close()
    again = Database(f"sqlite:///{folder}/old.db")
    with again.read() as tx:
        assert audit.examine(tx).intact
        assert audit.checkpoint(tx).root == root

"""How long it takes to verify a long trail and to prove one event of it, beside merely reading the same rows.

    python -m benchmarks.trail --events 1000000

The events are written straight into a scratch database; appending one the usual way is timed as well.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
import typer

from domain.audit import HASHED_FIELDS, Action, Actor, hashed_content
from domain.merkle import Growing, leaf_hash, proof_holds
from storage import audit
from storage.database import Database
from storage.tables import events, trail_edge, trail_head, trail_nodes

BATCH = 20_000
PROOFS = 200
APPENDS = 200


def main(events_count: Annotated[int, typer.Option("--events", min=1)] = 1_000_000) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'trail.db'}")
        _fill(database, events_count)
        read_s = _timed(lambda: _read(database))
        verify_s = _timed(lambda: _verify(database, events_count))
        prove_ms = [
            1000 * _timed(lambda at=at: _prove(database, at))
            for at in range(0, events_count, events_count // PROOFS or 1)
        ]
        append_ms = [1000 * _timed(lambda: _append(database)) for _ in range(APPENDS)]
        database.close()
    print(f"{events_count:,} events")
    print(f"  read every row          {read_s:8.1f} s")
    print(f"  verify chain and tree   {verify_s:8.1f} s   {verify_s / read_s:.1f} times the reading")
    print(f"  prove and check one     {_p95(prove_ms):8.2f} ms p95")
    print(f"  append one, durably     {_p95(append_ms):8.2f} ms p95")


def _fill(database: Database, count: int) -> None:
    actor = Actor("nurse", "benchmark", "nurse")
    tree, chained = Growing(), ""
    for start in range(0, count, BATCH):
        rows, nodes = [], []
        for index in range(start, min(start + BATCH, count)):
            row = dict(
                zip(
                    HASHED_FIELDS,
                    (index, "2026-01-01T00:00:00.000000+00:00", actor.who, actor.session, actor.role, Action.READ.value,
                     f"DocumentReference/{index:032x}", f"{index % 5000:032x}", "page 1", "", ""),
                    strict=True,
                )
            )  # fmt: skip
            content = hashed_content(list(row.values()))
            chained = audit._chain(chained, content)
            rows.append(row | {"chained": chained})
            nodes += [
                dict(level=at, number=number, digest=made) for at, number, made in tree.append(leaf_hash(content))
            ]
        with database.begin() as tx:
            tx.execute(events.insert(), rows)
            tx.execute(trail_nodes.insert(), nodes)
            tx.execute(trail_edge.update().values(edge=b"".join(tree.edge).hex()))
            tx.execute(trail_head.update().values(size=start + len(rows), chained=chained))


def _read(database: Database) -> None:
    with database.read() as tx:
        for _ in tx.execution_options(yield_per=audit.ROWS_AT_ONCE).execute(sa.select(events)):
            pass


def _verify(database: Database, count: int) -> None:
    with database.read() as tx:
        found = audit.examine(tx)
    assert found.intact, found.reason
    assert found.size == count


def _prove(database: Database, index: int) -> None:
    with database.read() as tx:
        proof = audit.prove(tx, index)
    path = [bytes.fromhex(digest) for digest in proof.path]
    root = bytes.fromhex(proof.checkpoint.root)
    assert proof_holds(leaf_hash(proof.content.encode()), index, proof.checkpoint.size, path, root)


def _append(database: Database) -> None:
    with database.begin() as tx:
        audit.append(tx, Actor("nurse", "benchmark", "nurse"), Action.READ, "DocumentReference/x")


def _timed(job) -> float:  # type: ignore[no-untyped-def]
    started = time.perf_counter()
    job()
    return time.perf_counter() - started


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1] if len(values) > 1 else values[0]


if __name__ == "__main__":
    typer.run(main)

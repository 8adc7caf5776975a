"""kill -9 while records are filed: afterwards every record is whole or absent, and the trail says which."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.workbench import Workbench
from storage import audit, documents
from storage.database import Database
from storage.files import FileStore
from storage.tables import events
from tests.unit.indexing_child import COMMITTED, NURSE, STEPS, open_workbench, own_word

ROOT = Path(__file__).resolve().parents[2]
KILLS = 12


def file_until_killed(data_dir: Path, steps: int, spin_seconds: float, module: str = "filing_child") -> None:
    """Let a child file records, and kill it a moment after its `steps`-th step, wherever it then is."""
    command = [sys.executable, "-m", f"tests.unit.{module}", str(data_dir)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        assert child.stdout is not None
        assert len(child.stdout.read(steps)) == steps, "the child ended by itself"
        until = time.perf_counter() + spin_seconds  # so that the kill also lands inside a write, not only at a step
        while time.perf_counter() < until:
            pass
    finally:
        child.kill()
        child.communicate()


def assert_whole(data_dir: Path) -> int:
    """Opens the stores as a restart does; returns how many records there are."""
    database, files = Database(f"sqlite:///{data_dir / 'records.sqlite'}"), FileStore(data_dir / "files")
    with database.read() as tx:
        kept, behind = documents.all_ids(tx), set(documents.behind_index(tx))
        for document_id in kept:
            document, filing = documents.get(tx, document_id), documents.filing_of(tx, document_id)
            assert [len(page.words) for page in document.pages] == [200, 200, 200]
            content = files.path(filing.source_sha256).read_bytes()
            assert hashlib.sha256(content).hexdigest() == filing.source_sha256
        assert audit.examine(tx).intact
        told = {entity.split("/")[1] for entity in tx.execute(sa.select(events.c.entity)).scalars()}
        assert told == set(kept)
        assert behind <= set(kept)
        in_use = documents.files_in_use(tx)
    for place in (data_dir / "files").rglob("*"):
        os.utime(place, (0, 0))  # an hour has passed
    files.sweep(in_use)
    assert {place.name for place in (data_dir / "files").glob("??/*")} == in_use
    assert list((data_dir / "files" / "working").iterdir()) == []
    database.close()
    return len(kept)


@pytest.mark.slow
def test_a_record_is_whole_or_absent_wherever_the_kill_falls(data_dir: Path) -> None:
    data_dir.mkdir()
    chance, kept = random.Random(20261124), 0
    for kill in range(KILLS):
        file_until_killed(data_dir, steps=1 + kill, spin_seconds=chance.uniform(0, 0.01))
        now = assert_whole(data_dir)
        assert now >= kept, "what was filed before the kill is still there"
        kept = now
    assert kept >= KILLS // 2


def assert_search_agrees(workbench: Workbench) -> int:
    """After a restart the search index holds exactly the records there are, and each is found by its own word."""
    workbench.search("anything", NURSE)  # opens the index, which catches up
    kept = workbench.documents(None)
    with workbench.database.read() as tx:
        assert documents.behind_index(tx) == ()
        assert audit.examine(tx).intact
    for record in kept:
        assert workbench.searchable_pdf(record.document_id).read_bytes().startswith(b"%PDF-")
        hits = workbench.search(own_word(record.title), NURSE).hits
        assert hits[0].passage.document_id == record.document_id
        assert hits[0].passage.patient_id == record.patient_id
        assert {hit.passage.document_id for hit in hits} <= {known.document_id for known in kept}
    return len(kept)


@pytest.mark.slow
@pytest.mark.parametrize("step", range(1, 1 + len(STEPS)))
def test_search_agrees_with_the_records_wherever_the_kill_falls(data_dir: Path, step: int) -> None:
    """The first record is filed; the child dies within the second, a moment after its `step`-th step."""
    data_dir.mkdir()
    letters = len(STEPS) + 1 + step
    file_until_killed(data_dir, letters, random.Random(step).uniform(0, 0.005), "indexing_child")
    with closing(open_workbench(data_dir)) as workbench:
        assert assert_search_agrees(workbench) >= (2 if step >= COMMITTED else 1)

"""The stores on a real PostgreSQL server, started for these tests in a folder of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from domain.audit import Action, Actor
from domain.document import Box, OcrDocument, OcrPage, PageSource, TextLine, TextWord
from domain.errors import NotAllowed, StorageFailed
from domain.models import ModelStamp
from storage import audit, choices, documents, patients
from storage.database import Database
from storage.documents import Filing

pytestmark = pytest.mark.server
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))


@pytest.fixture(scope="module")
def server_url() -> Iterator[str]:
    """A running server's URL. PostgreSQL refuses to run as root, so root hands it to Debian's `postgres`."""
    if not BINARIES:
        pytest.skip("PostgreSQL is not installed on this machine (Debian: postgresql)")
    home = Path(tempfile.mkdtemp(prefix="hc-pg-"))
    binaries, as_user = BINARIES[-1].parent, []
    if os.geteuid() == 0:
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        shutil.chown(home, "postgres", "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def call(program: str, *arguments: str) -> None:
        command = [*as_user, str(binaries / program), *arguments]
        subprocess.run(command, check=True, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={home} -c fsync=off"
    try:
        call("initdb", "-D", str(home / "db"), "-U", "hc", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        call("pg_ctl", "-D", str(home / "db"), "-o", options, "-l", str(home / "log"), "-w", "start")
        try:
            yield f"postgresql+psycopg://hc@127.0.0.1:{port}/postgres"
        finally:
            call("pg_ctl", "-D", str(home / "db"), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def database(server_url: str) -> Iterator[Database]:
    opened = Database(server_url)
    yield opened
    opened.close()


def record(document_id: str, patient_id: str = "") -> OcrDocument:
    line = TextLine(
        (TextWord.upright("denies", 0.5, Box(0, 0, 9, 5)), TextWord.upright("orthopnée", 0.25, Box(9, 0, 19, 5)))
    )
    page = OcrPage(1, 100, 50, 300.0, 0, 1.25, PageSource.OCR, (line,))
    now = datetime.now(UTC)
    return OcrDocument(
        document_id, patient_id, "Letter", (page,), ModelStamp("m", "1"), now, document_date=date(2024, 3, 9)
    )


def test_a_record_comes_back_as_it_was_and_can_be_mended(database: Database, nurse: Actor) -> None:
    with database.begin() as tx:
        patient = patients.create(tx, "Zoë Holloway", date(1961, 3, 12), "female", "HC-7")
        filed = record("pg1", patient.patient_id)
        documents.file(tx, filed, Filing("a" * 64, "", "b" * 64))
        audit.append(tx, nurse, Action.CREATE, "DocumentReference/pg1", patient.patient_id)
    with database.read() as tx:
        assert documents.get(tx, "pg1") == filed
        assert documents.same_source(tx, "a" * 64, patient.patient_id) == "pg1"
        for text in ("hol", "zoe", "hc-7", "holoway", "Holloway Zoë"):
            assert patients.find(tx, text) == (patient,), text
    with database.begin() as tx:
        mended, _ = documents.correct_word(tx, "pg1", 1, 1, "orthopnoea", "n")
        assert mended.revision == 2
        assert documents.history(tx, "pg1")[0].old_text == "orthopnée"
        documents.mark_indexed(tx, "pg1", 1)
        assert "pg1" in documents.behind_index(tx)
        choices.choose(tx, "ocr", "b")
        choices.choose(tx, "ocr", "c")
        assert choices.all_of(tx) == {"ocr": "c"}


def test_a_taken_record_number_is_refused_and_a_broken_rule_keeps_nothing(database: Database) -> None:
    with database.begin() as tx:
        patients.create(tx, "A", date(1961, 3, 12), "female", "HC-77")
    with pytest.raises(NotAllowed), database.begin() as tx:
        patients.create(tx, "B", date(1961, 3, 12), "female", "hc 77")
    with pytest.raises(StorageFailed), database.begin() as tx:
        documents.file(tx, record("pg2", "nobody-has-this-id"), Filing("c" * 64, "", "d" * 64))
    with database.read() as tx:
        assert "pg2" not in documents.all_ids(tx)


def test_two_writers_never_claim_one_place_in_the_trail(database: Database, nurse: Actor) -> None:
    def write() -> None:
        for _ in range(10):
            with database.begin() as tx:
                audit.append(tx, nurse, Action.READ, "Patient/x", "x")

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with database.read() as tx:
        assert audit.examine(tx).intact
        assert len(audit.of_patient(tx, "x")) == 40


def test_opening_it_again_changes_nothing(database: Database, server_url: str) -> None:
    again = Database(server_url)
    with again.read() as tx:
        assert documents.all_ids(tx)
    again.close()

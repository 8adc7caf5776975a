"""The stores on a real PostgreSQL server, started for these tests in a folder of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain.audit import Action, Actor
from domain.document import Box, OcrDocument, OcrPage, PageSource, TextLine, TextWord
from domain.errors import NotAllowed, StorageFailed
from domain.models import ModelStamp
from storage import audit, choices, documents, patients
from storage.database import Database
from storage.documents import Filing
from tests.unit.clinic_kit import DOCTOR, Clinic, sent_chart

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


def at_once(*jobs: Callable[[], object]) -> list[str]:
    """What became of jobs that begin in the same moment: "" for done, else why not."""
    ready, said = threading.Barrier(len(jobs)), [""] * len(jobs)

    def run(number: int, job: Callable[[], object]) -> None:
        ready.wait()
        try:
            job()
        except NotAllowed as refusal:
            said[number] = refusal.user_message

    writers = [threading.Thread(target=run, args=each) for each in enumerate(jobs)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    return said


@pytest.fixture
def clinic(database: Database, tmp_path: Path) -> Clinic:
    return Clinic(tmp_path, database)


def told(said: list[str]) -> int:
    """How many were refused, each because somebody else was first."""
    refused = [one for one in said if one]
    assert all("elsewhere" in one or "merged" in one for one in refused), refused
    return len(refused)


@pytest.mark.parametrize("_", range(5))
def test_of_two_writers_on_one_chart_the_later_is_told(clinic: Clinic, _: int) -> None:
    clinic.file(date(2026, 6, 6), "Follow-up 2026-08-01", "Diagnosis: left hip fracture.", kind="other")
    clinic.file(date(2026, 6, 7), "Diagnosis: right hip fracture.", kind="other")
    seen = clinic.desk.chart(clinic.ada)
    first, second = seen.attention[:2]
    said = at_once(
        lambda: clinic.desk.dismiss(clinic.ada, first.item, "Known to us", seen.revision, DOCTOR),
        lambda: clinic.desk.dismiss(clinic.ada, second.item, "Known to us", seen.revision, DOCTOR),
    )
    assert told(said) == 1
    aside = [one for one in clinic.desk.chart(clinic.ada).attention if one.dismissal]
    assert len(aside) == 1, "one was kept, and whoever came later knows that theirs was not"
    assert len(clinic.trail_of(clinic.ada)) == 1


@pytest.mark.parametrize("_", range(5))
def test_two_records_of_a_person_are_never_merged_into_one_another(clinic: Clinic, _: int) -> None:
    twin = clinic.add("Ada B Example")
    clinic.file(date(2026, 6, 7), "Apixaban 5 mg twice daily.", patient_id=twin)
    there, back = clinic.desk.preview_merge(clinic.ada, twin), clinic.desk.preview_merge(twin, clinic.ada)
    said = at_once(
        lambda: clinic.desk.merge(clinic.ada, twin, "One person", there.revision, DOCTOR),
        lambda: clinic.desk.merge(twin, clinic.ada, "One person", back.revision, DOCTOR),
    )
    assert told(said) == 1
    charts = [clinic.desk.chart(one) for one in (clinic.ada, twin)]
    assert sorted(len(one.timeline) for one in charts) == [0, 1]
    assert sum(bool(one.merged_into) for one in charts) == 1


@pytest.mark.parametrize("_", range(5))
def test_nothing_is_moved_or_filed_into_a_chart_while_it_is_merged_away(clinic: Clinic, _: int) -> None:
    twin, other = clinic.add("Ada B Example"), clinic.add("Bela Other")
    wrong = clinic.file(date(2026, 6, 7), "Apixaban 5 mg twice daily.", patient_id=other)
    merge, move = clinic.desk.preview_merge(clinic.ada, twin), clinic.desk.preview_move(wrong, twin)
    said = at_once(
        lambda: clinic.desk.merge(clinic.ada, twin, "One person", merge.revision, DOCTOR),
        lambda: clinic.desk.move(wrong, twin, "Wrong tray", move.revision, DOCTOR),
        lambda: clinic.file(date(2026, 6, 8), "Ramipril 5 mg once daily.", patient_id=twin),
    )
    told(said)
    if not said[0]:
        assert clinic.desk.chart(twin).timeline == (), "what is there is in a chart that somebody opens"


def test_a_store_of_the_former_schema_gets_its_keys_places_and_files(server_url: str, database: Database) -> None:
    with database.begin() as tx:
        patients.create(tx, "Ida Johnson", date(1970, 1, 1), "female")
        documents.file(tx, record("older"), Filing("e" * 64, "", "f" * 64))
        for statement in (
            "DROP TABLE chart_files",
            "DROP TABLE name_keys",
            "DELETE FROM fact_places",
            "DELETE FROM schema_version WHERE version > 7",
        ):
            tx.execute(sa.text(statement))
    again = Database(server_url)
    with again.read() as tx:
        assert tx.scalar(sa.text("SELECT count(*) FROM name_keys WHERE token = 'johnson'")) > 7
        assert tx.scalar(sa.text("SELECT count(*) FROM fact_places WHERE document_id = 'older'")) == 1
        assert tx.scalar(sa.text("SELECT count(*) FROM chart_files")) == 0
        assert [one.name for one in patients.find(tx, "Jhonson")] == ["Ida Johnson"]
    again.close()


def test_a_bundle_with_files_is_received_on_it(clinic: Clinic, tmp_path: Path) -> None:
    came = clinic.desk.import_bundle(sent_chart(tmp_path, 3, "Esi Postgres"), "", DOCTOR)
    assert (came.received, came.filed, came.left) == (5, 3, 0)
    assert [one.label for one in came.chart.series] == ["Potassium"]


def test_opening_it_again_changes_nothing(database: Database, server_url: str) -> None:
    again = Database(server_url)
    with again.read() as tx:
        assert documents.all_ids(tx)
    again.close()

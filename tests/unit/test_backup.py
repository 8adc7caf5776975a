"""Backups and what goes wrong with stores: damage is said at start, a full disk leaves nothing half, clocks may jump."""

from __future__ import annotations

import json
import zipfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain.audit import Action, Actor
from domain.errors import StorageFailed, UploadRejected
from domain.settings import Settings
from pipelines.caretaker import back_up, put_back
from pipelines.workbench import Workbench, open_workbench
from storage import audit, backup
from storage.database import Database
from storage.uid_secret import FILE as UID_SECRET
from storage.uid_secret import uid_secret


@pytest.fixture
def filled(settings: Settings, nurse: Actor) -> str:
    """A store with one patient and one record; returns the record's id."""
    with closing(Workbench(settings)) as bench:
        ada = bench.create_patient("Ada Example", "1961-03-12", "female", "77", nurse)
        bench.prescriptions  # noqa: B018 - makes the signing key
        return bench.import_text("Letter", "She reports orthopnoea.", ada.patient_id, nurse).document_id


def test_a_backup_brings_back_records_keys_trail_and_search(settings: Settings, nurse: Actor, filled: str) -> None:
    made = back_up(settings, nurse)
    assert backup.newest(settings.data_dir) == made.file
    assert made.file.stat().st_mode & 0o777 == 0o600
    key_files = sorted(file.name for file in (settings.data_dir / "signing-keys").iterdir())
    with closing(Workbench(settings)) as bench:
        bench.create_patient("Later Patient", "1970-01-01", "male", "", nurse)
    for file in (settings.data_dir / "signing-keys").iterdir():
        file.unlink()
    put_back(settings, nurse, Path(made.file.name))
    with closing(open_workbench(settings)) as bench:
        assert [patient.name for patient in bench.find_patients()] == ["Ada Example"]
        assert bench.searchable_pdf(filled).read_bytes().startswith(b"%PDF")
        hits = bench.search("orthopnoea", nurse).hits
        assert [hit.passage.document_id for hit in hits] == [filled]
        trail = bench.trail()
        assert trail.examination.intact
        assert any("put back" in event.detail for event in trail.events)
    assert sorted(file.name for file in (settings.data_dir / "signing-keys").iterdir()) == key_files
    aside = [folder for folder in settings.data_dir.iterdir() if folder.name.startswith("before-restore-")]
    assert [(folder / backup.DATABASE).is_file() for folder in aside] == [True]  # moved, not deleted


def test_copies_without_identity_still_belong_together_after_a_backup_was_put_back(
    settings: Settings, nurse: Actor, filled: str
) -> None:
    before = uid_secret(settings.data_dir)
    made = back_up(settings, nurse)
    (settings.data_dir / UID_SECRET).unlink()
    assert uid_secret(settings.data_dir) != before
    put_back(settings, nurse, Path(made.file.name))
    assert uid_secret(settings.data_dir) == before
    assert (settings.data_dir / UID_SECRET).stat().st_mode & 0o777 == 0o600


def test_a_backup_is_never_written_over(settings: Settings, nurse: Actor, filled: str, tmp_path: Path) -> None:
    target = tmp_path / "mine.zip"
    target.write_bytes(b"something of mine")
    with pytest.raises(StorageFailed, match="exists already"):
        back_up(settings, nurse, target)
    assert target.read_bytes() == b"something of mine"


@pytest.mark.parametrize("spoil", ["cut", "byte", "no zip", "foreign name", "bomb of sizes"])
def test_a_spoilt_backup_changes_nothing(settings: Settings, nurse: Actor, filled: str, spoil: str) -> None:
    made = back_up(settings, nurse).file
    content = bytearray(made.read_bytes())
    spoilt = made.with_name("spoilt.zip")
    if spoil == "cut":
        spoilt.write_bytes(content[: len(content) // 2])
    elif spoil == "no zip":
        spoilt.write_bytes(b"hello")
    else:
        with zipfile.ZipFile(made) as old, zipfile.ZipFile(spoilt, "w") as new:
            for name in old.namelist():
                data = old.read(name)
                if spoil == "byte" and name == backup.DATABASE:
                    data = data[:200] + bytes([data[200] ^ 1]) + data[201:]
                if name == backup.MANIFEST and spoil in ("foreign name", "bomb of sizes"):
                    manifest = json.loads(data)
                    if spoil == "foreign name":
                        manifest["files"]["files/../../escaped"] = ["0" * 64, 1]
                    else:
                        manifest["files"] = {key: [sha, size + 1] for key, (sha, size) in manifest["files"].items()}
                    data = json.dumps(manifest).encode()
                new.writestr(name, data)
    with pytest.raises(UploadRejected, match="not a whole backup"):
        put_back(settings, nurse, spoilt)
    with closing(open_workbench(settings)) as bench:
        assert bench.document(filled).document_id == filled
    assert not (settings.data_dir.parent / "escaped").exists()


def test_a_damaged_database_is_said_at_start_and_the_last_backup_is_offered(
    settings: Settings, nurse: Actor, filled: str
) -> None:
    name = back_up(settings, nurse).file.name
    file = settings.data_dir / backup.DATABASE
    with closing(Database(settings.resolved_database_url)) as database, database.begin() as tx:
        root = tx.execute(sa.text("SELECT rootpage FROM sqlite_master WHERE name = 'patients'")).scalar_one()
        page = tx.execute(sa.text("PRAGMA page_size")).scalar_one()
        tx.execute(sa.text("SELECT 1"))
    with closing(Database(settings.resolved_database_url)) as database, database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(file.read_bytes())
    content[(root - 1) * page : root * page] = b"\xff" * page
    file.write_bytes(content)
    with pytest.raises(StorageFailed, match=name):
        open_workbench(settings)
    put_back(settings, nurse, Path(name))
    with closing(open_workbench(settings)) as bench:
        assert len(bench.find_patients()) == 1


def test_a_full_disk_leaves_nothing_half_and_says_so(tmp_path: Path, nurse: Actor) -> None:
    database = Database(f"sqlite:///{tmp_path}/full.db")

    @sa.event.listens_for(database.engine, "begin")
    def full(connection: sa.Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")  # the file may not grow any more: SQLITE_FULL

    written = 0

    def write_on() -> None:
        nonlocal written
        while True:
            with database.begin() as tx:
                for number in range(50):
                    audit.append(tx, nurse, Action.READ, f"DocumentReference/{number}", "p", "x" * 400)
            written += 50

    with pytest.raises(StorageFailed, match="nothing of it was kept"):
        write_on()
    with database.read() as tx:
        examined = audit.examine(tx)
    assert (examined.intact, examined.size) == (True, written)


def test_a_clock_that_goes_backwards_changes_no_order(
    tmp_path: Path, nurse: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(f"sqlite:///{tmp_path}/clock.db")
    hours = iter((12, 11, 13))

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):  # type: ignore[no-untyped-def]
            return datetime(2026, 11, 24, next(hours), tzinfo=UTC)

    monkeypatch.setattr(audit, "datetime", Clock)
    for number in range(3):
        with database.begin() as tx:
            audit.append(tx, nurse, Action.READ, f"DocumentReference/{number}", "p")
    monkeypatch.undo()
    with database.read() as tx:
        assert audit.examine(tx).intact
        assert [event.entity[-1] for event in audit.of_patient(tx, "p")] == ["0", "1", "2"]

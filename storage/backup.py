"""A backup of a data folder in one file, and the way back. For the SQLite that is the default; PostgreSQL has pg_dump.

A ZIP with a manifest of SHA-256 sums: the database as SQLite's own online backup gives it, the kept files, the signing
keys, the checkpoints of the trail and the secret of copies without identity, so that a study's later copies still
belong to its earlier ones. The search index is left out: it is made again from the records. The file holds
patients' data and private keys, and is written for its owner only.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from domain.errors import StorageFailed, UploadRejected
from storage.checkpoint_file import FILE as CHECKPOINTS
from storage.signing_keys import FOLDER as KEYS
from storage.uid_secret import FILE as UID_SECRET

DATABASE = "records.sqlite"
FILES = "files"
INDEX = "index"  # not in a backup; put aside by a restore, so that it is made again
FOLDER = "backups"  # inside the data folder; where a backup goes when no other place is named
ENDING = ".health-connect.zip"
MANIFEST = "manifest.json"
FORMAT = 1
MAX_MANIFEST_BYTES = 64 << 20  # 64 MiB: a line of 150 bytes for each of 400,000 files
CHUNK = 1 << 20  # 1 MiB
OWNER_ONLY = 0o600
SINGLE = (CHECKPOINTS, UID_SECRET)  # files of their own beside the folders


@dataclass(frozen=True, slots=True)
class Backup:
    """`file_count`: database, kept files and keys together; `bytes_total`: their size before the ZIP."""

    file: Path
    made_at: datetime
    file_count: int
    bytes_total: int


def write(data_dir: Path, target: Path | None = None) -> Backup:
    """Back up a data folder, also while the program runs. `target` must not exist. Raises StorageFailed.

    The database is copied first: files are kept before the record that names them, and never changed.
    """
    source = data_dir / DATABASE
    if not source.is_file():
        raise StorageFailed(
            "There is no SQLite database in the data folder, so nothing was backed up. With PostgreSQL use pg_dump and "
            "copy the data folder; otherwise check HEALTH_CONNECT_DATA_DIR."
        )
    made_at = datetime.now(UTC)
    folder = data_dir / FOLDER
    target = target or folder / f"{made_at:%Y-%m-%dT%H%M%S}{ENDING}"
    if target.exists():
        raise StorageFailed("The backup file exists already and was not touched. Name another file.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as scratch:
            database = Path(scratch) / DATABASE
            _copy_database(source, database)
            part = Path(scratch) / "part.zip"
            sums = _pack(part, data_dir, database)
            part.chmod(OWNER_ONLY)
            with part.open("rb") as whole:
                os.fsync(whole.fileno())
            os.replace(part, target)
    except (OSError, sqlite3.Error, zipfile.BadZipFile) as error:
        raise StorageFailed(
            "The backup could not be finished, so no backup file was left. Check the free disk space and that the "
            "database can be read, then try again."
        ) from error
    return Backup(target, made_at, len(sums), sum(size for _, size in sums.values()))


def copy(data_dir: Path, target: Path) -> None:
    """A second data folder with the same content; kept files, which never change, are linked. Raises StorageFailed."""
    try:
        target.mkdir(parents=True, mode=0o700)
        _copy_database(data_dir / DATABASE, target / DATABASE)
        for name, file in _kept(data_dir):
            if name == UID_SECRET:  # each workspace makes its own: shared, it would tie visitors' copies together
                continue
            place = target / name
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            (os.link if name.startswith(f"{FILES}/") else shutil.copy2)(file, place)
    except (OSError, sqlite3.Error) as error:
        shutil.rmtree(target, ignore_errors=True)
        raise StorageFailed(
            "A workspace could not be made. Whoever runs this server should check its free disk space."
        ) from error


def newest(data_dir: Path) -> Path | None:
    """The last backup in the data folder's own place for them; None when there is none."""
    return max((data_dir / FOLDER).glob(f"*{ENDING}"), default=None)


def restore(data_dir: Path, source: Path) -> Backup:
    """Put a data folder back as it was. What is there now is moved into a folder beside it, never deleted.

    Every byte is checked before anything is moved. The program must not be running. Raises UploadRejected for a file
    that is no whole backup, StorageFailed when the disk refuses.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            manifest = _manifest(archive)
            made_at = datetime.fromisoformat(manifest["made_at"])
            sums = {name: (str(sha256), int(size)) for name, (sha256, size) in manifest["files"].items()}
            with tempfile.TemporaryDirectory(dir=data_dir, prefix=".restore-") as scratch:
                for name, (sha256, size) in sums.items():
                    _unpack(archive, name, sha256, size, Path(scratch))
                _swap(data_dir, Path(scratch))
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise UploadRejected(
            "The file is not a whole backup of this program, so nothing was changed. Choose another backup."
        ) from error
    except OSError as error:
        raise StorageFailed(
            "The backup could not be put back: the file cannot be read or the disk is full. What was there before lies "
            "in the newest folder before-restore of the data folder."
        ) from error
    return Backup(source, made_at, len(sums), sum(size for _, size in sums.values()))


def _copy_database(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
        if copy.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("the database is damaged")


def _pack(part: Path, data_dir: Path, database: Path) -> dict[str, tuple[str, int]]:
    sums = {}
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, file in ((DATABASE, database), *_kept(data_dir)):
            archive.write(file, name)
            sums[name] = (_sha256(file), file.stat().st_size)
        content = {"format": FORMAT, "made_at": datetime.now(UTC).isoformat(), "files": sums}
        archive.writestr(MANIFEST, json.dumps(content))
    return sums


def _kept(data_dir: Path) -> Iterator[tuple[str, Path]]:
    """Name in the archive and place of everything beside the database."""
    for file in sorted((data_dir / FILES).glob("??/*")):
        yield f"{FILES}/{file.parent.name}/{file.name}", file
    for file in sorted((data_dir / KEYS).glob("*.jwk")):
        yield f"{KEYS}/{file.name}", file
    for name in SINGLE:
        if (data_dir / name).is_file():
            yield name, data_dir / name


def _manifest(archive: zipfile.ZipFile) -> dict:
    if archive.getinfo(MANIFEST).file_size > MAX_MANIFEST_BYTES:
        raise ValueError("the manifest is too large")
    manifest = json.loads(archive.read(MANIFEST))
    if manifest["format"] != FORMAT or DATABASE not in manifest["files"]:
        raise ValueError("another format")
    for name in manifest["files"]:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or path.parts[0] not in (DATABASE, FILES, KEYS, *SINGLE):
            raise ValueError("a name that no backup has")
    return manifest


def _unpack(archive: zipfile.ZipFile, name: str, sha256: str, size: int, scratch: Path) -> None:
    if archive.getinfo(name).file_size != size:
        raise ValueError("a file of another size")
    place = scratch / name
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as target, archive.open(name) as packed:
        shutil.copyfileobj(packed, target, CHUNK)
        target.flush()
        os.fsync(target.fileno())
    if _sha256(place) != sha256:
        raise ValueError("a file that was changed")


def _swap(data_dir: Path, scratch: Path) -> None:
    aside = Path(tempfile.mkdtemp(dir=data_dir, prefix=f"before-restore-{datetime.now(UTC):%Y-%m-%dT%H%M%S}-"))
    for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", FILES, KEYS, *SINGLE, INDEX):
        if (data_dir / name).exists():
            os.replace(data_dir / name, aside / name)
    for name in (FILES, KEYS, *SINGLE, DATABASE):  # the database last: without it there is no data folder yet
        if (scratch / name).exists():
            os.replace(scratch / name, data_dir / name)


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()

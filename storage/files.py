"""Bytes kept by their SHA-256: uploads as they came, the PDFs made from them. Names on disk tell nothing."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from domain.errors import StorageFailed

CHUNK = 1 << 20  # 1 MiB
YOUNG_SECONDS = 3600  # a file this fresh may belong to a filing that has not committed yet


class FileStore:
    """A folder of files named by hash. Keeping the same bytes twice keeps them once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._working = root / "working"
        self._working.mkdir(parents=True, exist_ok=True, mode=0o700)

    def keep(self, path: Path) -> str:
        """Copy a file in, durably, and return its SHA-256 hex. Raises StorageFailed when the disk refuses."""
        try:
            digest = hashlib.sha256()
            with self.working_file() as temporary:
                with path.open("rb") as source, temporary.open("wb") as target:
                    while chunk := source.read(CHUNK):
                        digest.update(chunk)
                        target.write(chunk)
                    target.flush()
                    os.fsync(target.fileno())
                sha256 = digest.hexdigest()
                place = self._place(sha256)
                if place.exists():
                    os.utime(place)  # young again: a sweep must not take it before this filing commits
                else:
                    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                    os.replace(temporary, place)
                    _sync_folder(place.parent)
                    _sync_folder(self._root)  # the two-letter folder may be new as well
        except OSError as error:
            raise StorageFailed(
                "The file could not be written to the store, so nothing was filed. Check the free disk space "
                "and try again."
            ) from error
        return sha256

    def keep_bytes(self, content: bytes) -> str:
        """As `keep`, for bytes at hand."""
        with self.working_file() as temporary:
            temporary.write_bytes(content)
            return self.keep(temporary)

    def path(self, sha256: str) -> Path:
        """Where the bytes lie; raises StorageFailed when they are gone."""
        place = self._place(sha256)
        if not place.is_file():
            raise StorageFailed("A file of this record is missing from the store. Restore it from the last backup.")
        return place

    def remove(self, sha256: str) -> None:
        """Delete these bytes now; nothing where they are gone already. The caller knows that no record needs them."""
        self._place(sha256).unlink(missing_ok=True)

    @contextmanager
    def working_file(self, suffix: str = "") -> Iterator[Path]:
        """A file to write into, inside the data folder, gone afterwards."""
        handle, name = tempfile.mkstemp(suffix=suffix, dir=self._working)
        os.close(handle)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    @contextmanager
    def working_folder(self) -> Iterator[Path]:
        """A folder to work in, inside the data folder, gone afterwards."""
        with tempfile.TemporaryDirectory(dir=self._working) as name:
            yield Path(name)

    def sweep(self, in_use: frozenset[str]) -> int:
        """Remove what no record needs (left by a crash) and old working files; returns how many went."""
        gone, now = 0, time.time()
        for place in self._root.glob("??/*"):
            if place.name not in in_use and now - place.stat().st_mtime > YOUNG_SECONDS:
                place.unlink()
                gone += 1
        for left in self._working.iterdir():
            if now - left.stat().st_mtime > YOUNG_SECONDS:
                shutil.rmtree(left) if left.is_dir() else left.unlink()
                gone += 1
        return gone

    def _place(self, sha256: str) -> Path:
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise StorageFailed("A file was asked for by a name that is no SHA-256. This is a fault of the program.")
        return self._root / sha256[:2] / sha256


def _sync_folder(folder: Path) -> None:
    """A rename survives a power cut only when its folder is synced too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

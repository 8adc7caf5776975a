"""Signed checkpoints of the trail in a file of their own: whoever rewrites the database has not rewritten these."""

from __future__ import annotations

import os
from pathlib import Path

from domain.errors import StorageFailed

FILE = "trail-checkpoints.txt"
OWNER_ONLY = 0o600


class CheckpointFile:
    """One line a checkpoint, oldest first; lines are added, never changed."""

    def __init__(self, data_dir: Path) -> None:
        self._file = data_dir / FILE

    def lines(self) -> tuple[str, ...]:
        """All of them; none before the first was kept."""
        try:
            return tuple(filter(None, self._file.read_text("ascii").splitlines()))
        except FileNotFoundError:
            return ()
        except (OSError, ValueError) as error:
            raise StorageFailed(
                "The file of kept checkpoints cannot be read, so the trail cannot be compared with it. Restore "
                f"{FILE} in the data folder from a backup."
            ) from error

    def retire(self) -> None:
        """Put the file aside: its signatures count no more since the key that made them is in wrong hands."""
        if self._file.exists():
            self._file.rename(self._file.with_suffix(f".until-{len(self.lines())}.txt"))

    def add(self, line: str) -> None:
        """Durably, at the end."""
        try:
            descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, OWNER_ONLY)
            with os.fdopen(descriptor, "w", encoding="ascii") as out:
                out.write(line + "\n")
                out.flush()
                os.fsync(out.fileno())
        except OSError as error:
            raise StorageFailed(
                "The checkpoint could not be written down. Check the free disk space and try again."
            ) from error

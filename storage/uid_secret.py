"""The secret that gives scans new UIDs when their identity is taken out: one an installation, so that the pictures of
one study stay together whenever they leave, and nobody without it can trace them back.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from domain.errors import StorageFailed

FILE = "uid-secret"
BYTES = 32


def uid_secret(data_dir: Path) -> bytes:
    """The secret of a data folder, made at the first use, readable by its owner only. Raises StorageFailed."""
    file = data_dir / FILE
    try:
        if not file.exists():
            handle, name = tempfile.mkstemp(dir=data_dir)  # of mode 0600
            try:
                with os.fdopen(handle, "wb") as made:
                    made.write(secrets.token_bytes(BYTES))
                with contextlib.suppress(FileExistsError):
                    os.link(name, file)  # whole or not at all; of two at once the first one stays
            finally:
                Path(name).unlink()
        found = file.read_bytes()
    except OSError as error:
        raise StorageFailed(
            "The secret for new picture numbers cannot be read or written, so no copy was made. Check the data "
            "folder's rights and its free space."
        ) from error
    if len(found) != BYTES:
        raise StorageFailed(
            "The secret for new picture numbers is damaged, so no copy was made. Remove uid-secret from the data "
            "folder; copies made from then on no longer belong to earlier ones."
        )
    return found

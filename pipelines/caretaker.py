"""The caretaker: what is done to everything that is kept at once, from outside the running program."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from domain.audit import Action, Actor
from domain.errors import UploadRejected
from domain.settings import Settings
from storage import audit, backup
from storage.checkpoint_file import CheckpointFile
from storage.database import Database
from storage.signing_keys import turn_over


def copy_store(source: Path, folder: Path) -> None:
    """Everything that the data folder `source` keeps, in a new data folder of its own. Raises StorageFailed."""
    backup.copy(source, folder)


def back_up(settings: Settings, actor: Actor, target: Path | None = None) -> backup.Backup:
    """Everything that is kept, in one file, also while the program runs. Raises StorageFailed."""
    made = backup.write(settings.data_dir, target)
    _tell(settings, actor, Action.EXECUTE, "backup", f"{made.file_count} files copied")
    return made


def put_back(settings: Settings, actor: Actor, name: Path) -> backup.Backup:
    """A backup, by path or by name in the data folder's own place. Raises UploadRejected, StorageFailed."""
    file = name if name.is_file() else settings.data_dir / backup.FOLDER / name.name
    if not file.is_file():
        raise UploadRejected("There is no such backup, so nothing was changed. Name a file that exists.")
    restored = backup.restore(settings.data_dir, file)
    detail = f"everything put back as it was at {restored.made_at:%Y-%m-%dT%H:%M:%SZ}"
    _tell(settings, actor, Action.UPDATE, "backup", detail)
    return restored


def rotate_signing_key(settings: Settings, actor: Actor, compromised: bool = False) -> str:
    """A new key signs prescriptions from now on; returns its id. Older codes stay verifiable unless `compromised`.

    Works on the key folder alone, so that it also mends a start that refuses a lost or open key.
    """
    key_id = turn_over(settings.data_dir, compromised)
    if compromised:
        CheckpointFile(settings.data_dir).retire()
    detail = "signing key replaced, older codes void" if compromised else "signing key replaced"
    _tell(settings, actor, Action.UPDATE, f"key/{key_id}", detail)
    return key_id


def _tell(settings: Settings, actor: Actor, action: Action, entity: str, detail: str) -> None:
    with closing(Database(settings.resolved_database_url)) as database, database.begin() as tx:
        audit.append(tx, actor, action, entity, "", detail)

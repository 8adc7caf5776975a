"""The trail desk: who did what, whether the trail is as it was written, and what a person can take home as a proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.audit import AuditEvent, Checkpoint, EventProof, Examination
from domain.errors import NothingFound, UploadRejected
from domain.prescription import SigningKey, TrustedKey
from pipelines import checkpoints
from storage import audit
from storage.checkpoint_file import CheckpointFile
from storage.database import Database

FALSE_LINE = (
    "A kept checkpoint is not one that this installation signed: the file of checkpoints was changed. Restore it from "
    "a backup and compare again."
)


class KeyRing(Protocol):
    """Who signs checkpoints, and whose signatures count."""

    def signing_key(self) -> SigningKey: ...

    def trusted(self) -> tuple[TrustedKey, ...]: ...


@dataclass(frozen=True, slots=True)
class Trail:
    """`events`: the newest 500, oldest first. `checkpoint`: signed text that stands for the whole trail, to be kept
    elsewhere. `compared_with`: how many kept checkpoints the trail was compared with.
    """

    events: tuple[AuditEvent, ...]
    checkpoint: str
    examination: Examination
    compared_with: int


@dataclass(frozen=True, slots=True)
class Tampering:
    """One stored byte changed for a moment. `before`, `after`: the field as it was and as it stood while examined.

    `found`: what the examination said meanwhile; `restored`: what it says now.
    """

    index: int
    before: str
    after: str
    found: Examination
    restored: Examination


class TrailDesk:
    """Reads and verifies; events are written by whoever changes something, in the same transaction."""

    def __init__(self, database: Database, file: CheckpointFile, keys: KeyRing) -> None:
        self._database = database
        self._file = file
        self._keys = keys

    def read(self, patient_id: str = "", checkpoint: str = "") -> Trail:
        """The trail of one patient, or of all; the whole of it is verified, also against `checkpoint` if one is given.

        A checkpoint of an intact trail is kept in the data folder. Raises UploadRejected for a text not ours.
        """
        brought = (checkpoints.read(checkpoint, self._keys.trusted()),) if checkpoint.strip() else ()
        kept, false_lines = self._kept()
        with self._database.read() as tx:
            examined = audit.examine(tx, (*kept, *brought))
            events = audit.of_patient(tx, patient_id)
            now = Checkpoint(examined.size, examined.root, audit.checkpoint(tx).at)
        if false_lines and examined.intact:
            examined = Examination(examined.size, examined.root, None, FALSE_LINE)
        signed = checkpoints.sign(now, self._keys.signing_key())
        if examined.intact and now.size not in {one.size for one in kept}:
            self._file.add(signed)
        return Trail(events, signed if examined.intact else "", examined, len(kept) + len(brought))

    def keep_checkpoint(self) -> None:
        """Sign and keep the tree as it is stored now, without reading the trail again. Cheap; called at start."""
        with self._database.read() as tx:
            now = audit.checkpoint(tx)
        if now.size > max((one.size for one in self._kept()[0]), default=0):
            self._file.add(checkpoints.sign(now, self._keys.signing_key()))

    def prove(self, index: int) -> EventProof:
        """That one event stands in the trail. Raises NothingFound."""
        with self._database.read() as tx:
            return audit.prove(tx, index)

    def show_tampering(self) -> Tampering:
        """Change one stored byte of an event in the middle, verify, and put it back. Raises NothingFound without any.

        All of it happens inside one transaction that is taken back, so that no crash can leave the byte changed.
        """
        kept, _ = self._kept()
        with self._database.begin() as tx:
            size = audit.checkpoint(tx).size
            if not size:
                raise NothingFound("The trail is still empty, so there is nothing to tamper with. Open a record first.")
            with audit.one_byte_changed(tx, size // 2) as (before, after):
                found = audit.examine(tx, kept)
        with self._database.read() as tx:
            return Tampering(size // 2, before, after, found, audit.examine(tx, kept))

    def _kept(self) -> tuple[tuple[Checkpoint, ...], int]:
        """Checkpoints kept in the data folder, and how many of its lines are not ours."""
        keys = self._keys.trusted()
        good, false_lines = [], 0
        for line in self._file.lines():
            try:
                good.append(checkpoints.read(line, keys))
            except UploadRejected:
                false_lines += 1
        return tuple(good), false_lines


def proof_text(proof: EventProof) -> Sequence[str]:
    """Lines that another program can check by RFC 9162, section 2.1.3.2."""
    return (
        f"event {proof.index}: {proof.content}",
        f"tree of {proof.checkpoint.size} events, root {proof.checkpoint.root}",
        *(f"  {digest}" for digest in proof.path),
    )

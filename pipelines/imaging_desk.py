"""The imaging desk: takes classifiers from the shelf, reads a scan file with them, and leaves a trail event."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from domain.audit import Action, Actor
from domain.errors import NothingFound, UploadRejected
from domain.imaging import AUTO_TASK, Scan, ScanReading
from domain.limits import Limits
from domain.models import ModelCard
from models.shelf import ModelShelf
from pipelines import evaluate as judging
from pipelines import imaging
from pipelines.progress import Progress, silent
from pipelines.scan_intake import open_scan
from storage import audit
from storage.database import Database


@dataclass(frozen=True, slots=True, eq=False)
class ScanRead:
    """What came of a reading. `overlay`: uint8 (height, width, 3), the map laid on the picture; None without a map.
    `identity`: kinds of identifying fields that the file's header holds, never their content."""

    reading_id: str
    reading: ScanReading
    scan: Scan
    overlay: np.ndarray | None
    identity: tuple[str, ...]


class ImagingDesk:
    """Reads scans for the tasks in `tasks`; where several could answer, the first is asked."""

    def __init__(self, shelf: ModelShelf, database: Database, limits: Limits, tasks: Sequence[str]) -> None:
        self.shelf, self.database, self.limits, self.tasks = shelf, database, limits, tuple(tasks)

    def cards(self) -> tuple[ModelCard, ...]:
        """The card in use for each task."""
        return tuple(self.shelf.chosen(task) for task in self.tasks)

    def read(
        self,
        path: Path,
        task: str,
        patient_id: str,
        actor: Actor,
        number: int | None = None,
        progress: Progress = silent,
    ) -> ScanRead:
        """One picture of the file (the middle one unless `number` says so) read for `task`, "auto" picks by modality.

        Raises UploadRejected, NothingFound (no such task), ModelUnavailable. A doubt is a reading, not an error.
        """
        chosen = self._tasks(task)
        file = open_scan(path, self.limits)
        scan = file.picture(number)
        with ExitStack() as borrowed:
            classifiers = [borrowed.enter_context(self.shelf.borrow(self.shelf.chosen(t).id, progress)) for t in chosen]
            progress(0, 1, "pictures", "Reading the picture and drawing what decides")
            if task == AUTO_TASK:
                reading = imaging.read_scan_auto(scan, classifiers)
            else:
                reading = imaging.read_scan(scan, classifiers[0])
        reading_id = uuid.uuid4().hex
        detail = f"{reading.task}: " + (f"abstained ({reading.doubt.code})" if reading.doubt else "read")
        with self.database.begin() as tx:
            audit.append(tx, actor, Action.EXECUTE, f"scan_reading/{reading_id}", patient_id, detail, reading.model)
        drawn = None if reading.explanation is None else imaging.overlay(scan, reading.explanation)
        return ScanRead(reading_id, reading, scan, drawn, file.identity)

    def evaluate(
        self, task: str, data: Path, model_id: str = "", split: str = "held-out", progress: Progress = silent
    ) -> judging.Evaluation:
        """The figures of a card, measured again on labelled pictures. Raises UploadRejected, NothingFound."""
        (named,) = self._tasks(task) if task != AUTO_TASK else ("",)
        if not named:
            raise UploadRejected(f"An evaluation needs one task by name. Tasks are: {', '.join(self.tasks)}.")
        card = self.shelf.card(model_id) if model_id else self.shelf.chosen(named)
        if card.task != named:
            raise NothingFound("The model named does not do this task. Leave it out, or name one of the task's own.")
        with self.shelf.borrow(card.id, progress) as classifier:
            return judging.evaluate(classifier, data, split, progress)

    def _tasks(self, task: str) -> tuple[str, ...]:
        if not self.tasks:
            raise NothingFound("No imaging model is installed here, so no scan can be read. Add a MONAI bundle.")
        if task == AUTO_TASK:
            return self.tasks
        if task not in self.tasks:
            raise NothingFound(
                f"There is no imaging task of this name. Use {AUTO_TASK}, or one of: {', '.join(self.tasks)}."
            )
        return (task,)

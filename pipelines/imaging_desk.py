"""The imaging desk: takes classifiers from the shelf, reads a scan file with them, and keeps what was read.

The file itself is not kept, because a scan's header may name a person: only its SHA-256, and, where an answer was
given, the picture and the map. Of what the gate turned away no picture stays: it may be a letter, or a person's face.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from domain import contract
from domain.audit import Action, Actor
from domain.errors import ModelUnavailable, NothingFound, UploadRejected
from domain.imaging import AUTO_TASK, Scan, ScanReading
from domain.kept_reading import Feedback, KeptReading, Opinion
from domain.limits import Limits
from domain.models import ModelCard
from domain.patient import Patient
from models.contracts import ScanClassifier
from models.shelf import ModelShelf
from pipelines import evaluate as judging
from pipelines import imaging
from pipelines.progress import Progress, silent
from pipelines.scan_identity import without_identity
from pipelines.scan_intake import open_scan
from storage import audit, patients, readings
from storage.database import Database
from storage.files import FileStore
from storage.uid_secret import uid_secret

STACK_PICTURES = 24  # enough to see where along a stack the answer changes, in a few seconds
MAX_REASON_CHARS = 500
REMOVED = "[removed]"
STUDY = "ImagingStudy"  # what the trail names where no reading was kept


@dataclass(frozen=True, slots=True, eq=False)
class ScanRead:
    """What came of a reading. `overlay`: uint8 (height, width, 3), the map laid on the picture; None without a map.
    `identity`: kinds of identifying fields that the file's header holds, never their content."""

    reading_id: str
    reading: ScanReading
    scan: Scan
    overlay: np.ndarray | None
    identity: tuple[str, ...]
    duplicate_of: str = ""  # id of the reading that the same model made of the same picture before; it is then this one


@dataclass(frozen=True, slots=True)
class StackAnswer:
    """What the model says of one picture of a stack. `score`: of `label`, None where it abstained."""

    number: int
    label: str
    score: float | None
    reason: str | None


class ImagingDesk:
    """Reads scans for the tasks in `tasks`; where several could answer, the first is asked."""

    def __init__(
        self,
        shelf: ModelShelf,
        database: Database,
        files: FileStore,
        limits: Limits,
        tasks: Sequence[str],
        data_dir: Path,
    ) -> None:
        """`data_dir`: where the secret lies that makes new UIDs for copies without identity."""
        self.shelf, self.database, self.files = shelf, database, files
        self.limits, self.tasks, self._data_dir = limits, tuple(tasks), data_dir

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
            classifiers, missing = self._borrow(borrowed, chosen, progress)
            if missing:
                left_out = f"Not asked, because their models cannot be loaded: {', '.join(missing)}."
                scan = replace(scan, warnings=(*scan.warnings, left_out))
            progress(0, 1, "pictures", "Reading the picture and drawing what decides")
            if task == AUTO_TASK:
                reading = imaging.read_scan_auto(scan, classifiers)
            else:
                reading = imaging.read_scan(scan, classifiers[0])
        drawn = None if reading.explanation is None else imaging.overlay(scan, reading.explanation)
        kept, before = self._keep(path, scan, reading, drawn, patient_id, actor)
        return ScanRead(kept.reading_id, reading, scan, drawn, file.identity, kept.reading_id if before else "")

    def along_stack(
        self, path: Path, task: str, patient_id: str, actor: Actor, progress: Progress = silent
    ) -> tuple[StackAnswer, ...]:
        """What the task's model says of up to 24 pictures, evenly spaced through a stack. Nothing of it is kept but
        that it was done, on the trail.

        Raises UploadRejected, NothingFound, ModelUnavailable.
        """
        (named,) = self._tasks(task) if task != AUTO_TASK else ("",)
        if not named:
            raise UploadRejected("A stack is read for one task. Choose the task by name, then try again.")
        file = open_scan(path, self.limits)
        numbers = sorted({round(at) for at in np.linspace(1, file.count, min(file.count, STACK_PICTURES))})
        with self.shelf.borrow(self.shelf.chosen(named).id, progress) as classifier:
            answers = tuple(
                _stack_answer(number, reading)
                for number, reading in imaging.read_stack(file, classifier, numbers, progress)
            )
        detail = f"{named}: {len(answers)} of {file.count} pictures along a stack read, nothing kept"
        with self.database.begin() as tx:
            audit.append(tx, actor, Action.EXECUTE, STUDY, patient_id, detail, classifier.card.stamp)
        return answers

    def without_identity(self, path: Path, target: Path, actor: Actor, progress: Progress = silent) -> int:
        """Write a copy of a DICOM file without identity; returns how many lines of burned-in text were blacked out.

        Raises UploadRejected for what is no DICOM file or cannot be decoded.
        """
        with self.shelf.borrow(self.shelf.chosen("ocr").id, progress) as ocr:
            places = without_identity(path, target, self.limits, uid_secret(self._data_dir), ocr, progress)
        detail = f"a copy without identity was made, {places} lines of text blacked out"
        with self.database.begin() as tx:
            audit.append(tx, actor, Action.EXECUTE, STUDY, "", detail)
        return places

    # -- what is kept -----------------------------------------------------------------------------------------------

    def reading(self, reading_id: str) -> KeptReading:
        """Raises NothingFound."""
        with self.database.read() as tx:
            return readings.get(tx, reading_id)

    def readings_of(self, patient_id: str, limit: int = 200) -> tuple[KeptReading, ...]:
        """Newest first; "" for those of nobody."""
        with self.database.read() as tx:
            return readings.of_patient(tx, patient_id, limit)

    def picture(self, reading_id: str) -> Path:
        """PNG of the picture that was read. Raises NothingFound where none was kept, StorageFailed."""
        kept = self.reading(reading_id)
        if not kept.picture_sha256:
            raise NothingFound("The picture was not kept, because the model abstained. Open its file again to see it.")
        return self.files.path(kept.picture_sha256)

    def overlay(self, reading_id: str) -> Path:
        """PNG of the picture with the map laid on it. Raises NothingFound where the reading has none."""
        kept = self.reading(reading_id)
        if not kept.overlay_sha256:
            raise NothingFound("This reading has no map: the model abstained. Its reason stands with the reading.")
        return self.files.path(kept.overlay_sha256)

    def file_reading(self, reading_id: str, patient_id: str, actor: Actor) -> KeptReading:
        """File a reading to a patient's chart. The patient must exist; raises NothingFound."""
        with self.database.begin() as tx:
            patients.get(tx, patient_id)
            readings.file_to(tx, reading_id, patient_id)
            audit.append(
                tx, actor, Action.UPDATE, f"DiagnosticReport/{reading_id}", patient_id, "filed to this patient"
            )
        return self.reading(reading_id)

    def say(self, reading_id: str, opinion: str, reason: str, actor: Actor) -> KeptReading:
        """Keep a person's opinion of a reading. Raises NothingFound, UploadRejected without a reason to disagree."""
        said = " ".join(reason.split())
        if opinion not in set(Opinion) or len(said) > MAX_REASON_CHARS or (opinion == Opinion.DISAGREE and not said):
            raise UploadRejected(
                f"An opinion is to agree, or to disagree with a reason of at most {MAX_REASON_CHARS} characters, so "
                "nothing was kept. Say what the picture shows instead."
            )
        with self.database.begin() as tx:
            kept = readings.get(tx, reading_id)
            readings.say(tx, reading_id, Feedback(Opinion(opinion), said, actor.who, datetime.now(UTC)))
            entity = f"DiagnosticReport/{reading_id}"
            audit.append(tx, actor, Action.UPDATE, entity, kept.patient_id, f"a person says: {opinion}")
        return self.reading(reading_id)

    def feedback_csv(self, actor: Actor) -> str:
        """Every opinion with what the model said, for researchers: neither patient nor person nor file is named."""
        out = io.StringIO()
        table = csv.writer(out)
        table.writerow(("reading", "year", "task", "model", "revision", "abstained", "scores", "opinion", "reason"))
        with self.database.read() as tx:
            kept = readings.with_feedback(tx)
            owners = {one.patient_id: patients.get(tx, one.patient_id) for one in kept if one.patient_id}
        for one in kept:
            scores = "; ".join(f"{finding['label']} {finding['score']}" for finding in one.outside["findings"])
            model = one.outside["model"]
            for said in one.feedback:
                row = (one.reading_id[:12], f"{said.at:%Y}", one.task, model["id"], model["revision"])
                reason = _nameless(said.reason, owners.get(one.patient_id), said.who)
                table.writerow((*row, one.abstained, scores, said.opinion.value, _harmless(reason)))
        told = f"{sum(len(one.feedback) for one in kept)} opinions on readings left as a table, without identity"
        with self.database.begin() as tx:
            audit.append(tx, actor, Action.READ, "DiagnosticReport", "", told)
        return out.getvalue()

    def _keep(
        self, path: Path, scan: Scan, reading: ScanReading, drawn: np.ndarray | None, patient_id: str, actor: Actor
    ) -> tuple[KeptReading, bool]:
        """The reading as kept, and whether the same one was kept before."""
        with path.open("rb") as content:
            source = hashlib.file_digest(content, "sha256").hexdigest()
        model = reading.model
        reading_id = uuid.uuid4().hex
        kept = KeptReading(
            reading_id,
            patient_id,
            datetime.now(UTC),
            contract.reading(reading, reading_id),
            source,
            "" if reading.abstained else self.files.keep_bytes(_png(scan.pixels)),
            "" if drawn is None else self.files.keep_bytes(_png(drawn)),
            scan.number,
            scan.count,
        )
        detail = f"{reading.task}: " + (f"abstained ({reading.doubt.code})" if reading.doubt else "read")
        with self.database.begin() as tx:
            twin = readings.same(tx, source, scan.number, reading.task, model.id, model.revision, patient_id)
            if twin:
                detail += ", as before"
            else:
                readings.add(tx, kept)
            entity = f"DiagnosticReport/{twin or reading_id}"
            audit.append(tx, actor, Action.EXECUTE, entity, patient_id, detail, model)
            return (readings.get(tx, twin), True) if twin else (kept, False)

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

    def _borrow(
        self, borrowed: ExitStack, tasks: Sequence[str], progress: Progress
    ) -> tuple[list[ScanClassifier], list[str]]:
        """The models of `tasks`, and the names of tasks whose model cannot be loaded: one broken bundle must not take
        the others with it. Raises ModelUnavailable where none can."""
        classifiers, missing = [], []
        for task in tasks:
            try:
                classifiers.append(borrowed.enter_context(self.shelf.borrow(self.shelf.chosen(task).id, progress)))
            except ModelUnavailable:
                missing.append(task.replace("_", " "))
                if len(missing) == len(tasks):
                    raise
        return classifiers, missing

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


def _stack_answer(number: int, reading: ScanReading) -> StackAnswer:
    if reading.abstained:
        return StackAnswer(number, "", None, reading.reason)
    most = max(reading.findings, key=lambda finding: finding.score)
    return StackAnswer(number, most.label, most.score, None)


def _png(pixels: np.ndarray) -> bytes:
    from PIL import Image

    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, format="PNG")
    return packed.getvalue()


def _nameless(text: str, patient: Patient | None, who: str) -> str:
    """A person's reason without what may point at the patient or at the person: names as known here, and numbers of
    four digits or more, dates among them. What else a person writes of somebody stays; the page asks not to."""
    known = [who] if patient is None else [who, *patient.name.split(), patient.name, patient.record_number]
    for word in sorted((word for word in known if len(word) > 1), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", REMOVED, text, flags=re.IGNORECASE)
    return re.sub(r"\d[\d./-]{2,}\d", REMOVED, text)


def _harmless(text: str) -> str:
    """A cell that a spreadsheet takes for text, whatever it begins with."""
    return f"'{text}" if text[:1] in "=+-@\t\r" else text

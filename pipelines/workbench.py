"""The workbench: opens the shelf and the stores, and joins the desks to them. The one thing that the page and the
command line talk to.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from domain.audit import Action, Actor
from domain.consultation import NoteStatus
from domain.errors import NothingFound, StorageFailed
from domain.models import ModelCard
from domain.people import Mode
from domain.prescription import Medicine
from domain.settings import Settings
from models.cards import CARDS, IMAGING_TASKS
from models.cards_imaging import dropped_cards, imaging_tasks
from models.cards_speech import writer_cards
from models.shelf import ModelShelf
from pipelines.chart_desk import ChartDesk, MovePreview, Reception
from pipelines.consultation import Visit
from pipelines.consultation_desk import ConsultationDesk
from pipelines.identity import IdentityConflict
from pipelines.imaging_desk import ImagingDesk, ScanRead
from pipelines.models_desk import ModelsDesk
from pipelines.patient_desk import PatientDesk
from pipelines.people_desk import PeopleDesk
from pipelines.prescription_desk import CheckedDraft, IssuedPrescription, PrescriptionDesk
from pipelines.prescription_drugs import KnownDrugs
from pipelines.prescription_prefill import from_plan
from pipelines.prescription_sig import plain_sig
from pipelines.progress import Progress, silent
from pipelines.received_files import file_received
from pipelines.records_desk import FiledRecord, RecordsDesk
from pipelines.search_desk import SearchDesk
from pipelines.trail_desk import Trail, TrailDesk
from storage import audit, backup, chart_files, consultations, documents, readings
from storage.checkpoint_file import CheckpointFile
from storage.consultations import ConsultationStore
from storage.database import Database, DatabaseDamaged
from storage.documents import DocumentSummary
from storage.files import FileStore
from storage.prescriptions import PrescriptionStore
from storage.signing_keys import SigningKeys

log = logging.getLogger(__name__)


class Workbench:
    """Every desk, and the jobs that take more than one. Safe to call from several threads."""

    def __init__(self, settings: Settings, cards: Sequence[ModelCard] = CARDS, shelf: ModelShelf | None = None) -> None:
        """Opens the stores and finishes what a crash left undone. `shelf`: one that is shared, instead of a new one.

        Raises StorageFailed or SettingsInvalid.
        """
        self.settings = settings
        self.database = database = Database(settings.resolved_database_url)
        self.files = files = FileStore(settings.data_dir / "files")
        dropped = dropped_cards(settings.bundles_dir, cards)
        named = (*cards, *dropped, *_named_writers(settings))
        self.shelf = shelf or ModelShelf(named, settings.memory_budget_mb, settings.model_idle_minutes * 60)
        self._keys: SigningKeys | None = None
        self._prescriptions: PrescriptionDesk | None = None
        self._lock = threading.Lock()

        idle, longest = timedelta(minutes=settings.session_idle_minutes), timedelta(hours=settings.session_hours)
        self.people = PeopleDesk(database, idle, longest)

        patients = PatientDesk(database)
        self.create_patient, self.find_patients, self.patient = patients.create, patients.find, patients.get
        self.medications = patients.medications

        self.search_desk = SearchDesk(
            self.shelf, database, settings.data_dir / "index", settings.chroma_url, patients.get
        )
        self.search = self.search_desk.search

        records = RecordsDesk(
            self.shelf,
            database,
            files,
            settings.limits,
            settings.workers,
            patients.get,
            self.search_desk.index_document,
        )
        self.digitise, self.import_text = records.digitise, records.import_text
        self.file_document, self.conflicts_with = records.file_document, records.conflicts_with
        self.document, self.deidentified_document = records.document, records.deidentified_document
        self.documents, self.searchable_pdf = records.documents, records.searchable_pdf
        self.page_picture, self.shown_page, self.owner_of = records.page_picture, records.shown_page, records.owner_of
        self.corrections, self.correct_word = records.corrections, records.correct_word

        tasks = [task for task in IMAGING_TASKS if any(card.task == task for card in cards)]
        tasks += [task for task in imaging_tasks(dropped) if task not in tasks]
        self.imaging = ImagingDesk(self.shelf, database, files, settings.limits, tasks, settings.data_dir)
        self.scan_cards, self.evaluate = self.imaging.cards, self.imaging.evaluate

        self.consultations = ConsultationDesk(
            self.shelf,
            ConsultationStore(database),
            files,
            self.search_desk.supporting,
            patients.get,
            patients.medications,
            settings.max_recording_hours,
        )
        self.charts = ChartDesk(
            database,
            self.search_desk.index_document,
            lambda one: self.searchable_pdf(one).read_bytes(),
            files=files,
            file_record=partial(file_received, records),
        )
        self.allergies = self.charts.allergies

        named = {"ocr": settings.ocr_model, "text_encoder": settings.text_encoder}
        named = {task: model_id for task, model_id in named.items() if model_id}
        models = ModelsDesk(self.shelf, database, named, self.search_desk.model_changed)
        self.model_cards, self.models_in_use, self.models_loaded = models.cards, models.in_use, models.loaded
        self.use_model = models.use
        self.recover()

    def close(self) -> None:
        """Give the stores back."""
        self.search_desk.close()
        self.database.close()

    def may(self, job: str, patient_id: str = "") -> bool:
        """Whether whoever asks may do a job; the door before the page answers for each visit."""
        return hasattr(self, job.split(".")[0])

    def recover(self) -> None:
        """Remove files that no record needs. The index is brought up to date when it is first opened."""
        with self.database.read() as tx:
            in_use = documents.files_in_use(tx) | consultations.files_in_use(tx) | readings.files_in_use(tx)
            in_use |= chart_files.files_in_use(tx)
        swept = self.files.sweep(in_use)
        if swept:
            log.info("swept %d files that no record needs", swept)

    # -- desks that need the signing key ----------------------------------------------------------------------------

    @property
    def signing_keys(self) -> SigningKeys:
        """The key ring; opened, or made, at the first use. Raises SettingsInvalid."""
        with self._lock:
            if self._keys is None:
                chosen = self.settings
                self._keys = SigningKeys(
                    chosen.data_dir, chosen.issuer, chosen.signing_key, chosen.trusted_issuer_files
                )
            return self._keys

    @property
    def prescriptions(self) -> PrescriptionDesk:
        """The prescription desk; its key is opened, or made, at the first use. Raises SettingsInvalid."""
        keys = self.signing_keys
        with self._lock:
            if self._prescriptions is None:
                signed_in = self.settings.mode is Mode.CLINIC
                store = PrescriptionStore(self.database)
                self._prescriptions = PrescriptionDesk(store, keys, KnownDrugs(), accounts=signed_in)
            return self._prescriptions

    @property
    def trail_desk(self) -> TrailDesk:
        """Verifies, proves and signs the trail. Raises SettingsInvalid when the signing key cannot be used."""
        return TrailDesk(self.database, CheckpointFile(self.settings.data_dir), self.signing_keys)

    # -- jobs that take more than one desk --------------------------------------------------------------------------

    def trail(self, patient_id: str = "", checkpoint: str = "") -> Trail:
        """Who did what, of one patient or of all; and whether the whole trail is as it was written."""
        if patient_id:
            self.patient(patient_id)
        return self.trail_desk.read(patient_id, checkpoint)

    def record_read(self, actor: Actor, kind: str, what: str, patient_id: str) -> None:
        """Tell the trail that somebody has seen something. `kind`: a FHIR type; `what`: an id, never a name."""
        with self.database.begin() as tx:
            audit.append(tx, actor, Action.READ, f"{kind}/{what}" if what else kind, patient_id)

    def read_scan(
        self,
        path: Path,
        task: str,
        patient_id: str,
        actor: Actor,
        number: int | None = None,
        progress: Progress = silent,
    ) -> ScanRead:
        """Read a scan for a task, or "auto". Raises UploadRejected, NothingFound, ModelUnavailable."""
        if patient_id:
            self.patient(patient_id)
        return self.imaging.read(path, task, patient_id, actor, number, progress)

    def has_plan(self, patient_id: str) -> bool:
        """Whether one of the patient's visits has a note, whose plan may name medicines."""
        return any(visit.status is not NoteStatus.TRANSCRIPT for visit in self.consultations.of_patient(patient_id))

    def planned_medicines(self, patient_id: str) -> tuple[dict[str, Any], ...]:
        """What the plan of the newest note starts or continues, as lines of the prescription's form; a proposal.

        Raises NothingFound where there is no note, or its plan names no medicine.
        """
        for visit in self.consultations.of_patient(patient_id):
            if visit.status is not NoteStatus.TRANSCRIPT:
                note = self.consultations.note(visit.consultation_id)
                found = from_plan([line.text for line in note.section("plan")])["medications"]
                if found:
                    return tuple(found)
                break
        raise NothingFound(
            "The plan of the last visit's note names no medicine to start or go on with, so nothing was filled in. "
            "Type the medicine."
        )

    def directions(self, medicine: Medicine) -> str:
        """How to take it, in the patient's words."""
        m = medicine
        return plain_sig(m.dose, m.frequency, m.route, m.form, m.duration_days, "")


def open_workbench(settings: Settings) -> Workbench:
    """The workbench of a running program. Raises StorageFailed, naming the last backup if it is damaged."""
    try:
        return Workbench(settings)
    except DatabaseDamaged as error:
        last = backup.newest(settings.data_dir)
        offer = (
            f"The last one is {last.name}; put it back with: python -m pipelines restore {last.name}"
            if last
            else "There is none in the data folder; restore it from where you keep yours."
        )
        raise StorageFailed(f"{error.user_message} {offer}") from error


def _named_writers(settings: Settings) -> tuple[ModelCard, ...]:
    return writer_cards(settings.note_endpoint, settings.note_endpoint_model, settings.note_model, settings.note_gguf)


__all__ = [
    "CheckedDraft", "DocumentSummary", "FiledRecord", "IdentityConflict", "IssuedPrescription", "MovePreview",
    "Reception",
    "ScanRead", "Trail", "Visit", "Workbench", "open_workbench",
]  # fmt: skip

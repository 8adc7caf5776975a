"""The workbench: joins the jobs to the shelf and the stores. The one thing that the page and the command line talk to.

A filing walks in this order: bytes into the file store (by hash, harmless when left over), one database transaction
with the record and its trail event, then the vectors. A record is whole or absent at every moment; what a crash left
out of the search index is put in at the next start.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from domain.audit import Action, Actor
from domain.consultation import NoteStatus, RecordPlace
from domain.document import Correction, FactKind, Hit, OcrDocument, OcrPage, PageSource
from domain.errors import NotAllowed, NothingFound, StorageFailed, UploadRejected
from domain.models import ModelCard, ModelStamp
from domain.patient import MAX_NAME_CHARS, SEXES, Patient
from domain.people import Mode
from domain.prescription import Medicine
from domain.settings import Settings
from models.cards import CARDS, IMAGING_TASKS
from models.cards_speech import writer_cards
from models.shelf import ModelShelf
from pipelines import (
    deidentify,
    intake,
    keywords,
    page_picture,
    passages,
    search,
    text_layer,
    typed_record,
    understanding,
)
from pipelines import digitise as reading
from pipelines.chart_desk import ChartDesk
from pipelines.consultation_desk import ConsultationDesk, Visit
from pipelines.evaluate import Evaluation
from pipelines.identity import IdentityConflict, identity_conflicts
from pipelines.imaging_desk import ImagingDesk, ScanRead
from pipelines.note_records import supporting_places
from pipelines.people_desk import PeopleDesk
from pipelines.prescription_desk import CheckedDraft, IssuedPrescription, PrescriptionDesk
from pipelines.prescription_drugs import KnownDrugs
from pipelines.prescription_prefill import from_plan
from pipelines.prescription_sig import plain_sig
from pipelines.progress import Progress, silent
from pipelines.trail_desk import Trail, TrailDesk
from storage import audit, backup, choices, consultations, documents, patients, readings
from storage.checkpoint_file import CheckpointFile
from storage.consultations import ConsultationStore
from storage.database import Database, DatabaseDamaged
from storage.documents import DocumentSummary, Filing
from storage.files import FileStore
from storage.passages import PassageIndex
from storage.prescriptions import PrescriptionStore
from storage.signing_keys import SigningKeys, turn_over

log = logging.getLogger(__name__)

TYPED = ModelStamp("typed", "1")  # the "model" of a record that a person wrote
MAX_TITLE_CHARS = 300
SUPPORTING_PAGES = 2  # records shown beside a line of a note
COMPARE_AND_CONFIRM = "Compare the two, then confirm or choose the right patient."  # ends the note of a held record
MAX_RECORD_NUMBER_CHARS = 64


@dataclass(frozen=True, slots=True)
class FiledRecord:
    """What came of a filing.

    `conflicts`: why it was kept out of the chosen patient's folder until a person confirms; empty when all agrees.
    `duplicate_of`: id of the record that already holds the same bytes, else ""; `document` is then that record.
    """

    document: OcrDocument
    conflicts: tuple[IdentityConflict, ...]
    duplicate_of: str
    seconds: float


def _nobody(page: OcrPage) -> None:
    """Nobody watches the pages come."""


class Workbench:
    """Every job on records. Safe to call from several threads."""

    def __init__(self, settings: Settings, cards: Sequence[ModelCard] = CARDS, shelf: ModelShelf | None = None) -> None:
        """Opens the stores and finishes what a crash left undone. `shelf`: one that is shared, instead of a new one.

        Raises StorageFailed or SettingsInvalid.
        """
        self.settings = settings
        self.database = Database(settings.resolved_database_url)
        self.files = FileStore(settings.data_dir / "files")
        self.shelf = shelf or ModelShelf((*cards, *_named_writers(settings)), settings.memory_budget_mb)
        tasks = [task for task in IMAGING_TASKS if any(card.task == task for card in cards)]
        self.imaging = ImagingDesk(self.shelf, self.database, self.files, settings.limits, tasks)
        self._index: PassageIndex | None = None
        self._index_lock = threading.RLock()
        self._keys: SigningKeys | None = None
        self._desk: PrescriptionDesk | None = None
        self._visits: ConsultationDesk | None = None
        self._charts: ChartDesk | None = None
        self._desk_lock = threading.Lock()
        with self.database.read() as tx:
            chosen = choices.all_of(tx)
        chosen |= {"ocr": settings.ocr_model} if settings.ocr_model else {}
        chosen |= {"text_encoder": settings.text_encoder} if settings.text_encoder else {}
        for task, model_id in chosen.items():
            self.shelf.use(task, model_id)
        self.recover()

    def close(self) -> None:
        """Give the stores back."""
        self.database.close()

    # -- patients ---------------------------------------------------------------------------------------------------

    def create_patient(
        self, name: str, birth_date: str, sex: str, record_number: str, actor: Actor, synthetic: bool = False
    ) -> Patient:
        """Add a patient. `birth_date` ISO 8601. Raises UploadRejected for what cannot be a patient."""
        name, number = " ".join(name.split()), " ".join(record_number.split())
        born = _birth_date(birth_date)
        if not name or len(name) > MAX_NAME_CHARS or not name.isprintable():
            raise UploadRejected(
                f"A name needs 1 to {MAX_NAME_CHARS} visible characters, so nobody was added. Type the name again."
            )
        if sex.strip().lower() not in SEXES:
            raise UploadRejected(f"The sex must be one of {', '.join(SEXES)}, so nobody was added. Choose one of them.")
        if len(number) > MAX_RECORD_NUMBER_CHARS or not number.isprintable():
            raise UploadRejected(
                f"A record number has at most {MAX_RECORD_NUMBER_CHARS} visible characters. Check it or leave it empty."
            )
        with self.database.begin() as tx:
            patient = patients.create(tx, name, born, sex.strip().lower(), number, synthetic)
            audit.append(tx, actor, Action.CREATE, f"Patient/{patient.patient_id}", patient.patient_id)
        return patient

    def find_patients(self, text: str = "", limit: int = 50) -> tuple[Patient, ...]:
        """By beginnings of the name's words, by record number, or by a misspelt name; all when `text` is empty."""
        with self.database.read() as tx:
            return patients.find(tx, text[:MAX_NAME_CHARS], limit)

    def patient(self, patient_id: str) -> Patient:
        """Raises NothingFound for an unknown id."""
        with self.database.read() as tx:
            return patients.get(tx, patient_id)

    # -- records ----------------------------------------------------------------------------------------------------

    def digitise(
        self,
        path: Path,
        patient_id: str,
        language: str,
        actor: Actor,
        progress: Progress = silent,
        on_page: Callable[[OcrPage], None] = _nobody,
        confirmed: bool = False,
        title: str = "",
    ) -> FiledRecord:
        """Read a PDF or picture, make it searchable, and file it.

        `on_page` is called with each page as it is read. `confirmed`: file to this patient even where the page names
        another. Raises UploadRejected, NothingFound (unknown patient), Cancelled, ModelUnavailable, StorageFailed.
        """
        started = time.monotonic()
        patient = self.patient(patient_id) if patient_id else None
        upload = intake.receive(path, self.settings.limits)
        with self.database.read() as tx:
            twin = documents.same_source(tx, upload.sha256, patient_id)
        if twin:
            return FiledRecord(self.document(twin), (), twin, time.monotonic() - started)
        card = self.shelf.chosen("ocr")
        pages = []
        with self.shelf.borrow(card.id, progress) as engine:
            pictures = intake.pages(upload, self.settings.limits)
            for page in reading.read_pages(pictures, engine, upload.page_count, progress, self.settings.workers):
                pages.append(page)
                on_page(page)
        document = _understood(
            OcrDocument(
                document_id=uuid.uuid4().hex,
                patient_id=patient_id,
                title=title[:MAX_TITLE_CHARS],
                pages=tuple(pages),
                model=card.stamp,
                created_at=datetime.now(UTC),
                language=language,
                warnings=(*upload.warnings, *(warning for page in pages for warning in page.warnings)),
            )
        )
        conflicts = identity_conflicts(document.facts, patient) if patient else ()
        if conflicts and not confirmed:
            document = replace(
                document,
                patient_id="",
                warnings=(*document.warnings, _unfiled(conflicts)),
            )
        progress(len(pages), len(pages), "pages", "Writing the searchable PDF")
        with self.files.working_file(".pdf") as made:
            text_layer.lay_text(upload, document.pages, document.title, language, out=made)
            pdf_sha256 = self.files.keep(made)
        source_sha256 = self.files.keep(path)
        progress(len(pages), len(pages), "pages", "Filing it, and making it findable")
        self._file(document, Filing(source_sha256, "", pdf_sha256), actor)
        return FiledRecord(document, () if confirmed else conflicts, "", time.monotonic() - started)

    def import_text(
        self,
        title: str,
        text: str,
        patient_id: str,
        actor: Actor,
        kind: str = "",
        document_date: date | None = None,
    ) -> OcrDocument:
        """File a record that was never paper. Raises UploadRejected, NothingFound."""
        if patient_id:
            self.patient(patient_id)
        title = " ".join(title.split())[:MAX_TITLE_CHARS]
        typed = typed_record.typeset(title, text)
        document = _understood(
            OcrDocument(
                document_id=uuid.uuid4().hex,
                patient_id=patient_id,
                title=title,
                pages=typed.pages,
                model=TYPED,
                created_at=datetime.now(UTC),
                kind=kind or "other",
                document_date=document_date,
                warnings=typed.warnings,
            )
        )
        sha256 = self.files.keep_bytes(typed.pdf)
        self._file(document, Filing(sha256, "", sha256), actor)
        return document

    def document(self, document_id: str) -> OcrDocument:
        """Raises NothingFound for an unknown id."""
        with self.database.read() as tx:
            return documents.get(tx, document_id)

    def deidentified_document(self, document_id: str) -> OcrDocument:
        """A record without what names its patient. Raises NothingFound, NotAllowed for a record filed to nobody."""
        return deidentify.shown(self.document(document_id), self.patient)

    def may(self, job: str) -> bool:
        """Whether whoever asks may do a job; the door before the page answers for each visit."""
        return hasattr(self, job.split(".")[0])

    def documents(self, patient_id: str | None = None, limit: int = 200) -> tuple[DocumentSummary, ...]:
        """Newest first; of one patient, of nobody (""), or of all (None)."""
        with self.database.read() as tx:
            return documents.summaries(tx, patient_id, limit)

    def searchable_pdf(self, document_id: str) -> Path:
        """The file; its name on disk says nothing of the patient. Raises NothingFound."""
        with self.database.read() as tx:
            return self.files.path(documents.filing_of(tx, document_id).pdf_sha256)

    def page_picture(self, document_id: str, page: int) -> np.ndarray:
        """uint8 (height_px, width_px, 3) RGB of one page, as its boxes are measured. Raises NothingFound."""
        with self.database.read() as tx:
            size = documents.page_of(tx, document_id, page)
        return page_picture.render(self.searchable_pdf(document_id), page, size.width_px, size.height_px)

    def corrections(self, document_id: str) -> tuple[Correction, ...]:
        """What persons have mended, oldest first."""
        with self.database.read() as tx:
            return documents.history(tx, document_id)

    def correct_word(self, document_id: str, page: int, word_index: int, text: str, actor: Actor) -> OcrDocument:
        """A person's reading of one word; text layer, facts and index follow. Raises NothingFound, UploadRejected."""
        with self.database.begin() as tx:
            document, correction = documents.correct_word(tx, document_id, page, word_index, text, actor.who)
            filing = documents.filing_of(tx, document_id)
            document = _understood(replace(document, facts=()), keep_title=True)
            pdf_sha256 = self._relaid(document, filing, page)
            documents.replace_reading(tx, document, pdf_sha256)
            detail = f"page {page} word {word_index} corrected, revision {document.revision}"
            entity = f"DocumentReference/{document_id}"
            audit.append(tx, actor, Action.UPDATE, entity, document.patient_id, detail, document.model)
        log.info("corrected a word of record %s, revision %d", correction.document_id, document.revision)
        self._index_document(document_id)
        return document

    def file_document(self, document_id: str, patient_id: str, actor: Actor, confirmed: bool = False) -> OcrDocument:
        """File a kept record to a patient. Raises NotAllowed where the page names another and nobody confirmed."""
        document, patient = self.document(document_id), self.patient(patient_id)
        conflicts = identity_conflicts(document.facts, patient)
        if conflicts and not confirmed:
            raise NotAllowed(_unfiled(conflicts))
        with self.database.begin() as tx:
            kept = [warning for warning in document.warnings if not warning.endswith(COMPARE_AND_CONFIRM)]
            documents.move(tx, document_id, patient_id, kept)
            entity = f"DocumentReference/{document_id}"
            detail = "filed to this patient" + (" against differing identity, confirmed" if conflicts else "")
            audit.append(tx, actor, Action.UPDATE, entity, patient_id, detail)
        self._index_document(document_id)
        return self.document(document_id)

    def conflicts_with(self, document: OcrDocument, patient_id: str) -> tuple[IdentityConflict, ...]:
        """Where the identity on a record's pages differs from this patient's chart; empty when all agrees."""
        return identity_conflicts(document.facts, self.patient(patient_id))

    # -- prescriptions ----------------------------------------------------------------------------------------------

    @property
    def people(self) -> PeopleDesk:
        """Accounts and visits."""
        chosen = self.settings
        idle, longest = timedelta(minutes=chosen.session_idle_minutes), timedelta(hours=chosen.session_hours)
        return PeopleDesk(self.database, idle, longest)

    def record_read(self, actor: Actor, kind: str, what: str, patient_id: str) -> None:
        """Tell the trail that somebody has seen something. `kind`: a FHIR type; `what`: an id, never a name."""
        with self.database.begin() as tx:
            audit.append(tx, actor, Action.READ, f"{kind}/{what}" if what else kind, patient_id)

    @property
    def signing_keys(self) -> SigningKeys:
        """The key ring; opened, or made, at the first use. Raises SettingsInvalid."""
        with self._desk_lock:
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
        with self._desk_lock:
            if self._desk is None:
                signed_in = self.settings.mode is Mode.CLINIC
                self._desk = PrescriptionDesk(PrescriptionStore(self.database), keys, KnownDrugs(), accounts=signed_in)
            return self._desk

    @property
    def consultations(self) -> ConsultationDesk:
        """The consultation desk: visits heard or imported, their notes."""
        with self._desk_lock:
            if self._visits is None:
                self._visits = ConsultationDesk(
                    self.shelf,
                    ConsultationStore(self.database),
                    self.files,
                    self._supporting,
                    self.patient,
                    self.medications,
                )
            return self._visits

    @property
    def charts(self) -> ChartDesk:
        """The chart desk: one patient, everything in order."""
        with self._desk_lock:
            if self._charts is None:
                self._charts = ChartDesk(
                    self.database, self._index_document, lambda one: self.searchable_pdf(one).read_bytes()
                )
            return self._charts

    def allergies(self, patient_id: str) -> tuple[str, ...]:
        """What the patient's records say they do not tolerate, as written there, each once."""
        with self.database.read() as tx:
            facts = documents.facts_of(tx, patient_id)
        said = [f.label for f in facts if f.kind is FactKind.ALLERGY and not f.negated and f.label]
        return tuple({label.casefold(): label for label in reversed(said)}.values())[::-1]

    def medications(self, patient_id: str) -> tuple[str, ...]:
        """Medicines the patient's records name, as written there, each once."""
        with self.database.read() as tx:
            facts = documents.facts_of(tx, patient_id)
        said = [f.label for f in facts if f.kind is FactKind.MEDICATION and not f.negated and f.label]
        return tuple({label.casefold(): label for label in said}.values())

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

    # -- imaging ----------------------------------------------------------------------------------------------------

    def scan_cards(self) -> tuple[ModelCard, ...]:
        """The card in use for each imaging task."""
        return self.imaging.cards()

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

    def evaluate(
        self, task: str, data: Path, model_id: str = "", split: str = "held-out", progress: Progress = silent
    ) -> Evaluation:
        """The figures of an imaging card, measured again. Raises UploadRejected, NothingFound, ModelUnavailable."""
        return self.imaging.evaluate(task, data, model_id, split, progress)

    # -- search -----------------------------------------------------------------------------------------------------

    def search(
        self,
        query: str,
        actor: Actor,
        patient_id: str = "",
        limit: int = 10,
        kinds: Sequence[str] = (),
        since: date | None = None,
        until: date | None = None,
    ) -> search.SearchAnswer:
        """Passages that speak of a symptom. Raises UploadRejected for a query that is none."""
        if patient_id:
            self.patient(patient_id)
        wanted = search.SearchQuery(query, patient_id, limit, tuple(kinds), since, until)
        with self.shelf.borrow(self.shelf.chosen("text_encoder").id) as encoder:
            answer = search.search(wanted, self._passage_index(), encoder)
        with self.database.begin() as tx:
            audit.append(tx, actor, Action.EXECUTE, "search", patient_id, f"{len(answer.hits)} hits")
        return replace(answer, hits=tuple(self._lit(hit, query) for hit in answer.hits))

    # -- the trail --------------------------------------------------------------------------------------------------

    @property
    def trail_desk(self) -> TrailDesk:
        """Verifies, proves and signs the trail. Raises SettingsInvalid when the signing key cannot be used."""
        return TrailDesk(self.database, CheckpointFile(self.settings.data_dir), self.signing_keys)

    def trail(self, patient_id: str = "", checkpoint: str = "") -> Trail:
        """Who did what, of one patient or of all; and whether the whole trail is as it was written."""
        if patient_id:
            self.patient(patient_id)
        return self.trail_desk.read(patient_id, checkpoint)

    # -- models -----------------------------------------------------------------------------------------------------

    def model_cards(self) -> tuple[ModelCard, ...]:
        """Everything on the shelf."""
        return self.shelf.cards

    def models_in_use(self) -> frozenset[str]:
        """Ids of the cards that their tasks use now."""
        return frozenset(self.shelf.chosen(task).id for task in {card.task for card in self.shelf.cards})

    def models_loaded(self) -> frozenset[str]:
        """Ids of the cards whose models are in memory."""
        return frozenset(status.model_id for status in self.shelf.status() if status.loaded)

    def use_model(self, task: str, model_id: str, actor: Actor | None = None) -> ModelCard:
        """Choose the model of a task for everybody, from now on. Raises ModelUnavailable."""
        card = self.shelf.use(task, model_id)
        with self.database.begin() as tx:
            choices.choose(tx, task, model_id)
            who = actor or Actor("unknown", "", "unknown")
            audit.append(tx, who, Action.UPDATE, f"model/{task}", "", f"now {model_id}", card.stamp)
        if task == "text_encoder":
            with self._index_lock:
                self._index = None  # vectors of another encoder; the passages are encoded anew at the next use
        return card

    # -- recovery ---------------------------------------------------------------------------------------------------

    def recover(self) -> None:
        """Remove files that no record needs. The index is brought up to date when it is first opened."""
        with self.database.read() as tx:
            in_use = documents.files_in_use(tx) | consultations.files_in_use(tx) | readings.files_in_use(tx)
        swept = self.files.sweep(in_use)
        if swept:
            log.info("swept %d files that no record needs", swept)

    def _passage_index(self) -> PassageIndex:
        with self._index_lock:
            if self._index is None:
                card = self.shelf.chosen("text_encoder")
                with self.shelf.borrow(card.id) as encoder:
                    self._index = PassageIndex.open(
                        card.stamp,
                        encoder.dimensions,
                        keywords.index_words,
                        folder=None if self.settings.chroma_url else self.settings.data_dir / "index",
                        url=self.settings.chroma_url,
                    )
                self._catch_up(self._index)
            return self._index

    def _catch_up(self, index: PassageIndex) -> None:
        """After a crash, a restored backup or a change of encoder: the index holds exactly the records there are."""
        with self.database.read() as tx:
            behind, known = set(documents.behind_index(tx)), set(documents.all_ids(tx))
        indexed = index.document_ids()
        for document_id in indexed - known:
            index.remove_document(document_id)
        for document_id in sorted(behind | (known - indexed)):
            self._index_document(document_id)

    def _index_document(self, document_id: str) -> None:
        """Put the record as it is now into the index. One at a time: of two changes the later one is what stays."""
        index = self._passage_index()
        with self._index_lock:
            document = self.document(document_id)
            cut = passages.cut(document)
            with self.shelf.borrow(self.shelf.chosen("text_encoder").id) as encoder:
                vectors = encoder.encode_passages([passage.text for passage in cut])
            index.replace_document(document_id, cut, vectors)
            with self.database.begin() as tx:
                documents.mark_indexed(tx, document_id, document.revision)

    def _file(self, document: OcrDocument, filing: Filing, actor: Actor) -> None:
        with self.database.begin() as tx:
            documents.file(tx, document, filing)
            entity = f"DocumentReference/{document.document_id}"
            detail = f"{len(document.pages)} pages filed"
            audit.append(tx, actor, Action.CREATE, entity, document.patient_id, detail, document.model)
        self._index_document(document.document_id)

    def _relaid(self, document: OcrDocument, filing: Filing, page: int) -> str:
        """SHA-256 of the PDF with the corrected text."""
        with self.files.working_file(".pdf") as made:
            if document.pages[page - 1].source is PageSource.TYPED:
                made.write_bytes(typed_record.draw(document.pages, document.title))
            else:
                text_layer.relay_page(self.files.path(filing.pdf_sha256), document.pages[page - 1], out=made)
            return self.files.keep(made)

    def _supporting(self, text: str, patient_id: str) -> tuple[RecordPlace, ...]:
        """Pages of the patient's records that say what a note's line says. The note's own event stands for the look."""
        wanted = search.SearchQuery(text[:MAX_TITLE_CHARS], patient_id, SUPPORTING_PAGES)
        with self.shelf.borrow(self.shelf.chosen("text_encoder").id) as encoder:
            hits = search.search(wanted, self._passage_index(), encoder).hits
        return supporting_places([self._lit(hit, text) for hit in hits], text)

    def _lit(self, hit: Hit, query: str) -> Hit:
        """The hit with the boxes of the words that answer the query, or of the whole passage where none does."""
        with self.database.read() as tx:
            words = documents.page_of(tx, hit.passage.document_id, hit.passage.page).words
        texts = [words[index].text for index in hit.passage.word_indices if index < len(words)]
        matched = search.matched_word_indices(hit.passage, texts, query)
        indices = matched or hit.passage.word_indices
        boxes = tuple(words[index].box for index in indices if index < len(words))
        return replace(hit, boxes=boxes, matched_terms=tuple(words[i].text for i in matched if i < len(words)))


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


def copy_store(template: Workbench, folder: Path) -> None:
    """Everything the template keeps, in a new data folder of its own. Raises StorageFailed."""
    backup.copy(template.settings.data_dir, folder)


def back_up(settings: Settings, actor: Actor, target: Path | None = None) -> backup.Backup:
    """Everything that is kept, in one file, also while the program runs. Raises StorageFailed."""
    made = backup.write(settings.data_dir, target)
    with closing(Database(settings.resolved_database_url)) as database, database.begin() as tx:
        audit.append(tx, actor, Action.EXECUTE, "backup", "", f"{made.file_count} files copied")
    return made


def put_back(settings: Settings, actor: Actor, name: Path) -> backup.Backup:
    """A backup, by path or by name in the data folder's own place. Raises UploadRejected, StorageFailed."""
    file = name if name.is_file() else settings.data_dir / backup.FOLDER / name.name
    if not file.is_file():
        raise UploadRejected("There is no such backup, so nothing was changed. Name a file that exists.")
    restored = backup.restore(settings.data_dir, file)
    with closing(Database(settings.resolved_database_url)) as database, database.begin() as tx:
        detail = f"everything put back as it was at {restored.made_at:%Y-%m-%dT%H:%M:%SZ}"
        audit.append(tx, actor, Action.UPDATE, "backup", "", detail)
    return restored


def rotate_signing_key(settings: Settings, actor: Actor, compromised: bool = False) -> str:
    """A new key signs prescriptions from now on; returns its id. Older codes stay verifiable unless `compromised`.

    Works on the key folder alone, so that it also mends a start that refuses a lost or open key.
    """
    key_id = turn_over(settings.data_dir, compromised)
    if compromised:
        CheckpointFile(settings.data_dir).retire()
    with closing(Workbench(settings)) as bench, bench.database.begin() as tx:
        detail = "signing key replaced, older codes void" if compromised else "signing key replaced"
        audit.append(tx, actor, Action.UPDATE, f"key/{key_id}", "", detail)
    return key_id


def _understood(document: OcrDocument, keep_title: bool = False) -> OcrDocument:
    """The record with what its pages say: facts, and kind, date and title where nobody gave them."""
    facts = understanding.understand(document.pages)
    kind = document.kind if document.kind != "other" else understanding.document_kind(document.pages)
    title = document.title if document.title or keep_title else understanding.suggest_title(document.pages, facts)
    dated = document.document_date or understanding.document_date(facts)
    return replace(document, facts=facts, kind=kind, title=title or "Record", document_date=dated)


def _unfiled(conflicts: Sequence[IdentityConflict]) -> str:
    fields = " and ".join(dict.fromkeys(conflict.field.replace("_", " ") for conflict in conflicts))
    return (
        f"The page gives another {fields} than the chosen patient's chart, so it was kept but not filed to them. "
        f"{COMPARE_AND_CONFIRM}"
    )


def _named_writers(settings: Settings) -> tuple[ModelCard, ...]:
    return writer_cards(settings.note_endpoint, settings.note_endpoint_model, settings.note_model)


def _birth_date(text: str) -> date:
    try:
        born = date.fromisoformat(text.strip())
    except ValueError as error:
        raise UploadRejected(
            "The date of birth is no date of the form YYYY-MM-DD, so nobody was added. Type it like 1961-03-12."
        ) from error
    if not date(1880, 1, 1) <= born <= datetime.now(UTC).date():
        raise UploadRejected(
            "The date of birth lies before 1880 or in the future, so nobody was added. Check the year."
        )
    return born


__all__ = [
    "CheckedDraft", "DocumentSummary", "FactKind", "FiledRecord", "IssuedPrescription", "NothingFound", "ScanRead",
    "Visit", "Workbench", "back_up", "copy_store", "open_workbench", "put_back",
]  # fmt: skip

"""The records desk: a page is read and filed, shown, corrected, and filed to whom it belongs.

A filing walks in this order: bytes into the file store (by hash, harmless when left over), one database transaction
with the record and its trail event, then the vectors. A record is whole or absent at every moment; what a crash left
out of the search index is put in at the next start.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from domain.audit import Action, Actor
from domain.document import Correction, OcrDocument, OcrPage, PageSource
from domain.errors import NotAllowed
from domain.limits import Limits
from domain.models import ModelStamp
from domain.patient import Patient
from domain.upload import Upload
from models.shelf import ModelShelf
from pipelines import deidentify, intake, page_picture, text_layer, typed_record, understanding
from pipelines import digitise as reading
from pipelines.identity import IdentityConflict, identity_conflicts
from pipelines.progress import Progress, silent
from pipelines.spare_memory import give_back
from storage import audit, documents
from storage.database import Database
from storage.documents import DocumentSummary, Filing
from storage.files import FileStore

log = logging.getLogger(__name__)

TYPED = ModelStamp("typed", "1")  # the "model" of a record that a person wrote
MAX_TITLE_CHARS = 300
COMPARE_AND_CONFIRM = "Compare the two, then confirm or choose the right patient."  # ends the note of a held record


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


@dataclass(frozen=True, slots=True)
class ShownPage:
    """One page of a record, without the rest. `revision`: of the record; a viewer sees whether it moved on."""

    page: OcrPage
    revision: int
    patient_id: str


def _nobody(page: OcrPage) -> None:
    """Nobody watches the pages come."""


class RecordsDesk:
    """Every job on records. Safe to call from several threads."""

    def __init__(
        self,
        shelf: ModelShelf,
        database: Database,
        files: FileStore,
        limits: Limits,
        workers: int,
        patient_of: Callable[[str], Patient],
        index_document: Callable[[str], None],
    ) -> None:
        """`workers`: pages read at once. `patient_of`: a patient by id; raises NothingFound. `index_document`: brings
        the search index up to date with one record."""
        self._shelf, self._database, self._files = shelf, database, files
        self._limits, self._workers = limits, workers
        self._patient_of, self._index_document = patient_of, index_document

    # -- filing -----------------------------------------------------------------------------------------------------

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
        document_date: date | None = None,
    ) -> FiledRecord:
        """Read a PDF or picture, make it searchable, and file it.

        `on_page` is called with each page as it is read. `confirmed`: file to this patient even where the page names
        another. `document_date`: the day it bears, where its sender gave it; else what the page says. Raises
        UploadRejected, NothingFound (unknown patient), Cancelled, ModelUnavailable, StorageFailed.
        """
        started = time.monotonic()
        patient = self._patient_of(patient_id) if patient_id else None
        upload = intake.receive(path, self._limits)
        with self._database.read() as tx:
            twin = documents.same_source(tx, upload.sha256, patient_id)
        if twin:
            return FiledRecord(self.document(twin), (), twin, time.monotonic() - started)
        document = self._read(upload, patient_id, language, title, progress, on_page)
        document = replace(document, document_date=document_date or document.document_date)
        conflicts = identity_conflicts(document.facts, patient) if patient else ()
        if conflicts and not confirmed:
            document = replace(document, patient_id="", warnings=(*document.warnings, _unfiled(conflicts)))
        count = len(document.pages)
        progress(count, count, "pages", "Writing the searchable PDF")
        with self._files.working_file(".pdf") as made:
            text_layer.lay_text(upload, document.pages, document.title, language, out=made)
            pdf_sha256 = self._files.keep(made)
        source_sha256 = self._files.keep(path)
        progress(count, count, "pages", "Filing it, and making it findable")
        self._file(document, Filing(source_sha256, "", pdf_sha256), actor)
        give_back()
        return FiledRecord(document, () if confirmed else conflicts, "", time.monotonic() - started)

    def import_text(
        self,
        title: str,
        text: str,
        patient_id: str,
        actor: Actor,
        kind: str = "",
        document_date: date | None = None,
        progress: Progress = silent,
    ) -> OcrDocument:
        """File a record that was never paper. Raises UploadRejected, NothingFound, Cancelled."""
        if patient_id:
            self._patient_of(patient_id)
        progress(0, 0, "pages", "Setting the text into pages")
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
        count = len(typed.pages)
        progress(count, count, "pages", "Filing it, and making it findable")
        sha256 = self._files.keep_bytes(typed.pdf)
        self._file(document, Filing(sha256, "", sha256), actor)
        return document

    def file_document(self, document_id: str, patient_id: str, actor: Actor, confirmed: bool = False) -> OcrDocument:
        """File a kept record to a patient. Raises NotAllowed where the page names another and nobody confirmed."""
        document = self.document(document_id)
        conflicts = self.conflicts_with(document, patient_id)
        if conflicts and not confirmed:
            raise NotAllowed(_unfiled(conflicts))
        with self._database.begin() as tx:
            kept = [warning for warning in document.warnings if not warning.endswith(COMPARE_AND_CONFIRM)]
            documents.move(tx, document_id, patient_id, kept)
            entity = f"DocumentReference/{document_id}"
            detail = "filed to this patient" + (" against differing identity, confirmed" if conflicts else "")
            audit.append(tx, actor, Action.UPDATE, entity, patient_id, detail)
        self._index_document(document_id)
        return self.document(document_id)

    def conflicts_with(self, document: OcrDocument, patient_id: str) -> tuple[IdentityConflict, ...]:
        """Where the identity on a record's pages differs from this patient's chart; empty when all agrees."""
        return identity_conflicts(document.facts, self._patient_of(patient_id))

    # -- looking ----------------------------------------------------------------------------------------------------

    def patient(self, patient_id: str) -> Patient:
        """Raises NothingFound for an unknown id."""
        return self._patient_of(patient_id)

    def document(self, document_id: str) -> OcrDocument:
        """Raises NothingFound for an unknown id."""
        with self._database.read() as tx:
            return documents.get(tx, document_id)

    def deidentified_document(self, document_id: str) -> OcrDocument:
        """A record without what names its patient. Raises NothingFound, NotAllowed for a record filed to nobody."""
        return deidentify.shown(self.document(document_id), self._patient_of)

    def documents(self, patient_id: str | None = None, limit: int = 200) -> tuple[DocumentSummary, ...]:
        """Newest first; of one patient, of nobody (""), or of all (None)."""
        with self._database.read() as tx:
            return documents.summaries(tx, patient_id, limit)

    def searchable_pdf(self, document_id: str) -> Path:
        """The file; its name on disk says nothing of the patient. Raises NothingFound."""
        with self._database.read() as tx:
            return self._files.path(documents.filing_of(tx, document_id).pdf_sha256)

    def page_picture(self, document_id: str, page: int) -> np.ndarray:
        """uint8 (height_px, width_px, 3) RGB of one page, as its boxes are measured. Raises NothingFound."""
        with self._database.read() as tx:
            size = documents.page_of(tx, document_id, page)
        return page_picture.render(self.searchable_pdf(document_id), page, size.width_px, size.height_px)

    def shown_page(self, document_id: str, page: int) -> ShownPage:
        """Raises NothingFound."""
        with self._database.read() as tx:
            owner, revision = documents.owner_and_revision(tx, document_id)
            return ShownPage(documents.page_of(tx, document_id, page), revision, owner)

    def owner_of(self, document_id: str) -> str:
        """Id of the patient a record is filed to, "" for nobody. Raises NothingFound."""
        with self._database.read() as tx:
            return documents.owner_and_revision(tx, document_id)[0]

    # -- mending ----------------------------------------------------------------------------------------------------

    def corrections(self, document_id: str) -> tuple[Correction, ...]:
        """What persons have mended, oldest first."""
        with self._database.read() as tx:
            return documents.history(tx, document_id)

    def correct_word(self, document_id: str, page: int, word_index: int, text: str, actor: Actor) -> OcrDocument:
        """A person's reading of one word; text layer, facts and index follow. Raises NothingFound, UploadRejected."""
        with self._database.begin() as tx:
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

    # -- within -----------------------------------------------------------------------------------------------------

    def _read(
        self,
        upload: Upload,
        patient_id: str,
        language: str,
        title: str,
        progress: Progress,
        on_page: Callable[[OcrPage], None],
    ) -> OcrDocument:
        """The upload, read page by page and understood; nothing is kept yet."""
        card = self._shelf.chosen("ocr")
        pages = []
        with self._shelf.borrow(card.id, progress) as engine:
            pictures = intake.pages(upload, self._limits)
            for page in reading.read_pages(pictures, engine, upload.page_count, progress, self._workers):
                pages.append(page)
                on_page(page)
        progress(len(pages), len(pages), "pages", "Working out what the pages say")
        return _understood(
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

    def _file(self, document: OcrDocument, filing: Filing, actor: Actor) -> None:
        with self._database.begin() as tx:
            documents.file(tx, document, filing)
            entity = f"DocumentReference/{document.document_id}"
            detail = f"{len(document.pages)} pages filed"
            audit.append(tx, actor, Action.CREATE, entity, document.patient_id, detail, document.model)
        self._index_document(document.document_id)

    def _relaid(self, document: OcrDocument, filing: Filing, page: int) -> str:
        """SHA-256 of the PDF with the corrected text."""
        with self._files.working_file(".pdf") as made:
            if document.pages[page - 1].source is PageSource.TYPED:
                made.write_bytes(typed_record.draw(document.pages, document.title))
            else:
                text_layer.relay_page(self._files.path(filing.pdf_sha256), document.pages[page - 1], out=made)
            return self._files.keep(made)


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

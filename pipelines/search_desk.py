"""The search desk: keeps the index of passages in step with the records, and finds in it.

The index can be thrown away: it is opened at the first use, and whatever records it lacks are then put in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from domain.audit import Action, Actor
from domain.consultation import RecordPlace
from domain.document import Hit
from domain.patient import Patient
from models.shelf import ModelShelf
from pipelines import keywords, passages
from pipelines import search as finding
from pipelines.note_records import supporting_places
from storage import audit, documents
from storage.database import Database
from storage.passages import PassageIndex, open_client

ENCODER = "text_encoder"  # task on the shelf
SUPPORTING_PAGES = 2  # records shown beside a line of a note
MAX_LINE_CHARS = 300  # of a note's line that are looked for


class SearchDesk:
    """Safe to call from several threads."""

    def __init__(
        self,
        shelf: ModelShelf,
        database: Database,
        folder: Path,
        server_url: str,
        patient_of: Callable[[str], Patient],
    ) -> None:
        """`folder`: where the index lies, unless `server_url` names a Chroma server. `patient_of`: a patient by id;
        raises NothingFound."""
        self._shelf, self._database = shelf, database
        self._folder, self._server_url = folder, server_url
        self._patient_of = patient_of
        self._client: Any = None  # Chroma's, opened at the first use
        self._opened: PassageIndex | None = None
        self._lock = threading.RLock()

    def search(
        self,
        query: str,
        actor: Actor,
        patient_id: str = "",
        limit: int = 10,
        kinds: Sequence[str] = (),
        since: date | None = None,
        until: date | None = None,
    ) -> finding.SearchAnswer:
        """Passages that speak of a symptom. Raises UploadRejected for a query that is none."""
        if patient_id:
            self._patient_of(patient_id)
        answer = self._found(finding.SearchQuery(query, patient_id, limit, tuple(kinds), since, until))
        with self._database.begin() as tx:
            audit.append(tx, actor, Action.EXECUTE, "search", patient_id, f"{len(answer.hits)} hits")
        return replace(answer, hits=tuple(self._lit(hit, query) for hit in answer.hits))

    def supporting(self, line: str, patient_id: str) -> tuple[RecordPlace, ...]:
        """Pages of the patient's records that say what a note's line says. The note's own event stands for the look."""
        hits = self._found(finding.SearchQuery(line[:MAX_LINE_CHARS], patient_id, SUPPORTING_PAGES)).hits
        return supporting_places([self._lit(hit, line) for hit in hits], line)

    def index_document(self, document_id: str) -> None:
        """Put the record as it is now into the index. One at a time: of two changes the later one is what stays."""
        index = self.index()
        with self._lock:
            with self._database.read() as tx:
                document = documents.get(tx, document_id)
            cut = passages.cut(document)
            with self._shelf.borrow(self._shelf.chosen(ENCODER).id) as encoder:
                vectors = encoder.encode_passages([passage.text for passage in cut])
            index.replace_document(document_id, cut, vectors)
            with self._database.begin() as tx:
                documents.mark_indexed(tx, document_id, document.revision)

    def close(self) -> None:
        """Give the index's files back; the next use opens them anew."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = self._opened = None

    def model_changed(self, task: str) -> None:
        """Vectors of another encoder say nothing to this one: the passages are encoded anew at the next use."""
        if task == ENCODER:
            with self._lock:
                self._opened = None

    def index(self) -> PassageIndex:
        """The index, opened and brought up to date at the first use. Raises ModelUnavailable, StorageFailed."""
        with self._lock:
            if self._opened is None:
                card = self._shelf.chosen(ENCODER)
                with self._shelf.borrow(card.id) as encoder:
                    if self._client is None:
                        self._client = open_client(self._folder, self._server_url)
                    self._opened = PassageIndex(self._client, card.stamp, encoder.dimensions, keywords.index_words)
                self._catch_up(self._opened)
            return self._opened

    def _catch_up(self, index: PassageIndex) -> None:
        """After a crash, a restored backup or a change of encoder: the index holds exactly the records there are."""
        with self._database.read() as tx:
            behind, known = set(documents.behind_index(tx)), set(documents.all_ids(tx))
        indexed = index.document_ids()
        for document_id in indexed - known:
            index.remove_document(document_id)
        for document_id in sorted(behind | (known - indexed)):
            self.index_document(document_id)

    def _found(self, query: finding.SearchQuery) -> finding.SearchAnswer:
        with self._shelf.borrow(self._shelf.chosen(ENCODER).id) as encoder:
            return finding.search(query, self.index(), encoder)

    def _lit(self, hit: Hit, query: str) -> Hit:
        """The hit with the boxes of the words that answer the query, or of the whole passage where none does."""
        with self._database.read() as tx:
            words = documents.page_of(tx, hit.passage.document_id, hit.passage.page).words
        texts = [words[index].text for index in hit.passage.word_indices if index < len(words)]
        matched = finding.matched_word_indices(hit.passage, texts, query)
        indices = matched or hit.passage.word_indices
        boxes = tuple(words[index].box for index in indices if index < len(words))
        return replace(hit, boxes=boxes, matched_terms=tuple(words[i].text for i in matched if i < len(words)))

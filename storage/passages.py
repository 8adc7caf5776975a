"""Where passages and their vectors are kept: Chroma, embedded under the data folder or a server by URL.

Receives vectors, never embeds. Chroma is what survives a restart; beside it stands a copy in memory in which search is
exact and a filter makes it faster: `python -m benchmarks.search --speed` prints the times.
One process owns an index; another process that writes to the same store is seen after `reload`.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlparse

import numpy as np

from domain.document import Passage
from domain.errors import StorageFailed
from domain.models import ModelStamp
from domain.search import EVERYTHING, PassageFilter, ScoredPassages
from storage.keyword_index import KeywordIndex

COLLECTION_PREFIX = "passages-"
LOAD_PAGE = 2_000  # passages fetched from Chroma at a time when the copy in memory is filled
WRITE_PAGE = 1_000  # well below Chroma's own limit of one write
NO_DATE = 0


class _Kept(NamedTuple):
    """A passage as it lies in memory and in Chroma; 100,000 with their word indices written out would take 500 MB."""

    passage_id: str
    document_id: str
    patient_id: str
    page: int
    kind: str
    day: int  # proleptic ordinal, or NO_DATE
    words: str  # runs of word indices
    text: str

    @classmethod
    def of(cls, passage: Passage) -> _Kept:
        day = passage.document_date.toordinal() if passage.document_date else NO_DATE
        return cls(
            passage.passage_id,
            passage.document_id,
            passage.patient_id,
            passage.page,
            passage.kind,
            day,
            _write_runs(passage.word_indices),
            passage.text,
        )

    def passage(self) -> Passage:
        return Passage(
            passage_id=self.passage_id,
            document_id=self.document_id,
            patient_id=self.patient_id,
            page=self.page,
            text=self.text,
            word_indices=_read_runs(self.words),
            document_date=date.fromordinal(self.day) if self.day != NO_DATE else None,
            kind=self.kind,
        )

    def metadata(self) -> dict[str, str | int]:
        return {
            "document_id": self.document_id,
            "patient_id": self.patient_id,
            "page": self.page,
            "kind": self.kind,
            "date": self.day,
            "words": self.words,
        }


def open_client(folder: Path | None, url: str = "") -> Any:
    """Chroma with its files under `folder`, or the server at `url` (http://host:port). Whoever opens it closes it.
    Raises StorageFailed."""
    os.environ["ANONYMIZED_TELEMETRY"] = "False"  # read by chromadb while it is imported
    import chromadb
    from chromadb.config import Settings

    quiet = Settings(anonymized_telemetry=False)
    with _chroma_errors("opened"):
        if url:
            place = urlparse(url)
            return chromadb.HttpClient(
                host=place.hostname or "localhost",
                port=place.port or (443 if place.scheme == "https" else 8000),
                ssl=place.scheme == "https",
                settings=quiet,
            )
        if folder is None:
            raise ValueError("a passage index needs a folder or the URL of a server")
        folder.mkdir(parents=True, exist_ok=True)
        return chromadb.PersistentClient(path=str(folder), settings=quiet)


class PassageIndex:
    """Passages of all records. Safe under threads: one lock guards the copy in memory and the order of writes."""

    def __init__(self, client: Any, encoder: ModelStamp, dimensions: int, split: Callable[[str], list[str]]) -> None:
        """`client`: a Chroma client. `encoder`: whose vectors these are; each encoder has a collection of its own, so
        vectors of two never mix, and a change of encoder shows in `document_ids` as records still to be indexed.
        `split`: text to index words (pipelines.keywords.index_words)."""
        self._client, self._encoder, self._dimensions, self._split = client, encoder, dimensions, split
        self._lock = threading.RLock()
        with _chroma_errors("opened"):
            self._collection = client.get_or_create_collection(
                _collection_name(encoder, dimensions),
                embedding_function=None,
                # Search here is exact and never asks Chroma's graph; a small one makes filing twice as quick.
                configuration={"hnsw": {"space": "cosine", "ef_construction": 16, "max_neighbors": 8}},
            )
        self._loaded = False
        self._clear()

    @classmethod
    def open(
        cls,
        encoder: ModelStamp,
        dimensions: int,
        split: Callable[[str], list[str]],
        *,
        folder: Path | None = None,
        url: str = "",
    ) -> PassageIndex:
        """The index under `folder`, or on the Chroma server at `url` (http://host:port). Raises StorageFailed."""
        return cls(open_client(folder, url), encoder, dimensions, split)

    # -- writing ----------------------------------------------------------------------------------------------------

    def add(self, passages: Sequence[Passage], vectors: np.ndarray) -> None:
        """Keep passages with their vectors, float32 (len(passages), dimensions). The same id again replaces it."""
        if vectors.shape != (len(passages), self._dimensions):
            raise ValueError(f"{len(passages)} passages of {self._dimensions} numbers, but vectors {vectors.shape}")
        with self._lock:
            self._load()
            kept = [_Kept.of(passage) for passage in passages]
            for start in range(0, len(kept), WRITE_PAGE):
                part = kept[start : start + WRITE_PAGE]
                with _chroma_errors("written"):
                    self._collection.upsert(
                        ids=[one.passage_id for one in part],
                        embeddings=vectors[start : start + WRITE_PAGE],
                        documents=[one.text for one in part],
                        metadatas=[one.metadata() for one in part],
                    )
            for one, vector in zip(kept, vectors, strict=True):
                self._put(one, vector)

    def replace_document(self, document_id: str, passages: Sequence[Passage], vectors: np.ndarray) -> None:
        """Passages of one document as they are now. New ones are written before old ones go, so a crash between the
        two leaves too much and never too little; the next replacement tidies up."""
        with self._lock:
            self._load()
            kept = {passage.passage_id for passage in passages}
            stale = [self._at(row).passage_id for row in self._rows_of_document.get(document_id, ())]
            self.add(passages, vectors)
            self._delete([passage_id for passage_id in stale if passage_id not in kept])

    def remove_document(self, document_id: str) -> None:
        """Forget a document here and in the collections of other encoders, whose copies hold its text too."""
        with self._lock:
            self._load()
            with _chroma_errors("written"):
                for collection in self._client.list_collections():
                    if collection.name.startswith(COLLECTION_PREFIX):
                        found = self._client.get_collection(collection.name, embedding_function=None)
                        found.delete(where={"document_id": document_id})
            for row in list(self._rows_of_document.get(document_id, ())):
                self._drop(row)

    def move_document(self, document_id: str, patient_id: str) -> None:
        """File a document's passages to another patient ("" for nobody)."""
        with self._lock:
            self._load()
            rows = list(self._rows_of_document.get(document_id, ()))
            if not rows:
                return
            moved = [replace(self._at(row).passage(), patient_id=patient_id) for row in rows]
            self.add(moved, self._vectors[rows].copy())

    # -- reading ----------------------------------------------------------------------------------------------------

    def count(self) -> int:
        """How many passages are kept."""
        with self._lock:
            self._load()
            return len(self._row_of)

    def document_ids(self) -> frozenset[str]:
        """Documents that have passages here: what a start compares with the records that should have some."""
        with self._lock:
            self._load()
            return frozenset(self._rows_of_document)

    def passages(self, passage_ids: Iterable[str]) -> tuple[Passage, ...]:
        """Passages by id, in the order asked; unknown ids are left out."""
        with self._lock:
            self._load()
            return tuple(self._at(self._row_of[name]).passage() for name in passage_ids if name in self._row_of)

    def all_of_patient(self, patient_id: str) -> tuple[Passage, ...]:
        """Every passage filed to one patient, by document and place in it."""
        with self._lock:
            self._load()
            rows = self._allowed(PassageFilter(patient_id))
            found = [self._at(int(row)).passage() for row in rows]
        return tuple(sorted(found, key=lambda p: (p.document_id, p.page, p.word_indices[:1])))

    def rows_with(self, word: str) -> int:
        """How many passages hold this index word."""
        with self._lock:
            self._load()
            return self._keywords.rows_with(word)

    def score(
        self, vectors: np.ndarray, words: Sequence[dict[str, float]], where: PassageFilter = EVERYTHING
    ) -> ScoredPassages:
        """See domain.search.PassageScores."""
        with self._lock:
            self._load()
            rows = self._allowed(where)
            everything = len(rows) == self._size
            matrix = self._vectors[: self._size] if everything else self._vectors[rows]
            similarity = matrix @ np.atleast_2d(vectors).T  # (n, queries)
            keyword = np.stack([self._keywords.scores(table, self._size)[rows] for table in words], axis=1)
            documents, table = self._numbers["document"][rows], self._table

        def passage(position: int) -> Passage | None:
            kept = table[int(rows[position])]
            return kept and kept.passage()

        return ScoredPassages(similarity, keyword, documents, passage)

    def reload(self) -> None:
        """Read everything from Chroma again."""
        with self._lock:
            self._loaded = False
            self._load()

    def warm(self) -> None:
        """Fill the copy in memory now, so that the first search does not wait for it."""
        self.count()

    # -- the copy in memory -----------------------------------------------------------------------------------------

    def _clear(self) -> None:
        self._table: list[_Kept | None] = []  # by row; None once removed. Rows are never used twice
        self._vectors = np.zeros((256, self._dimensions), dtype=np.float32)  # (capacity, dimensions)
        columns = ("document", "patient", "kind", "date", "live")
        self._numbers = {name: np.zeros(256, dtype=np.int32) for name in columns}  # each (capacity,)
        self._number_of: dict[tuple[str, str], int] = {}
        self._row_of: dict[str, int] = {}
        self._rows_of_document: dict[str, list[int]] = {}
        self._keywords = KeywordIndex()

    @property
    def _size(self) -> int:
        return len(self._table)

    def _load(self) -> None:
        if self._loaded:
            return
        self._clear()
        offset = 0
        while True:
            with _chroma_errors("read"):
                page = self._collection.get(
                    limit=LOAD_PAGE, offset=offset, include=["embeddings", "documents", "metadatas"]
                )
            for name, text, facts, vector in zip(
                page["ids"], page["documents"], page["metadatas"], page["embeddings"], strict=True
            ):
                self._put(_read(name, text, facts), vector)
            offset += len(page["ids"])
            if len(page["ids"]) < LOAD_PAGE:
                break
        self._loaded = True

    def _put(self, kept: _Kept, vector: np.ndarray) -> None:
        if kept.passage_id in self._row_of:
            self._drop(self._row_of[kept.passage_id])
        row = self._size
        if row >= len(self._vectors):
            self._vectors = np.concatenate([self._vectors, np.zeros_like(self._vectors)])
            self._numbers = {name: np.concatenate([c, np.zeros_like(c)]) for name, c in self._numbers.items()}
        self._table.append(kept)
        self._vectors[row] = vector
        numbers = self._numbers
        numbers["document"][row] = self._number("document", kept.document_id)
        numbers["patient"][row] = self._number("patient", kept.patient_id)
        numbers["kind"][row] = self._number("kind", kept.kind)
        numbers["date"][row] = kept.day
        numbers["live"][row] = 1
        self._row_of[kept.passage_id] = row
        self._rows_of_document.setdefault(kept.document_id, []).append(row)
        self._keywords.add(row, self._split(kept.text))

    def _drop(self, row: int) -> None:
        kept = self._at(row)
        self._table[row] = None
        self._vectors[row] = 0.0
        self._numbers["live"][row] = 0
        del self._row_of[kept.passage_id]
        rows = self._rows_of_document[kept.document_id]
        rows.remove(row)
        if not rows:
            del self._rows_of_document[kept.document_id]
        self._keywords.remove(row)

    def _delete(self, passage_ids: list[str]) -> None:
        if not passage_ids:
            return
        with _chroma_errors("written"):
            self._collection.delete(ids=passage_ids)
        for passage_id in passage_ids:
            self._drop(self._row_of[passage_id])

    def _at(self, row: int) -> _Kept:
        kept = self._table[row]
        assert kept is not None, "a live row has a passage"
        return kept

    def _number(self, column: str, value: str) -> int:
        return self._number_of.setdefault((column, value), len(self._number_of) + 1)

    def _allowed(self, where: PassageFilter) -> np.ndarray:
        """Row numbers that the filter lets through, rising."""
        columns = {name: column[: self._size] for name, column in self._numbers.items()}
        allowed = columns["live"] == 1
        if where.patient_id:
            allowed &= columns["patient"] == self._number_of.get(("patient", where.patient_id), -1)
        if where.kinds:
            allowed &= np.isin(columns["kind"], [self._number_of.get(("kind", kind), -1) for kind in where.kinds])
        if where.since:
            allowed &= columns["date"] >= where.since.toordinal()
        if where.until:
            allowed &= (columns["date"] != NO_DATE) & (columns["date"] <= where.until.toordinal())
        return np.flatnonzero(allowed)


def _collection_name(encoder: ModelStamp, dimensions: int) -> str:
    """Chroma takes 3 to 512 of a-z, 0-9, dot, dash, underscore, beginning and ending with a letter or digit."""
    plain = re.sub(r"[^a-z0-9]+", "-", f"{encoder.id}-{encoder.revision}".lower()).strip("-")
    return f"{COLLECTION_PREFIX}{plain[:120]}-{dimensions}"


def _read(passage_id: str, text: str, facts: dict[str, Any]) -> _Kept:
    """From Chroma. Names that many passages share are kept once."""
    return _Kept(
        passage_id,
        sys.intern(facts["document_id"]),
        sys.intern(facts["patient_id"]),
        int(facts["page"]),
        sys.intern(facts["kind"]),
        int(facts["date"]),
        facts["words"],
        text,
    )


def _write_runs(indices: Sequence[int]) -> str:
    """(3, 4, 5, 9) -> "3-5,9-9": a passage's word indices nearly always are one run."""
    runs: list[list[int]] = []
    for index in indices:
        if runs and index == runs[-1][1] + 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return ",".join(f"{first}-{last}" for first, last in runs)


def _read_runs(runs: str) -> tuple[int, ...]:
    pairs = (run.split("-") for run in runs.split(",") if run)
    return tuple(index for first, last in pairs for index in range(int(first), int(last) + 1))


@contextmanager
def _chroma_errors(done: str):
    """Chroma raises its own tree, httpx errors and plain ValueErrors; the user hears one thing, the log keeps all."""
    try:
        yield
    except (StorageFailed, AssertionError):
        raise
    except Exception as e:
        raise StorageFailed(
            f"The search index could not be {done}. Records are safe in their own store. Check that the disk has "
            "space and that the Chroma server, if one is set, is running, then try again."
        ) from e

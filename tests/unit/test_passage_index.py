"""The passage index: what goes in comes back, filters hold, a restart loses nothing, and a real server does the same."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.document import Passage
from domain.models import ModelStamp
from domain.search import PassageFilter
from pipelines.keywords import index_words
from storage import keyword_index
from storage.keyword_index import KeywordIndex
from storage.passages import PassageIndex

STAMP = ModelStamp("drawn", "1")
SIZE = 8


def vector(seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).standard_normal(SIZE).astype(np.float32)
    return drawn / np.linalg.norm(drawn)


def passage(number: int, patient: str = "", day: date | None = None, kind: str = "note") -> Passage:
    return Passage(f"d{number}:1:1", f"d{number}", patient, 1, f"chest pain number{number}", (0, 1, 2), day, kind)


def filled(index: PassageIndex) -> PassageIndex:
    index.add(
        [passage(0, "ada", date(2024, 1, 1)), passage(1, "bob", date(2024, 2, 1), "letter")],
        np.stack([vector(0), vector(1)]),
    )
    return index


def nearest(index: PassageIndex, wanted: np.ndarray, **where) -> list[str]:  # type: ignore[no-untyped-def]
    scored = index.score(wanted[None], [{}], PassageFilter(**where))
    return [scored.passage(int(place)).passage_id for place in np.argsort(-scored.similarity[:, 0])]


def check(index: PassageIndex) -> None:
    assert index.document_ids() == {"d0", "d1"}
    assert nearest(index, vector(1))[0] == "d1:1:1"
    assert nearest(index, vector(1), patient_id="ada") == ["d0:1:1"]
    assert nearest(index, vector(0), kinds=("letter",)) == ["d1:1:1"]
    assert nearest(index, vector(0), since=date(2024, 1, 15)) == ["d1:1:1"]
    assert index.passages(["d0:1:1"]) == (passage(0, "ada", date(2024, 1, 1)),)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


def test_filters_and_a_restart(folder: Path) -> None:
    check(filled(PassageIndex.open(STAMP, SIZE, index_words, folder=folder)))
    check(PassageIndex.open(STAMP, SIZE, index_words, folder=folder))


def test_replacing_moving_and_removing_are_followed(folder: Path) -> None:
    index = filled(PassageIndex.open(STAMP, SIZE, index_words, folder=folder))
    index.move_document("d0", "bob")
    assert index.all_of_patient("ada") == ()
    assert len(index.all_of_patient("bob")) == 2
    index.replace_document("d1", [passage(1, "bob")], vector(7)[None])
    assert index.count() == 2
    index.remove_document("d0")
    assert index.document_ids() == {"d1"}
    assert PassageIndex.open(STAMP, SIZE, index_words, folder=folder).document_ids() == {"d1"}


def test_vectors_of_another_encoder_never_mix(folder: Path) -> None:
    filled(PassageIndex.open(STAMP, SIZE, index_words, folder=folder))
    assert PassageIndex.open(ModelStamp("other", "1"), SIZE, index_words, folder=folder).count() == 0


def test_wrong_shapes_are_refused(folder: Path) -> None:
    index = PassageIndex.open(STAMP, SIZE, index_words, folder=folder)
    with pytest.raises(ValueError, match="vectors"):
        index.add([passage(0)], np.zeros((2, SIZE), np.float32))


def test_keyword_scores_are_those_of_bm25s() -> None:
    import bm25s

    texts = ["chest pain and cough", "cough cough fever", "ankle swelling", "chest x-ray clear, no pain no cough"]
    corpus = [index_words(text) for text in texts]
    ours = KeywordIndex()
    for row, words in enumerate(corpus):
        ours.add(row, words)
    theirs = bm25s.BM25(k1=1.5, b=0.75, method="lucene")
    theirs.index(corpus, show_progress=False)
    for query in ("chest cough", "fever", "swelling pain"):
        words = index_words(query)
        expected = theirs.get_scores(words)
        assert ours.scores(dict.fromkeys(words, 1.0), len(texts)) == pytest.approx(expected, abs=1e-4)


@given(
    st.lists(st.lists(st.sampled_from("abcdef"), max_size=6), min_size=1, max_size=12),
    st.integers(0, 12),
    st.sets(st.integers(0, 11), max_size=4),
)
def test_sorted_entries_and_the_tail_score_alike(rows: list[list[str]], sorted_after: int, gone: set[int]) -> None:
    plain, mixed = KeywordIndex(), KeywordIndex()
    for row, words in enumerate(rows):
        plain.add(row, words)
        mixed.add(row, words)
        if row == sorted_after:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(keyword_index, "MIN_TAIL", -1)
                mixed.scores({"a": 1.0}, row + 1)
    for row in gone & set(range(len(rows))):
        plain.remove(row)
        mixed.remove(row)
    live = [row for row in range(len(rows)) if row not in gone]
    weights = {"a": 1.0, "c": 0.4, "zz": 1.0}
    assert mixed.scores(weights, len(rows)) == pytest.approx(plain.scores(weights, len(rows)))
    assert mixed.rows_with("a") == sum("a" in rows[row] for row in live)


def test_a_passage_removed_after_scoring_is_not_shown(folder: Path) -> None:
    index = filled(PassageIndex.open(STAMP, SIZE, index_words, folder=folder))
    scored = index.score(vector(0)[None], [{}])
    index.remove_document("d0")
    assert scored.passage(0) is None
    assert scored.passage(1) == passage(1, "bob", date(2024, 2, 1), "letter")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A real Chroma server of its own on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = Path(sys.executable).with_name("chroma")
    command = [str(program), "run", "--path", str(tmp_path / "server"), "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/heartbeat", timeout=2).close()
                    break
                except (urllib.error.URLError, OSError):
                    assert process.poll() is None, "the Chroma server stopped"
                    assert time.monotonic() < deadline, "the Chroma server did not answer"
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.mark.server
def test_a_real_server_does_the_same(server: str) -> None:
    check(filled(PassageIndex.open(STAMP, SIZE, index_words, url=server)))
    check(PassageIndex.open(STAMP, SIZE, index_words, url=server))

"""Searches notes whose answers are known, with our search and with its parts alone, and prints how well each ranks.

    python -m benchmarks.search [--data DIR] [--held-out] [--speed]

DIR holds *_notes.jsonl {"id", "text"} and *_queries.jsonl {"kind", "query", "relevant" | "asserting"}. nDCG@10 over
documents; "first asserts": of the negation traps, those whose first hit asserts the finding; refused: queries that find
nothing. --held-out asks made-up notes in words that the lexicon was not made with (search_data/README.md). --speed
fills an index with made-up passages and prints the 95th percentile of a query's time, encoding included, how long
opening takes and what the copy in memory weighs.
"""

from __future__ import annotations

import argparse
import functools
import json
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from domain.document import Box, OcrDocument, OcrPage, PageSource, Passage, TextLine, TextWord
from domain.models import ModelStamp
from domain.settings import telemetry_off, waiting_threads_sleep

MADE_UP = (  # (as a record says it, as a person asks for it)
    ("dyspnea on exertion", "out of breath on the stairs"), ("orthopnea", "can't lie flat"), ("chest pain", "tight chest"),
    ("palpitations", "heart racing"), ("syncope", "fainted"), ("peripheral edema", "swollen ankles"),
    ("hematuria", "blood in my pee"), ("dysuria", "hurts to pee"), ("melena", "black poo"), ("jaundice", "yellow eyes"),
    ("constipation", "can't poo"), ("nausea and vomiting", "throwing up"), ("vertigo", "room spinning"),
    ("paresthesia of both feet", "pins and needles"), ("migraine", "blinding headache"), ("pruritus", "itchy all over"),
    ("urticaria", "hives"), ("otalgia", "sore ear"), ("dysphagia", "food gets stuck"), ("hemoptysis", "coughing up blood"),
    ("weight loss", "clothes hanging off"), ("insomnia", "can't sleep"), ("low back pain", "my back went out"),
    ("knee effusion", "water on the knee"), ("fever", "burning up"), ("hypertension", "blood pressure up"),
)  # fmt: skip
ENCODED = 300  # made-up passages that are really encoded
Ranker = Callable[[str], list[str]]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--sizes", type=int, nargs="+", default=(10_000, 100_000), help="passages, rising")
    options = parser.parse_args()
    telemetry_off()
    waiting_threads_sleep()
    from models.cards import CARDS
    from models.shelf import ModelShelf

    shelf = ModelShelf(CARDS, 100_000)
    with shelf.borrow(shelf.chosen("text_encoder").id) as encoder:
        if options.data:
            _quality(options.data, encoder)
        if options.held_out:
            _held_out(encoder)
        if options.speed:
            _speed(options.sizes, encoder)


def _quality(data: Path, encoder) -> None:  # type: ignore[no-untyped-def]
    notes = _lines(next(data.glob("*_notes.jsonl")))
    queries = _lines(next(data.glob("*_queries.jsonl")))
    with tempfile.TemporaryDirectory() as folder:
        index = _filled(Path(folder), [(note["id"], note["text"]) for note in notes], encoder)
        print(
            f"{'':24} {'nDCG@10':>8} {'95 % interval':>16} {'nDCG@10':>8} {'95 % interval':>16} {'first':>8} {'refused':>9} {'refused':>9}"
        )
        print(f"{'':24} {'lay':>8} {'':>16} {'clinical':>8} {'':>16} {'asserts':>8} {'nonsense':>9} {'real':>9}")
        for title, rank in _rankers(index, encoder).items():
            _print_quality(title, rank, queries)


def _held_out(encoder) -> None:  # type: ignore[no-untyped-def]
    """Both halves, so that the distance between them shows how far the mending went along with its examples."""
    from benchmarks import held_out

    with tempfile.TemporaryDirectory() as folder:
        index = _filled(Path(folder), [(note.id, note.text) for note in held_out.notes()], encoder)
        print(
            f"{held_out.NOTES} made-up notes; nDCG@10 of a lay wording of one finding, and of a story of three findings"
        )
        print(f"{'':24} {'half':8} {'one':>7} {'story':>7} {'refused: one':>13} {'story':>9} {'nonsense':>9}")
        for title, rank in _rankers(index, encoder).items():
            for half in held_out.HALVES:
                single, story = held_out.single_queries(half), held_out.story_queries(half)
                ones, stories = [rank(query) for query, _ in single], [rank(query) for query, _ in story]
                empty = [not rank(query) for query, which in held_out.nonsense() if which == half]
                gains = [
                    statistics.mean(_ndcg(found, set(ids)) for found, (_, ids) in zip(results, asked, strict=True))
                    for results, asked in ((ones, single), (stories, story))
                ]
                refused = [f"{sum(not found for found in results)}/{len(results)}" for results in (ones, stories)]
                print(
                    f"{title:24} {half:8} {gains[0]:7.3f} {gains[1]:7.3f} {refused[0]:>13} {refused[1]:>9} "
                    f"{f'{sum(empty)}/{len(empty)}':>9}"
                )


def _filled(folder: Path, notes: Sequence[tuple[str, str]], encoder):  # type: ignore[no-untyped-def]
    """An index of notes (id, text)."""
    from pipelines import keywords, passages
    from storage.passages import PassageIndex

    index = PassageIndex.open(encoder.card.stamp, encoder.dimensions, keywords.index_words, folder=folder)
    for note_id, text in notes:
        cut = passages.cut(_document(note_id, text))
        index.add(cut, encoder.encode_passages([passage.text for passage in cut]))
    return index


def _rankers(index, encoder) -> dict[str, Ranker]:  # type: ignore[no-untyped-def]
    """Ways to rank documents, by title: the parts alone, and this search."""
    from pipelines import keywords, search

    encoder = _Remembering(encoder)

    def ours(query: str) -> list[str]:
        answer = search.search(search.SearchQuery(query, limit=10), index, encoder)
        return [hit.passage.document_id for hit in answer.hits]

    def by(column: str) -> Ranker:
        def rank(query: str) -> list[str]:
            words = dict.fromkeys(keywords.index_words(query), 1.0)
            scored = index.score(encoder.encode_query(query)[None], [words])
            semantic, keyword = scored.similarity[:, 0], scored.keyword[:, 0]
            orders = {"semantic": _documents(scored, semantic), "keyword": _documents(scored, keyword, above=0.0)}
            return orders[column] if column in orders else _fused(list(orders.values()))

        return rank

    return {
        "BM25": by("keyword"),
        "MiniLM": by("semantic"),
        "reciprocal rank fusion": by("both"),
        "this search": ours,
    }


def _print_quality(title: str, rank: Ranker, queries: list[dict]) -> None:
    found = {query["query"]: rank(query["query"]) for query in queries}
    cells = []
    for kind in ("lay", "clinical"):
        gains = [_ndcg(found[q["query"]], set(q["relevant"])) for q in queries if q["kind"] == kind]
        low, high = _interval(gains)
        cells.append(f"{statistics.mean(gains):8.3f} {f'{low:.3f}-{high:.3f}':>16}")
    traps = [q for q in queries if q["kind"] == "negation"]
    won = sum(found[q["query"]][:1] != [] and found[q["query"]][0] in q["asserting"] for q in traps)
    nonsense = [not found[q["query"]] for q in queries if q["kind"] == "nonsense"]
    real = [not found[q["query"]] for q in queries if q["kind"] != "nonsense"]
    print(
        f"{title:24} {' '.join(cells)} {f'{won}/{len(traps)}':>8} {f'{sum(nonsense)}/{len(nonsense)}':>9} "
        f"{f'{sum(real)}/{len(real)}':>9}"
    )


def _speed(counts: Sequence[int], encoder) -> None:  # type: ignore[no-untyped-def]
    """Fills one index step by step and times searches at each size, then opening it anew."""
    from pipelines import keywords
    from storage.passages import PassageIndex

    rng = np.random.default_rng(7)
    texts = [_made_up_text(rng) for _ in range(ENCODED)]
    encoded = encoder.encode_passages(texts)
    print(
        f"{ENCODED} made-up passages of about 120 words are encoded; the others have their sentences shuffled and their "
        "vectors moved\na little. They go through the index's own door, batch by batch; 200 patients share them."
    )
    with tempfile.TemporaryDirectory() as folder:
        place = {"encoder": ModelStamp("made-up", "1"), "dimensions": encoder.dimensions, "split": keywords.index_words}
        index, filled = PassageIndex.open(**place, folder=Path(folder)), 0
        for count in counts:
            begun = time.process_time()
            for start in range(filled, count, 5_000):
                _fill(index, range(start, min(start + 5_000, count)), texts, encoded, rng)
            filled = count
            print(f"{count:7,} passages, filled in {time.process_time() - begun:.0f} CPU s")
            for patient in ("", "patient7"):
                _time_queries(count, patient, index, encoder)
            before, begun, wall = _resident_mb(), time.process_time(), time.perf_counter()
            again = PassageIndex.open(**place, folder=Path(folder))
            again.warm()
            print(
                f"{count:7,} passages, opened in {time.process_time() - begun:.1f} CPU s "
                f"({time.perf_counter() - wall:.1f} s), {_resident_mb() - before:.0f} MB of memory more"
            )
            del again


def _made_up_text(rng: np.random.Generator) -> str:
    """Six sentences about findings, some denied, in words of which few are frequent and most are rare."""
    sentences = []
    for _ in range(6):
        filler = [f"word{min(int(rank), 30_000)}" for rank in rng.zipf(1.2, 14)]
        start = ("Reports", "Denies", "No", "Complains of", "History of", "Treated for")[int(rng.integers(6))]
        sentences.append(f"{start} {MADE_UP[int(rng.integers(len(MADE_UP)))][0]} {' '.join(filler)}.")
    return " ".join(sentences)


def _fill(index, numbers: range, texts: list[str], encoded: np.ndarray, rng: np.random.Generator) -> None:  # type: ignore[no-untyped-def]
    drawn = rng.integers(len(texts), size=len(numbers))
    vectors = encoded[drawn] + rng.normal(0, 0.02, (len(numbers), encoded.shape[1])).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    made = []
    for number, source in zip(numbers, drawn, strict=True):
        sentences = texts[source].split(". ")
        rng.shuffle(sentences)
        text = ". ".join(sentences)
        words = tuple(range(len(text.split())))
        made.append(Passage(f"{number}:1:1", f"{number}", f"patient{number % 200}", 1, text, words))
    index.add(made, vectors)


def _time_queries(count: int, patient: str, index, encoder) -> None:  # type: ignore[no-untyped-def]
    from pipelines import search

    rng = np.random.default_rng(11)
    times, answered = [], 0
    for number in range(110):
        text = " and ".join(MADE_UP[int(place)][1] for place in rng.integers(len(MADE_UP), size=2))
        begun = time.perf_counter()
        answer = search.search(search.SearchQuery(text, patient_id=patient), index, encoder)
        if number >= 10:  # the first ones warm the caches of stems and of the encoder
            times.append((time.perf_counter() - begun) * 1000)
            answered += bool(answer.hits)
    who = "one patient" if patient else "everybody"
    print(
        f"{count:7,} passages, {who:12} p95 {np.percentile(times, 95):6.1f} ms, median {np.median(times):6.1f} ms, "
        f"{answered} of {len(times)} queries answered"
    )


def _resident_mb() -> float:
    status = Path("/proc/self/status").read_text("utf-8")
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024  # type: ignore[union-attr]


def _document(document_id: str, text: str) -> OcrDocument:
    from datetime import UTC, datetime

    words = tuple(TextWord.upright(word, 1.0, Box(0, 0, 1, 1)) for word in text.split())
    page = OcrPage(1, 1, 1, 72, 0, 0.0, PageSource.TYPED, (TextLine(words),))
    return OcrDocument(document_id, "", document_id, (page,), ModelStamp("typed", "1"), datetime.now(UTC))


class _Remembering:
    """An encoder that encodes each query once, however many rankings ask for it."""

    def __init__(self, encoder) -> None:  # type: ignore[no-untyped-def]
        self.encode_query = functools.cache(encoder.encode_query)
        self.card = encoder.card


def _documents(scored, scores: np.ndarray, above: float = -9.0) -> list[str]:  # type: ignore[no-untyped-def]
    order = np.argsort(-scores, kind="stable")
    return list(dict.fromkeys(scored.passage(int(i)).document_id for i in order if scores[i] > above))


def _fused(orders: Sequence[list[str]], k: int = 60) -> list[str]:
    """Reciprocal rank fusion, Cormack et al. 2009."""
    scores: dict[str, float] = {}
    for order in orders:
        for rank, document_id in enumerate(order, start=1):
            scores[document_id] = scores.get(document_id, 0.0) + 1 / (k + rank)
    return sorted(scores, key=lambda document_id: -scores[document_id])


def _ndcg(found: list[str], relevant: set[str], k: int = 10) -> float:
    gain = sum(1 / np.log2(place + 2) for place, document_id in enumerate(found[:k]) if document_id in relevant)
    return float(gain / sum(1 / np.log2(place + 2) for place in range(min(len(relevant), k))))


def _interval(values: Sequence[float]) -> tuple[float, float]:
    """95 % bootstrap interval of the mean."""
    rng = np.random.default_rng(0)
    means = rng.choice(np.array(values), (2000, len(values))).mean(axis=1)
    return float(np.percentile(means, 2.5)), float(np.percentile(means, 97.5))


def _lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


if __name__ == "__main__":
    main()

"""Searches notes whose answers are known, with our search and with its parts alone, and prints how well each ranks.

    python -m benchmarks.search --data DIR [--speed]

DIR holds *_notes.jsonl {"id", "text"} and *_queries.jsonl {"kind", "query", "relevant" | "asserting"}. nDCG@10 over
documents; "first asserts": of the negation traps, those whose first hit asserts the finding; refused: queries that find
nothing. --speed fills an index with made-up passages and prints the 95th percentile of a query's time, encoding included.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from domain.document import Box, OcrDocument, OcrPage, PageSource, Passage, TextLine, TextWord
from domain.models import ModelStamp
from domain.settings import telemetry_off

Ranker = Callable[[str], list[str]]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--speed", action="store_true")
    options = parser.parse_args()
    telemetry_off()
    from models.cards import CARDS
    from models.shelf import ModelShelf

    shelf = ModelShelf(CARDS, 100_000)
    with shelf.borrow(shelf.chosen("text_encoder").id) as encoder:
        if options.data:
            _quality(options.data, encoder)
        if options.speed:
            for count in (10_000, 100_000):
                _speed(count, encoder)


def _quality(data: Path, encoder) -> None:  # type: ignore[no-untyped-def]
    from pipelines import keywords, passages, search
    from storage.passages import PassageIndex

    notes = _lines(next(data.glob("*_notes.jsonl")))
    queries = _lines(next(data.glob("*_queries.jsonl")))
    with tempfile.TemporaryDirectory() as folder:
        index = PassageIndex.open(encoder.card.stamp, encoder.dimensions, keywords.index_words, folder=Path(folder))
        for note in notes:
            cut = passages.cut(_document(note["id"], note["text"]))
            index.add(cut, encoder.encode_passages([passage.text for passage in cut]))

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

        print(
            f"{'':24} {'nDCG@10':>8} {'95 % interval':>16} {'nDCG@10':>8} {'95 % interval':>16} {'first':>8} {'refused':>9} {'refused':>9}"
        )
        print(f"{'':24} {'lay':>8} {'':>16} {'clinical':>8} {'':>16} {'asserts':>8} {'nonsense':>9} {'real':>9}")
        for title, rank in (
            ("BM25", by("keyword")), ("MiniLM", by("semantic")), ("reciprocal rank fusion", by("both")), ("this search", ours),
        ):  # fmt: skip
            _print_quality(title, rank, queries)


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


def _speed(count: int, encoder) -> None:  # type: ignore[no-untyped-def]
    from pipelines import keywords, search
    from storage.passages import PassageIndex

    rng = np.random.default_rng(7)
    told = ["chest", "pain", "breath", "fever", "cough", "dyspnea"] * 20
    vocabulary = np.array([*(f"word{number}" for number in range(20_000)), *told])
    with tempfile.TemporaryDirectory() as folder:
        index = PassageIndex.open(
            ModelStamp("made-up", "1"), encoder.dimensions, keywords.index_words, folder=Path(folder)
        )
        for start in range(0, count, 5_000):
            vectors = rng.standard_normal((5_000, encoder.dimensions)).astype(np.float32)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            made = [
                Passage(
                    f"{i}:1:1", f"{i}", f"patient{i % 200}", 1, " ".join(rng.choice(vocabulary, 120)), tuple(range(120))
                )
                for i in range(start, start + 5_000)
            ]  # fmt: skip
            index.add(made, vectors)
        for patient in ("", "patient7"):
            times = []
            for number in range(60):
                wanted = search.SearchQuery(f"chest pain and fever word{number}", patient_id=patient)
                begun = time.perf_counter()
                search.search(wanted, index, encoder)
                times.append((time.perf_counter() - begun) * 1000)
            p95 = sorted(times[10:])[int(0.95 * 50) - 1]
            print(f"{count:7,} passages, {'one patient' if patient else 'everybody':12} p95 {p95:6.1f} ms")


def _document(document_id: str, text: str) -> OcrDocument:
    from datetime import UTC, datetime

    words = tuple(TextWord.upright(word, 1.0, Box(0, 0, 1, 1)) for word in text.split())
    page = OcrPage(1, 1, 1, 72, 0, 0.0, PageSource.TYPED, (TextLine(words),))
    return OcrDocument(document_id, "", document_id, (page,), ModelStamp("typed", "1"), datetime.now(UTC))


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

"""The record that asserts a finding stands first, above those that deny it, had it, or say it of somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from negation_traps import TRAPS

from domain.document import Hit, Passage
from models.cards import CARDS
from models.shelf import ModelShelf
from pipelines import keywords, search
from storage.passages import PassageIndex

# A clinic's name reads as an assertion; nothing in the note names the finding; "no interest in food, anorexia".
LOST = frozenset({"chest pain", "suicidal thoughts", "appendicitis", "loss of appetite"})


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[Hit]]]:
    """Hits of each trap's query among its own notes; each trap is a patient of its own."""
    folder: Path = tmp_path_factory.mktemp("traps")
    notes = [
        Passage(f"{trap}:{number}:{kind}", f"{trap}:{number}:{kind}", f"trap{trap}", 1, text, tuple(range(len(text.split()))))
        for trap, (_query, asserting, others) in enumerate(TRAPS)
        for number, (kind, text) in enumerate([("A", asserting), *others])
    ]  # fmt: skip
    shelf = ModelShelf(CARDS, 100_000)
    with shelf.borrow(shelf.chosen("text_encoder").id) as encoder:
        index = PassageIndex.open(encoder.card.stamp, encoder.dimensions, keywords.index_words, folder=folder)
        index.add(notes, encoder.encode_passages([note.text for note in notes]))
        yield {
            query: list(search.search(search.SearchQuery(query, f"trap{trap}"), index, encoder).hits)
            for trap, (query, _asserting, _others) in enumerate(TRAPS)
        }


@pytest.mark.models
def test_the_asserting_record_is_first(ranked: dict[str, list[Hit]]) -> None:
    first = {query: hits[0].passage.document_id.rsplit(":", 1)[1] if hits else "" for query, hits in ranked.items()}
    assert {query for query, kind in first.items() if kind != "A"} <= LOST


@pytest.mark.models
def test_what_is_denied_is_called_so(ranked: dict[str, list[Hit]]) -> None:
    shown = [hit for hits in ranked.values() for hit in hits if hit.passage.document_id.endswith("D")]
    assert sum(hit.negated for hit in shown) >= 0.95 * len(shown)

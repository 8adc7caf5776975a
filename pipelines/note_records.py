"""Which pages of the patient's own records say what a line of a note says."""

from __future__ import annotations

from collections.abc import Sequence

from domain.consultation import RecordPlace
from domain.document import Hit
from pipelines.drug_names import find_drugs
from pipelines.keywords import index_words
from pipelines.note_guard import denies

SHARED_WORDS = 0.5  # of a line's telling words that a passage must hold, to be shown as its support


def supporting_places(hits: Sequence[Hit], text: str) -> tuple[RecordPlace, ...]:
    """The places whose words carry the line: half of its telling words, and every medicine that it names.

    A passage that denies what the line states, or the other way round, supports nothing.
    """
    wanted = set(index_words(text))
    medicines = {drug.ingredient for drug in find_drugs(text.split())}
    found: list[RecordPlace] = []
    for hit in hits:
        held = set(index_words(" ".join(hit.matched_terms)))
        there = {drug.ingredient for drug in find_drugs(hit.passage.text.split())}
        enough = wanted and len(wanted & held) >= SHARED_WORDS * len(wanted)
        if (enough or (medicines and medicines & there)) and medicines <= there and hit.negated == denies(text):
            found.append(RecordPlace(hit.passage.document_id, hit.passage.page, hit.boxes))
    return tuple(found)

"""Talk of health is told from other talk, also in words that no list holds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from domain.models import ModelStamp
from models.cards import CARDS
from models.contracts import TextEncoder
from models.shelf import ModelShelf
from pipelines import health_talk
from pipelines.search import HEALTH_TALK, OTHER_TALK

COMPLAINTS = (
    "my water is dark and smells", "he went grey and clammy on the sofa", "legs like jelly after climbing up to bed",
    "she keeps rubbing her sore eye", "gripey pains that come in waves", "a scab that never heals on his ear",
)  # fmt: skip
OTHERS = (
    "how to season a cast iron pan", "tram from the museum to the harbour", "unit tests in a build pipeline",
    "the landlord wants the rent on Monday", "who scored in the derby", "sdfgh wertz qpal",
)  # fmt: skip


@pytest.fixture(scope="module")
def encoder() -> Iterator[TextEncoder]:
    shelf = ModelShelf(CARDS, 100_000)
    with shelf.borrow(shelf.chosen("text_encoder").id) as borrowed:
        yield borrowed


@pytest.mark.models
def test_complaints_are_talk_of_health_and_the_rest_is_not(encoder: TextEncoder) -> None:
    """Not each of them: "my water is dark and smells" might be said of a pond."""
    told = {
        query: health_talk.likeness(encoder.encode_query(query), encoder.card.stamp) for query in (*COMPLAINTS, *OTHERS)
    }
    assert sum(told[query] >= HEALTH_TALK for query in COMPLAINTS) >= len(COMPLAINTS) - 1
    assert [query for query in OTHERS if told[query] >= HEALTH_TALK] == []


@pytest.mark.models
def test_vectors_of_an_encoder_that_it_does_not_know_decide_nothing(encoder: TextEncoder) -> None:
    vector = encoder.encode_query(COMPLAINTS[0])
    assert OTHER_TALK < health_talk.likeness(vector, ModelStamp("another", "1")) < HEALTH_TALK

"""What every engine on the shelf that tells voices apart must do: find the two of a visit, or as many as it is asked for."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from domain.models import ModelCard
from models.cards import CARDS
from models.shelf import ModelShelf
from pipelines.audio_intake import open_audio

VISIT = Path(__file__).parents[2] / "data" / "samples" / "recordings" / "1_sore_throat.mp3"
DOCTOR_ASKS_S, PATIENT_ANSWERS_S = 1.0, 5.0  # moments at which one of them speaks alone


@pytest.mark.models
@pytest.mark.parametrize("card", [card for card in CARDS if card.task == "diarizer"], ids=lambda card: card.id)
def test_two_voices_are_found_and_told_apart_also_when_heard_piece_by_piece(card: ModelCard) -> None:
    samples = np.array(open_audio(VISIT).samples)
    length = len(samples) / 16_000
    with ModelShelf(CARDS, 4000).borrow(card.id) as engine:
        listening = engine.listen(samples)
        for until in (7.0, 20.0, length):
            listening.until(until)
        turns = listening.turns(None)
        assert {turn.speaker for turn in listening.turns(1)} == {turns[0].speaker}
    assert len({turn.speaker for turn in turns}) == 2
    assert all(a.start_s <= b.start_s for a, b in itertools.pairwise(turns))
    assert all(0 <= turn.start_s < turn.end_s <= length + 0.1 for turn in turns)
    asks, answers = (
        {turn.speaker for turn in turns if turn.start_s <= at <= turn.end_s}
        for at in (DOCTOR_ASKS_S, PATIENT_ANSWERS_S)
    )
    assert len(asks) == len(answers) == 1
    assert asks != answers

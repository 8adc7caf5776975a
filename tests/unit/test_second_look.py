"""Where words sound like a medicine, the recogniser compares them with its name; what it takes is lit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from domain.speech import SAMPLE_RATE_HZ, AudioClip, HeardPhrase, LanguageGuess, TimedWord
from models.cards import CARDS
from models.cards_speech import WHISPER_CARD
from models.shelf import ModelShelf
from pipelines.audio_intake import open_audio
from pipelines.second_look import look_again
from pipelines.transcribe import transcribe

VISIT = Path(__file__).parents[2] / "data" / "samples" / "recordings" / "1_sore_throat.mp3"


@dataclass
class Judges:
    """Finds a text with one of `likely` likelier than what was written by `gain`, every other one not at all."""

    likely: Sequence[str]
    gain: float = 2.0
    asked: list[str] = field(default_factory=list)
    card = WHISPER_CARD

    def speech(self, samples: np.ndarray) -> tuple[tuple[float, float], ...]:
        return ()

    def language(self, samples: np.ndarray) -> LanguageGuess:
        return LanguageGuess("en", 1.0)

    def words(self, clip: AudioClip, language: str) -> tuple[HeardPhrase, ...]:
        return ()

    def likelihoods(self, clip: AudioClip, language: str, texts: Sequence[str]) -> tuple[float, ...]:
        self.asked += texts
        return tuple(0.0 if at == 0 else self.gain if any(f" {name}" in text for name in self.likely) else -60.0
                     for at, text in enumerate(texts))  # fmt: skip


def phrase(text: str) -> HeardPhrase:
    words = tuple(TimedWord(word, float(at), at + 1.0, 0.6) for at, word in enumerate(text.split()))
    return HeardPhrase(words, -0.3, 0.0, 1.0)


def looked(text: str, judge: Judges, known: Sequence[str] = ()) -> HeardPhrase:
    clip = AudioClip(np.zeros(16_000 * len(text.split()), dtype=np.float32))
    return look_again([phrase(text)], clip, "en", judge, known)[0]


def test_a_name_that_fits_the_sound_is_taken_lit_and_nothing_around_it_is_touched() -> None:
    made = looked("I take listen up all, twenty milligrams", Judges(["lisinopril"]))
    assert [word.text for word in made.words] == ["I", "take", "lisinopril,", "twenty", "milligrams"]
    taken = made.words[2]
    assert (taken.start_s, taken.end_s) == (2.0, 5.0)
    assert taken.doubt
    assert taken.doubt.suggestions == ("listen up all",)


def test_what_the_recogniser_finds_unlikely_stays_as_it_was_written() -> None:
    text = "I take listen up all, twenty milligrams"
    assert " ".join(word.text for word in looked(text, Judges([])).words) == text


def test_a_name_that_is_only_nearly_as_likely_is_left_to_a_person() -> None:
    text = "I take listen up all, twenty milligrams"
    assert " ".join(word.text for word in looked(text, Judges(["lisinopril"], -0.1)).words) == text


def test_ordinary_talk_is_not_compared_with_anything() -> None:
    judge = Judges([])
    looked("How have you been since the last visit", judge)
    assert judge.asked == []


def test_what_is_on_the_patient_s_own_list_is_compared_where_nothing_else_speaks_of_a_medicine() -> None:
    judge = Judges(["diclofenac"])
    assert looked("she has died clothing ac for the knee", judge, ["Diclofenac 50 mg"]).words[2].text == "diclofenac"


@pytest.mark.models
def test_with_the_real_recogniser_a_medicine_heard_as_other_words_is_suggested_and_not_written() -> None:
    shelf = ModelShelf(CARDS, 4000)
    with shelf.borrow(shelf.chosen("transcriber").id) as engine:
        heard = transcribe(VISIT, None, engine, 1)
    words = [word for one in heard.utterances for word in one.words]
    plain = [word.text.strip(".,").lower() for word in words]
    assert "acetaminophen" in plain
    assert "lisinopril" not in plain
    doubt = words[plain.index("lison")].doubt
    assert doubt
    assert "lisinopril" in doubt.suggestions


@pytest.mark.models
def test_the_real_recogniser_tells_which_of_two_wordings_was_said() -> None:
    clip = AudioClip(open_audio(VISIT).samples[: 3 * SAMPLE_RATE_HZ])
    texts = ["Good morning, what brings you in today?", "Take two tablets of it at night."]
    with ModelShelf(CARDS, 4000).borrow(WHISPER_CARD.id) as engine:
        said, other = engine.likelihoods(clip, "en", texts)
    assert said > other

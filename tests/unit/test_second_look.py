"""Where words sound like a medicine, the phrase is heard again with names in mind; what is taken or may be is lit."""

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
    """Hears `again` when it is told names; finds a text with one of `likely` likelier than what was written by `gain`,
    every other one not at all.
    """

    again: str
    likely: Sequence[str] = ()
    gain: float = 2.0
    told: list[Sequence[str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    card = WHISPER_CARD

    def speech(self, samples: np.ndarray) -> tuple[tuple[float, float], ...]:
        return ()

    def language(self, samples: np.ndarray) -> LanguageGuess:
        return LanguageGuess("en", 1.0)

    def words(self, clip: AudioClip, language: str) -> tuple[HeardPhrase, ...]:
        return ()

    def hypotheses(self, clip: AudioClip, language: str, names: Sequence[str]) -> tuple[str, ...]:
        self.told.append(names)
        return (self.again,)

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


def texts_of(made: HeardPhrase) -> str:
    return " ".join(word.text for word in made.words)


def test_a_name_that_fits_the_sound_is_taken_lit_and_nothing_around_it_is_touched() -> None:
    # the second hearing leaves words out, as Whisper does when it is told names
    made = looked("I take listen up all, twenty milligrams", Judges("Take lisinopril, 20 milligrams", ["lisinopril"]))
    assert texts_of(made) == "I take lisinopril, twenty milligrams"
    taken = made.words[2]
    assert (taken.start_s, taken.end_s) == (2.0, 5.0)
    assert taken.doubt
    assert taken.doubt.suggestions == ("listen up all",)


@pytest.mark.parametrize("gain", [-0.1, -20.0])
def test_a_name_that_is_not_likelier_is_left_to_a_person(gain: float) -> None:
    text = "I take low-sorting twenty milligrams"
    made = looked(text, Judges("I take losartan 20 milligrams", ["losartan"], gain))
    assert texts_of(made) == text
    doubt = made.words[2].doubt
    assert doubt
    assert (doubt.suggestions, doubt.words) == (("losartan",), 1)


def test_what_the_recogniser_finds_out_of_the_question_is_not_even_suggested() -> None:
    made = looked("I take low-sorting twenty milligrams", Judges("I take losartan 20 milligrams"))
    assert all(word.doubt is None for word in made.words)


def test_two_names_that_fit_as_well_are_both_suggested_and_none_is_written() -> None:
    text = "I take hydroazine twenty milligrams"
    made = looked(text, Judges("I take hydralazine 20 milligrams", ["hydralazine", "hydroxyzine", "olanzapine"]))
    assert texts_of(made) == text
    assert made.words[2].doubt
    assert "hydralazine" in made.words[2].doubt.suggestions


def test_a_name_is_not_laid_over_two_sentences_or_a_number() -> None:
    made = looked("I take tremidol. I stopped the forty milligrams", Judges("I take tramadol", ["tramadol"]))
    assert texts_of(made) == "I take tramadol. I stopped the forty milligrams"


def test_a_name_that_was_written_at_first_is_not_made_another() -> None:
    made = looked("I take hydralazine twenty milligrams", Judges("I take hydroxyzine 20 milligrams", ["hydroxyzine"]))
    assert texts_of(made) == "I take hydralazine twenty milligrams"


def test_ordinary_talk_is_not_heard_again() -> None:
    judge = Judges("")
    looked("How have you been since the last visit", judge)
    assert judge.told == []
    assert judge.asked == []


def test_what_is_on_the_patient_s_own_list_is_told_where_nothing_else_speaks_of_a_medicine() -> None:
    judge = Judges("she has diclofenac for the knee", ["diclofenac"])
    made = looked("she has died clothing ac for the knee", judge, ["Diclofenac 50 mg"])
    assert texts_of(made) == "she has diclofenac for the knee"
    assert judge.told[0][0] == "diclofenac"


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


@pytest.mark.models
def test_the_real_recogniser_hears_a_name_when_it_is_told_it() -> None:
    clip = AudioClip(open_audio(VISIT).samples[int(14.4 * SAMPLE_RATE_HZ) : int(18.4 * SAMPLE_RATE_HZ)])
    with ModelShelf(CARDS, 4000).borrow(WHISPER_CARD.id) as engine:
        untold, told = (
            " ".join(engine.hypotheses(clip, "en", names)) for names in (["aspirin"], ["lisinopril", "lithium"])
        )
    assert "lisinopril" not in untold.lower()
    assert "lisinopril" in told.lower()

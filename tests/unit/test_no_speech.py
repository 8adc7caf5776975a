"""What is no English speech yields no words: with the real recogniser, on a minute of each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from domain.errors import UploadRejected
from domain.speech import SAMPLE_RATE_HZ
from models.cards import CARDS
from models.contracts import Transcriber
from models.shelf import ModelShelf
from pipelines.audio_intake import OpenedAudio, open_audio
from pipelines.transcribe import transcribe

MINUTE = 60 * SAMPLE_RATE_HZ
ENGLISH = Path(__file__).parents[2] / "data" / "samples" / "recordings" / "1_sore_throat.mp3"
GERMAN = Path(__file__).parent.parent / "data" / "german.mp3"


@pytest.fixture(scope="module")
def whisper() -> Iterator[Transcriber]:
    shelf = ModelShelf(CARDS, 4000)
    with shelf.borrow(shelf.chosen("transcriber").id) as engine:
        yield engine


def silence() -> np.ndarray:
    return np.zeros(MINUTE, dtype=np.float32)


def room_noise() -> np.ndarray:
    """Pink: as much in each octave."""
    spectrum = np.fft.rfft(np.random.default_rng(0).normal(size=MINUTE))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 20)), MINUTE)
    return (0.1 * noise / noise.std()).astype(np.float32)


def music() -> np.ndarray:
    """Four chords over and over, struck and fading, with overtones and a beat."""
    rng = np.random.default_rng(1)
    made = np.zeros(MINUTE)
    beat = SAMPLE_RATE_HZ // 2
    seconds = np.arange(beat * 2) / SAMPLE_RATE_HZ
    chords = [(220.0, 261.6, 329.6), (174.6, 220.0, 261.6), (261.6, 329.6, 392.0), (196.0, 246.9, 293.7)]
    for number, start in enumerate(range(0, MINUTE - len(seconds), beat)):
        for note in chords[number // 4 % 4]:
            for overtone in (1, 2, 3, 4):
                made[start : start + len(seconds)] += (
                    np.exp(-3 * seconds) * np.sin(2 * np.pi * note * overtone * seconds) / overtone
                )
        made[start : start + 1600] += 0.5 * rng.normal(size=1600) * np.exp(-np.arange(1600) / 300)
    return (0.3 * made / np.abs(made).max()).astype(np.float32)


@pytest.mark.models
@pytest.mark.parametrize("sound", [silence, room_noise, music], ids=lambda sound: sound.__name__)
def test_a_minute_without_speech_yields_no_word(whisper: Transcriber, sound) -> None:
    told: list[str] = []
    with pytest.raises(UploadRejected, match="microphone"):
        transcribe(OpenedAudio(sound(), ()), None, whisper, on_utterance=lambda one: told.append(one.text))
    assert not told


@pytest.mark.models
def test_german_is_said_to_be_no_english(whisper: Transcriber) -> None:
    with pytest.raises(UploadRejected, match="another language"):
        transcribe(GERMAN, None, whisper)


@pytest.mark.models
def test_german_amid_english_is_left_out_and_said(whisper: Transcriber) -> None:
    english, german = np.array(open_audio(ENGLISH).samples), np.array(open_audio(GERMAN).samples)
    second = SAMPLE_RATE_HZ
    pause = np.zeros(second // 2, dtype=np.float32)
    mixed = np.concatenate(
        [english[: 10 * second], pause, german[: 10 * second], pause, english[10 * second : 20 * second]]
    )
    heard = transcribe(OpenedAudio(mixed, ()), None, whisper, 1)
    assert any("another language" in warning for warning in heard.warnings)
    told = " ".join(one.text for one in heard.utterances)
    assert "sore throat for five days" in told
    assert "it hurts when I swallow" in told
    assert len(told.split()) < 50

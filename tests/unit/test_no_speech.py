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
from tests.unit.audio_kit import write_media

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


def whispered(samples: np.ndarray) -> np.ndarray:
    """Speech without voice: the spectrum's envelope stays, what sounds in it is breath; far from the microphone."""
    from scipy.signal import istft, stft

    size = 512
    _, _, spoken = stft(samples, SAMPLE_RATE_HZ, nperseg=size)
    _, _, breath = stft(np.random.default_rng(2).normal(size=len(samples)), SAMPLE_RATE_HZ, nperseg=size)
    # The cepstrum's slow part is the envelope; the pitch lies above it (from 400 Hz down).
    cepstrum = np.fft.irfft(np.log(np.abs(spoken) + 1e-6), axis=0)
    cepstrum[28 : size - 28] = 0
    envelope = np.exp(np.fft.rfft(cepstrum, axis=0).real)
    _, made = istft(envelope * breath / np.abs(breath).mean(), SAMPLE_RATE_HZ, nperseg=size)
    return (0.02 * made / np.abs(made).max()).astype(np.float32)


@pytest.mark.models
def test_a_whispered_visit_is_heard_and_said_to_be_very_quiet(whisper: Transcriber, tmp_path: Path) -> None:
    path = tmp_path / "whispered.wav"
    write_media(
        path,
        whispered(np.array(open_audio(ENGLISH).samples[: 14 * SAMPLE_RATE_HZ])),
        "pcm_s16le",
        rate_hz=16_000,
        layout="mono",
    )
    heard = transcribe(path, None, whisper, 1)
    assert any("very quiet" in warning for warning in heard.warnings)
    told = " ".join(one.text for one in heard.utterances).lower()
    assert sum(word in told for word in ("sore throat", "fever", "breath", "swallow", "medicines")) >= 4


@pytest.mark.models
@pytest.mark.parametrize("order", ["english german english", "german english english"])
def test_german_amid_english_is_left_out_and_said(whisper: Transcriber, order: str) -> None:
    english, german = np.array(open_audio(ENGLISH).samples), np.array(open_audio(GERMAN).samples)
    second = SAMPLE_RATE_HZ
    pause = np.zeros(second // 2, dtype=np.float32)
    spoken = {
        "english": [english[: 10 * second], english[10 * second : 20 * second]],
        "german": [german[: 10 * second]],
    }
    mixed = np.concatenate([part for language in order.split() for part in (spoken[language].pop(0), pause)])
    heard = transcribe(OpenedAudio(mixed, ()), None, whisper, 1)
    assert any("another language" in warning for warning in heard.warnings)
    told = " ".join(one.text for one in heard.utterances)
    assert "sore throat for five days" in told
    assert "it hurts when I swallow" in told
    assert len(told.split()) < 50

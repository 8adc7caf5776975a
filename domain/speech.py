"""What was heard: audio, timed words, turns of voices, a visit's transcript. Times are seconds from its start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.models import ModelStamp

SAMPLE_RATE_HZ = 16_000  # of every AudioClip
MAX_RECORDING_HOURS = 3.0  # unless the settings say otherwise


@dataclass(frozen=True, slots=True, eq=False)
class AudioClip:
    """`samples`: float32 (n,), mono, SAMPLE_RATE_HZ, in [-1, 1]; `start_s`: where it begins in the recording."""

    samples: np.ndarray
    start_s: float = 0.0

    @property
    def duration_s(self) -> float:
        return len(self.samples) / SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class WordDoubt:
    """Why a word may be wrong, and what it may be instead. Nothing is applied but by a person.

    `words`: how many words from this one on a suggestion stands for; a medicine's name may be heard as several.
    """

    reason: str
    suggestions: tuple[str, ...] = ()
    words: int = 1


@dataclass(frozen=True, slots=True)
class TimedWord:
    """One word as recognised. `confidence` 0 to 1; times None in a transcript that came as text.

    `unclear`: heard too badly to be shown as sure; `doubt`: set where the word was checked and found doubtful.
    """

    text: str
    start_s: float | None
    end_s: float | None
    confidence: float
    unclear: bool = False
    doubt: WordDoubt | None = None


@dataclass(frozen=True, slots=True)
class HeardPhrase:
    """What a recogniser made of a stretch of speech, with its own signs of trust.

    `mean_log_probability`: of its tokens; `no_speech`: 0 to 1; `compression`: how often it repeats itself (text bytes
    to zipped bytes).
    """

    words: tuple[TimedWord, ...]
    mean_log_probability: float
    no_speech: float
    compression: float


@dataclass(frozen=True, slots=True)
class LanguageGuess:
    """Language spoken, as a two-letter code; `probability` 0 to 1."""

    code: str
    probability: float


@dataclass(frozen=True, slots=True)
class Turn:
    """One voice speaking. Turns of two voices may overlap."""

    speaker: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Utterance:
    """What one speaker said in one go. `id` is unique in its transcript; `role`: "" before roles are named.

    `overlap`: another voice spoke at the same time. Times are None in a transcript that came as text.
    """

    id: str
    speaker: str
    role: str
    start_s: float | None
    end_s: float | None
    text: str
    words: tuple[TimedWord, ...] = ()
    overlap: bool = False


@dataclass(frozen=True, slots=True)
class Transcript:
    """A visit as heard or imported. `duration_s`: None for text; `models`: every engine that had a part in it."""

    consultation_id: str
    duration_s: float | None
    utterances: tuple[Utterance, ...]
    models: tuple[ModelStamp, ...]
    warnings: tuple[str, ...] = ()

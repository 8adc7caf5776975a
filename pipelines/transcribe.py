"""Hears a recording: stretches of speech to words, words to voices. Told piece by piece as it goes."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from domain.errors import Cancelled, UploadRejected
from domain.speech import SAMPLE_RATE_HZ, AudioClip, HeardPhrase, TimedWord, Transcript, Utterance
from models.contracts import Diarizer, Transcriber
from pipelines.audio_intake import OpenedAudio, open_audio
from pipelines.medical_words import with_doubts
from pipelines.progress import Progress, silent
from pipelines.speakers import assign

FIRST_BLOCK_S = 8.0  # short, so that the first words come soon
BLOCK_S = 28.0  # Whisper hears 30 seconds at once
UNSURE_WORD = 0.35
UNTRUSTED_LOG_PROBABILITY = -1.0  # Whisper's own limits (Radford et al. 2022, section 4.5)
NO_SPEECH = 0.6
REPEATS = 2.4
LANGUAGE = "en"
SURE_OTHER_LANGUAGE = 0.7


def transcribe(
    source: Path | OpenedAudio,
    diarizer: Diarizer | None,
    transcriber: Transcriber,
    speakers: int | None = None,
    progress: Progress = silent,
    on_utterance: Callable[[Utterance], None] | None = None,
    known_medications: Sequence[str] = (),
) -> Transcript:
    """`speakers`: how many voices; None or 0 finds out. Utterances told on the way have no voice yet. When cancelled,
    what was heard so far is kept, with a warning. `known_medications`: the patient's own list, against which medicines
    heard are checked; words that may be wrong are lit, none is changed. Raises UploadRejected where nobody is heard to
    speak in English.
    """
    audio = source if isinstance(source, OpenedAudio) else open_audio(source)
    warnings, words, told = list(audio.warnings), [], 0
    foreign_s = heard_s = at = done = 0.0
    try:
        while at < audio.duration_s:
            progress(at, audio.duration_s, "seconds", "Listening")
            end = min(at + (FIRST_BLOCK_S if at == 0 else BLOCK_S), audio.duration_s)
            piece = _piece(audio.samples, at, end)
            spoken = transcriber.speech(piece)
            end = _quiet_end(at, end, audio.duration_s, spoken)
            spoken = tuple((a, b) for a, b in spoken if a < end - at)
            if spoken:
                piece = _piece(audio.samples, at, end)
                seconds = sum(b - a for a, b in spoken)
                guess = transcriber.language(piece)
                heard_s += seconds
                if guess.code != LANGUAGE and guess.probability >= SURE_OTHER_LANGUAGE and seconds > 2:
                    foreign_s += seconds
                else:
                    new = _kept(transcriber.words(AudioClip(piece, at), LANGUAGE))
                    words += new
                    for one in assign(new, ()) if on_utterance else ():
                        told += 1
                        on_utterance(replace(one, id=f"heard{told}", speaker=""))
            at = done = end
    except Cancelled:
        if not words:
            raise
        warnings.append(f"Stopped as you asked: only the first {done:.0f} seconds were heard.")
    if not words:
        raise UploadRejected(_nothing(heard_s, foreign_s))
    if foreign_s > 2:
        warnings.append(f"About {foreign_s:.0f} seconds are in another language than English and were left out.")
    turns = ()
    if diarizer is not None and speakers != 1:
        progress(done, audio.duration_s, "seconds", "Telling the voices apart")
        listening = diarizer.listen(audio.samples[: int(done * SAMPLE_RATE_HZ)])
        listening.until(done)
        turns = listening.turns(speakers or None)
    stamps = (transcriber.card.stamp, *((diarizer.card.stamp,) if turns and diarizer else ()))
    found = len({turn.speaker for turn in turns}) or 1
    if speakers and found != speakers:
        warnings.append(f"{speakers} voices were asked for and {found} could be told apart. Check who said what.")
    utterances = with_doubts(assign(words, turns), known_medications)
    return Transcript(uuid.uuid4().hex, audio.duration_s, utterances, stamps, tuple(warnings))


def _piece(samples: np.ndarray, start_s: float, end_s: float) -> np.ndarray:
    return np.array(samples[int(start_s * SAMPLE_RATE_HZ) : int(end_s * SAMPLE_RATE_HZ)], dtype=np.float32)


def _quiet_end(at: float, end: float, length_s: float, spoken: Sequence[tuple[float, float]]) -> float:
    """Where to cut: in the last pause of the block's second half, not in the middle of a word."""
    if end >= length_s:
        return length_s
    pauses = [(b + a) / 2 for (_, b), (a, _) in itertools.pairwise(spoken) if (b + a) / 2 > (end - at) / 2]
    return at + pauses[-1] if pauses else end


def _kept(phrases: Sequence[HeardPhrase]) -> list[TimedWord]:
    """Words of phrases that are no invention, the badly heard ones marked as unclear."""
    kept: list[TimedWord] = []
    for phrase in phrases:
        invented = phrase.no_speech > NO_SPEECH and phrase.mean_log_probability < UNTRUSTED_LOG_PROBABILITY
        if invented or phrase.compression > REPEATS:
            continue
        badly = phrase.mean_log_probability < UNTRUSTED_LOG_PROBABILITY
        kept += [replace(word, unclear=badly or word.confidence < UNSURE_WORD) for word in phrase.words]
    return kept


def _nothing(heard_s: float, foreign_s: float) -> str:
    if foreign_s > 0:
        return (
            "The recording is in another language than English, so it was not transcribed. Upload one in English, or "
            "paste the conversation as text."
        )
    if heard_s > 0:
        return (
            "No words could be made out in the recording: it holds noise or music, or speech too faint to read. Check "
            "the microphone and record again."
        )
    return (
        "Nobody is heard to speak in the recording: it holds silence, noise or music only. Check the microphone and "
        "record again."
    )

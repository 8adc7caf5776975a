"""Hears a recording: stretches of speech to words, words to voices. Told piece by piece as it goes."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from domain.errors import Cancelled, UploadRejected
from domain.speech import SAMPLE_RATE_HZ, AudioClip, HeardPhrase, TimedWord, Transcript, Turn, Utterance
from models.contracts import Diarizer, Transcriber
from pipelines.audio_intake import OpenedAudio, open_audio
from pipelines.medical_words import with_doubts
from pipelines.progress import Progress, silent
from pipelines.second_look import look_again
from pipelines.speakers import assign

FIRST_BLOCK_S = 6.0  # short, so that the first words come soon
BLOCK_S = 28.0  # Whisper hears 30 seconds at once
UNSURE_WORD = 0.35
UNTRUSTED_LOG_PROBABILITY = -1.0  # Whisper's own limits (Radford et al. 2022, section 4.5)
NO_SPEECH = 0.6
REPEATS = 2.4
NEAR_S = 0.5
LANGUAGE = "en"
SURE_OTHER_LANGUAGE = 0.7
UNSURE_PHRASE = 0.65  # mean confidence of its words: German heard as English has 0.4 to 0.6, two in 100 English ones
SHORTEST_TOLD_S = 1.0  # of a shorter phrase the language cannot be told


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
    heard are checked. Words that may be wrong are lit, also a medicine's name that was taken at the second look. Raises
    UploadRejected where nobody is heard to speak in English.
    """
    audio = source if isinstance(source, OpenedAudio) else open_audio(source)
    heard = _Heard(warnings=list(audio.warnings))
    with _Voices(diarizer if speakers != 1 else None, audio.samples) as voices:
        try:
            while heard.until_s < audio.duration_s:
                progress(heard.until_s, audio.duration_s, "seconds", "Listening")
                new = _hear_block(audio, transcriber, heard, known_medications)
                for one in assign(new, ()) if on_utterance else ():
                    heard.told += 1
                    on_utterance(replace(one, id=f"heard{heard.told}", speaker=""))
                voices.listen_until(heard.until_s)
        except Cancelled:
            if not heard.words:
                raise
            heard.warnings.append(f"Stopped as you asked: only the first {heard.until_s:.0f} seconds were heard.")
        if not heard.words:
            raise UploadRejected(_nothing(heard.speech_s, heard.foreign_s))
        if heard.foreign_s > 2:
            heard.warnings.append(
                f"About {heard.foreign_s:.0f} seconds are in another language than English and were left out."
            )
        if diarizer is not None and speakers != 1:
            progress(heard.until_s, audio.duration_s, "seconds", "Telling the voices apart")
        turns = voices.turns(heard.until_s, speakers or None)
        alike = len({turn.speaker for turn in voices.found()}) if speakers else 0
    stamps = (transcriber.card.stamp, *((diarizer.card.stamp,) if turns and diarizer else ()))
    found = len({turn.speaker for turn in turns}) or 1
    if speakers and found != speakers:
        heard.warnings.append(f"{speakers} voices were asked for and {found} could be told apart. Check who said what.")
    elif speakers and alike not in (0, speakers):
        several = "one voice" if alike == 1 else f"{alike} voices"
        heard.warnings.append(
            f"{speakers} voices were asked for, but it sounds like {several}. Check who said what, or hear it again "
            "with the number to be found out."
        )
    utterances = with_doubts(assign(heard.words, turns), known_medications)
    return Transcript(uuid.uuid4().hex, audio.duration_s, utterances, stamps, tuple(heard.warnings))


@dataclass
class _Heard:
    """What was made of a recording up to `until_s`; `speech_s` of it sounded like speech."""

    warnings: list[str]
    words: list[TimedWord] = field(default_factory=list)
    until_s: float = 0.0
    speech_s: float = 0.0
    foreign_s: float = 0.0
    told: int = 0


class _Voices:
    """A diarizer that listens in a thread of its own, behind the recogniser: the first words need not wait for it."""

    def __init__(self, diarizer: Diarizer | None, samples: np.ndarray) -> None:
        self._diarizer, self._samples = diarizer, samples
        self._listening = diarizer.listen(samples) if diarizer else None
        self._thread = ThreadPoolExecutor(1, "voices")
        self._tasks: list[Future[None]] = []

    def __enter__(self) -> _Voices:
        return self

    def __exit__(self, *raised: object) -> None:
        self._thread.shutdown(wait=True, cancel_futures=True)

    def listen_until(self, seconds: float) -> None:
        """Soon. Raises what went wrong since the last call."""
        if self._listening is None:
            return
        for task in [one for one in self._tasks if one.done()]:
            self._tasks.remove(task)
            task.result()
        self._tasks.append(self._thread.submit(self._listening.until, seconds))

    def turns(self, seconds: float, speakers: int | None) -> tuple[Turn, ...]:
        """Of the recording up to `seconds`."""
        if self._diarizer is None or self._listening is None:
            return ()
        whole = seconds >= len(self._samples) / SAMPLE_RATE_HZ
        for task in self._tasks:
            if whole:
                task.result()
            else:
                task.cancel()
        if not whole:  # stopped on the way: the end is now where it was stopped, and is heard with what follows it
            self._thread.submit(lambda: None).result()
            self._listening = self._diarizer.listen(self._samples[: int(seconds * SAMPLE_RATE_HZ)])
            self._listening.until(seconds)
        return self._listening.turns(speakers)

    def found(self) -> tuple[Turn, ...]:
        """The same with the number of voices found out; after `turns`."""
        return self._listening.turns(None) if self._listening else ()


def _hear_block(
    audio: OpenedAudio, transcriber: Transcriber, heard: _Heard, known_medications: Sequence[str]
) -> list[TimedWord]:
    """The next stretch, up to a pause; `heard` grows by it."""
    at = heard.until_s
    end = min(at + (FIRST_BLOCK_S if at == 0 else BLOCK_S), audio.duration_s)
    spoken = transcriber.speech(_piece(audio.samples, at, end))
    end = _quiet_end(at, end, audio.duration_s, spoken)
    spoken = tuple((a, b) for a, b in spoken if a < end - at)
    new: list[TimedWord] = []
    if spoken:
        piece = _piece(audio.samples, at, end)
        seconds = sum(b - a for a, b in spoken)
        heard.speech_s += seconds
        guess = transcriber.language(piece)
        if guess.code != LANGUAGE and guess.probability >= SURE_OTHER_LANGUAGE and seconds > 2:
            heard.foreign_s += seconds
        else:
            clip = AudioClip(piece, at)
            phrases = _kept(transcriber.words(clip, LANGUAGE), [(at + a, at + b) for a, b in spoken])
            phrases = _in_our_language(phrases, clip, transcriber, heard)
            new = _marked(look_again(phrases, clip, LANGUAGE, transcriber, known_medications))
    heard.words += new
    heard.until_s = end
    return new


def _piece(samples: np.ndarray, start_s: float, end_s: float) -> np.ndarray:
    return np.array(samples[max(0, int(start_s * SAMPLE_RATE_HZ)) : int(end_s * SAMPLE_RATE_HZ)], dtype=np.float32)


def _quiet_end(at: float, end: float, length_s: float, spoken: Sequence[tuple[float, float]]) -> float:
    """Where to cut: in the last pause of the block's second half, not in the middle of a word."""
    if end >= length_s:
        return length_s
    pauses = [(b + a) / 2 for (_, b), (a, _) in itertools.pairwise(spoken) if (b + a) / 2 > (end - at) / 2]
    return at + pauses[-1] if pauses else end


def _kept(phrases: Sequence[HeardPhrase], spoken: Sequence[tuple[float, float]]) -> list[HeardPhrase]:
    """Phrases that are no invention. `spoken`: where a voice is heard."""
    kept: list[HeardPhrase] = []
    for phrase in phrases:
        invented = phrase.no_speech > NO_SPEECH and phrase.mean_log_probability < UNTRUSTED_LOG_PROBABILITY
        if not (invented or phrase.compression > REPEATS or not _near_a_voice(phrase, spoken)):
            kept.append(phrase)
    return kept


def _in_our_language(
    phrases: Sequence[HeardPhrase], clip: AudioClip, transcriber: Transcriber, heard: _Heard
) -> list[HeardPhrase]:
    """Phrases without those of another language, which amid English come out as English nonsense. Only what was heard
    badly is asked about; a scrap beside a phrase of another language goes with it.
    """
    kept: list[HeardPhrase] = []
    foreign = False
    for phrase in phrases:
        start, end = phrase.words[0].start_s or 0.0, phrase.words[-1].end_s or 0.0
        if sum(word.confidence for word in phrase.words) / len(phrase.words) >= UNSURE_PHRASE:
            foreign = False
        elif end - start >= SHORTEST_TOLD_S:
            guess = transcriber.language(_piece(clip.samples, start - clip.start_s, end - clip.start_s))
            foreign = guess.code != LANGUAGE and guess.probability >= SURE_OTHER_LANGUAGE
        if foreign:
            heard.foreign_s += end - start
        else:
            kept.append(phrase)
    return kept


def _marked(phrases: Sequence[HeardPhrase]) -> list[TimedWord]:
    """Their words, badly heard ones marked as unclear; one that is lit with its reason needs no second mark."""
    return [
        replace(word, unclear=phrase.mean_log_probability < UNTRUSTED_LOG_PROBABILITY or word.confidence < UNSURE_WORD)
        if word.doubt is None
        else word
        for phrase in phrases
        for word in phrase.words
    ]


def _near_a_voice(phrase: HeardPhrase, spoken: Sequence[tuple[float, float]]) -> bool:
    """Whether any word of the phrase stands where a voice is heard, or close by: Whisper's times are not exact."""
    middles = [((word.start_s or 0.0) + (word.end_s or 0.0)) / 2 for word in phrase.words]
    return any(start - NEAR_S <= middle <= end + NEAR_S for middle in middles for start, end in spoken)


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

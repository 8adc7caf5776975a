"""A recording becomes utterances, or is refused with what is wrong with it. Engines are stand-ins; sound is made here."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from domain.errors import Cancelled, ModelUnavailable, UploadRejected
from domain.speech import AudioClip, HeardPhrase, LanguageGuess, TimedWord, Turn
from models.cards_speech import PYANNOTE_CARD, WHISPER_CARD
from pipelines.audio_intake import open_audio
from pipelines.speakers import assign
from pipelines.transcribe import transcribe


def recording(path: Path, seconds: float = 2.0, rate: int = 16_000, channels: int = 1, loud: float = 0.1) -> Path:
    tone = np.sin(2 * np.pi * 220 * np.arange(int(seconds * rate)) / rate) * loud
    samples = np.repeat((np.clip(tone, -1, 1) * 32767).astype("<i2")[:, None], channels, axis=1)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path


@dataclass
class Hears:
    """Says one word a block."""

    language_code: str = "en"
    voice: bool = True
    log_probability: float = -0.2
    no_speech: float = 0.1
    card = WHISPER_CARD

    def speech(self, samples: np.ndarray) -> tuple[tuple[float, float], ...]:
        return ((0.0, len(samples) / 16_000),) if self.voice else ()

    def language(self, samples: np.ndarray) -> LanguageGuess:
        return LanguageGuess(self.language_code, 0.99)

    def words(self, clip: AudioClip, language: str) -> tuple[HeardPhrase, ...]:
        word = TimedWord("hello", clip.start_s, clip.start_s + 0.5, 0.9)
        return (HeardPhrase((word,), self.log_probability, self.no_speech, 1.0),)


def test_words_are_told_as_they_come_and_kept(tmp_path: Path) -> None:
    told: list[str] = []
    made = transcribe(
        recording(tmp_path / "a.wav", 12), None, Hears(), 1, on_utterance=lambda one: told.append(one.text)
    )
    assert told == ["hello", "hello"]
    assert [one.text for one in made.utterances] == ["hello", "hello"]
    assert made.duration_s == pytest.approx(12, abs=0.1)


@pytest.mark.parametrize("engine", [Hears(voice=False), Hears(log_probability=-1.5, no_speech=0.9)])
def test_what_is_no_speech_is_never_turned_into_words(tmp_path: Path, engine: Hears) -> None:
    with pytest.raises(UploadRejected, match="microphone"):
        transcribe(recording(tmp_path / "a.wav"), None, engine, 1)


def test_another_language_is_said_and_not_transcribed(tmp_path: Path) -> None:
    with pytest.raises(UploadRejected, match="another language"):
        transcribe(recording(tmp_path / "a.wav", 4), None, Hears("de"), 1)


def test_cancelling_keeps_what_was_heard(tmp_path: Path) -> None:
    def stop(done: float, total: float, unit: str, message: str) -> None:
        if done > 0:
            raise Cancelled("Stopped.")

    made = transcribe(recording(tmp_path / "a.wav", 12), None, Hears(), 1, stop)
    assert len(made.utterances) == 1
    assert "Stopped" in made.warnings[-1]


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (96_000, 8), (44_100, 2)])
def test_any_rate_becomes_16_khz_mono(tmp_path: Path, rate: int, channels: int) -> None:
    opened = open_audio(recording(tmp_path / "a.wav", 1.5, rate, channels))
    assert opened.samples.dtype == np.float32
    assert opened.duration_s == pytest.approx(1.5, abs=0.05)
    assert bool(opened.warnings) == (rate < 16_000)


def test_too_loud_and_too_quiet_are_said(tmp_path: Path) -> None:
    assert "too loud" in open_audio(recording(tmp_path / "a.wav", loud=4.0)).warnings[0]
    assert "quiet" in open_audio(recording(tmp_path / "b.wav", loud=0.005)).warnings[0]


def test_a_text_named_wav_an_empty_file_and_a_long_one_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("this is no sound")
    (tmp_path / "empty.wav").write_bytes(b"")
    for name in ("text.wav", "empty.wav"):
        with pytest.raises(UploadRejected):
            open_audio(tmp_path / name)
    with pytest.raises(UploadRejected, match="longer"):
        open_audio(recording(tmp_path / "long.wav", 3), max_seconds=1)


def test_a_word_goes_to_the_voice_at_its_middle() -> None:
    turns = (Turn("Speaker 1", 0, 2), Turn("Speaker 2", 2.1, 4))
    words = [TimedWord("yes", 1.5, 1.9, 1), TimedWord("and", 1.95, 2.3, 1), TimedWord("late", 4.2, 4.4, 1)]
    made = assign(words, turns)
    assert [(one.speaker, one.text) for one in made] == [
        ("Speaker 1", "yes"),
        ("Speaker 2", "and"),
        ("Speaker 2", "late"),  # after a pause, by the nearest voice
    ]


def spoken(text: str, pauses: dict[int, float] | None = None) -> list[TimedWord]:
    """Words of 0.3 s, each right after the other but for `pauses` (seconds before the word of that number)."""
    at, words = 0.0, []
    for number, word in enumerate(text.split()):
        at += (pauses or {}).get(number, 0.02)
        words.append(TimedWord(word, at, at + 0.3, 0.9))
        at += 0.3
    return words


def said_by(words: list[TimedWord], *turns: Turn) -> list[str]:
    return [one.text for one in assign(words, turns)]


def test_a_voice_changes_at_the_end_of_a_sentence_not_one_word_beside_it() -> None:
    words = spoken("I am tired. Any allergies? No.", {3: 0.4, 5: 0.4})
    first, third = words[3].end_s or 0.0, words[5].start_s or 0.0
    late = (Turn("Speaker 1", 0, first), Turn("Speaker 2", first, third - 0.1), Turn("Speaker 1", third, 9))
    assert said_by(words, *late) == ["I am tired.", "Any allergies?", "No."]
    early = (Turn("Speaker 1", 0, (words[1].end_s or 0.0)), Turn("Speaker 2", words[2].start_s or 0.0, 9))
    assert said_by(words, *early) == ["I am tired.", "Any allergies? No."]


def test_a_lone_word_amid_a_sentence_is_not_another_s_but_an_answer_is() -> None:
    words = spoken("we will check the kidney again.")
    middle = words[2]
    turns = (Turn("Speaker 1", 0, middle.start_s), Turn("Speaker 2", middle.start_s, middle.end_s), Turn("Speaker 1", middle.end_s, 9))  # fmt: skip
    assert said_by(words, *turns) == ["we will check the kidney again."]
    answered = spoken("do you smoke? No. And drink?", {3: 0.3, 4: 0.3})
    no = answered[3]
    turns = (Turn("Speaker 1", 0, 1.0), Turn("Speaker 2", no.start_s, no.end_s), Turn("Speaker 1", no.end_s + 0.2, 9))
    assert said_by(answered, *turns) == ["do you smoke?", "No.", "And drink?"]


def test_an_utterance_begins_and_ends_where_its_turn_does() -> None:
    [one] = assign([TimedWord("yes", 1.3, 1.5, 1)], (Turn("Speaker 1", 1.0, 1.7),))
    assert (one.start_s, one.end_s) == (1.0, 1.7)
    [one] = assign([TimedWord("yes", 4.0, 4.2, 1)], (Turn("Speaker 1", 1.0, 9.0),))
    assert (one.start_s, one.end_s) == (4.0, 4.2)


def test_a_breath_between_two_sentences_parts_them_and_one_within_a_sentence_does_not() -> None:
    words = [
        TimedWord(text, start, start + 0.5, 1)
        for text, start in (("Good", 1.0), ("morning.", 1.5), ("Please", 2.2), ("sit,", 2.7), ("there.", 3.5))
    ]
    turns = (Turn("Speaker 1", 1.0, 1.9), Turn("Speaker 1", 2.2, 3.1), Turn("Speaker 1", 3.5, 4.0))
    made = assign(words, turns)
    assert [(one.text, one.start_s, one.end_s) for one in made] == [
        ("Good morning.", 1.0, 1.9), ("Please sit, there.", 2.2, 4.0),
    ]  # fmt: skip


def test_words_of_a_phrase_where_nobody_is_heard_are_an_invention(tmp_path: Path) -> None:
    class Invents(Hears):
        def words(self, clip: AudioClip, language: str) -> tuple[HeardPhrase, ...]:
            spoken_, invented = (TimedWord(t, clip.start_s + at, clip.start_s + at + 0.5, 0.9) for t, at in (("hello", 0.2), ("Thanks", 4.0)))  # fmt: skip
            return (HeardPhrase((spoken_,), -0.2, 0.1, 1.0), HeardPhrase((invented,), -0.2, 0.1, 1.0))

        def speech(self, samples: np.ndarray) -> tuple[tuple[float, float], ...]:
            return ((0.0, 1.0),)

    made = transcribe(recording(tmp_path / "a.wav", 5), None, Invents(), 1)
    assert [one.text for one in made.utterances] == ["hello"]


class Listens:
    """A diarizer that notes what it is asked."""

    card = PYANNOTE_CARD

    def __init__(self, fails: bool = False) -> None:
        self.until_s: list[float] = []
        self.fails = fails

    def listen(self, samples: np.ndarray) -> Listens:
        self.length_s = len(samples) / 16_000
        return self

    def until(self, seconds: float) -> None:
        if self.fails:
            raise ModelUnavailable("It cannot be loaded.")
        self.until_s.append(seconds)

    def turns(self, speakers: int | None) -> tuple[Turn, ...]:
        return (Turn("Speaker 1", 0, self.length_s),)


def test_voices_are_listened_to_beside_the_words_up_to_the_end(tmp_path: Path) -> None:
    voices = Listens()
    made = transcribe(recording(tmp_path / "a.wav", 40), voices, Hears(), None)
    assert voices.until_s == sorted(voices.until_s)
    assert voices.until_s[-1] == pytest.approx(40, abs=0.1)
    assert len(made.models) == 2
    with pytest.raises(ModelUnavailable):
        transcribe(recording(tmp_path / "a.wav", 40), Listens(fails=True), Hears(), None)


def test_one_voice_can_be_asked_for_and_nobody_is_told_apart(tmp_path: Path) -> None:
    made = transcribe(recording(tmp_path / "a.wav", 12), Listens(fails=True), Hears(), 1)
    assert len({one.speaker for one in made.utterances}) == 1
    assert len(made.models) == 1  # no diarizer had a part in it
    assert made.warnings == ()


def test_a_number_of_voices_that_does_not_fit_what_is_heard_is_said(tmp_path: Path) -> None:
    class Splits(Listens):
        """Makes as many voices as it is asked for, and finds one by itself."""

        def turns(self, speakers: int | None) -> tuple[Turn, ...]:
            return tuple(Turn(f"Speaker {at + 1}", at, at + 1.0) for at in range(speakers or 1))

    alone = transcribe(recording(tmp_path / "a.wav", 4), Splits(), Hears(), 2)
    assert "sounds like one voice" in alone.warnings[-1]
    assert transcribe(recording(tmp_path / "a.wav", 4), Splits(), Hears(), None).warnings == ()


def test_after_cancelling_voices_are_heard_up_to_there(tmp_path: Path) -> None:
    def stop(done: float, total: float, unit: str, message: str) -> None:
        if 0 < done < total and message == "Listening":
            raise Cancelled("Stopped.")

    voices = Listens()
    transcribe(recording(tmp_path / "a.wav", 40), voices, Hears(), None, stop)
    assert voices.length_s == pytest.approx(voices.until_s[-1], abs=0.01)
    assert voices.length_s < 10


def test_cards_name_their_licence() -> None:
    assert "Apache-2.0" in PYANNOTE_CARD.licence
    assert "MIT" in WHISPER_CARD.licence


def test_pieces_of_one_word_are_put_together_with_their_least_confidence() -> None:
    from types import SimpleNamespace as Piece

    from models.speech import phrase_of

    pieces = [
        Piece(word=" at", start=1.0, end=1.2, probability=0.9),
        Piece(word=" 8", start=1.2, end=1.4, probability=0.8),
        Piece(word=".4%.", start=1.4, end=1.9, probability=0.6),
        Piece(word=" ", start=1.9, end=1.9, probability=0.1),
        Piece(word=" mg", start=2.0, end=1.9, probability=1.2),
    ]
    segment = Piece(words=pieces, avg_logprob=-0.2, no_speech_prob=0.0, compression_ratio=1.0)
    heard = phrase_of(segment, 10.0)
    assert [(word.text, word.start_s, word.end_s, word.confidence) for word in heard.words] == [
        ("at", 11.0, 11.2, 0.9),
        ("8.4%.", 11.2, 11.9, 0.6),
        ("mg", 12.0, 12.0, 1.0),
    ]

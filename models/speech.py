"""Recognisers of speech. One adapter class an engine; the framework is imported when an engine is built."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from domain.errors import ModelUnavailable
from domain.models import ModelCard
from domain.speech import AudioClip, HeardPhrase, LanguageGuess, TimedWord

BEAM = 5
MOST_THREADS = 4  # the base model gains nothing from more
GAP_MS = 300  # a pause this long ends a stretch of speech
PAD_MS = 200  # kept around a stretch, so that soft beginnings are not cut off
LEAST_PROBABILITY = 1e-9  # of a token, so that one alone does not decide
HYPOTHESES = 3
MOST_TOKENS = 448  # Whisper has no more places, those of what went before included
MOST_HINT_TOKENS = 200  # Whisper takes 223 of what went before
TOKENS_AHEAD, TOKENS_A_SECOND = 24, 12  # nobody speaks faster; it ends what repeats itself
TEMPERATURES = (0.0, 0.4)  # a second try only where the first repeats itself or is unsure


class WhisperTranscriber:
    """Whisper (Radford et al. 2022) through faster-whisper, with Silero's voice activity detector that comes inside it.

    Every stretch is recognised by itself: an earlier mistake is not carried on, and no prompt is given, since a prompt
    with names of medicines also makes Whisper drop speech.
    """

    def __init__(self, folder: Path, card: ModelCard, *, first_part: str, second_part: str, tables: str) -> None:
        """The model's file comes in two parts; they and the folder `tables` are relative to `folder`."""
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        from models.torchaudio_stand_in import stand_in

        stand_in()
        from faster_whisper import WhisperModel

        class Remembering(WhisperModel):
            """Encodes a sound once for its language and its words: that is half of the work on a short one."""

            _encoded: tuple[np.ndarray, Any] | None = None

            def encode(self, features: np.ndarray) -> Any:
                if self._encoded is None or not np.array_equal(self._encoded[0], features):
                    self._encoded = (features, super().encode(features))
                return self._encoded[1]

        self.card = card
        self._lock = threading.Lock()
        files = {name: (folder / tables / name).read_bytes() for name in ("config.json", "vocabulary.json")}
        files["tokenizer.json"] = (folder / tables / "tokenizer.json").read_bytes()
        files["model.bin"] = (folder / first_part).read_bytes() + (folder / second_part).read_bytes()
        try:
            self._model = Remembering(
                "whisper-base", device="cpu", compute_type="int8", files=files,
                cpu_threads=min(MOST_THREADS, os.cpu_count() or 1), num_workers=1,
            )  # fmt: skip
        except (OSError, ValueError, RuntimeError) as e:
            raise ModelUnavailable(
                f"{card.title} could not be loaded: its files are incomplete or of another format. Run the set-up "
                "again (make demo), or choose another recogniser on the Models tab."
            ) from e

    def speech(self, samples: np.ndarray) -> tuple[tuple[float, float], ...]:
        """Where Silero hears a voice."""
        from faster_whisper.vad import VadOptions, get_speech_timestamps

        options = VadOptions(min_silence_duration_ms=GAP_MS, speech_pad_ms=PAD_MS, min_speech_duration_ms=100)
        found = get_speech_timestamps(np.asarray(samples, dtype=np.float32), options)
        return tuple((one["start"] / 16_000, one["end"] / 16_000) for one in found)

    def language(self, samples: np.ndarray) -> LanguageGuess:
        """Of the first 30 seconds."""
        with self._lock:
            # the last frame is left out as `transcribe` does, so that it finds the same sound encoded
            features = self._model.feature_extractor(np.asarray(samples[: 30 * 16_000], dtype=np.float32))[:, :-1]
            code, probability, _ = self._model.detect_language(features=features)
        return LanguageGuess(code, float(probability))

    def words(self, clip: AudioClip, language: str) -> tuple[HeardPhrase, ...]:
        """Phrases of at most 30 seconds of sound, word by word."""
        with self._lock:
            segments, _ = self._model.transcribe(
                np.asarray(clip.samples, dtype=np.float32), language=language, beam_size=BEAM, word_timestamps=True,
                condition_on_previous_text=False, vad_filter=False, temperature=list(TEMPERATURES),
                without_timestamps=False,
            )  # fmt: skip
            return tuple(phrase_of(one, clip.start_s) for one in segments)

    def likelihoods(self, clip: AudioClip, language: str, texts: Sequence[str]) -> tuple[float, ...]:
        """How likely each text is to be all that is said: natural logarithms, each text read along with the sound."""
        from faster_whisper.tokenizer import Tokenizer

        with self._lock:
            tokens = Tokenizer(self._model.hf_tokenizer, True, task="transcribe", language=language)
            # as `transcribe` does, so that the sound need not be encoded again
            features = self._model.feature_extractor(np.asarray(clip.samples, dtype=np.float32))[:, :-1]
            encoded = self._model.encode(_padded(features))
            found = []
            for text in texts:
                read = self._model.model.align(
                    encoded, tokens.sot_sequence, [tokens.encode(" " + text.strip())], features.shape[-1]
                )
                found.append(float(np.log(np.maximum(read[0].text_token_probs, LEAST_PROBABILITY)).sum()))
            return tuple(found)

    def hypotheses(self, clip: AudioClip, language: str, names: Sequence[str]) -> tuple[str, ...]:
        """What may be said, heard with `names` as what went before; of many names the first."""
        from faster_whisper.tokenizer import Tokenizer

        with self._lock:
            tokens = Tokenizer(self._model.hf_tokenizer, True, task="transcribe", language=language)
            features = self._model.feature_extractor(np.asarray(clip.samples, dtype=np.float32))[:, :-1]
            before = tokens.encode(" " + ", ".join(names) + ".")[:MOST_HINT_TOKENS]
            found = self._model.model.generate(
                self._model.encode(_padded(features)),
                [[tokens.sot_prev, *before, *tokens.sot_sequence, tokens.no_timestamps]],
                beam_size=BEAM, num_hypotheses=HYPOTHESES, suppress_tokens=[-1],
                max_length=min(MOST_TOKENS, len(before) + TOKENS_AHEAD + int(clip.duration_s * TOKENS_A_SECOND)),
            )  # fmt: skip
            return tuple(dict.fromkeys(tokens.decode(one).strip() for one in found[0].sequences_ids))


def _padded(features: np.ndarray) -> np.ndarray:
    from faster_whisper.audio import pad_or_trim

    return pad_or_trim(features)


def phrase_of(segment: Any, start_s: float) -> HeardPhrase:
    """A segment of faster-whisper, its times counted from the beginning of the recording.

    A piece that does not begin with a space belongs to the word before it: "8" and ".4%" are one word.
    """
    words: list[TimedWord] = []
    for piece in segment.words or ():
        text = piece.word.strip()
        if not text:
            continue
        begin, end = float(piece.start), float(max(piece.end, piece.start))
        sure = float(min(1.0, max(0.0, piece.probability)))
        if words and not piece.word[:1].isspace():
            before = words.pop()
            words.append(
                TimedWord(before.text + text, before.start_s, round(start_s + end, 3), min(before.confidence, sure))
            )
        else:
            words.append(TimedWord(text, round(start_s + begin, 3), round(start_s + end, 3), sure))
    return HeardPhrase(
        tuple(words), float(segment.avg_logprob), float(segment.no_speech_prob), float(segment.compression_ratio)
    )

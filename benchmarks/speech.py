"""Hears recordings whose words and turns are known, with our engines and with their peers, and prints the errors.

    python -m benchmarks.speech --data DIR [--only NAME ...] [--no-peers]

DIR holds NAME.wav, NAME.json {"turns": [{"role", "start", "end", "text"}]} and NAME.rttm (who speaks when). Peers, in the
same run and of the same weights: faster-whisper as it is called by default, on the whole file; pyannote's pipeline with its
own clustering (agglomerative, centroid, threshold 0.7, min_cluster_size 4) and four windows in ten seconds.

WER: Whisper's English normaliser; units in full, spelt letters joined. DER: pyannote.metrics, no collar, overlap counted;
shown: the same of the utterances that the page shows.
word-speaker: words whose middle lies in a turn of their speaker (or 0.25 s beside). drugs: named in the text; right, or lit
with the right name first to third. numbers: of the text and not heard, or heard and not of the text, with no lit number in
that turn. alarms: words lit as a medicine where none was missed, per 100 words (one
that is written right and lit all the same is none). first: seconds until the first words are told, models loaded (the first
file says it with loading). RTF: seconds of the clock, and of the processor, per second heard.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from domain.settings import telemetry_off, waiting_threads_sleep
from domain.speech import SAMPLE_RATE_HZ, TimedWord, Transcript, Turn

BESIDE_S = 0.25  # a word's middle may lie so far outside its turn
EDGE_S = 0.3  # words so far outside a turn still count as heard in it
UNITS = {"mg": "milligrams", "mcg": "micrograms", "ml": "milliliters", "kg": "kilograms", "milligram": "milligrams"}


@dataclass
class Figures:
    """Of one recording, or summed over all: [errors, total] each."""

    words: list[float] = field(default_factory=lambda: [0, 0])
    voices: list[float] = field(default_factory=lambda: [0, 0])
    shown: list[float] = field(default_factory=lambda: [0, 0])
    placed: list[float] = field(default_factory=lambda: [0, 0])
    counted: list[float] = field(default_factory=lambda: [0, 0])
    roles: list[float] = field(default_factory=lambda: [0, 0])
    drugs: list[float] = field(default_factory=lambda: [0, 0])
    numbers: list[float] = field(default_factory=lambda: [0, 0])
    alarms: list[float] = field(default_factory=lambda: [0, 0])
    clock: list[float] = field(default_factory=lambda: [0, 0])
    processor: list[float] = field(default_factory=lambda: [0, 0])
    first: list[float] = field(default_factory=lambda: [0, 0])

    def add(self, other: Figures) -> None:
        for name in self.__dataclass_fields__:
            mine, its = getattr(self, name), getattr(other, name)
            mine[0] += its[0]
            mine[1] += its[1]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args()
    telemetry_off()
    waiting_threads_sleep()
    names = sorted(one.stem for one in options.data.glob("*.wav") if not options.only or one.stem in options.only)
    _header("this engine")
    total = Figures()
    begun = time.monotonic()
    from models.cards import CARDS
    from models.shelf import ModelShelf

    shelf = ModelShelf(CARDS, 100_000)
    with shelf.borrow(shelf.chosen("transcriber").id) as words, shelf.borrow(shelf.chosen("diarizer").id) as voices:
        for number, name in enumerate(names):
            found = _ours(options.data / name, words, voices, shelf, begun if number == 0 else None)
            _row(name, found)
            total.add(found)
        _row("all", total)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"peak resident memory with recogniser, diarizer, text encoder and roles loaded: {peak:.0f} MB")
        if not options.no_peers:
            _peers(options.data, names, words, voices)


def _ours(base: Path, words: Any, voices: Any, shelf: Any, begun: float | None) -> Figures:
    """`begun`: when loading began; None where the models are loaded."""
    from pipelines.roles import Said, name_speakers
    from pipelines.transcribe import transcribe

    started, cpu = time.monotonic(), time.process_time()
    first: list[float] = []
    kept = _Kept(voices)
    heard = transcribe(
        Path(f"{base}.wav"),
        kept,
        words,
        on_utterance=lambda _: first.append(time.monotonic() - (begun or started)),
    )
    said = [Said(one.speaker, one.text) for one in heard.utterances]
    encoder_id, heads_id = shelf.chosen("text_encoder").id, shelf.chosen("speaker_roles").id
    with shelf.borrow(encoder_id) as encoder, shelf.borrow(heads_id) as heads:
        roles = name_speakers(said, encoder.encode_passages, heads)
    length = heard.duration_s or 1.0
    made = _compared(base, heard, kept.turns, {one.speaker: one.role for one in roles})
    made.clock, made.processor = [time.monotonic() - started, length], [time.process_time() - cpu, length]
    made.first = [first[0] if first else float("nan"), 1]
    return made


def _compared(base: Path, heard: Transcript, voices: Sequence[Turn], roles: dict[str, str]) -> Figures:
    turns = json.loads(Path(f"{base}.json").read_text("utf-8"))["turns"]
    reference = _rttm(Path(f"{base}.rttm"))
    said = [word for one in heard.utterances for word in one.words]
    said.sort(key=lambda word: word.start_s or 0.0)
    made = Figures()
    made.words = _word_errors(" ".join(one["text"] for one in turns), " ".join(word.text for word in said))
    made.voices, mapping = _diarization_error(reference, voices)
    shown = [Turn(one.speaker, one.start_s or 0.0, one.end_s or 0.0) for one in heard.utterances]
    made.shown, _ = _diarization_error(reference, shown)
    known = {role for role, _, _ in reference}
    made.counted = [abs(len({one.speaker for one in heard.utterances}) - len(known)), 1]
    for one in heard.utterances:
        for word in one.words:
            middle = ((word.start_s or 0.0) + (word.end_s or 0.0)) / 2
            there = {role for role, start, end in reference if start - BESIDE_S <= middle <= end + BESIDE_S}
            if there:
                made.placed[0] += mapping.get(one.speaker) not in there
                made.placed[1] += 1
    made.roles = [sum(mapping.get(speaker, "").lower() != role for speaker, role in roles.items()), len(roles)]
    for one in turns:
        within = [
            w for w in said if one["start"] - EDGE_S <= ((w.start_s or 0) + (w.end_s or 0)) / 2 <= one["end"] + EDGE_S
        ]
        _medicines(one["text"], within, made)
        _numbers(one["text"], within, made)
    made.alarms[1] = len(said) / 100
    return made


class _Kept:
    """A diarizer whose last turns are kept: a transcript shows its utterances only."""

    def __init__(self, diarizer: Any) -> None:
        self.card, self._diarizer, self.turns = diarizer.card, diarizer, ()

    def listen(self, samples: np.ndarray) -> Any:
        kept, listening = self, self._diarizer.listen(samples)

        class Listening:
            until = staticmethod(listening.until)

            def turns(self, speakers: int | None) -> tuple[Turn, ...]:
                kept.turns = listening.turns(speakers)
                return kept.turns

        return Listening()


def _diarization_error(reference: Sequence[tuple[str, float, float]], hypothesis: Sequence[Turn]):  # type: ignore[no-untyped-def]
    """([error seconds, seconds of speech], speaker to role)."""
    from pyannote.core import Annotation, Segment
    from pyannote.metrics.diarization import DiarizationErrorRate

    truth, guess = Annotation(), Annotation()
    for at, (role, start, end) in enumerate(reference):
        truth[Segment(start, end), at] = role
    for at, turn in enumerate(hypothesis):
        guess[Segment(turn.start_s, turn.end_s), at] = turn.speaker
    metric = DiarizationErrorRate(collar=0.0, skip_overlap=False)
    parts = metric(truth, guess, detailed=True)
    wrong = parts["missed detection"] + parts["false alarm"] + parts["confusion"]
    return [wrong, parts["total"]], dict(metric.optimal_mapping(truth, guess))


def _medicines(text: str, within: Sequence[TimedWord], made: Figures) -> None:
    from pipelines.drug_names import find_drugs, ingredient

    wanted = Counter(one.ingredient for one in find_drugs(_plain(text)))
    got = Counter(one.ingredient for one in find_drugs(_plain(" ".join(word.text for word in within))))
    missed = wanted - got
    lit = [word.doubt for word in within if word.doubt and word.doubt.suggestions]
    right = sum(bool(w.doubt) and bool(find_drugs(_plain(w.text))) for w in within)  # written at the second look
    offered = {ingredient(name) or name for doubt in lit for name in doubt.suggestions}
    made.drugs[0] += sum(count for name, count in missed.items() if name not in offered)
    made.drugs[1] += sum(wanted.values())
    if not missed:
        made.alarms[0] += max(0, len(lit) - right)


def _numbers(text: str, within: Sequence[TimedWord], made: Figures) -> None:
    wanted, got = _figures(text), _figures(" ".join(word.text for word in within))
    wrong = max(sum((wanted - got).values()), sum((got - wanted).values()))
    lit = any((word.doubt or word.unclear) and _figures(word.text) for word in within)
    made.numbers[0] += 0 if lit else wrong
    made.numbers[1] += sum(wanted.values())


def _figures(text: str) -> Counter[str]:
    return Counter(token.strip("%") for token in _normalised(text) if token[:1].isdigit())


def _plain(text: str) -> list[str]:
    return [re.sub(r"^[^\w%]+|[^\w%]+$", "", word).lower() for word in text.split()]


_normaliser: Any = None


def _normalised(text: str) -> list[str]:
    global _normaliser
    if _normaliser is None:
        from transformers.models.whisper.english_normalizer import EnglishTextNormalizer

        _normaliser = EnglishTextNormalizer({})
    text = re.sub(r"(\d)\s*/\s*(\d)", r"\1 over \2", re.sub(r"(\d)(mg|mcg|ml|kg)\b", r"\1 \2", text))
    tokens: list[str] = []
    spelt = False
    for token in _normaliser(text).split():
        letter = len(token) == 1 and token.isalpha() and token not in "ai"
        if tokens and spelt and (letter or token in ("a", "i")):
            tokens[-1] += token
        else:
            tokens.append(UNITS.get(token, token))
        spelt = letter or (spelt and len(token) == 1 and token.isalpha())
    return tokens


def _word_errors(reference: str, hypothesis: str) -> list[float]:
    from rapidfuzz.distance import Levenshtein

    wanted = _normalised(reference)
    return [Levenshtein.distance(wanted, _normalised(hypothesis)), len(wanted)]


def _rttm(path: Path) -> list[tuple[str, float, float]]:
    rows = [line.split() for line in path.read_text("utf-8").splitlines() if line.startswith("SPEAKER")]
    return [(row[7], float(row[3]), float(row[3]) + float(row[4])) for row in rows]


def _peers(folder: Path, names: Sequence[str], words: Any, voices: Any) -> None:
    from pipelines.audio_intake import open_audio

    pipeline = _pyannote(*voices.networks())
    print(f"\n{'peers':24} {'WER %':>6} {'DER %':>6} {'voices':>7} {'RTF words':>10} {'RTF voices':>11}")
    sums = np.zeros(7)
    for name in names:
        samples = np.array(open_audio(folder / f"{name}.wav").samples)
        reference = _rttm(folder / f"{name}.rttm")
        turns = json.loads((folder / f"{name}.json").read_text("utf-8"))["turns"]
        begun = time.monotonic()
        segments, _ = words._model.transcribe(samples)  # the peer is the engine below ours, with the same weights
        text = " ".join(one.text for one in segments)
        between = time.monotonic()
        found = pipeline(samples)
        ended = time.monotonic()
        wrong, total = _word_errors(" ".join(one["text"] for one in turns), text)
        (error, speech), _ = _diarization_error(reference, found)
        count = abs(len({one.speaker for one in found}) - len({role for role, _, _ in reference}))
        seconds = len(samples) / SAMPLE_RATE_HZ
        row = np.array([wrong, total, error, speech, count, (between - begun), (ended - between)])
        sums += row
        _peer_row(name, row, seconds)
    _peer_row("all", sums, sum(len(open_audio(folder / f"{name}.wav").samples) for name in names) / SAMPLE_RATE_HZ)


def _peer_row(name: str, row: np.ndarray, seconds: float) -> None:
    print(
        f"{name[:24]:24} {100 * row[0] / row[1]:6.1f} {100 * row[2] / row[3]:6.1f} {row[4]:4.0f} off "
        f"{row[5] / seconds:10.2f} {row[6] / seconds:11.2f}",
        flush=True,
    )


def _pyannote(segmentation: Any, prints: Any):  # type: ignore[no-untyped-def]
    """pyannote's own pipeline with these networks: samples to turns."""
    import torch
    from pyannote.audio.pipelines import speaker_diarization
    from torchaudio.compliance import kaldi

    class Prints:
        """What the pipeline asks of an embedding."""

        sample_rate, dimension, metric, min_num_samples = SAMPLE_RATE_HZ, 192, "cosine", 6400

        def __call__(self, waveforms: torch.Tensor, masks: torch.Tensor) -> np.ndarray:
            return np.stack([self._one(wave[0], mask) for wave, mask in zip(waveforms, masks, strict=True)])

        def _one(self, wave: torch.Tensor, mask: torch.Tensor) -> np.ndarray:
            bank = kaldi.fbank(wave[None] * 32768.0, num_mel_bins=80, sample_frequency=SAMPLE_RATE_HZ)
            kept = bank[mask[(torch.arange(len(bank)) * len(mask)) // len(bank)] > 0.5]
            if len(kept) < 40:
                return np.full(192, np.nan, dtype=np.float32)
            with torch.inference_mode():
                return prints((kept - kept.mean(dim=0))[None])[0].numpy()

    speaker_diarization.PretrainedSpeakerEmbedding = lambda *_, **__: Prints()
    speaker_diarization.get_plda = lambda *_, **__: None
    pipeline = speaker_diarization.SpeakerDiarization(
        segmentation=segmentation, segmentation_step=0.25, embedding="", plda=None, clustering="AgglomerativeClustering",
        embedding_exclude_overlap=True, legacy=True,
    )  # fmt: skip
    pipeline.instantiate(
        {
            "segmentation": {"min_duration_off": 0.0},
            "clustering": {"method": "centroid", "min_cluster_size": 4, "threshold": 0.7},
        }
    )

    def turns(samples: np.ndarray) -> list[Turn]:
        made = pipeline({"waveform": torch.from_numpy(samples)[None], "sample_rate": SAMPLE_RATE_HZ})
        made = getattr(made, "speaker_diarization", made)
        return [Turn(str(label), span.start, span.end) for span, _, label in made.itertracks(yield_label=True)]

    return turns


def _header(title: str) -> None:
    print(
        f"{title:24} {'WER %':>6} {'DER %':>6} {'shown %':>8} {'voices':>7} {'word-speaker %':>15} {'roles':>6} {'drugs %':>8} "
        f"{'numbers':>8} {'alarms':>7} {'first s':>8} {'RTF':>6} {'CPU':>6}"
    )


def _row(name: str, one: Figures) -> None:
    drugs = 100 * (1 - one.drugs[0] / one.drugs[1]) if one.drugs[1] else float("nan")
    print(
        f"{name[:24]:24} {100 * one.words[0] / max(one.words[1], 1):6.1f} {100 * one.voices[0] / max(one.voices[1], 1):6.1f} "
        f"{100 * one.shown[0] / max(one.shown[1], 1):8.1f} {one.counted[0]:3.0f} off {100 * (1 - one.placed[0] / max(one.placed[1], 1)):15.1f} "
        f"{one.roles[1] - one.roles[0]:3.0f}/{one.roles[1]:.0f} {drugs:8.1f} {one.numbers[0]:4.0f}/{one.numbers[1]:3.0f} "
        f"{one.alarms[0] / max(one.alarms[1], 1e-9):7.2f} {one.first[0] / max(one.first[1], 1):8.1f} "
        f"{one.clock[0] / one.clock[1]:6.2f} {one.processor[0] / one.processor[1]:6.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()

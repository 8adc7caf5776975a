"""Tells voices apart with the engine on the shelf and with lighter makes of it, and prints error beside processor time.

    python -m benchmarks.voices --data DIR [DIR ...]

Each DIR holds NAME.wav and NAME.rttm (who speaks when). Made beside the engine: its segmentation at every 5 and 10 seconds
instead of 2.5, and no segmentation at all, in which Silero says where somebody speaks, and voice prints alone say where
the voice changes (no overlap is found then). The number of voices is found out.

DER: pyannote.metrics, no collar, overlap counted, of all recordings together; worst: of one. CPU: processor seconds per
second heard, models loaded.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speech import _diarization_error, _rttm
from domain.settings import telemetry_off, waiting_threads_sleep
from domain.speech import SAMPLE_RATE_HZ, Turn
from models import diarization
from models.voice_frames import FRAME_S

PAUSE_MS, PAD_MS, SHORTEST_MS = 200, 50, 100  # of Silero


@dataclass
class Figures:
    """Of one make, over the recordings so far. Seconds but for `miscounted`, voices too many or too few."""

    wrong: float = 0.0
    spoken: float = 0.0
    worst: float = 0.0
    miscounted: int = 0
    worked: float = 0.0
    heard: float = 0.0


class _WithoutSegmentation(diarization._Listening):
    """One voice wherever Silero hears one; prints tell whose."""

    def until(self, seconds: float) -> None:
        """The whole recording at once."""
        from faster_whisper.vad import VadOptions, get_speech_timestamps

        options = VadOptions(min_silence_duration_ms=PAUSE_MS, speech_pad_ms=PAD_MS, min_speech_duration_ms=SHORTEST_MS)
        samples = np.asarray(self._samples, dtype=np.float32)
        active = np.zeros((int(seconds / FRAME_S) + 1, 3), dtype=bool)
        for one in get_speech_timestamps(samples, options):
            begin, end = (int(one[edge] / SAMPLE_RATE_HZ / FRAME_S) for edge in ("start", "end"))
            active[begin:end, 0] = True
        self._frames.add(0.0, active)
        self._print(len(self._frames.heard))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    options = parser.parse_args()
    telemetry_off()
    waiting_threads_sleep()
    from models.cards import CARDS
    from models.shelf import ModelShelf

    steps = (diarization.STEP_S, 5.0, 10.0)  # the engine, the lighter one of the shelf, and without overlap
    figures = {f"segmentation every {step:g} s": Figures() for step in steps} | {"no segmentation": Figures()}
    shelf = ModelShelf(CARDS, 100_000)
    with shelf.borrow(shelf.chosen("diarizer").id) as engine:
        engine.networks()
        for path in sorted(path for folder in options.data for path in folder.glob("*.wav")):
            for step, one in zip((*steps, 0.0), figures.values(), strict=True):
                _add(one, engine, step, path)
    print(f"{'':26} {'DER %':>6} {'worst %':>8} {'voices':>7} {'CPU':>6}")
    for name, one in figures.items():
        print(
            f"{name:26} {100 * one.wrong / one.spoken:6.1f} {100 * one.worst:8.1f} {one.miscounted:3} off "
            f"{one.worked / one.heard:6.3f}"
        )


def _add(figures: Figures, engine: Any, step: float, path: Path) -> None:
    from pipelines.audio_intake import open_audio

    samples = np.array(open_audio(path).samples)
    begun = time.process_time()
    turns = _turns(engine, step, samples)
    figures.worked += time.process_time() - begun
    figures.heard += len(samples) / SAMPLE_RATE_HZ
    reference = _rttm(path.with_suffix(".rttm"))
    (wrong, spoken), _ = _diarization_error(reference, turns)
    figures.wrong, figures.spoken = figures.wrong + wrong, figures.spoken + spoken
    figures.worst = max(figures.worst, wrong / spoken)
    figures.miscounted += abs(len({one.speaker for one in turns}) - len({role for role, _, _ in reference}))


def _turns(engine: Any, step: float, samples: np.ndarray) -> Sequence[Turn]:
    """`step`: seconds between windows of the segmentation; 0 for none."""
    engine.step_s = step
    listening = diarization._Listening(engine, samples) if step else _WithoutSegmentation(engine, samples)
    listening.until(len(samples) / SAMPLE_RATE_HZ)
    return listening.turns(None)


if __name__ == "__main__":
    main()

"""Starts the real app, has it hear one long visit and draft its note, and prints memory and the processor's time.

    python -m benchmarks.speech_memory [--minutes 60] [--data DIR] [--port 7912]

The visit is made of the WAV files of DIR (16 kHz, mono, 16 bit; without DIR of the spoken sample in data/samples), in turn
and over again, with a second of silence between them, until it is long enough.

RSS: the server and its children, sampled ten times a second, as the kernel gives it; once after each quarter of the time,
which shows whether it grows with what was heard. CPU: processor seconds of the server per second of the visit; RTF: seconds
of the clock.
"""

from __future__ import annotations

import argparse
import itertools
import os
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.watched_app import Watch, watched_app
from domain.speech import SAMPLE_RATE_HZ

SAMPLE = Path(__file__).parent.parent / "data" / "samples" / "recordings" / "1_sore_throat.mp3"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--port", type=int, default=7912)
    options = parser.parse_args()
    with watched_app(options.port) as (client, watch, folder):
        visit = _long_visit(folder / "visit.wav", options.minutes * 60, options.data)
        _measure(client, watch, visit, options.minutes * 60)


def _measure(client: Any, watch: Watch, visit: Path, seconds: float) -> None:
    from gradio_client import handle_file

    print(f"at the start {watch.now():.0f} MB", flush=True)
    watch.peak, watch.trace = 0.0, []
    begun, worked = time.monotonic(), _worked(watch.pid)
    heard = client.predict(handle_file(visit), "", 0, api_name="/transcribe")
    took, worked = time.monotonic() - begun, _worked(watch.pid) - worked
    quarters = [watch.trace[len(watch.trace) * part // 4 - 1] for part in (1, 2, 3, 4)]
    words = sum(len(one["text"].split()) for one in heard["utterances"])
    print(f"heard {heard['duration_s'] / 60:.1f} minutes: {len(heard['utterances'])} utterances, {words} words, "
          f"{len({one['speaker'] for one in heard['utterances']})} voices")  # fmt: skip
    print(f"peak RSS {watch.peak:.0f} MB; after each quarter of the time", *(f"{value:.0f}" for value in quarters))
    print(f"CPU {worked / seconds:.2f}, RTF {took / seconds:.2f}", flush=True)
    begun = _worked(watch.pid)
    note = client.predict(heard["consultation_id"], api_name="/draft_note")
    lines = sum(len(part) for part in note["sections"].values())
    print(
        f"a note of {lines} lines in {_worked(watch.pid) - begun:.1f} processor seconds; peak RSS {watch.peak:.0f} MB"
    )


def _worked(pid: int) -> float:
    """Processor seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _long_visit(path: Path, seconds: float, data: Path | None) -> Path:
    left = int(seconds * SAMPLE_RATE_HZ)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        for piece in _pieces(data):
            file.writeframes(piece[:left].tobytes())
            left -= min(left, len(piece))
            if not left:
                return path
    raise AssertionError("the pieces are endless")


def _pieces(data: Path | None) -> Iterator[np.ndarray]:
    """int16, without end."""
    from pipelines.audio_intake import open_audio

    paths = sorted(data.glob("*.wav")) if data else [SAMPLE]
    if not paths:
        raise SystemExit(f"There is no WAV file in {data}.")
    for one in itertools.cycle(paths):
        yield (np.asarray(open_audio(one).samples) * 32767).astype("<i2")
        yield np.zeros(SAMPLE_RATE_HZ, dtype="<i2")


if __name__ == "__main__":
    main()

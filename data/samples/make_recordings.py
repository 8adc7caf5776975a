"""Speaks the sample visit anew: `python data/samples/make_recordings.py [FOLDER]`; needs flite (Debian has it).

The voices are CMU ARCTIC's rms (a man) and slt (a woman) as they come with flite, under its free, MIT-like licence; the
words are ours. A faint hiss is laid under them, as of a room: no microphone gives nothing but zeros between two words.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import av
import numpy as np

HERE = Path(__file__).resolve().parent
RATE_HZ = 16_000
BITS_A_SECOND = 40_000
PAUSE_S = 0.35
HISS = 0.0015
VOICES = {"Doctor": "rms", "Patient": "slt"}
VISIT = (
    ("Doctor", "Good morning. What brings you in today?"),
    ("Patient", "I have had a cough and a sore throat for five days."),
    ("Doctor", "Any fever or shortness of breath?"),
    ("Patient", "No. But it hurts when I swallow."),
    ("Doctor", "Which medicines do you take?"),
    ("Patient", "I take lisinopril, twenty milligrams, every morning."),
    ("Doctor", "Are you allergic to any medicines?"),
    ("Patient", "Penicillin. It gives me a rash."),
    ("Doctor", "Your throat is red, and your lungs are clear."),
    ("Doctor", "I think this is a viral infection."),
    ("Doctor", "You can take acetaminophen, five hundred milligrams, three times a day, and come back in one week."),
    ("Patient", "Thank you, doctor."),
)  # fmt: skip


def write_all(folder: Path) -> None:
    """Every sample recording into `folder`."""
    (folder / "recordings").mkdir(exist_ok=True)
    _write_mp3(_visit(), folder / "recordings" / "1_sore_throat.mp3")


def _visit() -> np.ndarray:
    """float32 (n,) at RATE_HZ."""
    pause = np.zeros(int(PAUSE_S * RATE_HZ), np.float32)
    spoken = np.concatenate([piece for who, text in VISIT for piece in (pause, _speak(text, VOICES[who]))] + [pause])
    hiss = np.random.default_rng(4).normal(0, HISS, len(spoken)).astype(np.float32)
    return np.clip(spoken + hiss, -1, 1)


def _speak(text: str, voice: str) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(path)], check=True)
        with wave.open(str(path)) as said:
            assert said.getframerate() == RATE_HZ, "both voices speak at 16 kHz"
            samples = np.frombuffer(said.readframes(said.getnframes()), "<i2").astype(np.float32) / 32768
    return samples * (0.7 / np.abs(samples).max())


def _write_mp3(samples: np.ndarray, path: Path) -> None:
    """MP3, because every browser plays it."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mp3", rate=RATE_HZ, layout="mono")
        stream.bit_rate = BITS_A_SECOND
        frame = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16)[None, :], format="s16p", layout="mono")
        frame.sample_rate = RATE_HZ
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)


if __name__ == "__main__":
    write_all(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)

"""Recordings as they come: any container and codec that PyAV writes, with or without a picture, of made-up sound."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

RATE_HZ = 16_000
PICTURES_A_SECOND = 5


def tone(seconds: float, loud: float = 0.1, hertz: float = 220.0) -> np.ndarray:
    """float32 (n,) at RATE_HZ; above 1 it is cut off, as by a microphone."""
    wave = np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ) * loud
    return np.clip(wave, -1, 1).astype(np.float32)


def write_media(
    path: Path,
    samples: np.ndarray,
    codec: str = "",
    video: str = "",
    rate_hz: int = 48_000,
    layout: str = "stereo",
    container: str | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """`options`: of the container. `codec`: of the sound, "" for none; `video`: of a black picture beside it, "" for none."""
    import av

    with av.open(str(path), "w", format=container, options=options or {}) as out:
        picture = out.add_stream(video, rate=PICTURES_A_SECOND) if video else None
        if picture:
            picture.width = picture.height = 64
            picture.pix_fmt = "yuv420p"
        sound = out.add_stream(codec, rate=rate_hz, layout=layout) if codec else None
        if picture:
            for number in range(int(PICTURES_A_SECOND * len(samples) / RATE_HZ)):
                _mux(out, picture, _black(number))
            _mux(out, picture, None)
        if sound:
            frame = av.AudioFrame.from_ndarray(samples[None, :], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = RATE_HZ, 0
            size = sound.codec_context.frame_size or 4096
            resampler = av.AudioResampler(format=sound.format.name, layout=layout, rate=rate_hz, frame_size=size)
            for piece in (*resampler.resample(frame), *resampler.resample(None), None):
                _mux(out, sound, piece)
    return path


def cut_short(path: Path, share: float = 0.5) -> Path:
    """The first bytes of a file, as when an upload broke off."""
    whole = path.read_bytes()
    made = path.with_name(f"cut_{path.name}")
    made.write_bytes(whole[: int(len(whole) * share)])
    return made


def _mux(out: Any, stream: Any, frame: Any) -> None:
    for packet in stream.encode(frame):
        out.mux(packet)


def _black(number: int) -> Any:
    import av

    frame = av.VideoFrame(64, 64, "yuv420p")
    frame.pts, frame.time_base = number, Fraction(1, PICTURES_A_SECOND)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return frame

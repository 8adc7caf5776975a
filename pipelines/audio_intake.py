"""Takes in a recording or a video's sound: decoded once, piece by piece, into mono 16 kHz samples on disk."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from domain.errors import UploadRejected
from domain.speech import MAX_RECORDING_HOURS, SAMPLE_RATE_HZ
from pipelines.audio_wholeness import is_cut_off, told_length

CLIPPED = 0.999  # at least this loud counts as cut off
CLIPPED_SHARE = 0.002
QUIET = 0.01  # loudest second below this (RMS): whispering, or a microphone far away
SILENT = 1e-4
CUT_OFF = "The recording is damaged or cut off: only what could be read is transcribed."


@dataclass(frozen=True, slots=True, eq=False)
class OpenedAudio:
    """`samples`: float32 (n,), 16 kHz mono in [-1, 1], a mapped temporary file; `warnings`: what may harm it."""

    samples: np.ndarray
    warnings: tuple[str, ...]

    @property
    def duration_s(self) -> float:
        return len(self.samples) / SAMPLE_RATE_HZ


def open_audio(path: Path, max_seconds: float = MAX_RECORDING_HOURS * 3600) -> OpenedAudio:
    """Raises UploadRejected for what is no sound, has none, is empty or longer than `max_seconds`."""
    import av

    warnings: list[str] = []
    kept = tempfile.TemporaryFile()  # noqa: SIM115, it lives as long as the samples mapped from it
    count, clipped, loudest = 0, 0, 0.0
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise UploadRejected(
                    "The file has no sound track, so there is nothing to transcribe. Record the visit again, or upload "
                    "a file with sound."
                )
            stream = container.streams.audio[0]
            if stream.codec_context is None:
                raise UploadRejected(
                    "There is no decoder here for the sound in this file, or its header is damaged, so it was not "
                    "transcribed. Save it as WAV, MP3 or M4A and upload that."
                )
            if stream.rate and stream.rate < SAMPLE_RATE_HZ:
                warnings.append(
                    f"The recording has only {stream.rate} samples a second, as over a telephone: expect more mistakes."
                )
            resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
            try:
                for frame in container.decode(stream):
                    for out in resampler.resample(frame):
                        piece = out.to_ndarray().reshape(-1).astype(np.float32)
                        clipped += int((np.abs(piece) >= CLIPPED).sum())
                        if len(piece):
                            loudest = max(loudest, float(np.sqrt(np.mean(piece**2))))
                        kept.write(np.clip(np.nan_to_num(piece), -1, 1).tobytes())
                        count += len(piece)
                    if count > max_seconds * SAMPLE_RATE_HZ:
                        raise UploadRejected(
                            f"The recording is longer than {max_seconds / 3600:g} hours, so it was not transcribed. "
                            "Cut it into parts and upload them one by one."
                        )
                for out in resampler.resample(None):
                    piece = out.to_ndarray().reshape(-1).astype(np.float32)
                    kept.write(np.clip(np.nan_to_num(piece), -1, 1).tobytes())
                    count += len(piece)
            except av.error.FFmpegError as e:
                if count < SAMPLE_RATE_HZ:
                    raise UploadRejected(
                        "The recording is damaged at its beginning, so it was not transcribed. Upload it again."
                    ) from e
                warnings.append(CUT_OFF)
            seconds = container.duration / av.time_base if container.duration else None
            told_s = told_length(path, container.format.name, seconds)
    except (av.error.FFmpegError, OSError, ValueError) as e:
        raise UploadRejected(
            "The file is no recording that can be read, or it is cut off, so it was not transcribed. Upload WAV, MP3, "
            "M4A, OGG, FLAC, WebM or a video with sound."
        ) from e
    if not count:
        raise UploadRejected("The recording holds no sound, so there is nothing to transcribe. Record it again.")
    kept.flush()
    if CUT_OFF not in warnings and is_cut_off(path, told_s, count / SAMPLE_RATE_HZ):
        warnings.append(CUT_OFF)
    if clipped / count > CLIPPED_SHARE:
        warnings.append(
            "The recording is too loud and cut off at its peaks: expect mistakes. Turn the microphone down."
        )
    if SILENT < loudest < QUIET:
        warnings.append("The recording is very quiet: expect mistakes. Bring the microphone nearer.")
    return OpenedAudio(np.memmap(kept, dtype=np.float32, mode="r", shape=(count,)), tuple(warnings))

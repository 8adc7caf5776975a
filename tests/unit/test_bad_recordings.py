"""Recordings as they really come: every format is taken, and what is wrong with one is said or it is refused."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from domain.errors import UploadRejected
from pipelines.audio_intake import open_audio
from pipelines.audio_wholeness import told_length
from tests.unit.audio_kit import cut_short, tone, write_media


class Kind(NamedTuple):
    """A file's name and the codecs in it."""

    name: str
    codec: str = ""
    video: str = ""
    container: str | None = None


MP3, WAV, M4A = Kind("a.mp3", "libmp3lame"), Kind("a.wav", "pcm_s16le"), Kind("a.m4a", "aac", container="ipod")
OGG, FLAC, WEBM = Kind("a.ogg", "libopus"), Kind("a.flac", "flac"), Kind("a.webm", "libopus")
MP4, FILM = Kind("a.mp4", "aac", "mpeg4"), Kind("b.webm", "libopus", "libvpx")
MUTE = Kind("mute.mp4", video="mpeg4")
TELEPHONE = Kind("telephone.wav", "pcm_mulaw")


def write(folder: Path, kind: Kind, samples: np.ndarray, rate_hz: int = 48_000, layout: str = "stereo") -> Path:
    return write_media(folder / kind.name, samples, kind.codec, kind.video, rate_hz, layout, kind.container)


@pytest.mark.parametrize("kind", [MP3, WAV, M4A, OGG, FLAC, WEBM, MP4, FILM], ids=lambda kind: kind.name)
def test_each_kind_of_file_is_taken_without_a_word(tmp_path: Path, kind: Kind) -> None:
    opened = open_audio(write(tmp_path, kind, tone(3)))
    assert opened.duration_s == pytest.approx(3, abs=0.1)
    assert opened.warnings == ()
    assert np.sqrt(np.mean(opened.samples**2)) == pytest.approx(0.07, abs=0.02)


def test_a_video_without_sound_is_refused_as_such(tmp_path: Path) -> None:
    with pytest.raises(UploadRejected, match="no sound track"):
        open_audio(write(tmp_path, MUTE, tone(1)))


def test_a_telephone_and_a_studio_are_taken(tmp_path: Path) -> None:
    telephone = open_audio(write(tmp_path, TELEPHONE, tone(2), 8_000, "mono"))
    assert "8000 samples a second" in telephone.warnings[0]
    studio = open_audio(write(tmp_path, WAV, tone(2), 96_000, "7.1"))
    assert studio.warnings == ()
    assert studio.duration_s == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("kind", [MP3, WAV, OGG, FLAC, WEBM, FILM, TELEPHONE], ids=lambda kind: kind.name)
def test_what_is_cut_off_is_read_as_far_as_it_goes_and_said(tmp_path: Path, kind: Kind) -> None:
    rate, layout = (8_000, "mono") if kind is TELEPHONE else (48_000, "stereo")
    opened = open_audio(cut_short(write(tmp_path, kind, tone(8), rate, layout)))
    assert 1 < opened.duration_s < 6
    assert "cut off" in opened.warnings[-1]


def test_a_length_that_is_only_guessed_is_no_sign_of_a_cut(tmp_path: Path) -> None:
    """An MP3 that does not count its frames: how long it is, is worked out from its first ones."""
    bare = write_media(tmp_path / "bare.mp3", tone(1), "libmp3lame", options={"write_xing": "0"})
    assert told_length(bare, "mp3", 60.0) is None
    assert told_length(write(tmp_path, MP3, tone(1)), "mp3", 60.0) == 60.0


@pytest.mark.parametrize("kind", [M4A, MP4], ids=lambda kind: kind.name)
def test_a_cut_file_whose_table_of_contents_stood_at_its_end_is_refused(tmp_path: Path, kind: Kind) -> None:
    with pytest.raises(UploadRejected, match="cut off"):
        open_audio(cut_short(write(tmp_path, kind, tone(3))))


@pytest.mark.parametrize(
    "content", [b"", b"Doctor: what brings you in today?\n" * 200, bytes(5000), b"RIFF\0\0\0\0WAVE"]
)
def test_what_is_no_recording_is_refused_whatever_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "visit.wav"
    path.write_bytes(content)
    with pytest.raises(UploadRejected, match=r"Upload|Record"):
        open_audio(path)


def test_sound_in_a_code_that_nobody_here_reads_is_refused_as_such(tmp_path: Path) -> None:
    path = write(tmp_path, WAV, tone(1))
    content = bytearray(path.read_bytes())
    at = content.index(b"fmt ") + 8
    content[at : at + 2] = b"\xff\x7f"  # a format tag that is not given to anybody
    path.write_bytes(bytes(content))
    with pytest.raises(UploadRejected, match="no decoder"):
        open_audio(path)


@pytest.mark.parametrize(("loud", "told"), [(4.0, "too loud"), (0.005, "very quiet")])
def test_clipping_and_whispering_are_said(tmp_path: Path, loud: float, told: str) -> None:
    (warning,) = open_audio(write(tmp_path, FLAC, tone(2, loud))).warnings
    assert told in warning


@pytest.mark.parametrize("kind", [FLAC, WEBM], ids=lambda kind: kind.name)
def test_what_is_longer_than_allowed_is_refused_with_the_limit(tmp_path: Path, kind: Kind) -> None:
    path = write(tmp_path, kind, tone(4))
    with pytest.raises(UploadRejected, match=r"longer than 0\.001 hours"):
        open_audio(path, 3.6)
    assert open_audio(path, 4.5).duration_s == pytest.approx(4, abs=0.1)

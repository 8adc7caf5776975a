"""Whether a recording is all there: an upload that broke off mostly reads without an error, and half of it is lost."""

from __future__ import annotations

from pathlib import Path

MISSING_S = 1.0  # less than that is what codecs add and take away at the ends
MISSING_SHARE = 0.02
PAGE_BYTES = 65_307  # the largest page of an Ogg file (RFC 3533)
_OGG, _RIFF = b"OggS", b"RIFF"
_COUNTED = (b"Xing", b"Info", b"VBRI")  # mark the head of an MP3 that knows its length; without, it is only guessed
_GUESSED = ("mp3", "aac")  # formats as FFmpeg names them whose length comes from their bit rate
HEAD_BYTES = 2_000_000  # pictures and titles stand before the sound of an MP3
_UNKNOWN_SIZES = (0, 0xFFFFFFFF)  # what a program writes that does not know yet how long the recording will be


def is_cut_off(path: Path, told_s: float | None, read_s: float) -> bool:
    """Whether the file ends before its own end. `told_s`: how long its head says it is, None where it says nothing."""
    if told_s is not None and told_s - read_s > max(MISSING_S, MISSING_SHARE * told_s):
        return True
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(8)
        if head.startswith(_RIFF):
            told = int.from_bytes(head[4:8], "little")
            return told not in _UNKNOWN_SIZES and told + 8 > size + 1  # one byte of padding may be left away
        if head.startswith(_OGG):
            file.seek(max(0, size - PAGE_BYTES))
            return _ends_within_a_page(file.read())
    return False


def told_length(path: Path, kind: str, seconds: float | None) -> float | None:
    """How long a file's head says it is, where that is told and not guessed. `kind`: FFmpeg's name of the format."""
    if kind not in _GUESSED:
        return seconds
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    return seconds if kind == "mp3" and any(mark in head for mark in _COUNTED) else None


def _ends_within_a_page(tail: bytes) -> bool:
    """Whether the last page of an Ogg file is not whole. Its head: 27 bytes, then the sizes of its segments."""
    at = tail.rfind(_OGG)
    if at < 0:
        return True
    segments = tail[at + 26] if len(tail) > at + 26 else None
    if segments is None or len(tail) < at + 27 + segments:
        return True
    return len(tail) < at + 27 + segments + sum(tail[at + 27 : at + 27 + segments])

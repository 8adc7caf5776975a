"""Notes that encoders write beside compressed pixels (comments, EXIF) are dropped; the picture stays bit for bit."""

from __future__ import annotations

from typing import Any

from domain.errors import UploadRejected

JPEG_FAMILY = "1.2.840.10008.1.2.4."
JPEG_START, JPEG_2000_START = b"\xff\xd8", b"\xff\x4f"
COMMENT, COMMENT_2000 = 0xFE, 0x64
# Application segments that say how colours are to be understood (JFIF, SPIFF, Adobe); all others are notes.
NEEDED = (0xE0, 0xE8, 0xEE)
APPLICATION = range(0xE0, 0xF0)
SCAN, TILE = 0xDA, 0x90  # from here on compressed pixels follow


def drop_notes(dataset: Any, frames: int) -> None:
    """Rewrites a dataset's compressed frames without notes; uncompressed and run-length pixels hold none.

    Raises UploadRejected where the frames cannot be told apart.
    """
    from pydicom.encaps import encapsulate, generate_frames

    if "PixelData" not in dataset or not str(dataset.file_meta.TransferSyntaxUID).startswith(JPEG_FAMILY):
        return
    try:
        parts = [without_notes(frame) for frame in generate_frames(dataset.PixelData, number_of_frames=frames)]
        dataset.PixelData = encapsulate(parts, has_bot=len(parts) == 1 or sum(map(len, parts)) < 2**31)
    except (ValueError, EOFError, IndexError) as error:
        raise UploadRejected(
            "The compressed pictures in the file cannot be told apart, so no copy was made. Export it uncompressed."
        ) from error
    dataset["PixelData"].VR = "OB"


def without_notes(stream: bytes) -> bytes:
    """A JPEG, JPEG-LS or JPEG 2000 stream without comment and note segments; other streams come back as they are."""
    newer = stream.startswith(JPEG_2000_START)
    if not newer and not stream.startswith(JPEG_START):
        return stream
    kept, at = [stream[:2]], 2
    while at + 4 <= len(stream) and stream[at] == 0xFF:
        marker = stream[at + 1]
        if marker == (TILE if newer else SCAN):
            break
        end = at + 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
        note = (
            marker == COMMENT_2000 if newer else marker == COMMENT or (marker in APPLICATION and marker not in NEEDED)
        )
        if not note:
            kept.append(stream[at:end])
        at = end
    return b"".join(kept) + stream[at:]

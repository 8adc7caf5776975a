"""How often a JPEG sends its decoder over its pixels: a small file can keep it busy for an hour."""

from __future__ import annotations

from domain.errors import UploadRejected

JPEG = b"\xff\xd8\xff"
START_OF_SCAN = b"\xff\xda"  # coded pixels never hold it
MOST_PASSES = 200  # an honest picture has about ten; those of thumbnails and second pictures are counted as well


def check_passes(data: bytes) -> None:
    """Raises UploadRejected for a JPEG of far too many passes; says nothing about other data."""
    passes = data.count(START_OF_SCAN) if data.startswith(JPEG) else 0
    if passes > MOST_PASSES:
        raise UploadRejected(
            f"The JPEG picture is coded in {passes:,} passes, where ten are many, so it was not opened further. "
            "Save it again as PNG or JPEG, or scan the paper."
        )

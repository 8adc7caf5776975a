"""A file that has been let in: what it really is, by its bytes, and how many pages it holds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class UploadKind(StrEnum):
    """What the first bytes say, whatever the name says."""

    PDF = "pdf"
    JPEG = "jpeg"
    PNG = "png"
    TIFF = "tiff"
    WEBP = "webp"
    HEIC = "heic"


@dataclass(frozen=True, slots=True)
class Upload:
    """A checked upload. `path`: where its bytes lie while the job runs; never shown. `sha256`: hex, of those bytes.

    `warnings`: what the person should know, fit to be shown: repaired, active content left out, and the like.
    `heavy_pages`: numbers of those whose cost to draw cannot be told from outside.
    """

    kind: UploadKind
    path: Path
    sha256: str
    size_bytes: int
    page_count: int
    warnings: tuple[str, ...] = ()
    heavy_pages: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.page_count < 1:
            raise ValueError(f"an upload has at least one page, not {self.page_count}")

"""Scan files become pictures: PNG, JPEG, DICOM, NIfTI, told apart by their bytes. One picture at a time.

Sizes are checked in the header, before anything is decoded. Every refusal is an UploadRejected. Names and dates in a
header are reported as present, never read out.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from domain.errors import UploadRejected
from domain.imaging import Scan
from domain.limits import Limits
from pipelines import scan_dicom, scan_nifti
from pipelines.jpeg_passes import check_passes

ACCEPTED = "PNG, JPEG, DICOM or NIfTI"
HEAD_BYTES = 512
MIN_SIDE_PX = 16  # nothing can be told from less; between this and the gate's own limit the reading abstains
HARMLESS = ("Software", "software", "date:create", "date:modify", "Raw profile type exif")  # text that programs write
LOW_PERCENTILE, HIGH_PERCENTILE = 0.1, 99.9  # 16-bit pictures carry no window of their own


@dataclass(frozen=True, slots=True)
class ScanFile:
    """An opened scan file. `count`: pictures in it, numbered from 1. `identity`: kinds of identifying header fields
    that are present ("name", "birth date", ...), without their content. `middle`: the picture to show first."""

    kind: str
    count: int
    modality: str | None
    identity: tuple[str, ...]
    warnings: tuple[str, ...]
    decode: Callable[[int], np.ndarray] = field(repr=False)

    @property
    def middle(self) -> int:
        return (self.count + 1) // 2

    def picture(self, number: int | None = None) -> Scan:
        """One picture as a Scan; the middle one by default. Raises UploadRejected where it cannot be decoded."""
        chosen = self.middle if number is None else number
        if not 1 <= chosen <= self.count:
            raise UploadRejected(
                f"The file has {self.count} pictures; there is no number {chosen}. Choose one of them."
            )
        pixels = self.decode(chosen)
        if min(pixels.shape[:2]) < MIN_SIDE_PX:
            raise UploadRejected(
                f"The picture is {pixels.shape[1]} x {pixels.shape[0]} pixels, too small to show anything. "
                "Export it from the viewer at full size."
            )
        return Scan(pixels, self.kind, self.modality, chosen, self.count, self.warnings)


def open_scan(path: Path, limits: Limits) -> ScanFile:
    """Find out what the file is and how many pictures it holds. Raises UploadRejected."""
    try:
        size = path.stat().st_size
        if size == 0:
            raise UploadRejected("The file is empty (0 bytes). Export or copy it again.")
        if size > limits.max_bytes:
            raise UploadRejected(
                f"The file has {size / 1e6:,.0f} MB; at most {limits.max_bytes / 1e6:,.0f} MB can be taken. "
                "Export the one series or slice in question."
            )
        with path.open("rb") as source:
            head = source.read(HEAD_BYTES)
    except OSError as error:
        raise UploadRejected("The uploaded file could not be opened. Upload it once more.") from error
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _open_picture(path, "png", limits)
    if head.startswith(b"\xff\xd8\xff"):
        return _open_picture(path, "jpeg", limits)
    if scan_dicom.looks_like_dicom(head):
        count, modality, identity, warnings, decode = scan_dicom.open_dicom(path, limits)
        return ScanFile("dicom", count, modality, identity, warnings, decode)
    if scan_nifti.looks_like_nifti(head):
        count, identity, warnings, decode = scan_nifti.open_nifti(path, limits)
        return ScanFile("nifti", count, None, identity, warnings, decode)
    if head.startswith(b"\x1f\x8b"):
        raise UploadRejected(
            "This is a compressed file, but no NIfTI volume is inside. Unpack it, and upload the picture itself."
        )
    raise UploadRejected(f"This is not a scan file that can be read. Use {ACCEPTED}.")


def _open_picture(path: Path, kind: str, limits: Limits) -> ScanFile:
    from PIL import Image, UnidentifiedImageError

    check_passes(path.read_bytes())
    try:
        with Image.open(path, formats=[kind.upper()]) as picture:
            width, height = picture.size
            frames = int(getattr(picture, "n_frames", 1))
            identity = _identity_in(picture)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UploadRejected(_too_many_pixels(limits)) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise UploadRejected("The picture's beginning is damaged, so it cannot be read. Export it again.") from error
    if width * height > limits.max_pixels:
        raise UploadRejected(_too_many_pixels(limits))
    warnings = []
    if identity:
        warnings.append(
            f"The file may carry identity ({', '.join(identity)}); it is neither shown nor kept with the reading."
        )
    if frames > 1:
        warnings.append(f"The picture is animated ({frames} frames); only the first frame was read.")
    if kind == "jpeg":
        warnings.append("JPEG loses detail; the original from the archive (DICOM) is better.")
    return ScanFile(kind, 1, None, identity, tuple(warnings), lambda _number: _decode_picture(path, kind))


def _identity_in(picture: Any) -> tuple[str, ...]:
    """Notes beside the pixels; their content stays where it is."""
    camera = "exif" in picture.info or "xmp" in picture.info or "Raw profile type exif" in picture.info
    text = any(isinstance(value, str) and name not in HARMLESS for name, value in picture.info.items())
    notes = text or "comment" in picture.info
    return (*(["camera notes"] if camera else []), *(["written notes"] if notes else []))


def _decode_picture(path: Path, kind: str) -> np.ndarray:
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(path.read_bytes()), formats=[kind.upper()]) as picture:
            picture.seek(0)
            if picture.mode.startswith("I") or picture.mode == "F":
                return to_eight_bits(np.asarray(picture))
            upright = ImageOps.exif_transpose(picture)
            if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
                layered = upright.convert("RGBA")
                ground = Image.new("RGBA", layered.size, (0, 0, 0, 255))  # scans are shown on black
                upright = Image.alpha_composite(ground, layered)
            return np.array(upright.convert("L" if upright.mode in ("1", "L") else "RGB"))
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
        raise UploadRejected("The picture breaks off or is damaged inside. Export or copy it again.") from error


def to_eight_bits(values: np.ndarray) -> np.ndarray:
    """uint8 from any numbers, by the range that nearly all of them lie in; not-a-number becomes the lowest."""
    numbers = np.asarray(values, np.float32)
    finite = numbers[np.isfinite(numbers)]
    if not finite.size:
        return np.zeros(numbers.shape, np.uint8)
    low, high = np.percentile(finite, (LOW_PERCENTILE, HIGH_PERCENTILE), overwrite_input=True)
    if high <= low:
        low, high = float(finite.min()), float(finite.max())
    del finite
    scale = 255.0 / (high - low) if high > low else 0.0
    eight = np.empty(numbers.shape, np.uint8)
    for part, shown in zip(numbers, eight, strict=True):  # row by row: a volume fills memory once, not six times
        shown[...] = np.clip((np.nan_to_num(part, nan=low, posinf=high, neginf=low) - low) * scale, 0, 255)
    return eight


def _too_many_pixels(limits: Limits) -> str:
    return (
        f"The picture has more than the {limits.max_pixels / 1e6:,.0f} million pixels that can be taken. "
        "No scan needs as many; export it at its own size."
    )

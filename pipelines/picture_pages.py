"""Pictures become pages: JPEG, PNG, TIFF, WebP, HEIC, in whatever depth and colour, as 8-bit RGB the right way up.

Knows Pillow. Does not know PDF. Sizes are checked from the header, before a pixel is decoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from domain.document import PageImage
from domain.errors import HealthConnectError, UploadRejected
from domain.limits import Limits
from domain.upload import Upload, UploadKind
from pipelines.jpeg_passes import check_passes

PILLOW_FORMATS = {
    UploadKind.JPEG: ("JPEG", "MPO"),  # MPO: a JPEG with a second picture behind it, as telephones write
    UploadKind.PNG: ("PNG",),
    UploadKind.TIFF: ("TIFF",),
    UploadKind.WEBP: ("WEBP",),
}
A4_LONG_INCHES = 11.69
CREDIBLE_PAGE_INCHES = (2.0, 17.5)  # long side; A3 is 16.5. Cameras write 72 dpi, which would make a page of 1.4 m
CREDIBLE_DPI = (50.0, 1300.0)
ANIMATED = "The picture is animated; only its first frame was read."
FULL_WHITES = (1023, 4095, 16383, 65535)  # of 10, 12, 14 and 16 bits, all of them kept in 16
PHOTOMETRIC_TAG, WHITE_IS_ZERO = 262, 0
ORIENTATION_TAG = 0x0112
TIFF_OFFSETS_AND_COUNTS = ((273, 279), (324, 325))  # strips, tiles

# What decoders throw on bytes that are not what they claim; anything else is our own fault and may be seen.
DECODER_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    AttributeError,
    AssertionError,
)


def inspect(path: Path, kind: UploadKind, limits: Limits) -> tuple[int, tuple[str, ...]]:
    """Number of pages and warnings. Raises UploadRejected for what is too large, too small or broken."""
    with _as_refusal(kind, None), open_picture(path, kind) as picture:
        frames = int(getattr(picture, "n_frames", 1)) if kind is UploadKind.TIFF else 1
        if frames > limits.max_pages:
            return frames, ()  # the caller refuses; no need to walk through them all
        for index in range(frames):
            if frames > 1:
                picture.seek(index)
            _check_size(picture.size, limits, index + 1 if frames > 1 else None)
            if kind is UploadKind.TIFF:
                _check_strips(picture, path.stat().st_size)
        if kind is not UploadKind.TIFF:
            if kind is UploadKind.JPEG:
                check_passes(path.read_bytes())
                picture.draft("L", (picture.size[0] // 8, picture.size[1] // 8))  # an eighth costs a tenth
            picture.load()  # a cut file shows only when it is read to its end
        animated = kind in (UploadKind.PNG, UploadKind.WEBP) and getattr(picture, "n_frames", 1) > 1
    return frames, (ANIMATED,) if animated else ()


def pages(upload: Upload, limits: Limits) -> Iterator[PageImage]:
    """One PageImage a frame (TIFF) or one in all."""
    with _as_refusal(upload.kind, None), open_picture(upload.path, upload.kind) as picture:
        for index in range(upload.page_count):
            with _as_refusal(upload.kind, index + 1 if upload.page_count > 1 else None):
                if upload.kind is UploadKind.TIFF:
                    picture.seek(index)
                _check_size(picture.size, limits, None)
                dpi = dpi_of(picture)
                pixels = np.ascontiguousarray(np.asarray(upright_rgb(picture)))  # (height, width, 3) uint8
            yield PageImage(index + 1, pixels, dpi)


@contextmanager
def open_picture(path: Path, kind: UploadKind) -> Iterator[Any]:
    """A Pillow image, header read, pixels not; only the decoder of `kind` is tried."""
    from PIL import Image

    if kind is UploadKind.HEIC:
        import pi_heif  # decodes only, so it carries no GPL encoder

        pi_heif.register_heif_opener(thumbnails=False)
        picture = Image.open(path, formats=("HEIF",))
    else:
        picture = Image.open(path, formats=PILLOW_FORMATS[kind])
    with picture:
        yield picture


def upright_rgb(picture: Any) -> Any:
    """The current frame as an RGB Pillow image: turned as EXIF says, alpha over white, 16 bits scaled to 8."""
    from PIL import Image

    picture.load()
    frame = _eight_bit(picture)
    if frame.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        clear = frame.convert("RGBA")
        white = Image.new("RGBA", clear.size, (255, 255, 255, 255))
        frame = Image.alpha_composite(white, clear)
    # Pillow has already undone Adobe's inverted CMYK when the file says so.
    frame = frame.convert("RGB")
    turn = orientation(picture)
    operation = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }.get(turn)
    return frame.transpose(operation) if operation is not None else frame


def dpi_of(picture: Any) -> float:
    """Dots per inch the file states, where the page would have a credible size; else as if it were an A4 sheet."""
    long_side = max(picture.size)
    try:
        stated = float(picture.info.get("dpi", (0, 0))[0])
    except (TypeError, ValueError, IndexError, ZeroDivisionError):
        stated = 0.0
    smallest, largest = CREDIBLE_PAGE_INCHES
    if CREDIBLE_DPI[0] <= stated <= CREDIBLE_DPI[1] and smallest <= long_side / stated <= largest:
        return stated
    return min(CREDIBLE_DPI[1], max(CREDIBLE_DPI[0], long_side / A4_LONG_INCHES))


def _eight_bit(picture: Any) -> Any:
    from PIL import Image

    if picture.mode not in ("I", "F") and not picture.mode.startswith("I;16"):
        return picture
    values = np.asarray(picture).astype(np.float64)  # (height, width)
    values = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    darkest, brightest = float(values.min()), float(values.max())
    if picture.mode != "F" and darkest >= 0 and 255 < brightest <= 65535:
        white = next(full for full in FULL_WHITES if brightest <= full)
        scaled = values * (255.0 / white)
        if getattr(picture, "tag_v2", {}).get(PHOTOMETRIC_TAG) == WHITE_IS_ZERO:  # Pillow turns it at 8 bits only
            scaled = 255.0 - scaled
    else:  # a range of its own: what is darkest becomes black, what is brightest white
        scaled = (values - darkest) * (255.0 / (brightest - darkest)) if brightest > darkest else values * 0 + 255
    return Image.fromarray(np.clip(np.rint(scaled), 0, 255).astype(np.uint8))


def orientation(picture: Any) -> int:
    """EXIF orientation, 1 to 8; 1 where nothing credible is said."""
    try:
        return int(picture.getexif().get(ORIENTATION_TAG, 1))
    except Exception:  # broken EXIF says nothing about the picture itself
        return 1


def _check_size(size: tuple[int, int], limits: Limits, page: int | None) -> None:
    width, height = size
    what = "The picture" if page is None else f"Page {page}"
    if width * height > limits.max_pixels:
        raise UploadRejected(
            f"{what} has {width:,} x {height:,} pixels; at most {limits.max_pixels / 1e6:,.0f} million can be read. "
            "Scan at 300 dpi, or save it smaller."
        )
    if min(width, height) < limits.min_side_px:
        raise UploadRejected(
            f"{what} has only {width} x {height} pixels, too few to hold a word. Scan or photograph the page again."
        )


def _check_strips(picture: Any, file_bytes: int) -> None:
    for offsets, counts in TIFF_OFFSETS_AND_COUNTS:
        tags = getattr(picture, "tag_v2", {})
        if offsets in tags and counts in tags:
            where, how_many = np.atleast_1d(tags[offsets]), np.atleast_1d(tags[counts])
            if len(where) == len(how_many) and any(
                int(start) + int(count) > file_bytes for start, count in zip(where, how_many, strict=True)
            ):
                raise UploadRejected(_broken(UploadKind.TIFF, None))


def _broken(kind: UploadKind, page: int | None) -> str:
    where = f"page {page} of it" if page is not None else "it"
    return (
        f"The file begins like a {kind.value.upper()} picture, but {where} is cut off or damaged, so it was not read. "
        "Scan, photograph or download it again."
    )


@contextmanager
def _as_refusal(kind: UploadKind, page: int | None) -> Iterator[None]:
    from PIL import Image

    try:
        yield
    except (HealthConnectError, GeneratorExit):
        raise
    except Image.DecompressionBombError as error:
        raise UploadRejected(
            "The picture claims far more pixels than a page can have, so it was not opened. Save it smaller."
        ) from error
    except DECODER_ERRORS as error:
        raise UploadRejected(_broken(kind, page)) from error

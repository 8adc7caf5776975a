"""One scan picture becomes the square a classifier sees: grey, evened, cropped, fitted. The same in training and use.

Knows pixels only. The geometry is kept, so that a map over the square can be laid back on the original picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LOW_PERCENTILE, HIGH_PERCENTILE = 0.5, 99.5  # the contrast stretch ignores the few darkest and brightest pixels
CONTENT_SHARE = 0.12  # of the bright end; below it a pixel counts as the black round the head
CONTENT_LINE_SHARE = 0.02  # a row or column belongs to the content when this share of it is brighter than that
BAND_PIXELS = 2_000_000
MARGIN = 0.03  # kept round the content, as a share of its side


@dataclass(frozen=True, slots=True)
class Framing:
    """Where the square came from: `crop` (left, top, right, bottom) in the original's pixels, fitted centrally into
    `side_px` squared at (`left`, `top`) with (`width`, `height`) pixels; the rest is black."""

    crop: tuple[int, int, int, int]
    side_px: int
    left: int
    top: int
    width: int
    height: int


def grey(pixels: np.ndarray) -> np.ndarray:
    """uint8 (height, width) from uint8 (height, width) or (height, width, 3) RGB; BT.601 luma."""
    if pixels.ndim == 2:
        return pixels
    luma = np.array([0.299, 0.587, 0.114], np.float32)
    out = np.empty(pixels.shape[:2], np.uint8)
    for band in _bands(out):
        out[band] = (pixels[band, :, :3].astype(np.float32) @ luma + 0.5).astype(np.uint8)
    return out


def even_contrast(picture: np.ndarray) -> np.ndarray:
    """Stretch so that the percentiles become 0 and 255; a flat picture stays as it is. uint8 to uint8."""
    counts = np.sum([np.bincount(picture[band].ravel(), minlength=256) for band in _bands(picture)], axis=0)
    low, high = _percentile(counts, LOW_PERCENTILE), _percentile(counts, HIGH_PERCENTILE)
    if high - low < 2:
        return picture
    levels = (np.arange(256) - low) * (255.0 / (high - low))
    return np.clip(levels, 0, 255).astype(np.uint8)[picture]


def _percentile(counts: np.ndarray, per_cent: float) -> float:
    """Of values 0 to 255 that occur so often, as numpy's percentile gives it."""
    place = per_cent / 100 * (int(counts.sum()) - 1)
    lower, upper = np.searchsorted(np.cumsum(counts), (np.floor(place), np.ceil(place)), side="right")
    return float(lower + (place - np.floor(place)) * (upper - lower))


def _bands(picture: np.ndarray) -> list[slice]:
    """Rows to be worked on at a time: of a film of 120 million pixels each float would take half a gigabyte."""
    rows = max(1, BAND_PIXELS // max(1, picture.shape[1]))
    return [slice(top, top + rows) for top in range(0, picture.shape[0], rows)]


def content_box(picture: np.ndarray) -> tuple[int, int, int, int]:
    """Box of what is not the black background; the whole picture when nothing stands out."""
    height, width = picture.shape
    bright = picture > CONTENT_SHARE * np.percentile(picture, HIGH_PERCENTILE)
    rows = np.flatnonzero(bright.mean(axis=1) > CONTENT_LINE_SHARE)
    columns = np.flatnonzero(bright.mean(axis=0) > CONTENT_LINE_SHARE)
    if len(rows) < height // 8 or len(columns) < width // 8:
        return 0, 0, width, height
    pad_y, pad_x = int(MARGIN * len(rows)), int(MARGIN * len(columns))
    return (
        max(0, int(columns[0]) - pad_x),
        max(0, int(rows[0]) - pad_y),
        min(width, int(columns[-1]) + 1 + pad_x),
        min(height, int(rows[-1]) + 1 + pad_y),
    )


def fit_square(pixels: np.ndarray, side_px: int, crop_to_content: bool) -> tuple[np.ndarray, Framing]:
    """uint8 (side, side) square of a uint8 grey or RGB picture, and how it was framed."""
    from PIL import Image

    picture = grey(pixels)
    height, width = picture.shape
    box = content_box(picture) if crop_to_content else (0, 0, width, height)
    part = even_contrast(picture[box[1] : box[3], box[0] : box[2]])
    part_height, part_width = part.shape
    scale = side_px / max(part_height, part_width)
    new_width, new_height = max(1, round(part_width * scale)), max(1, round(part_height * scale))
    small = np.asarray(Image.fromarray(part).resize((new_width, new_height), Image.Resampling.BILINEAR))
    left, top = (side_px - new_width) // 2, (side_px - new_height) // 2
    square = np.zeros((side_px, side_px), np.uint8)
    square[top : top + new_height, left : left + new_width] = small
    return square, Framing(box, side_px, left, top, new_width, new_height)


def lay_back(square_map: np.ndarray, framing: Framing, original_shape: tuple[int, int]) -> np.ndarray:
    """float32 (height, width) map over the original picture from a (side, side) map over the square; 0 outside."""
    import cv2

    part = square_map[framing.top : framing.top + framing.height, framing.left : framing.left + framing.width]
    left, top, right, bottom = framing.crop
    way = cv2.INTER_LINEAR if right - left >= framing.width else cv2.INTER_AREA
    # OpenCV and not Pillow, which would copy the map of a large film twice on the way here.
    resized = cv2.resize(np.ascontiguousarray(part, np.float32), (right - left, bottom - top), interpolation=way)
    if resized.shape == original_shape:
        return resized
    full = np.zeros(original_shape, np.float32)
    full[top:bottom, left:right] = resized
    return full


def sharpness(square: np.ndarray, framing: Framing | None = None) -> float:
    """Share of the picture's variance that lies in its finest detail, 0 to about 1, away from the fitting's edges.

    Variance of the Laplacian (Pech-Pacheco et al. 2000) over the variance of the picture, so that contrast cancels.
    """
    part = square
    if framing is not None:
        part = square[framing.top : framing.top + framing.height, framing.left : framing.left + framing.width]
    values = part.astype(np.float32)
    if min(values.shape) < 8:
        return 0.0
    middle = values[1:-1, 1:-1]
    laplacian = values[:-2, 1:-1] + values[2:, 1:-1] + values[1:-1, :-2] + values[1:-1, 2:] - 4 * middle
    return float(laplacian.var() / max(float(middle.var()), 1.0))

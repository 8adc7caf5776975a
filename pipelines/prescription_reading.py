"""QR codes in a photo: zxing-cpp, with pictures prepared for what phones do to paper.

Pictures are tried from the cheapest on and the first that yields a code ends the search; the rest are for blur, glare,
and a code seen at an angle, where zxing finds the symbol's place and then fails on its modules.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np

from domain.errors import NothingFound, UploadRejected
from pipelines.jpeg_passes import check_passes

MAX_PHOTO_BYTES = 30_000_000
MAX_PHOTO_PIXELS = 60_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "HEIF")
WORK_PX = 2000  # longer side at which the costlier pictures are made; a code that fills a fifth keeps 4 px a module
FLAT_PX = 1400  # side of a code that has been turned flat: over 10 px a module for the largest


def read_photo(data: bytes) -> tuple[str, ...]:
    """The text of every QR code in a photo, in no promised order. Raises UploadRejected, or NothingFound for none."""
    grey = _open(data)
    found: dict[str, None] = {}
    for picture in _pictures(grey):
        for text in _scan(picture):
            found.setdefault(text)
        if found:
            return tuple(found)
    raise NothingFound(
        "No QR code was found in the picture. Hold the camera straight above the code, closer, without glare or "
        "shadow, and take it again; or paste the code's text."
    )


def _open(data: bytes) -> np.ndarray:
    """uint8 (height, width) grey."""
    from PIL import Image, UnidentifiedImageError

    if not data:
        raise UploadRejected("The picture is empty. Take the photo again.")
    if len(data) > MAX_PHOTO_BYTES:
        raise UploadRejected(
            f"The picture has {len(data) / 1e6:.0f} MB; {MAX_PHOTO_BYTES // 1_000_000} MB are enough for a code. "
            "Take it at a lower resolution."
        )
    check_passes(data)
    try:
        with Image.open(io.BytesIO(data), formats=_known_formats()) as image:
            if image.width * image.height > MAX_PHOTO_PIXELS:
                raise UploadRejected(
                    f"The picture has {image.width * image.height / 1e6:.0f} million pixels; "
                    f"{MAX_PHOTO_PIXELS // 1_000_000} million are the limit. Take it at a lower resolution."
                )
            if image.mode in ("RGBA", "LA", "P"):
                # A code drawn on a transparent ground would turn black on black.
                image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
            return np.asarray(image.convert("L"))
    except UploadRejected:
        raise
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as e:
        raise UploadRejected(
            "This is not a picture that can be opened, or it is damaged. Use a PNG or JPEG photo of the code."
        ) from e


def _known_formats() -> list[str]:
    from PIL import Image

    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def _pictures(grey: np.ndarray) -> Iterator[np.ndarray]:
    """The photo, then the same photo mended in ways that cost more and more. uint8 grey."""
    import cv2

    yield grey
    work = _scaled(grey, WORK_PX)
    even = _even_light(work)
    yield even
    yield _sharper(even, 1.2)
    for place in _places(even):
        flat = _flatten(even, place)
        for amount in (0.0, 1.5, 3.0):
            yield _sharper(flat, amount) if amount else flat
        yield _deconvolved(flat, 3.0)
        yield _deconvolved(flat, 5.0)
    big = cv2.resize(even, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC) if max(even.shape) < WORK_PX * 1.5 else even
    for amount in (1.0, 2.5):
        yield _sharper(big, amount)
    yield _deconvolved(even, 1.5)
    yield _deconvolved(big, 3.0)


def _scan(picture: np.ndarray) -> list[str]:
    import zxingcpp

    qr = zxingcpp.BarcodeFormat.QRCode
    found = zxingcpp.read_barcodes(picture, formats=qr)
    if not found:
        found = zxingcpp.read_barcodes(picture, formats=qr, binarizer=zxingcpp.Binarizer.GlobalHistogram)
    return [code.text for code in found if code.valid]


def _places(picture: np.ndarray) -> list[np.ndarray]:
    """Corners, float32 (4, 2) clockwise from top-left, of symbols that zxing located and could not decode."""
    import zxingcpp

    places = []
    for code in zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode, return_errors=True):
        at = code.position
        corners = (at.top_left, at.top_right, at.bottom_right, at.bottom_left)
        place = np.float32([[corner.x, corner.y] for corner in corners])
        sides = np.linalg.norm(place - np.roll(place, 1, axis=0), axis=1)
        if sides.min() > 40:  # smaller cannot hold a prescription
            places.append(place)
    return places[:4]


def _flatten(picture: np.ndarray, place: np.ndarray) -> np.ndarray:
    """The symbol seen from straight above, with a quiet zone, FLAT_PX wide."""
    import cv2

    margin = FLAT_PX * 0.08
    low, high = margin, FLAT_PX - margin
    target = np.float32([[low, low], [high, low], [high, high], [low, high]])
    turn = cv2.getPerspectiveTransform(place, target)
    return cv2.warpPerspective(picture, turn, (FLAT_PX, FLAT_PX), flags=cv2.INTER_CUBIC, borderValue=255)


def _even_light(picture: np.ndarray) -> np.ndarray:
    """Shadow and glare divided out: each pixel against the paper's brightness around it."""
    import cv2

    small = cv2.resize(picture, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    reach = max(15, min(small.shape) // 12) | 1
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((reach // 2 | 1, reach // 2 | 1), np.uint8))
    paper = cv2.resize(cv2.GaussianBlur(paper, (reach, reach), 0), picture.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.divide(picture, np.maximum(paper, 1), scale=235)


def _sharper(picture: np.ndarray, amount: float) -> np.ndarray:
    import cv2

    calm = cv2.GaussianBlur(picture, (0, 0), 0.8)  # noise first: sharpening would raise it too
    soft = cv2.GaussianBlur(calm, (0, 0), 2.5)
    return cv2.addWeighted(calm, 1 + amount, soft, -amount, 0)


def _deconvolved(picture: np.ndarray, sigma: float, steps: int = 8) -> np.ndarray:
    """Richardson (1972) and Lucy (1974): undo a Gaussian blur of `sigma` pixels, iteratively."""
    import cv2

    seen = picture.astype(np.float32) / 255 + 0.02
    guess = seen.copy()
    for _ in range(steps):
        blurred = cv2.GaussianBlur(guess, (0, 0), sigma)
        guess *= cv2.GaussianBlur(seen / np.maximum(blurred, 1e-3), (0, 0), sigma)
    return np.clip((guess - 0.02) * 255, 0, 255).astype(np.uint8)


def _scaled(picture: np.ndarray, longest: int) -> np.ndarray:
    import cv2

    factor = longest / max(picture.shape)
    if factor >= 1:
        return picture
    return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)

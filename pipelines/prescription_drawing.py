"""A code as a QR picture: SVG for the screen, PNG for a phone, and a sheet of numbered codes for a long one."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from domain.errors import PrescriptionInvalid
from pipelines.prescription_code import PREFIX

QUIET_ZONE = 4  # modules of white around, as ISO/IEC 18004 asks
MAX_VERSION = 22  # 105 modules a side; above it phone cameras fail too often (SMART Health Cards)
PNG_MODULE_PX = 8  # a version 22 code is 904 pixels wide: fits a phone screen, and prints at 300 dpi in 7.7 cm
MASK = 5  # compressed and signed content looks random under every mask; trying all eight would cost 60 ms a code
LABEL_PX = 72  # band above each code of a sheet, for "1 / 2"


@lru_cache(maxsize=32)
def draw_symbol(text: str) -> Any:
    """A segno QR symbol of a "shc:/..." text: the prefix as bytes, the rest as digits, in the smallest version.

    Error level L, raised as far as the same version holds: bigger modules survive a camera better than redundancy.
    Raises PrescriptionInvalid for a text that does not fit version 22.
    """
    import segno
    from segno import consts
    from segno.encoder import DataOverflowError

    segments = [(PREFIX, consts.MODE_BYTE, "iso-8859-1"), (text.removeprefix(PREFIX), consts.MODE_NUMERIC, None)]
    try:
        symbol = segno.make_qr(segments, error="l", boost_error=True, mask=MASK)
    except DataOverflowError as e:
        raise PrescriptionInvalid("The code does not fit into a QR code. Shorten the notes, or split it.") from e
    if symbol.version > MAX_VERSION:
        raise PrescriptionInvalid(
            f"The code would need QR version {symbol.version}; cameras read up to {MAX_VERSION}. Shorten the notes."
        )
    return symbol


def draw_svg(text: str) -> str:
    """A self-contained <svg> element, black on white, without size of its own."""
    return str(draw_symbol(text).svg_inline(border=QUIET_ZONE, dark="#000", light="#fff", omitsize=True))


def draw_png(texts: Sequence[str]) -> bytes:
    """One PNG, 1-bit black and white: a single code, or all codes of a prescription below each other with numbers."""
    from PIL import Image, ImageDraw, ImageFont

    pictures = [draw_picture(text) for text in texts]
    if len(pictures) == 1:
        return _png(pictures[0])
    width = max(picture.width for picture in pictures)
    sheet = Image.new("L", (width, sum(picture.height + LABEL_PX for picture in pictures)), 255)
    pen, top = ImageDraw.Draw(sheet), 0
    for number, picture in enumerate(pictures, start=1):
        label = f"{number} / {len(pictures)}"
        pen.text((width / 2, top + LABEL_PX * 0.6), label, fill=0, anchor="mm", font=ImageFont.load_default(40))
        sheet.paste(picture, ((width - picture.width) // 2, top + LABEL_PX))
        top += picture.height + LABEL_PX
    return _png(sheet.point(lambda value: 255 * (value > 127)))


def draw_picture(text: str, module_px: int = PNG_MODULE_PX) -> Any:
    """One code as a grey Pillow image with its quiet zone. segno's own PNG writer takes 40 ms, numpy one."""
    import numpy as np
    from PIL import Image

    dark = np.array([list(row) for row in draw_symbol(text).matrix], dtype=bool)  # (modules, modules)
    grey = np.where(np.pad(dark, QUIET_ZONE), 0, 255).astype(np.uint8)
    return Image.fromarray(grey.repeat(module_px, axis=0).repeat(module_px, axis=1))


def _png(picture: Any) -> bytes:
    out = io.BytesIO()
    picture.convert("1").save(out, format="PNG")
    return out.getvalue()

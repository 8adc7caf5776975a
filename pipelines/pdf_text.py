"""The text a PDF page brings along: which of it can be seen, and where its words lie on the rendered page.

Knows PDFium's text functions. Words come in the order of the page's content, as a reader would copy them.
"""

from __future__ import annotations

import ctypes
import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.document import Point, TextLine, TextWord

INVISIBLE, CLIPPING_ONLY = 3, 7  # text render modes, ISO 32000-1 table 106
COVERING_SHARE = 0.6  # of the page: a picture this large over the text hides it
ANGLES_LOOKED_AT = 200  # characters that vote on which way the page reads
FORM_DEPTH = 8  # forms within forms that are looked into
FINE = 64  # device units a point, so that PDFium's whole numbers are exact enough
MAX_GARBAGE = 0.2  # share of characters without meaning above which the text cannot be trusted


@dataclass(frozen=True, slots=True)
class OwnWord:
    """A word with its box in points of the page (y up). `angle`: degrees counter-clockwise, a multiple of 90."""

    text: str
    left: float
    bottom: float
    right: float
    top: float
    angle: int


@dataclass(frozen=True, slots=True)
class OwnText:
    """Visible text. `spread`: share of the page's height it spans, 0 to 1; `legible`: its characters mean something."""

    lines: tuple[tuple[OwnWord, ...], ...]
    visible_chars: int
    spread: float
    legible: bool


def own_text(page: Any) -> OwnText:
    """`page`: a pypdfium2 page. Text that is drawn invisibly or under a scan, as OCR layers are, is left out."""
    shown = page.get_rotation()
    page.set_rotation(_reading_turn(page, shown))
    try:
        return _own_text(page)
    finally:
        page.set_rotation(shown)


def _reading_turn(page: Any, shown: int) -> int:
    """The /Rotate under which most characters stand upright: PDFium puts sideways lines in the wrong order."""
    import pypdfium2.raw as c

    textpage = page.get_textpage()
    try:
        count = textpage.count_chars()
        angles = [_quarter(textpage, index) for index in range(0, count, max(1, count // ANGLES_LOOKED_AT))
                  if not chr(c.FPDFText_GetUnicode(textpage, index)).isspace()]  # fmt: skip
    finally:
        textpage.close()
    return max(set(angles), key=angles.count) if angles else shown


def _quarter(textpage: Any, index: int) -> int:
    """Degrees counter-clockwise that a character is turned on the page, to the nearest quarter: 0, 90, 180, 270."""
    import pypdfium2.raw as c

    return int(round(np.degrees(c.FPDFText_GetCharAngle(textpage, index)) / 90) * 90 % 360)


def _covered_text(page: Any) -> set[int]:
    """Addresses of the text objects over which an opaque picture of most of the page is drawn later."""
    import pypdfium2.raw as c

    left, bottom, right, top = page.get_bbox()
    area = max(1e-6, (right - left) * (top - bottom))
    before: set[int] = set()
    covered: set[int] = set()
    for item in page.get_objects(max_depth=FORM_DEPTH):
        if item.type == c.FPDF_PAGEOBJ_TEXT:
            before.add(_address(item.raw))
        elif item.type == c.FPDF_PAGEOBJ_IMAGE and not item.level and not c.FPDFPageObj_HasTransparency(item.raw):
            x0, y0, x1, y1 = item.get_bounds()
            if (x1 - x0) * (y1 - y0) >= COVERING_SHARE * area:
                covered |= before
    return covered


def _address(pointer: Any) -> int:
    return ctypes.cast(pointer, ctypes.c_void_p).value or 0


def _own_text(page: Any) -> OwnText:
    import pypdfium2.raw as c

    covered = _covered_text(page)
    textpage = page.get_textpage()
    try:
        count = textpage.count_chars()
        modes: dict[int, bool] = {}
        lines: list[tuple[OwnWord, ...]] = []
        line: list[OwnWord] = []
        word: list[tuple[str, float, float, float, float, int]] = []
        garbage = seen = 0

        def end_word() -> None:
            if word:
                line.append(_word(word))
                word.clear()

        def end_line() -> None:
            end_word()
            if line:
                lines.append(tuple(line))
                line.clear()

        sides = [ctypes.c_double() for _ in range(4)]
        for index in range(count):
            code = c.FPDFText_GetUnicode(textpage, index)
            char = chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else ""
            if char in ("\r", "\n"):
                end_line()
                continue
            if char.isspace() or char == "":
                end_word()
                garbage += char == "" and not c.FPDFText_IsGenerated(textpage, index)
                continue
            owner = c.FPDFText_GetTextObject(textpage, index)
            key = _address(owner)
            if key not in modes:
                drawn = not owner or c.FPDFTextObj_GetTextRenderMode(owner) not in (INVISIBLE, CLIPPING_ONLY)
                modes[key] = drawn and key not in covered
            if not modes[key]:
                continue
            if unicodedata.category(char) in ("Cc", "Co", "Cn", "Cs") or char == "\ufffd":
                garbage += 1
                continue
            if not c.FPDFText_GetCharBox(textpage, index, *(ctypes.byref(side) for side in sides)):
                continue
            left, right, bottom, top = (side.value for side in sides)
            angle = _quarter(textpage, index)
            if word and _apart(word[-1], (left, bottom, right, top)):
                end_line()
            word.append((char, left, bottom, right, top, angle))
            seen += 1
        end_line()
        _, page_bottom, _, page_top = page.get_bbox()
    finally:
        textpage.close()
    tops = [w.top for each in lines for w in each]
    bottoms = [w.bottom for each in lines for w in each]
    spread = (max(tops) - min(bottoms)) / max(1.0, page_top - page_bottom) if tops else 0.0
    return OwnText(tuple(lines), seen, min(1.0, spread), garbage <= MAX_GARBAGE * (seen + garbage))


def in_pixels(page: Any, text: OwnText, width_px: int, height_px: int) -> tuple[TextLine, ...]:
    """The lines with quads in pixels of the page rendered at that size, /Rotate and crop box accounted for."""
    matrix = _to_pixels(page, width_px, height_px)
    return tuple(TextLine(tuple(_placed(word, matrix) for word in line)) for line in text.lines)


def _apart(last: tuple[str, float, float, float, float, int], box: tuple[float, float, float, float]) -> bool:
    """A new line that the file did not mark: neither axis has the two characters anywhere near each other."""
    _, left, bottom, right, top, _ = last
    tall = max(top - bottom, box[3] - box[1], right - left, box[2] - box[0])
    gap_x = max(box[0] - right, left - box[2])
    gap_y = max(box[1] - top, bottom - box[3])
    return max(gap_x, gap_y) > 3 * tall


def _word(chars: list[tuple[str, float, float, float, float, int]]) -> OwnWord:
    text = unicodedata.normalize("NFC", "".join(item[0] for item in chars))
    return OwnWord(
        text,
        min(item[1] for item in chars),
        min(item[2] for item in chars),
        max(item[3] for item in chars),
        max(item[4] for item in chars),
        chars[0][5],
    )


def _placed(word: OwnWord, matrix: np.ndarray) -> TextWord:
    corners = [(word.left, word.top), (word.right, word.top), (word.right, word.bottom), (word.left, word.bottom)]
    start = word.angle // 90  # turned a quarter counter-clockwise, its top-left is the box's bottom-left
    corners = corners[-start:] + corners[:-start] if start else corners
    points: list[Point] = [(float(x), float(y)) for x, y in np.array([[px, py, 1.0] for px, py in corners]) @ matrix.T]
    return TextWord(word.text, 1.0, (points[0], points[1], points[2], points[3]))


def _to_pixels(page: Any, width_px: int, height_px: int) -> np.ndarray:
    """float64 (2, 3): page points to rendered pixels."""
    import pypdfium2.raw as c

    wide, high = width_px * FINE, height_px * FINE
    images = []
    reach = 1000.0
    for x, y in ((0.0, 0.0), (reach, 0.0), (0.0, reach)):
        device_x, device_y = ctypes.c_int(), ctypes.c_int()
        c.FPDF_PageToDevice(page, 0, 0, wide, high, 0, x, y, ctypes.byref(device_x), ctypes.byref(device_y))
        images.append(np.array([device_x.value, device_y.value]) / FINE)
    origin, along_x, along_y = images
    return np.column_stack([(along_x - origin) / reach, (along_y - origin) / reach, origin])

"""The invisible words of one page as PDF content: every word stretched and turned onto its own quad.

Pixels become points here and nowhere else. OCRmyPDF's own renderers set a whole line on one straight baseline and size
words by upright boxes, which is off on tilted, sideways and photographed pages; a text matrix a word is exact.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.document import OcrPage, Quad, TextLine, TextWord
from pipelines import glyphless_font

FONT = "/f-0-0"  # one of the two names under which OCRmyPDF carries a layer's font over
STEADY_DEG = 16.0  # degrees; more than any page is left tilted
# PDFium sorts what stands at one height from left to right, which mixes the end of a sloping line into the start of the
# next and reverses a line that lies upside down. A space out of line ends its sorting. In heights of the taller word:
RAISED = 1.5
MIN_SIDE = 0.5  # points; a word thinner than this would have a matrix that cannot be inverted
TURN_OF_RIGHT_TO_LEFT = ("R", "AL")


@dataclass(frozen=True, slots=True)
class Frame:
    """A PDF page as displayed. All in points: size of the page (media box), and the part that is seen (crop box).

    `left`, `bottom`: where the seen part lies in the displayed page. Origin bottom-left, y up, /Rotate applied.
    """

    page_width: float
    page_height: float
    left: float
    bottom: float
    width: float
    height: float


def frame_of(page: Any) -> Frame:
    """`page`: a pikepdf page."""
    mx0, my0, mx1, my1 = _ordered(page.mediabox)
    cx0, cy0, cx1, cy1 = _ordered(page.cropbox)
    cx0, cy0, cx1, cy1 = max(mx0, cx0), max(my0, cy0), min(mx1, cx1), min(my1, cy1)
    if cx1 <= cx0 or cy1 <= cy0:
        cx0, cy0, cx1, cy1 = mx0, my0, mx1, my1
    media, seen = (mx1 - mx0, my1 - my0), (cx1 - cx0, cy1 - cy0)
    turn = int(page.rotation) % 360
    left, bottom = {
        0: (cx0 - mx0, cy0 - my0),
        90: (cy0 - my0, mx1 - cx1),
        180: (mx1 - cx1, my1 - cy1),
        270: (my1 - cy1, cx0 - mx0),
    }.get(turn, (cx0 - mx0, cy0 - my0))
    if turn in (90, 270):
        media, seen = media[::-1], seen[::-1]
    return Frame(media[0], media[1], left, bottom, seen[0], seen[1])


def content(lines: Sequence[TextLine], width_px: float, height_px: float, frame: Frame) -> tuple[bytes, dict[str, int]]:
    """Content stream of the words, and the font codes it uses. Quads are pixels of a page of that size."""
    shown = [[(text, word.quad) for word in line.words if (text := clean(word.text))] for line in lines]
    codes = glyphless_font.codes_for(" " + "".join(text for line in shown for text, _ in line))
    scale = np.array([frame.width / width_px, -frame.height / height_px])
    origin = np.array([frame.left, frame.bottom + frame.height])
    parts = ["BT", "3 Tr", f"{FONT} 1 Tf"]
    words = [
        (text, _steadied(np.asarray(quad, float) * scale + origin), index + 1 == len(line))
        for line in shown
        for index, (text, quad) in enumerate(line)
    ]
    for index, (text, quad, ends_line) in enumerate(words):
        following = words[index + 1][1] if index + 1 < len(words) else None
        parts.append(_shown(text, quad, codes))
        parts.append(_shown(" ", _gap(quad, following, ends_line), codes))
    parts.append("ET")
    return "\n".join(parts).encode("ascii"), codes


def clean(text: str) -> str:
    """Composed, without control, private or lone surrogate characters; inner white space becomes single spaces."""
    composed = unicodedata.normalize("NFC", text)
    kept = "".join(c if not c.isspace() else " " for c in composed if c.isspace() or unicodedata.category(c)[0] != "C")
    return " ".join(kept.split())


def moved(lines: Sequence[TextLine], matrix: np.ndarray) -> tuple[TextLine, ...]:
    """The lines with every quad taken through a projective map, float (3, 3)."""
    return tuple(
        TextLine(tuple(TextWord(w.text, w.confidence, _mapped(w.quad, matrix), w.machine_text) for w in line.words))
        for line in lines
    )


def lies_sideways(words: Sequence[TextWord]) -> bool:
    """Whether most of the words run neither rightward nor leftward, give or take STEADY_DEG."""
    level = sum(_turned(np.asarray(word.quad, float)) in (0, 180) for word in words)
    return 2 * level < len(words)


def levelled(page: OcrPage) -> tuple[np.ndarray, int, int]:
    """The map, float (3, 3), that makes the page's text upright and level, and the size in pixels it then needs."""
    angle = np.deg2rad(page.rotation_deg + page.skew_deg)  # text lies turned clockwise by this; y points down
    turn = np.array([[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0], [0, 0, 1.0]])
    corners = np.array([[x, y, 1.0] for x in (0, page.width_px) for y in (0, page.height_px)]) @ turn.T
    low, high = corners[:, :2].min(axis=0), corners[:, :2].max(axis=0)
    turn[:2, 2] = -low
    width, height = np.ceil(high - low - 1e-6).astype(int)
    return turn, int(width), int(height)


def _ordered(box: Any) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (float(value) for value in box)
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _mapped(quad: Quad, matrix: np.ndarray) -> Quad:
    points = np.array([[x, y, 1.0] for x, y in quad]) @ matrix.T
    a, b, c, d = ((float(x / w), float(y / w)) for x, y, w in points)
    return (a, b, c, d)


def _steadied(quad: np.ndarray) -> np.ndarray:
    """A word on a slight slope as the upright box around it, any other as it is; (4, 2) points.

    Poppler (pdftotext, Evince, Okular) cuts a word wherever its baseline has climbed half a point, and then finds
    neither half. Readers report upright boxes, so the place of the word is the same.
    """
    turned = _turned(quad)
    if turned is None:
        return quad
    left, bottom = quad.min(axis=0)
    right, top = quad.max(axis=0)
    upright = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    return np.roll(upright, turned // 90, axis=0)  # a quarter counter-clockwise: reading starts at the bottom-left


def _turned(quad: np.ndarray) -> int | None:
    """0, 90, 180 or 270 degrees from the x axis to the y axis, where a word runs within STEADY_DEG of that."""
    top_left, top_right, bottom_right, bottom_left = quad
    along = top_right - top_left + bottom_right - bottom_left
    angle = float(np.degrees(np.arctan2(along[1], along[0])))
    quarter = round(angle / 90)
    return quarter * 90 % 360 if abs(angle - 90 * quarter) <= STEADY_DEG else None


def _shown(text: str, quad: np.ndarray, codes: dict[str, int]) -> str:
    """One text matrix that lays the font's boxes for `text` over `quad`, (4, 2) points from its top-left clockwise."""
    top_left, top_right, bottom_right, bottom_left = quad
    along = (top_right - top_left + bottom_right - bottom_left) / 2  # a photograph's quad is no parallelogram: its mean
    up = (top_left - bottom_left + top_right - bottom_right) / 2
    along, up = _not_flat(along, np.array([1.0, 0.0])), _not_flat(up, np.array([0.0, 1.0]))
    if abs(along[0] * up[1] - along[1] * up[0]) < MIN_SIDE * MIN_SIDE / 4:
        up = np.array([-along[1], along[0]]) * MIN_SIDE / float(np.hypot(*along))
    corner = quad.mean(axis=0) - along / 2 - up / 2
    step = along / (glyphless_font.ADVANCE_EM * len(text))
    start = corner + up * glyphless_font.BASELINE
    if _reads_leftward(text):
        text = text[::-1]  # readers turn right-to-left runs round themselves
    matrix = " ".join(f"{value:.4f}" for value in (*step, *up, *start))
    return f"{matrix} Tm <{''.join(f'{codes[char]:04X}' for char in text)}> Tj"


def _gap(quad: np.ndarray, following: np.ndarray | None, ends_line: bool) -> np.ndarray:
    """Where the space after a word goes: up to the next word, or a sliver where that stands elsewhere."""
    top_left, top_right, bottom_right, bottom_left = quad
    along = (top_right - top_left) / max(1e-6, float(np.hypot(*(top_right - top_left))))
    room, rise = float(np.hypot(*(top_left - bottom_left))) / 4, 0.0
    if following is not None and _would_be_sorted(quad, following):
        rise = RAISED * max(np.ptp(quad[:, 1]), np.ptp(following[:, 1]))
    elif following is not None and not ends_line:
        ahead = float((following[[0, 3]].mean(axis=0) - quad[[1, 2]].mean(axis=0)) @ along)
        room = ahead if ahead > MIN_SIDE / 2 else MIN_SIDE / 2
    sliver = np.array([top_right, top_right + along * room, bottom_right + along * room, bottom_right])
    return sliver + np.array([0.0, rise])


def _would_be_sorted(quad: np.ndarray, following: np.ndarray) -> bool:
    """Whether the word that is read next stands to the left, at about the same height."""
    height = max(np.ptp(quad[:, 1]), np.ptp(following[:, 1]))
    return bool(following[3, 0] < quad[3, 0] and abs(following[3, 1] - quad[3, 1]) < height)


def _not_flat(side: np.ndarray, instead: np.ndarray) -> np.ndarray:
    length = float(np.hypot(*side))
    return side if length >= MIN_SIDE else (side / length if length > 1e-9 else instead) * MIN_SIDE


def _reads_leftward(text: str) -> bool:
    return next(_strong_directions(text), "L") in TURN_OF_RIGHT_TO_LEFT


def _strong_directions(text: str) -> Iterator[str]:
    return (d for d in map(unicodedata.bidirectional, text) if d in ("L", *TURN_OF_RIGHT_TO_LEFT))

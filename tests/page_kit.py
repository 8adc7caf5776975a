"""Draws pages of print whose words and places are known, and turns, tilts and photographs them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from domain.document import Box, TextLine, TextWord

TEXT = (
    "ALDER COMMUNITY CLINIC",
    "Seen on 14/06/2023 with her daughter. Blood pressure 142/88 mmHg.",
    "Bisoprolol 5 mg once daily; amlodipine stopped for ankle swelling.",
    "Echocardiogram: moderate impairment, ejection fraction 38%.",
    "No chest pain or syncope. Exercise tolerance about 400 metres.",
    "Ferritin 12 ug/L, haemoglobin 97 g/L: iron deficiency anaemia.",
    "Review in the nurse-led clinic within 3-4 weeks.",
    "The wound heals well and shows no sign of infection today.",
)


@dataclass(frozen=True, slots=True)
class Printed:
    """`pixels`: uint8 (height, width, 3) RGB; `words`: text and corners float64 (4, 2) in them, in reading order."""

    pixels: np.ndarray
    words: tuple[tuple[str, np.ndarray], ...]


def printed(lines: tuple[str, ...] = TEXT, size_px: int = 34, width: int = 1240, height: int = 900) -> Printed:
    """A letter: one line under another."""
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size_px)
    words = []
    for row, line in enumerate(lines):
        x, y = 80.0, 80 + row * size_px * 2
        for word in line.split():
            left, top, right, bottom = draw.textbbox((x, y), word, font=font)
            draw.text((x, y), word, font=font, fill=(15, 15, 20))
            words.append((word, np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)))
            x += font.getlength(word + " ")
    return Printed(np.asarray(picture), tuple(words))


def moved(page: Printed, matrix: np.ndarray, size: tuple[int, int], ground: int = 255) -> Printed:
    """The page under a projective map of its edges; `size`: width, height."""
    import cv2

    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    picture = cv2.warpPerspective(
        page.pixels, np.linalg.inv(half) @ matrix @ half, size, flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_CONSTANT, borderValue=(ground,) * 3,
    )  # fmt: skip
    words = tuple((text, cv2.perspectiveTransform(quad[None], matrix)[0]) for text, quad in page.words)
    return Printed(picture, words)


def tilted(page: Printed, degrees: float) -> Printed:
    """Turned clockwise about its middle, on white."""
    height, width = page.pixels.shape[:2]
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    new_width, new_height = (
        round(abs(width * cos) + abs(height * sin)),
        round(abs(width * sin) + abs(height * cos)),
    )
    matrix = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
    centre = matrix @ [width / 2, height / 2, 1]
    matrix[0, 2], matrix[1, 2] = new_width / 2 - centre[0], new_height / 2 - centre[1]
    return moved(page, matrix, (new_width, new_height))


def turned(page: Printed, quarters: int) -> Printed:
    """Turned clockwise by quarters."""
    for _ in range(quarters % 4):
        height, width = page.pixels.shape[:2]
        page = moved(page, np.array([[0, -1, height], [1, 0, 0], [0, 0, 1.0]]), (height, width))
    return page


def line_at(text: str, left: float, top: float, height: float = 20, pitch: float = 10) -> TextLine:
    """A line of `text` whose letters are `pitch` wide."""
    words, x = [], left
    for word in text.split():
        words.append(TextWord.upright(word, 0.9, Box(x, top, x + pitch * len(word), top + height)))
        x += pitch * (len(word) + 1)
    return TextLine(tuple(words))

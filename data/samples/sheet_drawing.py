"""Draws record pages whose every word's place is known. Seeded; the same fonts give the same pages.

Each sheet is drawn clean, so that every word's place is known, and then damaged by one perspective map, which carries
the places along. `draw_sheet` and `damage` are also what tests use to make pages with exact truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Point = tuple[float, float]
HERE = Path(__file__).resolve().parent
DEJAVU = HERE.parent.parent / "pipelines" / "fonts"  # comes with the project
LIBERATION = Path("/usr/share/fonts/truetype/liberation")  # Debian's fonts-liberation
SANS, SANS_BOLD = DEJAVU / "DejaVuSans.ttf", DEJAVU / "DejaVuSans-Bold.ttf"
SERIF, SERIF_BOLD = LIBERATION / "LiberationSerif-Regular.ttf", LIBERATION / "LiberationSerif-Bold.ttf"
DPI = 150
A4 = (1240, 1754)  # pixels at 150 dots an inch
MARGIN = 100  # pixels, 17 mm
SMALL_PRINT = "SYNTHETIC sample record: the person and the hospital are invented."


@dataclass(frozen=True, slots=True)
class DrawnWord:
    """A word and its four corners in pixels of the sheet, its own top-left first, clockwise as it is read."""

    text: str
    quad: tuple[Point, Point, Point, Point]


@dataclass(frozen=True, slots=True)
class Sheet:
    """`pixels`: uint8 (height, width, 3) RGB. `lines`: its words in reading order, a table row being one line."""

    pixels: np.ndarray
    lines: tuple[tuple[DrawnWord, ...], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A table row: the cells' texts and the left edge of each, pixels from the margin."""

    cells: tuple[str, ...]
    at: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """Running text beside other columns."""

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of running text, left to right, of equal width."""

    columns: tuple[Column, ...]


Part = str | Row | Columns
"""A paragraph ("# " before a heading, "" for a gap), a table row, or columns."""


@dataclass(frozen=True, slots=True)
class Damage:
    """What happens to a sheet.

    `turn_deg`: clockwise; any angle, the canvas grows. `lean`: how far the corners move at most, share of the width, as
    in a photo taken at a slant. `shade`: how much darker the darkest place is, 0 to 1. `fade`: share of the contrast
    lost. `noise`: standard deviation, grey levels of 255. `blur`: radius in pixels. `table`: grey around the sheet.
    """

    turn_deg: float = 0.0
    lean: float = 0.0
    shade: float = 0.0
    fade: float = 0.0
    noise: float = 0.0
    blur: float = 0.0
    fax: bool = False
    table: int = 255


def draw_sheet(
    parts: Sequence[Part], regular: Path = SANS, bold: Path = SANS_BOLD, size: int = 25, paper: tuple[int, int] = A4
) -> Sheet:
    """Parts from top to bottom on white paper. Raises ValueError when they do not fit."""
    image = Image.new("RGB", paper, "white")
    pen = _Pen(ImageDraw.Draw(image), regular, bold, size)
    y = MARGIN
    width = paper[0] - 2 * MARGIN
    for part in parts:
        y = pen.part(part, MARGIN, y, width)
    if y > paper[1] - MARGIN:
        raise ValueError(f"the parts reach down to {y} pixels; the sheet ends at {paper[1] - MARGIN}")
    small = pen.at_size(15)
    small.paragraph(SMALL_PRINT, MARGIN, paper[1] - MARGIN + 30, width)
    return Sheet(np.asarray(image), tuple(pen.lines))


def damage(sheet: Sheet, how: Damage, seed: int) -> Sheet:
    """The sheet as a scanner, camera or fax would bring it, its words' corners moved with it."""
    rng = np.random.default_rng(seed)
    height, width = sheet.pixels.shape[:2]
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], float)
    angle = np.deg2rad(how.turn_deg)
    spin = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (corners - (width / 2, height / 2)) @ spin.T
    moved += how.lean * width * rng.uniform(-1, 1, (4, 2))
    border = 0.04 * width if how.table < 255 else 0.0
    moved += border - moved.min(axis=0)
    size = tuple(int(np.ceil(v)) for v in moved.max(axis=0) + border)
    forward = _homography(corners, moved)
    backward = np.linalg.inv(forward)
    image = Image.fromarray(sheet.pixels).transform(
        size, Image.Transform.PERSPECTIVE, (backward / backward[2, 2]).ravel()[:8], Image.Resampling.BICUBIC,
        fillcolor=(how.table,) * 3,
    )  # fmt: skip
    if how.blur:
        image = image.filter(ImageFilter.GaussianBlur(how.blur))
    pixels = np.asarray(image).astype(np.float32)
    pixels = 255 - (255 - pixels) * (1 - how.fade)
    if how.shade:
        down, across = np.mgrid[0 : size[1], 0 : size[0]]
        centre = rng.uniform(0.2, 0.8, 2) * (size[1], size[0])
        far = np.hypot((down - centre[0]) / size[1], (across - centre[1]) / size[0])
        pixels *= (1 - how.shade * far / far.max())[..., None]
    if how.noise:
        pixels += rng.normal(0, how.noise, pixels.shape[:2])[..., None]
    if how.fax:
        pixels = np.where(pixels.mean(axis=2, keepdims=True) < 170, 30.0, 250.0) + np.zeros(3)
    lines = tuple(tuple(replace(word, quad=_mapped(forward, word.quad)) for word in line) for line in sheet.lines)
    return Sheet(np.clip(pixels, 0, 255).astype(np.uint8), lines)


class _Pen:
    """Sets words on one sheet and remembers where each went."""

    def __init__(self, draw: ImageDraw.ImageDraw, regular: Path, bold: Path, size: int) -> None:
        self.draw, self.size, self.faces = draw, size, (regular, bold)
        self.regular = ImageFont.truetype(str(regular), size)
        self.heading = ImageFont.truetype(str(bold), round(size * 1.2))
        self.lines: list[tuple[DrawnWord, ...]] = []

    def at_size(self, size: int) -> _Pen:
        """Another size on the same sheet, its words going into the same list."""
        other = _Pen(self.draw, *self.faces, size)
        other.lines = self.lines
        return other

    def part(self, part: Part, x: float, y: float, width: float) -> float:
        """Draw one part; returns where the next one starts."""
        if isinstance(part, Row):
            row = [word for cell, at in zip(part.cells, part.at, strict=True) for word in self._set(cell, x + at, y)]
            self.lines.append(tuple(row))
            return y + self.size * 1.5
        if isinstance(part, Columns):
            gap = self.size * 2
            own = (width - gap * (len(part.columns) - 1)) / len(part.columns)
            ends = []
            for number, column in enumerate(part.columns):
                bottom = y
                for text in column.parts:
                    bottom = self.paragraph(text, x + number * (own + gap), bottom, own)
                ends.append(bottom)
            return max(ends)
        return self.paragraph(part, x, y, width)

    def paragraph(self, text: str, x: float, y: float, width: float) -> float:
        """Set text in lines of at most `width` pixels; returns where the next part starts."""
        if not text:
            return y + self.size * 0.8
        font = self.heading if text.startswith("# ") else self.regular
        line: list[str] = []
        for word in text.removeprefix("# ").split():
            if line and font.getlength(" ".join([*line, word])) > width:
                self.lines.append(tuple(self._set(" ".join(line), x, y, font)))
                line, y = [], y + self.size * 1.45
            line.append(word)
        self.lines.append(tuple(self._set(" ".join(line), x, y, font)))
        return y + self.size * (1.9 if font is self.heading else 1.45)

    def _set(self, text: str, x: float, y: float, font: ImageFont.FreeTypeFont | None = None) -> list[DrawnWord]:
        font = font or self.regular
        words = []
        for word in text.split():
            self.draw.text((x, y), word, font=font, fill=(25, 25, 30))
            left, top, right, bottom = self.draw.textbbox((x, y), word, font=font)
            words.append(DrawnWord(word, ((left, top), (right, top), (right, bottom), (left, bottom))))
            x += font.getlength(word + " ")
        return words


def _homography(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """float (3, 3): the perspective map of four points (4, 2) onto four others."""
    rows, values = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return np.append(np.linalg.solve(np.array(rows), np.array(values)), 1.0).reshape(3, 3)


def _mapped(matrix: np.ndarray, quad: Sequence[Point]) -> tuple[Point, Point, Point, Point]:
    points = np.column_stack([np.array(quad, float), np.ones(4)]) @ matrix.T
    flat = points[:, :2] / points[:, 2:]
    a, b, c, d = ((float(x), float(y)) for x, y in flat)
    return a, b, c, d

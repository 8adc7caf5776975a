"""Sets generated texts on paper with the box of every word known. Knows fonts and pixels, nothing of medicine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.page_texts import Columns, Gap, Part, Row, Text

LEADING = 1.32  # of the size of the print, from line to line


@dataclass(frozen=True, slots=True)
class Face:
    """A typeface: files of its regular, bold and italic cuts."""

    regular: Path
    bold: Path
    italic: Path


@dataclass(slots=True)
class Sheet:
    """`pixels`: uint8 (height, width, 3). `lines`: of each line of text its words with float (4, 2) corners, clockwise
    from the word's own top-left; a row of a table is one line."""

    pixels: np.ndarray
    dpi: float
    lines: list[list[tuple[str, np.ndarray]]] = field(default_factory=list)


def faces(more: Path | None = None) -> list[Face]:
    """Typefaces found on this machine, and below `more`, in a fixed order. Raises FileNotFoundError without any."""
    folders = [Path("/usr/share/fonts/truetype")] + ([more] if more else [])
    files = {path.stem: path for folder in folders for path in sorted(folder.rglob("*.ttf"))}
    found = []
    for stem, path in sorted(files.items()):
        name = stem.removesuffix("-Regular")
        if stem != name or f"{stem}-Bold" in files:
            italic = next((files[k] for k in (f"{name}-Italic", f"{name}-Oblique", f"{name}-It") if k in files), path)
            found.append(Face(path, files.get(f"{name}-Bold", path), italic))
    if not found:
        raise FileNotFoundError(f"no typeface with a regular cut lies in {', '.join(map(str, folders))}")
    return found


def draw(parts: Sequence[Part], face: Face, dpi: int, ink: tuple[int, int, int] = (15, 15, 18)) -> Sheet:
    """The parts on white A4, from top to bottom; what does not fit below is left away."""
    width, height = round(8.27 * dpi), round(11.69 * dpi)
    image = Image.new("RGB", (width, height), "white")
    pen = _Pen(ImageDraw.Draw(image), face, dpi, ink)
    margin = round(0.75 * dpi)
    pen.bottom, y = height - margin, float(margin)
    for part in parts:
        y = pen.part(part, margin, y, width - 2 * margin)
    return Sheet(np.asarray(image), float(dpi), pen.lines)


class _Pen:
    def __init__(self, draw: ImageDraw.ImageDraw, face: Face, dpi: int, ink: tuple[int, int, int]) -> None:
        self.draw, self.face, self.dpi, self.ink, self.bottom = draw, face, dpi, ink, 0
        self.lines: list[list[tuple[str, np.ndarray]]] = []

    def part(self, part: Part, x: float, y: float, width: float) -> float:
        """Draws it; returns where the next one starts."""
        if isinstance(part, Gap):
            middle = y + part.height / 144 * self.dpi
            if part.rule and middle < self.bottom:
                self.draw.line((x, middle, x + width, middle), fill=self.ink, width=max(1, self.dpi // 150))
            return y + part.height / 72 * self.dpi
        if isinstance(part, Row):
            return self._row(part, x, y, width)
        if isinstance(part, Columns):
            gap = 0.3 * self.dpi
            own, ends = (width - gap) / 2, []
            for number, column in enumerate((part.left, part.right)):
                down = y
                for text in column:
                    down = self.part(text, x + number * (own + gap), down, own)
                ends.append(down)
            return max(ends)
        return self._paragraph(part, x, y, width)

    def _row(self, row: Row, x: float, y: float, width: float) -> float:
        font, step = self._font(row.size, row.style), 1.7 * row.size / 72 * self.dpi
        if y + step > self.bottom:
            return y
        pad, line = 0.06 * self.dpi, []
        edges = [x + at * width for at in row.at] + [x + width]
        for cell, left, right in zip(row.cells, edges, edges[1:], strict=False):
            if row.ruled:
                self.draw.rectangle((left, y, right, y + step), outline=self.ink, width=max(1, self.dpi // 200))
            line += self._words(cell, left + pad, y + 0.2 * step, font)
        self.lines.append(line)
        return y + step

    def _paragraph(self, part: Text, x: float, y: float, width: float) -> float:
        font, step = self._font(part.size, part.style), LEADING * part.size / 72 * self.dpi
        rows: list[list[str]] = [[]]
        for word in part.text.split():
            if rows[-1] and font.getlength(" ".join([*rows[-1], word])) > width:
                rows.append([])
            rows[-1].append(word)
        for row in rows:
            if y + step > self.bottom:
                break
            self.lines.append(self._words(" ".join(row), x, y, font))
            y += step
        return y

    def _words(self, text: str, x: float, y: float, font: ImageFont.FreeTypeFont) -> list[tuple[str, np.ndarray]]:
        words = []
        for word in text.split():
            self.draw.text((x, y), word, font=font, fill=self.ink)
            left, top, right, bottom = self.draw.textbbox((x, y), word, font=font)
            words.append((word, np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)))
            x += font.getlength(word + " ")
        return words

    def _font(self, size: float, style: str) -> ImageFont.FreeTypeFont:
        path = {"bold": self.face.bold, "italic": self.face.italic}.get(style, self.face.regular)
        return ImageFont.truetype(str(path), round(size / 72 * self.dpi))

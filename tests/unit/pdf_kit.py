"""Small files made on the spot, pages whose words stand where we say, and three readers that find them again."""

from __future__ import annotations

import io
import re
import subprocess
from collections import defaultdict
from collections.abc import Sequence
from html import unescape
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.pdf_words import Found
from benchmarks.pdf_words import by_pdfium as words_by_pdfium  # noqa: F401  tests take all readers from here
from benchmarks.pdf_words import by_pdfminer as words_by_pdfminer  # noqa: F401
from domain.document import Box, OcrPage, PageSource, TextLine, TextWord


def picture(width: int = 400, height: int = 300, mode: str = "RGB") -> Image.Image:
    """A white page with some dark bars, so that lossy coding has something to do."""
    image = Image.new("RGB", (width, height), (255, 255, 255))
    draw = ImageDraw.Draw(image)
    for top in range(40, height - 20, 40):
        draw.rectangle((30, top, width - 60, top + 12), fill=(20, 30, 60))
    return image.convert(mode)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def scan_pdf(pages: int = 1, dpi: float = 100.0, size: tuple[int, int] = (400, 300)) -> bytes:
    import img2pdf

    jpeg = encoded(picture(*size), "JPEG", dpi=(dpi, dpi))
    return img2pdf.convert([jpeg] * pages)


def typed_pdf(text: str, rotate: int = 0, invisible: bool = False) -> bytes:
    """One A4 page of 11-point lines, from the top left."""
    from fpdf import FPDF
    from fpdf.enums import TextMode

    pdf = FPDF(unit="pt", format="A4")
    pdf.add_page()
    pdf.set_font("Helvetica", size=11)
    if invisible:
        pdf.text_mode = TextMode.INVISIBLE
    for row, line in enumerate(text.split("\n")):
        pdf.text(60, 80 + 16 * row, line)
    return rotated(bytes(pdf.output()), rotate)


def rotated(pdf_bytes: bytes, degrees: int) -> bytes:
    import pikepdf

    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf_bytes)) as pdf:
        for page in pdf.pages:
            page.Rotate = degrees
        pdf.save(out)
    return out.getvalue()


def stamped(scan: bytes, text_pdf: bytes, under: bool = False) -> bytes:
    """The scan with another PDF's page drawn over (or under) it."""
    import pikepdf

    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(scan)) as pdf, pikepdf.open(io.BytesIO(text_pdf)) as layer:
        page = pdf.pages[0]
        draw = page.add_underlay if under else page.add_overlay
        draw(layer.pages[0], pikepdf.Rectangle(*(float(side) for side in page.mediabox)))
        pdf.save(out)
    return out.getvalue()


def turning(degrees: float, width: float, height: float) -> np.ndarray:
    """float (3, 3): turns clockwise as seen, about the page's centre."""
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1.0]])
    centre = np.array([[1, 0, width / 2], [0, 1, height / 2], [0, 0, 1.0]])
    return centre @ turn @ np.linalg.inv(centre)


def read_page(
    rows: Sequence[str], width: int, height: int, dpi: float, matrix: np.ndarray | None = None, number: int = 1
) -> OcrPage:
    """A page as an engine would return it: words of 18 pixels a character, 32 high, taken through `matrix`."""
    matrix = np.eye(3) if matrix is None else matrix
    top, lines = height * 0.25, []
    for row in rows:
        left, words = width * 0.2, []
        for text in row.split(" "):
            right = left + 18 * max(1, len(text))
            corners = [(left, top), (right, top), (right, top + 32), (left, top + 32)]
            seen = np.array([[x, y, 1.0] for x, y in corners]) @ matrix.T
            words.append(TextWord(text, 0.9, tuple((float(x / w), float(y / w)) for x, y, w in seen)))
            left = right + 12
        lines.append(TextLine(tuple(words)))
        top += 60
    return OcrPage(number, width, height, dpi, 0, 0.0, PageSource.OCR, tuple(lines))


def words_by_poppler(path: Path, width_px: int, height_px: int, number: int = 1) -> Found:
    command = ["pdftotext", "-bbox", "-f", str(number), "-l", str(number), str(path), "-"]
    html = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    size = re.search(r'<page width="([\d.]+)" height="([\d.]+)"', html)
    assert size
    across, down = width_px / float(size[1]), height_px / float(size[2])
    pattern = r'<word xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">(.*?)</word>'
    return [
        (unescape(text), _scaled(Box(float(a), float(b), float(x), float(y)), across, down))
        for a, b, x, y, text in re.findall(pattern, html)
    ]


def share_at_place(found: Found, words: Sequence[TextWord]) -> float:
    """Share of `words` found with the same text, their box overlapping the true one by more than half."""
    by_text: dict[str, list[Box]] = defaultdict(list)
    for text, box in found:
        by_text[text].append(box)
    hits = sum(any(box.iou(word.box) > 0.5 for box in by_text[word.text]) for word in words)
    return hits / len(words)


def _scaled(box: Box, across: float, down: float) -> Box:
    return Box(box.left * across, box.top * down, box.right * across, box.bottom * down)

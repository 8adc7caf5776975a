"""The drawn samples as the tests use them: sheets with exact truth, and pages as a perfect reader would give them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from domain.document import Box, OcrPage, PageSource, TextLine, TextWord

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "samples"
sys.path.insert(0, str(SAMPLES))  # the samples' scripts are no package: they are run as `python data/samples/...`

import sample_sheets  # noqa: E402
from sheet_drawing import SANS, Damage, Sheet, damage, draw_sheet  # noqa: E402

__all__ = ["SAMPLES", "SANS", "Damage", "Sheet", "as_page", "damage", "draw_sheet", "page_of", "sample_sheets"]


def as_page(sheet: Sheet, number: int = 1, confidence: float = 0.97) -> OcrPage:
    """The sheet as read without a fault."""
    lines = tuple(TextLine(tuple(TextWord(w.text, confidence, w.quad) for w in line)) for line in sheet.lines)
    height, width = sheet.pixels.shape[:2]
    return OcrPage(number, width, height, 150, 0, 0.0, PageSource.OCR, lines)


def page_of(lines: Sequence[str], number: int = 1, confidences: dict[str, float] | None = None) -> OcrPage:
    """A page of typed lines; words stand on a grid. `confidences`: of single words, by their text."""
    made = []
    for row, line in enumerate(lines):
        words = [
            TextWord.upright(
                text, (confidences or {}).get(text, 0.99), Box(at * 60, row * 30, at * 60 + 50, row * 30 + 20)
            )
            for at, text in enumerate(line.split())
        ]
        made.append(TextLine(tuple(words)))
    return OcrPage(number, 1240, 1754, 150, 0, 0.0, PageSource.OCR, tuple(made))

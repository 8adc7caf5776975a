"""A record that was never paper, set on A4 pages so that it is seen, searched and cited like any other.

Knows fonts and line breaking; does not know stores or models. The words' boxes are exact because we place them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files

from domain.document import Box, OcrPage, PageSource, TextLine, TextWord
from domain.errors import UploadRejected

POINTS_PER_INCH = 72
DPI = 150  # pixels of the page picture; 1240 x 1754 for A4
A4_POINTS = (595.28, 841.89)
MARGIN = 56.0  # points, 2 cm
BODY_SIZE, TITLE_SIZE = 11.0, 15.0  # points
LEADING = 1.4  # line height over font size
ASCENT, DESCENT = 0.8, 0.22  # ink above and below the baseline over font size, Noto Sans
MAX_TYPED_CHARS = 500_000  # about 200 pages

FONT_PACKAGE, FONT_FILE = "ocrmypdf.data", "NotoSans-Regular.ttf"  # SIL OFL 1.1, ships with OCRmyPDF


@dataclass(frozen=True, slots=True)
class TypedRecord:
    """`pdf`: the typeset pages; `pages`: the same words with their boxes in pixels at DPI."""

    pages: tuple[OcrPage, ...]
    pdf: bytes
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Placed:
    word: str
    page: int
    line: int
    x: float  # points from the left
    baseline: float  # points from the top
    width: float  # points
    size: float  # points


def typeset(title: str, text: str) -> TypedRecord:
    """Set `text` under `title`. Raises UploadRejected for an empty or far too long text."""
    if not text.strip():
        raise UploadRejected("The record has no text, so there is nothing to file. Type or paste its text first.")
    if len(text) > MAX_TYPED_CHARS:
        raise UploadRejected(
            f"The text has {len(text):,} characters; a typed record may have {MAX_TYPED_CHARS:,}. "
            "Split it into several records."
        )
    pdf = _sheet()
    placed = tuple(_place(pdf, _clean(title).strip(), _clean(text)))
    if not placed:
        raise UploadRejected("The record has no visible character, so there is nothing to file. Type its text first.")
    pages = _pages(placed)
    return TypedRecord(pages, draw(pages, title), _unseen(pdf, placed))


def draw(pages: Sequence[OcrPage], title: str) -> bytes:
    """The PDF of typed pages: each word where its box stands. Used for the first setting and after each correction."""
    pdf = _sheet()
    pdf.set_title(_clean(title).strip() or "Record")
    pdf.set_creator("HEALTH CONNECT")
    to_points = POINTS_PER_INCH / DPI
    for page in pages:
        pdf.add_page()
        for word in page.words:
            size = word.box.height * to_points / (ASCENT + DESCENT)
            pdf.set_font("body", size=size)
            pdf.text(word.box.left * to_points, word.box.top * to_points + size * ASCENT, word.text)
    return bytes(pdf.output())


def _sheet():  # type: ignore[no-untyped-def]
    from fpdf import FPDF

    pdf = FPDF(unit="pt", format="A4")
    pdf.set_auto_page_break(False)
    with as_file(files(FONT_PACKAGE) / FONT_FILE) as font:
        pdf.add_font("body", fname=font)
    return pdf


def _unseen(pdf, placed: Sequence[_Placed]) -> tuple[str, ...]:  # type: ignore[no-untyped-def]
    glyphs = pdf.fonts["body"].cmap
    unseen = {char for item in placed for char in item.word if ord(char) not in glyphs}
    if not unseen:
        return ()
    return (f"{len(unseen)} characters have no picture in the page font; the text itself is kept and searchable.",)


def _clean(text: str) -> str:
    """Without control characters, which PDF text and markup cannot hold; line ends and tabs stay as space."""
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return "".join(char for char in text if char == "\n" or unicodedata.category(char)[0] != "C")


def _place(pdf, title: str, text: str) -> Iterator[_Placed]:  # type: ignore[no-untyped-def]
    page, line, y = 1, 0, MARGIN
    right, bottom = A4_POINTS[0] - MARGIN, A4_POINTS[1] - MARGIN
    paragraphs = [(title, TITLE_SIZE)] * bool(title) + [(part, BODY_SIZE) for part in text.split("\n")]
    for paragraph, size in paragraphs:
        pdf.set_font("body", size=size)
        space = pdf.get_string_width(" ")
        x = MARGIN
        y += size * LEADING
        line += 1
        for word in _pieces(pdf, paragraph.split(), right - MARGIN):
            width = pdf.get_string_width(word)
            if x + width > right and x > MARGIN:
                x = MARGIN
                y += size * LEADING
                line += 1
            if y > bottom:
                page, y, x = page + 1, MARGIN + size * LEADING, MARGIN
            yield _Placed(word, page, line, x, y, width, size)
            x += width + space


def _pieces(pdf, words: list[str], room: float) -> Iterator[str]:  # type: ignore[no-untyped-def]
    """Words, those wider than the column cut into pieces that fit."""
    for word in words:
        while word and pdf.get_string_width(word) > room:
            fits = max(1, int(len(word) * room / pdf.get_string_width(word)) - 1)
            yield word[:fits]
            word = word[fits:]
        if word:
            yield word


def _pages(placed: tuple[_Placed, ...]) -> tuple[OcrPage, ...]:
    scale = DPI / POINTS_PER_INCH
    width, height = (round(side * scale) for side in A4_POINTS)
    pages = []
    for number in range(1, placed[-1].page + 1):
        lines: dict[int, list[TextWord]] = {}
        for item in (p for p in placed if p.page == number):
            box = Box(
                item.x * scale,
                (item.baseline - item.size * ASCENT) * scale,
                (item.x + item.width) * scale,
                (item.baseline + item.size * DESCENT) * scale,
            )
            lines.setdefault(item.line, []).append(TextWord.upright(item.word, 1.0, box))
        pages.append(
            OcrPage(
                number=number,
                width_px=width,
                height_px=height,
                dpi=DPI,
                rotation_deg=0,
                skew_deg=0.0,
                source=PageSource.TYPED,
                lines=tuple(TextLine(tuple(words)) for words in lines.values()),
            )
        )
    return tuple(pages)

"""A PDF/A-2b with real fonts for any script, text that can be selected and searched, black on white.

The fonts are cut down to the characters in use with HarfBuzz before the PDF writer sees them: it would parse the whole
of a 16 MB font otherwise.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

MARGIN = 10.0  # millimetres
FONTS = (  # (package, file) in order of preference; a missing package only costs its characters
    ("pipelines.fonts", "DejaVuSans.ttf"),
    ("ocrmypdf.data", "NotoSans-Regular.ttf"),
    ("cvttf_NotoSansCJK_Regular", "NotoSansCJKtc-Regular.otf"),
)
BOLD_FONT = ("pipelines.fonts", "DejaVuSans-Bold.ttf")
NO_PICTURE = "□"  # stands for a character that no font here can draw
SHAPED = frozenset({"R", "AL", "NSM"})  # bidirectional classes that need a shaping engine
_ALWAYS = {chr(code) for code in range(33, 127)} | set(f"{NO_PICTURE}×·–•")


def open_pdf(size_mm: tuple[float, float], title: str, text: str, folder: Path) -> tuple[Any, frozenset[str]]:
    """An empty PDF with fonts for `text`, and the characters of it that no font has. `folder`: to work in.

    `title` is shown in window bars and file lists, so it names nobody.
    """
    from fpdf import FPDF
    from fpdf.enums import DocumentCompliance

    pdf = FPDF(unit="mm", format=size_mm, enforce_compliance=DocumentCompliance.PDFA_2B)
    pdf.set_margins(MARGIN, MARGIN)
    pdf.set_auto_page_break(True, margin=MARGIN)
    pdf.set_title(title)
    pdf.set_creator("HEALTH CONNECT")
    pdf.set_lang("en")
    wanted = {char for char in text if not char.isspace()} | set(_ALWAYS)
    left = set(wanted)
    fallbacks = []
    for at, (package, name) in enumerate(FONTS):
        here = {char for char in left if ord(char) in _coverage(package, name)}
        if at and not here:
            continue
        left -= here
        family = "body" if not at else f"more{at}"
        _add_font(pdf, family, "", package, name, here, folder)
        if not at:
            _add_font(pdf, family, "B", *BOLD_FONT, here & {chr(c) for c in _coverage(*BOLD_FONT)}, folder)
        else:
            _add_font(pdf, family, "B", package, name, here, folder)  # no bold of it; plain beats a missing glyph
            fallbacks.append(family)
    if fallbacks:
        pdf.set_fallback_fonts(fallbacks, exact_match=False)
    if any(unicodedata.bidirectional(char) in SHAPED or 0x0900 <= ord(char) <= 0x0DFF for char in wanted):
        pdf.set_text_shaping(True, direction="ltr")  # the labels are; a name still runs its own way
    pdf.add_page()
    return pdf, frozenset(left)


def write(pdf: Any, text: str, size: float, unseen: frozenset[str], bold: bool = False) -> None:
    """A paragraph over the whole width. `size`: in points; `unseen`: as open_pdf gave it."""
    drawn = "".join(NO_PICTURE if char in unseen else char for char in text)
    pdf.set_font("body", "B" if bold else "", size)
    pdf.multi_cell(0, size * 0.48, drawn, align="L", new_x="LMARGIN", new_y="NEXT", wrapmode="WORD")


def rule(pdf: Any) -> None:
    """A line across the page."""
    pdf.ln(1)
    y = pdf.get_y()
    pdf.line(MARGIN, y, pdf.w - MARGIN, y)
    pdf.ln(1.5)


def _add_font(
    pdf: Any, family: str, style: str, package: str, name: str, characters: Sequence[str] | set[str], folder: Path
) -> None:
    import uharfbuzz

    wanted = uharfbuzz.SubsetInput()
    for char in characters:
        wanted.unicode_set.add(ord(char))
    wanted.unicode_set.add(ord(" "))
    target = folder / f"{family}{style}{Path(name).suffix}"
    target.write_bytes(uharfbuzz.subset(_face(package, name), wanted).blob.data)
    pdf.add_font(family, style, str(target))


@functools.lru_cache(maxsize=8)
def _coverage(package: str, name: str) -> frozenset[int]:
    """Code points that a font draws; none when its package is not installed."""
    try:
        return frozenset(_face(package, name).unicodes)
    except (ModuleNotFoundError, FileNotFoundError):
        return frozenset()


@functools.lru_cache(maxsize=8)
def _face(package: str, name: str) -> Any:
    import uharfbuzz

    return uharfbuzz.Face(uharfbuzz.Blob((files(package) / name).read_bytes()))

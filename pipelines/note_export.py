"""A note as a file: PDF, DOCX, plain text. An unsigned one is marked as a draft on every page."""

from __future__ import annotations

import io
from importlib.resources import files
from typing import Any

from pipelines.note_templates import Paper

MARGIN_MM = 18.0
BODY, SMALL, HEADING, TITLE = 10.5, 8.5, 12.5, 17.0  # points
MARK_POINTS, MARK_GREY, MARK_DEGREES = 44.0, 222, 45.0  # pale enough to read through, large enough to be seen in a fax
MISSING = "□"  # stands for a character that the font lacks


def as_pdf(paper: Paper) -> bytes:
    """A4 with embedded fonts and selectable text."""
    pdf = _new_pdf(paper.mark)
    pdf.add_page()
    _write(pdf, paper.title, TITLE, bold=True)
    for name, value in paper.facts:
        _write(pdf, f"{name}: {value}", BODY)
    for part in paper.parts:
        pdf.ln(3)
        _write(pdf, part.heading, HEADING, bold=True)
        for line in part.lines:
            _write(pdf, f"•  {line}", BODY)
    pdf.ln(5)
    for row in paper.foot:
        _write(pdf, row, SMALL)
    return bytes(pdf.output())


def as_docx(paper: Paper) -> bytes:
    """A Word document; the mark of a draft stands in the header of every page."""
    from docx import Document
    from docx.shared import Pt, RGBColor

    document = Document()
    document.core_properties.title = paper.title  # no name: titles are shown in window bars and file lists
    document.core_properties.author = "HEALTH CONNECT"
    if paper.mark:
        run = document.sections[0].header.paragraphs[0].add_run(paper.mark)
        run.bold, run.font.size, run.font.color.rgb = True, Pt(20), RGBColor(0xB0, 0x1E, 0x1E)
    document.add_heading(_storable(paper.title), level=1)
    for name, value in paper.facts:
        document.add_paragraph(_storable(f"{name}: {value}"))
    for part in paper.parts:
        document.add_heading(_storable(part.heading), level=2)
        for line in part.lines:
            document.add_paragraph(_storable(line), style="List Bullet")
    for row in paper.foot:
        document.add_paragraph().add_run(_storable(row)).italic = True
    made = io.BytesIO()
    document.save(made)
    return made.getvalue()


def _new_pdf(mark: str) -> Any:
    from fpdf import FPDF

    class Marked(FPDF):
        """Pages that carry the mark of a draft beneath their text."""

        def header(self) -> None:
            if not mark:
                return
            self.set_font("body", "B", MARK_POINTS)
            self.set_text_color(MARK_GREY)
            width = self.get_string_width(mark)
            with self.rotation(MARK_DEGREES, self.w / 2, self.h / 2):
                self.text((self.w - width) / 2, self.h / 2, mark)
            self.set_text_color(0)

        def footer(self) -> None:
            self.set_y(-12)
            self.set_font("body", "", SMALL)
            self.cell(0, 5, f"{mark + '   ' if mark else ''}{self.page_no()} / {{nb}}", align="C")

    pdf = Marked(unit="mm", format="A4")
    pdf.set_margins(MARGIN_MM, MARGIN_MM)
    pdf.set_auto_page_break(True, margin=MARGIN_MM)
    pdf.set_title("Consultation note")
    pdf.set_creator("HEALTH CONNECT")
    pdf.set_lang("en")
    fonts = files("pipelines.fonts")
    pdf.add_font("body", "", str(fonts / "DejaVuSans.ttf"))
    pdf.add_font("body", "B", str(fonts / "DejaVuSans-Bold.ttf"))
    return pdf


def _write(pdf: Any, text: str, points: float, bold: bool = False) -> None:
    known = pdf.fonts["bodyB" if bold else "body"].cmap
    shown = "".join(char if ord(char) in known or char.isspace() else MISSING for char in _storable(text))
    pdf.set_font("body", "B" if bold else "", points)
    pdf.multi_cell(0, points * 0.5, shown, new_x="LMARGIN", new_y="NEXT")


def _storable(text: str) -> str:
    """Without control characters, which neither XML nor a page can hold."""
    return "".join(char if char.isprintable() else " " for char in text)

"""A note as a file: PDF, DOCX, plain text. An unsigned one is marked as a draft on every page."""

from __future__ import annotations

import io
from importlib.resources import files
from typing import Any

from pipelines.note_templates import Paper

MARGIN_MM = 18.0
BODY, SMALL, HEADING, TITLE = 10.5, 8.5, 12.5, 17.0  # points
MARK_POINTS, MARK_GREY, MARK_DEGREES = 44.0, 222, 45.0  # pale enough to read through, large enough to be seen in a fax
BULLET_MM, RULE_GREY = 5.0, 150
MISSING = "□"  # stands for a character that the font lacks


def as_pdf(paper: Paper) -> bytes:
    """A4 with embedded fonts and selectable text."""
    pdf = _new_pdf(paper)
    pdf.add_page()
    _write(pdf, paper.title, TITLE, bold=True)
    pdf.ln(1)
    for name, value in paper.facts:
        _write(pdf, f"{name}: {value}", BODY)
    _rule(pdf)
    for part in paper.parts:
        if pdf.will_page_break(HEADING + BODY):  # a heading is never the last thing on a page
            pdf.add_page()
        pdf.ln(2)
        _write(pdf, part.heading, HEADING, bold=True)
        for line in part.lines:
            _write(pdf, line, BODY, indent=BULLET_MM)
    pdf.ln(2)
    _rule(pdf)
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
    if paper.owner:
        document.sections[0].footer.paragraphs[0].add_run(_storable(paper.owner)).font.size = Pt(SMALL)
    made = io.BytesIO()
    document.save(made)
    return made.getvalue()


def _new_pdf(paper: Paper) -> Any:
    from fpdf import FPDF

    mark = paper.mark

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
            self.set_y(-14)
            self.set_font("body", "", SMALL)
            self.cell(
                0,
                5,
                "   ".join(filter(None, (mark, _drawable(self, paper.owner), f"{self.page_no()} / {{nb}}"))),
                align="C",
            )

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


def _write(pdf: Any, text: str, points: float, bold: bool = False, indent: float = 0.0) -> None:
    """A paragraph; with an `indent` (mm) a point stands before it, and its lines hang."""
    pdf.set_font("body", "B" if bold else "", points)
    height = points * 0.48
    shown = _drawable(pdf, text, bold)
    if indent:
        # The point goes on the page where the paragraph begins.
        if pdf.will_page_break(height):
            pdf.add_page()
        pdf.cell(indent, height, "•")
    left = pdf.l_margin
    pdf.set_left_margin(left + indent)
    pdf.multi_cell(0, height, shown, align="L", new_x="LMARGIN", new_y="NEXT", padding=(0, 0, 0.6 if indent else 0, 0))
    pdf.set_left_margin(left)
    pdf.set_x(left)


def _rule(pdf: Any) -> None:
    pdf.ln(1.5)
    pdf.set_draw_color(RULE_GREY)
    pdf.line(pdf.l_margin, pdf.get_y(), pdf.w - pdf.r_margin, pdf.get_y())
    pdf.ln(1.5)


def _drawable(pdf: Any, text: str, bold: bool = False) -> str:
    known = pdf.fonts["bodyB" if bold else "body"].cmap
    return "".join(char if ord(char) in known or char.isspace() else MISSING for char in _storable(text))


def _storable(text: str) -> str:
    """Without control characters, which neither XML nor a page can hold."""
    return "".join(char if char.isprintable() else " " for char in text)

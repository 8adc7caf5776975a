"""A note on paper: what was added stands out, each page says whose it is, and nothing is lost over the pages."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime

import docx
import pypdfium2
import pytest

from domain.consultation import Addendum, ConsultationNote, NoteLine, Signature
from pipelines.note_export import as_docx, as_pdf
from pipelines.note_templates import TEMPLATES, Person, as_text, lay_out

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
ELISE = Person("Élise Čapek", date(1970, 2, 3), "HC-0042")
LONG = tuple(
    NoteLine(f"Line {number} of the plan. {'It is long. ' * 12}", "plan", ("u1",), "Plan") for number in range(60)
)


def pages_of(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    return [page.get_textpage().get_text_bounded() for page in document]


def test_every_page_of_a_draft_says_so_and_whose_it_is() -> None:
    paper = lay_out(ConsultationNote("c", LONG), "soap", ELISE, AT.date())
    pages = pages_of(as_pdf(paper))
    assert len(pages) > 2
    assert all("DRAFT: not signed" in page and "Élise Čapek, 1970-02-03, HC-0042" in page for page in pages)
    text = " ".join(pages)
    assert all(f"Line {number} of the plan." in text for number in range(60))
    word = docx.Document(io.BytesIO(as_docx(paper)))
    assert "Élise Čapek" in word.sections[0].footer.paragraphs[0].text


@pytest.mark.parametrize("template", TEMPLATES)
def test_an_addendum_is_no_small_print(template: str) -> None:
    line = NoteLine("Come back in a week.", "plan", ("u1",), "Plan")
    addenda = (Addendum("Troponin normal.", "Dr. Ada", AT),)
    note = ConsultationNote("c", (line,), signature=Signature("Dr. Ada", AT, "ab" * 32), addenda=addenda)
    paper = lay_out(note, template, ELISE, AT.date())
    assert paper.parts[-1].heading == "Added after signing"
    assert paper.parts[-1].lines == ("2026-11-24 09:30 UTC, Dr. Ada: Troponin normal.",)
    assert as_text(paper).count("Troponin") == 1


def test_a_note_of_nobody_has_no_owner() -> None:
    assert lay_out(ConsultationNote("c", LONG), "soap", Person(), AT.date()).owner == ""

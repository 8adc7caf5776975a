"""A typed record: every word kept, placed where the PDF shows it, and refused when there is nothing to keep."""

from __future__ import annotations

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import UploadRejected
from pipelines.typed_record import DPI, MAX_TYPED_CHARS, POINTS_PER_INCH, typeset


def test_words_stand_in_the_pdf_where_their_boxes_say() -> None:
    record = typeset("Clinic note", "Denies orthopnoea.\nTakes ramipril 2.5 mg daily.")
    with pypdfium2.PdfDocument(record.pdf) as pdf:
        page = pdf[0]
        height = page.get_height()
        for word in record.pages[0].words:
            scale = POINTS_PER_INCH / DPI
            box = word.box
            read = page.get_textpage().get_text_bounded(
                left=box.left * scale, right=box.right * scale,
                top=height - box.top * scale, bottom=height - box.bottom * scale,
            )  # fmt: skip
            assert read.strip() == word.text


def test_a_long_text_runs_over_pages_and_loses_no_word() -> None:
    words = [f"word{number}" for number in range(4000)]
    record = typeset("Long", " ".join(words))
    assert len(record.pages) > 3
    assert [word.text for page in record.pages for word in page.words] == ["Long", *words]
    assert all(word.box.right <= page.width_px and word.box.bottom <= page.height_px
               for page in record.pages for word in page.words)  # fmt: skip


def test_markup_is_kept_as_text() -> None:
    record = typeset("<b>x</b>", "<script>alert(1)</script>")
    assert record.pages[0].text == "<b>x</b>\n<script>alert(1)</script>"


@pytest.mark.parametrize("text", ["", "  \n\t ", "x" * (MAX_TYPED_CHARS + 1)])
def test_nothing_or_too_much_is_refused(text: str) -> None:
    with pytest.raises(UploadRejected):
        typeset("Title", text)


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=300))
def test_any_text_is_set_or_refused(text: str) -> None:
    try:
        record = typeset("t", "a " + text)
    except UploadRejected:
        return
    assert record.pdf.startswith(b"%PDF")
    assert all("\x00" not in word.text for page in record.pages for word in page.words)

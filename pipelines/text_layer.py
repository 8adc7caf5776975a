"""Lays what was read over the pages as invisible text: the searchable PDF, PDF/A-2b wherever the source allows it.

Knows OCRmyPDF, which grafts the layers, keeps the pictures, and makes it PDF/A. The layers themselves come from
word_layer, the pages under them from base_pdf.
"""

from __future__ import annotations

import logging
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.document import OcrPage, PageImage, PageSource, TextLine
from domain.errors import StorageFailed
from domain.limits import Limits
from domain.upload import Upload
from pipelines import base_pdf, glyphless_font, intake, word_layer

PLUGIN = "pipelines.read_pages_plugin"
GRAFTED_PREFIX = "/OCR-"  # what OCRmyPDF calls the form it grafts
LAYER_MARK = b"% HEALTH CONNECT words"  # first line of the content stream that holds our words
PDFA_MARK = "2B"
NO_PDFA = (
    "The PDF cannot be kept in the archive format PDF/A: {reason}. It is an ordinary searchable PDF; its pages look as "
    "they did."
)


@dataclass(frozen=True, slots=True)
class SearchablePdf:
    """What was written. `conformance`: "2B" for PDF/A-2b, "" for an ordinary PDF (then `warnings` say why)."""

    path: Path
    pages: int
    words: int
    conformance: str
    warnings: tuple[str, ...] = ()


def lay_text(
    upload: Upload, pages: Sequence[OcrPage], title: str, language: str, straighten: bool = False, *, out: Path
) -> SearchablePdf:
    """Write to `out` the upload with its words as invisible text.

    `pages`: every page of the upload, in order; BORN_DIGITAL ones keep their own text untouched. `language`: BCP 47.
    `straighten`: pages that lay turned or tilted are shown upright, as new pictures; otherwise every picture is kept
    bit for bit. Raises StorageFailed naming the page that is missing or came out without its text.
    """
    _all_there(upload, pages)
    try:
        with tempfile.TemporaryDirectory(dir=out.parent) as name:
            base = Path(name) / "base.pdf"
            base_pdf.build(upload, pages, base)
            if straighten:
                _straighten(upload, pages, base)
            _write_layers(upload, pages, base, straighten)
            finished = Path(name) / "finished.pdf"
            conformance, warnings = _run(base, finished, title, language)
            _into_the_pages(finished, pages)
            finished.replace(out)
    except OSError as error:
        raise StorageFailed(
            "The searchable PDF could not be written, so nothing was filed. Check the free disk space and try again."
        ) from error
    return SearchablePdf(out, len(pages), sum(len(page.words) for page in pages), conformance, warnings)


def relay_page(pdf_path: Path, page: OcrPage, straighten: bool = False, *, out: Path) -> None:
    """Lay the words of one page anew (after a correction) in a PDF that `lay_text` wrote; `out` may be `pdf_path`.

    The rest of the file stays as it is. `straighten` as it was given to `lay_text`. Raises StorageFailed when the page
    has no layer of ours.
    """
    import pikepdf

    try:
        with pikepdf.open(pdf_path, allow_overwriting_input=True) as pdf:
            target = pdf.pages[page.number - 1]
            found = _layer_of(target)
            if found is None:
                raise StorageFailed(_without_text(page.number))
            layer, fonts = found
            lines, width, height = _lines_as_shown(page, straighten)
            data, codes = word_layer.content(lines, width, height, word_layer.frame_of(target))
            old = layer.read_bytes()
            layer.write(old.partition(b"BT\n")[0] + data + old.rpartition(b"ET")[2])  # what stands around it stays
            fonts[word_layer.FONT].ToUnicode = pdf.make_stream(glyphless_font.to_unicode(codes.items()))
            with tempfile.NamedTemporaryFile(dir=out.parent, suffix=".pdf", delete=False) as handle:
                pdf.save(handle)
        Path(handle.name).replace(out)
    except (pikepdf.PdfError, OSError, IndexError) as error:
        raise StorageFailed(
            f"The correction on page {page.number} could not be written into the searchable PDF. Try again; if it "
            "happens again, digitise the record anew."
        ) from error


def _all_there(upload: Upload, pages: Sequence[OcrPage]) -> None:
    numbers = [page.number for page in pages]
    for expected in range(1, upload.page_count + 1):
        if expected not in numbers:
            raise StorageFailed(
                f"Page {expected} of {upload.page_count} was not read, so no searchable PDF was made: it would hide "
                "that the page has no text. Digitise the record again."
            )
    if numbers != list(range(1, upload.page_count + 1)):
        raise StorageFailed("The pages read do not match the pages of the file. Digitise the record again.")


def _straighten(upload: Upload, pages: Sequence[OcrPage], base: Path) -> None:
    turning = {page.number: page for page in pages if base_pdf.needs_turning(page)}
    if not turning:
        return
    images: Iterable[PageImage] = intake.pages(upload, Limits())
    base_pdf.replace_straightened(base, ((turning[i.number], i) for i in images if i.number in turning))


def _lines_as_shown(page: OcrPage, straighten: bool) -> tuple[Sequence[TextLine], int, int]:
    """The lines, and the size in pixels of the page they stand on, after straightening if that was asked for."""
    if not (straighten and base_pdf.needs_turning(page)):
        return page.lines, page.width_px, page.height_px
    matrix, width, height = word_layer.levelled(page)
    return word_layer.moved(page.lines, matrix), width, height


def _write_layers(upload: Upload, pages: Sequence[OcrPage], base: Path, straighten: bool) -> None:
    """One text-only PDF a page where the plugin looks for it; an empty file where the page keeps its own text."""
    import pikepdf

    from pipelines import read_pages_plugin  # brings OCRmyPDF along, which takes seconds

    (base.parent / read_pages_plugin.LAYERS).mkdir()
    with pikepdf.open(base) as pdf:
        for page, target in zip(pages, pdf.pages, strict=True):
            place = read_pages_plugin.layer_file(base, page.number)
            if page.source is not PageSource.OCR:
                place.touch()
                continue
            frame = word_layer.frame_of(target)
            lines, width, height = _lines_as_shown(page, straighten)
            _write_layer(place, *word_layer.content(lines, width, height, frame), frame)


def _write_layer(place: Path, data: bytes, codes: dict[str, int], frame: word_layer.Frame) -> None:
    import pikepdf

    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(frame.page_width, frame.page_height))
        page.Contents = pdf.make_stream(data)
        page.Resources = pikepdf.Dictionary(
            Font=pikepdf.Dictionary({word_layer.FONT: pdf.make_indirect(glyphless_font.font_dictionary(pdf, codes))})
        )
        pdf.save(place)


def _run(base: Path, finished: Path, title: str, language: str) -> tuple[str, tuple[str, ...]]:
    """Have OCRmyPDF graft the layers; returns the PDF/A conformance reached and what to tell the user."""
    import ocrmypdf
    import pikepdf

    with pikepdf.open(base, allow_overwriting_input=True) as pdf:
        pdf.Root.Lang = pikepdf.String(language)
        pdf.save(base)
    logging.getLogger("pikepdf").setLevel(logging.WARNING)
    try:
        ocrmypdf.ocr(
            base,
            finished,
            language=["eng"],  # not used by our engine; the document's language stands in /Lang
            plugins=[PLUGIN],
            pdf_renderer="sandwich",
            mode="redo",  # another program's invisible layer goes where ours comes; pages without ours stay as they are
            output_type="auto",  # PDF/A-2b when the file can be proven to be that, else PDF
            pdfa_backend="internal",
            optimize=0,
            jobs=1,
            use_threads=True,
            progress_bar=False,
            title=word_layer.clean(title) or "Record",
            invalidate_digital_signatures=True,
        )
    except (ocrmypdf.exceptions.ExitCodeException, pikepdf.PdfError) as error:
        raise StorageFailed(
            "The searchable PDF could not be made from this file, so nothing was filed. Print the file to a new PDF, "
            "or scan the paper, and digitise that."
        ) from error
    with pikepdf.open(finished) as pdf, pdf.open_metadata() as metadata:
        conformance = str(metadata.pdfa_status)
    if conformance == PDFA_MARK:
        return conformance, ()
    return "", (NO_PDFA.format(reason="a font, colour or feature in it does not allow that"),)


def _into_the_pages(finished: Path, pages: Sequence[OcrPage]) -> None:
    """Move the layers out of the forms in which OCRmyPDF grafted them, into the pages' own content.

    pdfminer, and what stands on it, takes text in a form for part of a figure, and gives it without lines. Sideways
    text stays in its form: outside, pdfminer would take every character for a line. OCRmyPDF passes over a page whose
    layer failed; here such a page stops the job.
    """
    import pikepdf

    with pikepdf.open(finished, allow_overwriting_input=True) as pdf:
        if len(pdf.pages) != len(pages):
            raise StorageFailed("The searchable PDF came out with other pages than the file. Digitise it again.")
        for page, target in zip(pages, pdf.pages, strict=True):
            if page.source is PageSource.OCR:
                _move_layer(pdf, page, target)
        pdf.save(finished, object_stream_mode=pikepdf.ObjectStreamMode.generate)


def _move_layer(pdf: Any, page: OcrPage, target: Any) -> None:
    import pikepdf

    name, form = _grafted(target)
    content = target.obj.Contents.read_bytes()
    drawn = re.match(rb"\s*q\s+((?:[-+.\d]+\s+){6}cm)?\s*(/OCR-\S+)\s+Do\s+Q\s", content)
    if form is None or drawn is None or drawn.group(2).decode("ascii") != name:
        raise StorageFailed(_without_text(page.number))
    if word_layer.lies_sideways(page.words):
        return
    layer = pdf.make_stream(b"\n".join((LAYER_MARK, b"q", drawn.group(1) or b"", form.read_bytes(), b"Q", b"")))
    target.obj.Contents = pikepdf.Array([layer, pdf.make_stream(content[drawn.end() :])])
    target.obj.Resources.Font[word_layer.FONT] = form.Resources.Font[word_layer.FONT]
    del target.obj.Resources.XObject[name]


def _without_text(number: int) -> str:
    return (
        f"Page {number} came out without its text layer, so the searchable PDF was not kept. Digitise the record again."
    )


def _grafted(page: Any) -> tuple[str, Any | None]:
    """Name and form under which OCRmyPDF put our words on a pikepdf page; ("", None) where it did not."""
    for name, form in page.obj.Resources.get("/XObject", {}).items():
        if name.startswith(GRAFTED_PREFIX) and word_layer.FONT in form.get("/Resources", {}).get("/Font", {}):
            return name, form
    return "", None


def _layer_of(page: Any) -> tuple[Any, Any] | None:
    """The stream that holds our words on a pikepdf page, and its fonts; None where there is none."""
    import pikepdf

    contents = page.obj.get("/Contents")
    first = contents[0] if isinstance(contents, pikepdf.Array) and len(contents) else None
    if isinstance(first, pikepdf.Stream) and first.read_bytes().startswith(LAYER_MARK):
        return first, page.obj.Resources.Font
    _, form = _grafted(page)
    return None if form is None else (form, form.Resources.Font)

"""The searchable PDF: the right words, at the right place, over an untouched picture, in an archive format."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pdf_kit as kit
import pikepdf
import pikepdf.pdfa
import pytest
from PIL import Image

from domain.document import Box, OcrPage, PageSource, TextLine, TextWord
from domain.errors import StorageFailed
from domain.limits import Limits
from domain.upload import Upload
from pipelines import intake, text_layer, word_layer

ROWS = (
    "Patient: Zoë Žluťoučká DOB: 07/11/1951",
    "naïve hypertension 5.4 mmol/L ±3 µg",
    "Ελένη Москва I WWW il (b) a<b>&c",
    "sodium 140 potassium 3.9 low",
)
WIDTH, HEIGHT, DPI = 1240, 1240, 150.0
PERSPECTIVE = np.array([[0.8, 0.05, 100], [0.03, 0.85, 80], [5e-5, 8e-5, 1.0]])


def received(folder: Path, name: str, content: bytes) -> Upload:
    path = folder / name
    path.write_bytes(content)
    return intake.receive(path, Limits())


def blank(folder: Path, width: int = WIDTH, height: int = HEIGHT) -> Upload:
    return received(folder, "page.png", kit.encoded(Image.new("L", (width, height), 255), "PNG", dpi=(DPI, DPI)))


def matrix_of(case: float | str) -> np.ndarray:
    return PERSPECTIVE if case == "perspective" else kit.turning(float(case), WIDTH, HEIGHT)


@pytest.mark.parametrize("case", [0, 3, -7, 14, 30, 90, 93, 180, 270, "perspective"])
def test_words_are_read_back_at_their_place(tmp_path: Path, case: float | str) -> None:
    page = kit.read_page(ROWS, WIDTH, HEIGHT, DPI, matrix_of(case))
    out = tmp_path / "out.pdf"
    laid = text_layer.lay_text(blank(tmp_path), [page], "Letter", "en", out=out)
    assert laid.words == len(page.words)
    for read in (kit.words_by_pdfium, kit.words_by_pdfminer):
        found = read(out, WIDTH, HEIGHT)
        assert [text for text, _ in found] == [word.text for word in page.words], read.__name__
        for (_, box), word in zip(found, page.words, strict=True):
            assert box.iou(word.box) > 0.8, (read.__name__, word.text)
            assert contains(word, box), (read.__name__, word.text)


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler is not installed")
@pytest.mark.parametrize("case", [0, 3, -7, 180, "perspective"])
def test_poppler_finds_whole_words_on_tilted_pages(tmp_path: Path, case: float | str) -> None:
    page = kit.read_page(ROWS, WIDTH, HEIGHT, DPI, matrix_of(case))
    out = tmp_path / "out.pdf"
    text_layer.lay_text(blank(tmp_path), [page], "Letter", "en", out=out)
    assert kit.share_at_place(kit.words_by_poppler(out, WIDTH, HEIGHT), page.words) == 1.0


def contains(word: TextWord, box: Box) -> bool:
    """Whether the box's centre lies inside the word's quad."""
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    sides = zip(word.quad, word.quad[1:] + word.quad[:1], strict=True)
    return all((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) >= 0 for (x0, y0), (x1, y1) in sides)


def test_lines_end_and_words_part(tmp_path: Path) -> None:
    from pdfminer.high_level import extract_text
    from pypdfium2 import PdfDocument

    page = kit.read_page(ROWS, WIDTH, HEIGHT, DPI, kit.turning(2, WIDTH, HEIGHT))
    out = tmp_path / "out.pdf"
    text_layer.lay_text(blank(tmp_path), [page], "Letter", "en", out=out)
    for text in (extract_text(out), PdfDocument(out)[0].get_textpage().get_text_range()):
        assert [" ".join(line.split()) for line in text.splitlines() if line.strip()] == list(ROWS)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_jpeg_is_kept_byte_for_byte_and_seen_upright(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = kit.encoded(kit.picture(1200, 800), "JPEG", dpi=(DPI, DPI), exif=exif)
    upload = received(tmp_path, "photo.jpg", content)
    image = next(intake.pages(upload, Limits()))
    page = kit.read_page(("one two", "three"), image.width_px, image.height_px, image.dpi)
    out = tmp_path / "out.pdf"
    text_layer.lay_text(upload, [page], "Photo", "de", out=out)
    with pikepdf.open(out) as pdf:
        (raw,) = (picture.read_raw_bytes() for picture in pdf.pages[0].get_images().values())
    assert raw == content
    found = kit.words_by_pdfium(out, image.width_px, image.height_px)
    assert kit.share_at_place(found, page.words) == 1.0
    again = next(intake.pages(intake.receive(out, Limits()), Limits()))
    assert again.pixels.shape == image.pixels.shape
    assert np.abs(again.pixels.astype(int) - image.pixels).mean() < 3


@pytest.mark.parametrize(
    ("name", "mode", "kind", "options"),
    [
        ("grey.png", "L", "PNG", {}),
        ("bits.png", "1", "PNG", {}),
        ("palette.png", "P", "PNG", {}),
        ("alpha.png", "RGBA", "PNG", {}),
        ("fax.tiff", "1", "TIFF", {"compression": "group4"}),
        ("lossless.webp", "RGB", "WEBP", {"lossless": True}),
    ],
)
def test_other_pictures_lose_nothing(tmp_path: Path, name: str, mode: str, kind: str, options: dict) -> None:
    upload = received(tmp_path, name, kit.encoded(kit.picture(500, 400, mode), kind, **options))
    image = next(intake.pages(upload, Limits()))
    page = kit.read_page(("one",), 500, 400, image.dpi)
    out = tmp_path / "out.pdf"
    laid = text_layer.lay_text(upload, [page], "Page", "en", out=out)
    assert laid.conformance == "2B"
    with pikepdf.open(out) as pdf:
        (raw,) = pdf.pages[0].get_images().values()
        kept = pikepdf.PdfImage(raw).as_pil_image().convert("RGB")
    assert (np.asarray(kept) == image.pixels).all()


def test_it_is_pdfa_with_title_and_language_and_says_so(tmp_path: Path) -> None:
    page = kit.read_page(ROWS, WIDTH, HEIGHT, DPI)
    out = tmp_path / "out.pdf"
    laid = text_layer.lay_text(blank(tmp_path), [page], "Zoë's\x00 <b>letter", "fr-CA", out=out)
    text_layer.relay_page(out, page, out=out)
    assert (laid.conformance, laid.warnings) == ("2B", ())
    with pikepdf.open(out) as pdf, pdf.open_metadata() as metadata:
        assert str(pikepdf.pdfa.check(pdf, "2b").verdict) == "pass"
        assert metadata.pdfa_status == "2B"
        assert metadata["dc:title"] == "Zoë's <b>letter"
        assert str(pdf.Root.Lang) == "fr-CA"
        assert "/OutputIntents" in pdf.Root


def test_a_corrected_word_is_laid_anew_and_the_rest_stays(tmp_path: Path) -> None:
    pages = [kit.read_page(ROWS, 400, 300, 100.0, number=number) for number in (1, 2, 3)]
    upload = received(tmp_path, "scan.pdf", kit.scan_pdf(3))
    out = tmp_path / "out.pdf"
    text_layer.lay_text(upload, pages, "Scan", "en", out=out)
    first = pages[1].lines[0].words[0]
    mended = TextLine((TextWord("日本🩺", 1.0, first.quad, first.text), *pages[1].lines[0].words[1:]))
    text_layer.relay_page(out, replace(pages[1], lines=(mended, *pages[1].lines[1:])), out=out)
    assert kit.words_by_pdfminer(out, 400, 300, 2)[0][0] == "日本🩺"
    assert [text for text, _ in kit.words_by_pdfium(out, 400, 300, 3)] == [word.text for word in pages[2].words]
    assert kit.words_by_pdfium(out, 400, 300, 1)[0][0] == "Patient:"


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_turned_pdf_with_a_crop_box_gets_its_words_where_they_are_seen(tmp_path: Path, degrees: int) -> None:
    source = io.BytesIO()
    with pikepdf.open(io.BytesIO(kit.rotated(kit.scan_pdf(size=(800, 600)), degrees))) as pdf:
        pdf.pages[0].MediaBox = [10, 20, 586, 452]
        pdf.pages[0].CropBox = [60, 50, 500, 420]
        pdf.save(source)
    upload = received(tmp_path, "scan.pdf", source.getvalue())
    image = next(intake.pages(upload, Limits()))
    page = kit.read_page(("one two", "three"), image.width_px, image.height_px, image.dpi)
    out = tmp_path / "out.pdf"
    text_layer.lay_text(upload, [page], "Scan", "en", out=out)
    found = kit.words_by_pdfium(out, image.width_px, image.height_px)
    assert [text for text, _ in found] == ["one", "two", "three"]
    assert kit.share_at_place(found, page.words) == 1.0


def test_born_digital_pages_keep_their_text_and_old_ocr_goes(tmp_path: Path) -> None:
    source = io.BytesIO()
    old_layer = kit.stamped(kit.scan_pdf(), kit.typed_pdf("g4rbage 0CR", invisible=True))
    typed = io.BytesIO(kit.typed_pdf("born digital text"))
    with pikepdf.open(typed) as pdf, pikepdf.open(io.BytesIO(old_layer)) as scan:
        pdf.pages.extend(scan.pages)
        pdf.save(source)
    upload = received(tmp_path, "mixed.pdf", source.getvalue())
    first, second = intake.pages(upload, Limits())
    assert [line.text for line in first.own_lines] == ["born digital text"]
    assert second.own_lines == ()
    pages = [
        OcrPage(1, first.width_px, first.height_px, first.dpi, 0, 0.0, PageSource.BORN_DIGITAL, first.own_lines),
        kit.read_page(("new words",), second.width_px, second.height_px, second.dpi, number=2),
    ]
    out = tmp_path / "out.pdf"
    laid = text_layer.lay_text(upload, pages, "Mixed", "en", out=out)
    assert [text for text, _ in kit.words_by_pdfium(out, 100, 100, 1)] == ["born", "digital", "text"]
    assert [text for text, _ in kit.words_by_pdfium(out, 100, 100, 2)] == ["new", "words"]
    assert laid.conformance == "2B" or laid.warnings


def test_what_acts_is_left_out(tmp_path: Path) -> None:
    source = io.BytesIO()
    with pikepdf.open(io.BytesIO(kit.scan_pdf())) as pdf:
        pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
        pdf.attachments["evil.exe"] = b"MZ"
        pdf.save(source)
    upload = received(tmp_path, "acting.pdf", source.getvalue())
    assert any("scripts" in text for text in upload.warnings)
    assert any("attached" in text for text in upload.warnings)
    out = tmp_path / "out.pdf"
    text_layer.lay_text(upload, [kit.read_page(("one",), 400, 300, 100.0)], "Scan", "en", out=out)
    with pikepdf.open(out) as pdf:
        assert "/OpenAction" not in pdf.Root
        assert not list(pdf.attachments)


def test_straightened_pages_come_out_upright_with_their_words(tmp_path: Path) -> None:
    page = replace(
        kit.read_page(ROWS, WIDTH, HEIGHT, DPI, kit.turning(184, WIDTH, HEIGHT)), rotation_deg=180, skew_deg=4.0
    )
    out = tmp_path / "out.pdf"
    text_layer.lay_text(blank(tmp_path), [page], "Letter", "en", straighten=True, out=out)
    _, width, height = word_layer.levelled(page)
    found = kit.words_by_pdfium(out, width, height)
    assert [text for text, _ in found] == [word.text for word in page.words]
    assert all(30 <= box.height <= 36 for _, box in found)  # level words are no taller than they were drawn
    tops = [found[index][1].top for index in (0, 4, 10)]
    assert tops == sorted(tops)


def test_a_page_that_was_not_read_stops_the_job(tmp_path: Path) -> None:
    upload = received(tmp_path, "scan.pdf", kit.scan_pdf(2))
    with pytest.raises(StorageFailed, match="Page 2 of 2"):
        text_layer.lay_text(upload, [kit.read_page(("one",), 400, 300, 100.0)], "Scan", "en", out=tmp_path / "out.pdf")
    assert not (tmp_path / "out.pdf").exists()


def test_a_page_without_words_is_kept_as_a_picture(tmp_path: Path) -> None:
    page = OcrPage(1, WIDTH, HEIGHT, DPI, 0, 0.0, PageSource.OCR, ())
    out = tmp_path / "out.pdf"
    text_layer.lay_text(blank(tmp_path), [page], "Empty", "en", out=out)
    assert kit.words_by_pdfium(out, WIDTH, HEIGHT) == []


def test_control_characters_and_flat_boxes_do_no_harm(tmp_path: Path) -> None:
    odd = (
        TextWord("a\x00b\u202ec\ud800", 0.5, ((100, 100), (200, 100), (200, 130), (100, 130))),
        TextWord("flat", 0.5, ((300, 100), (300, 100), (300, 100), (300, 100))),
        TextWord("\x07", 0.5, ((400, 100), (420, 100), (420, 130), (400, 130))),
        TextWord("שלום", 0.5, ((500, 100), (600, 100), (600, 130), (500, 130))),
    )
    page = OcrPage(1, WIDTH, HEIGHT, DPI, 0, 0.0, PageSource.OCR, (TextLine(odd),))
    out = tmp_path / "out.pdf"
    text_layer.lay_text(blank(tmp_path), [page], "Odd", "en", out=out)
    assert [text for text, _ in kit.words_by_pdfium(out, WIDTH, HEIGHT)] == ["abc", "flat", "שלום"]

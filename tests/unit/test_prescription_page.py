"""The printed page and the photo of it: what a person reads, what a scanner reads, and what an archive asks."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmarks.prescription import photograph
from domain.errors import NothingFound, PrescriptionInvalid, UploadRejected
from domain.patient import Patient
from domain.prescription import SignedPrescription, Status
from pipelines.prescription import sign, write_prescription
from pipelines.prescription_draft import read_draft
from pipelines.prescription_drawing import PNG_MODULE_PX, QUIET_ZONE, draw_picture, draw_png, draw_svg, draw_symbol
from pipelines.prescription_page import print_page
from pipelines.prescription_reading import read_photo
from storage.signing_keys import SigningKeys
from tests.unit.prescription_kit import ISSUER, PHARMACIST, PRESCRIBER, Clinic, Clock, medicine, unlike


def signed(tmp_path: Path, medicines: int = 1, name: str = "Zoë Müller-Łukasiewicz") -> SignedPrescription:
    patient = Patient("p", name, date(1980, 2, 3), "female", "HC-1", Clock().now)
    draft = read_draft({"medications": [medicine(note=unlike(at, 40)) for at in range(medicines)]})
    paper = write_prescription(patient, PRESCRIBER, draft.medicines, Clock().now, 30, ISSUER)
    return sign(paper, "p", SigningKeys(tmp_path, ISSUER).signing_key())


def words(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(pdf) as document:
        return " ".join(" ".join(page.get_textpage().get_text_range() for page in document).split())


@pytest.mark.parametrize("page_format", ["A5", "A4"])
@pytest.mark.parametrize("medicines", [1, 8])
def test_the_page_says_in_selectable_words_what_it_holds(tmp_path: Path, page_format: str, medicines: int) -> None:
    made = signed(tmp_path, medicines)
    text = words(print_page(made, page_format))
    for fact in (
        "Zoë Müller-Łukasiewicz", "3 February 1980", "Dr Ada Okafor", "GMC 1234567", "Riverside Practice",
        "24 November 2026", "24 December 2026", "Amoxicillin 500 mg capsule", "Take 1 capsule three times a day",
        "Dispense 21 capsules, no refills", made.short_code, "cut here",
    ):  # fmt: skip
        assert fact in text
    assert text.count("Amoxicillin 500 mg capsule") == medicines


def test_every_code_is_read_from_the_printed_page(tmp_path: Path) -> None:
    made = signed(tmp_path, 8)
    read: set[str] = set()
    with pypdfium2.PdfDocument(print_page(made)) as document:
        for page in document:
            out = io.BytesIO()
            page.render(scale=150 / 72).to_pil().convert("L").save(out, "JPEG", quality=60)  # an office scanner
            try:
                read |= set(read_photo(out.getvalue()))
            except NothingFound:
                continue  # the page of words before the page of codes
    assert read == {part.text for part in made.parts}


@pytest.mark.parametrize(
    "name", ["Zoë", "王小明", "山田 太郎", "김철수", "محمد علي", "שלום כהן", "Nguyễn Thị Minh", "Наталья", "नगेंद्र"]
)
def test_the_page_is_pdf_a_with_every_font_inside(tmp_path: Path, name: str) -> None:
    pdf = print_page(signed(tmp_path, 1, name))
    with pikepdf.open(io.BytesIO(pdf)) as document:
        with document.open_metadata() as metadata:
            assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("2", "B")
        assert document.Root.OutputIntents[0].S == "/GTS_PDFA1"
        assert not document.is_encrypted
        assert "/JavaScript" not in document.Root.get("/Names", {})
        assert name not in str(document.docinfo)
        for page in document.pages:
            for font in page.Resources.Font.values():
                descriptor = font.DescendantFonts[0].FontDescriptor
                assert "/FontFile2" in descriptor or "/FontFile3" in descriptor
                assert "/ToUnicode" in font
    if name != "नगेंद्र":  # conjuncts come out as their signs, not as typed
        assert name in words(pdf)


def test_a_character_that_no_font_has_is_shown_as_missing_and_said(tmp_path: Path) -> None:
    text = words(print_page(signed(tmp_path, 1, "ไทย")))
    assert "□□□" in text
    assert "the code holds it" in text


def test_the_page_is_black_and_white(tmp_path: Path) -> None:
    with pypdfium2.PdfDocument(print_page(signed(tmp_path))) as document:
        pixels = np.asarray(document[0].render(scale=1).to_pil().convert("RGB"), int)
    assert np.ptp(pixels, axis=2).max() == 0


def test_an_unknown_page_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PrescriptionInvalid):
        print_page(signed(tmp_path), "A3")


def test_codes_keep_their_quiet_zone_and_draw_as_svg(tmp_path: Path) -> None:
    text = signed(tmp_path).parts[0].text
    picture = np.asarray(Image.open(io.BytesIO(draw_png([text]))).convert("L"))
    edge = QUIET_ZONE * PNG_MODULE_PX
    assert picture[:edge].min() == picture[:, -edge:].min() == 255
    assert picture[edge, edge] == 0
    assert draw_svg(text).startswith("<svg")


def test_photos_taken_askew_blurred_noisy_and_in_glare_are_read(tmp_path: Path) -> None:
    made = signed(tmp_path, 4)
    text = made.parts[0].text
    code = np.asarray(draw_picture(text))
    rng = np.random.default_rng(7)
    modules = len(draw_symbol(text).matrix)
    read = sum(text in read_photo(photograph(code, rng, module_px, modules)) for module_px in (3.0, 3.5, 4.0, 6.0) * 3)
    assert read == 12


def test_two_prescriptions_in_one_picture_are_not_mixed(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path)
    both = draw_png([clinic.issue().signed.code, clinic.issue().signed.code])
    verdict = clinic.desk.verify(both, "", PHARMACIST)
    assert (verdict.valid, verdict.status) == (False, Status.UNKNOWN)
    assert "one prescription at a time" in verdict.reason


def test_another_qr_code_is_told_apart_from_none(tmp_path: Path) -> None:
    import segno

    clinic = Clinic(tmp_path)
    out = io.BytesIO()
    segno.make("https://example.org/menu").save(out, kind="png", scale=6)
    verdict = clinic.desk.verify(out.getvalue(), "", PHARMACIST)
    assert (verdict.valid, verdict.status) == (False, Status.UNKNOWN)
    blank = io.BytesIO()
    Image.new("RGB", (600, 400), "white").save(blank, "PNG")
    with pytest.raises(NothingFound):
        clinic.desk.verify(blank.getvalue(), "", PHARMACIST)
    with pytest.raises(PrescriptionInvalid):
        clinic.desk.verify(None, "  ", PHARMACIST)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"%PDF-1.7"]))
def test_any_bytes_are_a_refused_picture(data: bytes, magic: bytes) -> None:
    with pytest.raises(UploadRejected):
        read_photo(magic + data)


def test_a_picture_too_large_is_refused_before_it_is_decoded() -> None:
    out = io.BytesIO()
    Image.new("1", (10_000, 9_000)).save(out, "PNG")
    with pytest.raises(UploadRejected, match="million pixels"):
        read_photo(out.getvalue())

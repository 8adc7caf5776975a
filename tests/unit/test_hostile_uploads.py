"""Bad input: each file works, or is refused with what was found, why it stops and what to do next; nothing else."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path

import pdf_kit as kit
import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from domain.errors import UploadRejected
from domain.limits import Limits
from pipelines import intake, jpeg_passes, pdf_probe, prescription_reading, scan_intake

LIMITS = Limits()
SMALL = Limits(max_pixels=4_000_000, max_pages=20)


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_bomb() -> bytes:
    """60,000 x 60,000 pixels, claimed in a few bytes."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(b"\0" * 1000))


def large_picture() -> bytes:
    return kit.encoded(Image.new("1", (12_000, 11_000)), "PNG")


def pdf_with(change, pages: int = 1) -> bytes:  # type: ignore[no-untyped-def]
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(kit.scan_pdf(pages))) as pdf:
        change(pdf)
        pdf.save(out)
    return out.getvalue()


def image_bomb(pdf: pikepdf.Pdf) -> None:
    image = pdf.make_stream(zlib.compress(b"\0" * 1000))
    image.update(
        pikepdf.Dictionary(
            Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=100_000, Height=100_000, BitsPerComponent=1,
            ColorSpace=pikepdf.Name.DeviceGray, Filter=pikepdf.Name.FlateDecode,
        )
    )  # fmt: skip
    pdf.pages[0].obj.Resources.XObject["/Bomb"] = image


def laughing_forms(pdf: pikepdf.Pdf) -> None:
    """Ten forms, each drawing the next ten times: 10^10 in all."""
    inner = None
    for _ in range(10):
        form = pdf.make_stream(b"/F Do " * 10 if inner is not None else b"0 0 1 1 re f")
        form.update(pikepdf.Dictionary(Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form, BBox=[0, 0, 9, 9]))
        if inner is not None:
            form.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(F=inner))
        inner = form
    page = pdf.pages[0].obj
    page.Resources.XObject["/F"] = inner
    page.Contents = pdf.make_stream(b"/F Do")


def self_drawing_form(pdf: pikepdf.Pdf) -> None:
    form = pdf.make_stream(b"/F Do")
    form.update(pikepdf.Dictionary(Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form, BBox=[0, 0, 9, 9]))
    form.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(F=form))
    page = pdf.pages[0].obj
    page.Resources.XObject["/F"] = form
    page.Contents = pdf.make_stream(b"/F Do")


def inflating_content() -> bytes:
    """A page content of 90 MB, packed a thousandfold."""
    once = zlib.compress(b"0 0 m\n" * 15_000_000, 9)

    def change(pdf: pikepdf.Pdf) -> None:
        stream = pdf.make_stream(b"")
        stream.write(once, filter=pikepdf.Name.FlateDecode)
        pdf.pages[0].obj.Contents = stream

    return pdf_with(change)


def nested_arrays() -> bytes:
    deep = b"[" * 100_000 + b"]" * 100_000
    return (
        b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R /Deep "
        + deep
        + (b" >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [] /Count 0 >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n")
    )


def looping_pages() -> bytes:
    return (
        b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
        b"2 0 obj\n<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2000000000 >>\nendobj\n"
        b"trailer << /Root 1 0 R >>\n%%EOF\n"
    )


def many_pages(count: int) -> bytes:
    out = io.BytesIO()
    with pikepdf.new() as pdf:
        for _ in range(count):
            pdf.add_blank_page(page_size=(200, 200))
        pdf.save(out)
    return out.getvalue()


def encrypted() -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(kit.scan_pdf())) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="o", user="u"))
    return out.getvalue()


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", "<w:document/>")
    return out.getvalue()


REFUSED = {
    "empty": (lambda: b"", "empty"),
    "one byte": (lambda: b"%", "plain text"),
    "cut JPEG": (lambda: kit.encoded(kit.picture(), "JPEG")[:-400], "cut off"),
    "cut PNG": (lambda: kit.encoded(kit.picture(), "PNG")[:-60], "cut off"),
    "cut WebP": (lambda: kit.encoded(kit.picture(), "WEBP")[:-200], "cut off"),
    "cut TIFF": (lambda: kit.encoded(kit.picture(), "TIFF")[:-5000], "cut off"),
    "cut PDF": (lambda: kit.scan_pdf()[:300], "cut off|no pages"),
    "header only": (lambda: b"%PDF-1.7\n", "cut off"),
    "JPEG marker only": (lambda: b"\xff\xd8\xff\xe0", "cut off"),
    "encrypted PDF": (encrypted, "password"),
    "protected Office": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "Office"),
    "Office or zip": (zipped, "zip archive or an Office"),
    "text named .pdf": (lambda: "Patient: Zoë, fever".encode(), "plain text"),
    "script": (lambda: b"<html><script>alert(1)</script></html>", "web page"),
    "svg": (lambda: b"<?xml version='1.0'?><svg onload='alert(1)'/>", "web page"),
    "program": (lambda: b"MZ" + bytes(200), "program"),
    "DICOM": (lambda: bytes(128) + b"DICM" + bytes(50), "DICOM"),
    "GIF": (lambda: kit.encoded(kit.picture(mode="P"), "GIF"), "GIF"),
    "BMP": (lambda: kit.encoded(kit.picture(), "BMP"), "BMP"),
    "noise": (lambda: bytes(range(128, 256)) * 20, "no kind known"),
    "1x1": (lambda: kit.encoded(Image.new("RGB", (1, 1)), "PNG"), "1 x 1"),
    "60,000 x 60,000": (png_bomb, "pixels"),
    "132 million pixels": (large_picture, "12,000 x 11,000"),
    "5,000 pages": (lambda: many_pages(5000), "5,000 pages"),
    "no pages": (lambda: many_pages(0), "no pages"),
    "pages in a loop": (looping_pages, "damaged|no pages|nests"),
    "image bomb in a PDF": (lambda: pdf_with(image_bomb), "100,000 x 100,000"),
    "forms drawing forms": (lambda: pdf_with(laughing_forms), "nests"),
    "form drawing itself": (lambda: pdf_with(self_drawing_form), "nests"),
    "90 MB of drawing": (inflating_content, "unpacks"),
    "100,000 arrays in arrays": (nested_arrays, "damaged|no pages|nests"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_what_was_found_and_what_to_do(tmp_path: Path, case: str) -> None:
    make, found = REFUSED[case]
    path = tmp_path / "secret-name.pdf"
    path.write_bytes(make())
    with pytest.raises(UploadRejected, match=found) as refusal:
        intake.receive(path, LIMITS)
    message = refusal.value.user_message
    assert message.count(".") >= 1
    advice = ("Scan", "scan", "Save", "Split", "Open", "Unpack", "Paste", "Upload", "Print")
    assert any(word in message for word in advice)
    for leaked in (str(tmp_path), "secret-name", "Traceback", "pikepdf", "PIL", "Error", "0x"):
        assert leaked not in message


def test_a_page_that_is_drawn_without_end_is_refused(tmp_path: Path) -> None:
    """A stamp on the page draws ten forms, each of them the next ten: 10^10 in all."""

    def stamp(pdf: pikepdf.Pdf) -> None:
        laughing_forms(pdf)
        page = pdf.pages[0].obj
        drawn = {"/N": page.Resources.XObject["/F"]}
        del page.Resources.XObject["/F"]
        page.Contents = pdf.make_stream(b"")
        note = {
            "/Type": pikepdf.Name.Annot,
            "/Subtype": pikepdf.Name.Stamp,
            "/Rect": [0, 0, 9, 9],
            "/F": 4,
            "/AP": drawn,
        }
        page.Annots = pdf.make_indirect(pikepdf.Array([pdf.make_indirect(pikepdf.Dictionary(note))]))

    path = tmp_path / "stamp.pdf"
    path.write_bytes(pdf_with(stamp))
    upload = intake.receive(path, LIMITS)
    with pytest.raises(UploadRejected, match="more time or memory to draw"):
        list(intake.pages(upload, LIMITS))


def test_a_jpeg_that_is_decoded_over_and_over_is_refused(tmp_path: Path) -> None:
    once = kit.encoded(Image.new("L", (4000, 3000), 200), "JPEG", progressive=True)
    last = once.rindex(b"\xff\xda")
    path = tmp_path / "passes.jpg"
    path.write_bytes(once[:-2] + once[last:-2] * 300 + once[-2:])
    with pytest.raises(UploadRejected, match="passes"):
        intake.receive(path, LIMITS)
    with pytest.raises(UploadRejected, match="passes"):
        scan_intake.open_scan(path, LIMITS)
    with pytest.raises(UploadRejected, match="passes"):
        prescription_reading.read_photo(path.read_bytes())


def test_a_mask_is_measured_as_its_picture_is(tmp_path: Path) -> None:
    def masked(pdf: pikepdf.Pdf) -> None:
        image_bomb(pdf)
        pictures = pdf.pages[0].obj.Resources.XObject
        (picture,) = (pictures[key] for key in dict(pictures) if key != "/Bomb")
        picture.SMask = pictures["/Bomb"]
        del pictures["/Bomb"]

    path = tmp_path / "masked.pdf"
    path.write_bytes(pdf_with(masked))
    with pytest.raises(UploadRejected, match="100,000 x 100,000 pixels"):
        intake.receive(path, LIMITS)


def test_a_page_whose_crop_lies_beside_the_paper_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "beside.pdf"
    path.write_bytes(
        pdf_with(lambda pdf: pdf.pages[0].obj.update({"/CropBox": pikepdf.Array([9000, 9000, 9100, 9100])}))
    )
    with pytest.raises(UploadRejected, match="next to no size"):
        intake.receive(path, LIMITS)


def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(kit.encoded(kit.picture(), "PNG"))
    with pytest.raises(UploadRejected, match="MB"):
        intake.receive(path, Limits(max_bytes=100))


def test_a_file_that_is_gone_is_refused_without_its_path(tmp_path: Path) -> None:
    with pytest.raises(UploadRejected, match="could not be opened") as refusal:
        intake.receive(tmp_path / "gone", LIMITS)
    assert str(tmp_path) not in refusal.value.user_message


@pytest.mark.parametrize(
    "name", ["..pdf", "a" * 250, "\u202efdp.exe", "-rf", "$(touch x)", "<img src=x onerror=alert(1)>", "a\nb"]
)
def test_hostile_names_on_disk_do_not_matter(tmp_path: Path, name: str) -> None:
    path = tmp_path / name.replace("/", "_")
    path.write_bytes(kit.scan_pdf())
    assert intake.receive(path, LIMITS).page_count == 1


def test_script_in_metadata_and_text_stays_text(tmp_path: Path) -> None:
    def change(pdf: pikepdf.Pdf) -> None:
        pdf.docinfo["/Title"] = "<script>alert(1)</script>"

    path = tmp_path / "a.pdf"
    path.write_bytes(pdf_with(change))
    assert intake.receive(path, LIMITS).warnings == ()
    path.write_bytes(kit.typed_pdf("<script>alert(1)</script> & more"))
    (page,) = intake.pages(intake.receive(path, LIMITS), LIMITS)
    assert page.own_lines[0].text == "<script>alert(1)</script> & more"


def test_a_huge_page_is_rendered_within_the_limit(tmp_path: Path) -> None:
    def change(pdf: pikepdf.Pdf) -> None:
        pdf.pages[0].MediaBox = [0, 0, 14_400, 14_400]  # five metres

    path = tmp_path / "a.pdf"
    path.write_bytes(pdf_with(change))
    (page,) = intake.pages(intake.receive(path, SMALL), SMALL)
    assert page.width_px * page.height_px <= SMALL.max_pixels * 1.01
    assert page.warnings


SEEDS = {
    "jpeg": kit.encoded(kit.picture(80, 60), "JPEG"),
    "png": kit.encoded(kit.picture(80, 60), "PNG"),
    "tiff": kit.encoded(kit.picture(80, 60, "1"), "TIFF", compression="group4"),
    "webp": kit.encoded(kit.picture(80, 60), "WEBP"),
    "pdf": kit.typed_pdf("one two"),
}


def yields_or_refuses(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        for page in intake.pages(intake.receive(path, SMALL), SMALL):
            assert page.pixels.shape[2] == 3
    except UploadRejected:
        pass


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutated_pictures_yield_pages_or_are_refused(tmp_path: Path, data: st.DataObject) -> None:
    yields_or_refuses(tmp_path / "file", mutated(data, data.draw(st.sampled_from(["jpeg", "png", "tiff", "webp"]))))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutated_pdfs_yield_pages_or_are_refused(tmp_path: Path, data: st.DataObject) -> None:
    yields_or_refuses(tmp_path / "file", mutated(data, "pdf"))


def mutated(data: st.DataObject, kind: str) -> bytes:
    content = bytearray(SEEDS[kind])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        change = data.draw(st.sampled_from(["byte", "cut", "double", "zero"]))
        if change == "byte":
            content[at] = data.draw(st.integers(0, 255))
        elif change == "cut":
            del content[at : at + data.draw(st.integers(1, 40))]
        elif change == "double":
            content[at:at] = content[at : at + 16]
        else:
            content[at : at + 8] = bytes(len(content[at : at + 8]))
        if not content:
            break
    return bytes(content)


def test_a_picture_in_a_pdf_has_as_many_passes_as_one_alone() -> None:
    """The probe runs apart from everything and cannot import the number."""
    assert pdf_probe.MOST_PASSES == jpeg_passes.MOST_PASSES

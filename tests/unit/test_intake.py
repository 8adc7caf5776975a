"""What comes out of the door: pages the right way up, in the right colours, with the text a PDF brought along."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pdf_kit as kit
import pikepdf
import pytest
from PIL import Image

from domain.errors import UploadRejected
from domain.limits import Limits
from domain.upload import Upload, UploadKind
from pipelines import base_pdf, intake

LETTER = "\n".join(f"Line {row} of a letter that runs over the whole page from top to bottom" for row in range(40))


def received(folder: Path, content: bytes, name: str = "file") -> Upload:
    path = folder / name
    path.write_bytes(content)
    return intake.receive(path, Limits())


def only_page(folder: Path, content: bytes):  # type: ignore[no-untyped-def]
    (page,) = intake.pages(received(folder, content), Limits())
    return page


def heic() -> bytes:
    """kit.picture() as HEIC; a file, because the decoder that we ship cannot write one."""
    return (Path(__file__).resolve().parents[1] / "data" / "drawn_page.heic").read_bytes()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (lambda: kit.encoded(kit.picture(), "JPEG"), UploadKind.JPEG),
        (lambda: kit.encoded(kit.picture(), "PNG"), UploadKind.PNG),
        (lambda: kit.encoded(kit.picture(), "TIFF"), UploadKind.TIFF),
        (lambda: kit.encoded(kit.picture(), "WEBP"), UploadKind.WEBP),
        (heic, UploadKind.HEIC),
        (kit.scan_pdf, UploadKind.PDF),
    ],
)
def test_the_bytes_decide_whatever_the_name_says(tmp_path: Path, content, kind: UploadKind) -> None:  # type: ignore[no-untyped-def]
    upload = received(tmp_path, content(), "letter.docx")
    assert upload.kind is kind
    (page,) = intake.pages(upload, Limits())
    assert page.pixels.dtype == np.uint8
    assert page.pixels.shape[2] == 3
    assert page.pixels[2, 2].min() > 240  # the paper is white


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16"])
def test_every_depth_and_colour_comes_out_dark_on_white(tmp_path: Path, mode: str) -> None:
    grey = kit.picture(mode="L").point(lambda value: 255 if value > 128 else 0)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    else:
        image = grey.convert("RGB" if mode == "CMYK" else "RGBA").convert(mode, dither=Image.Dither.NONE)
    page = only_page(tmp_path, kit.encoded(image, "TIFF" if mode == "CMYK" else "PNG"))
    assert np.abs(page.pixels.astype(int) - np.asarray(grey.convert("RGB"))).mean() < 3


def test_a_cmyk_jpeg_is_not_inverted(tmp_path: Path) -> None:
    page = only_page(tmp_path, kit.encoded(kit.picture(mode="CMYK"), "JPEG"))
    assert page.pixels[2, 2].min() > 240
    assert page.pixels[45, 100].max() < 100


def test_clear_ink_is_seen_on_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (100, 100), (0, 0, 0, 0))  # black, but nowhere to be seen
    image.paste((0, 0, 0, 255), (40, 40, 60, 60))
    page = only_page(tmp_path, kit.encoded(image, "PNG"))
    assert page.pixels[5, 5].tolist() == [255, 255, 255]
    assert page.pixels[50, 50].tolist() == [0, 0, 0]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_obeyed(tmp_path: Path, orientation: int) -> None:
    upright = kit.picture(200, 120)
    upright.paste((255, 0, 0), (0, 0, 40, 40))  # a red corner tells where the top left went
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Pillow's transposes that undo each orientation
    stored = upright.transpose(Image.Transpose(back[orientation])) if orientation in back else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    page = only_page(tmp_path, kit.encoded(stored, "PNG", exif=exif))
    assert page.pixels.shape[:2] == (120, 200)
    assert page.pixels[10, 10].tolist() == [255, 0, 0]


@pytest.mark.parametrize(
    ("stated", "width", "expected"),
    [(200, 1654, 200), (72, 4000, 4000 / 11.69), (0, 2338, 2338 / 11.69), (1, 1000, 1000 / 11.69)],
)
def test_dpi_is_believed_where_the_page_would_be_paper_sized(
    tmp_path: Path, stated: int, width: int, expected: float
) -> None:
    options = {"dpi": (stated, stated)} if stated else {}
    page = only_page(tmp_path, kit.encoded(Image.new("L", (width, 800), 255), "JPEG", **options))
    assert page.dpi == pytest.approx(expected, rel=0.02)


def test_a_tiff_gives_its_pages_one_by_one(tmp_path: Path) -> None:
    frames = [kit.picture(200 + 10 * index, 150, "1") for index in range(3)]
    content = kit.encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:], compression="group4")
    upload = received(tmp_path, content)
    assert upload.page_count == 3
    assert [page.width_px for page in intake.pages(upload, Limits())] == [200, 210, 220]


def test_an_animated_picture_gives_its_first_frame_and_says_so(tmp_path: Path) -> None:
    frames = [kit.picture(100, 100), Image.new("RGB", (100, 100), (255, 0, 0))]
    content = kit.encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    upload = received(tmp_path, content)
    assert any("first frame" in text for text in upload.warnings)
    (page,) = intake.pages(upload, Limits())
    assert page.pixels[2, 2].tolist() == [255, 255, 255]


def test_a_scanned_pdf_page_comes_in_the_pixels_of_its_scan(tmp_path: Path) -> None:
    page = only_page(tmp_path, kit.scan_pdf(size=(1200, 1700), dpi=145))
    assert page.pixels.shape == (1700, 1200, 3)
    assert page.dpi == pytest.approx(145, rel=0.01)
    assert page.own_lines == ()


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_born_digital_page_brings_its_words_to_where_they_are_seen(tmp_path: Path, degrees: int) -> None:
    page = only_page(tmp_path, kit.typed_pdf("First line here\nsecond", degrees))
    assert [line.text for line in page.own_lines] == ["First line here", "second"]
    for line in page.own_lines:
        for word in line.words:
            box = word.box
            inside = page.pixels[int(box.top) : int(box.bottom) + 1, int(box.left) : int(box.right) + 1]
            assert inside.min() < 100, word.text  # its ink is there
    dark = (page.pixels < 128).all(axis=2)
    covered = np.zeros_like(dark)
    for line in page.own_lines:
        for word in line.words:
            left, top, right, bottom = (int(side) for side in word.box.as_list())
            covered[top - 3 : bottom + 4, left - 3 : right + 4] = True
    assert not (dark & ~covered).any()  # and nowhere else
    (x0, y0), (x1, y1) = page.own_lines[0].words[0].quad[:2]
    assert round(np.degrees(np.arctan2(y1 - y0, x1 - x0))) % 360 == degrees


@pytest.mark.parametrize(
    ("content", "own"),
    [
        (lambda: kit.typed_pdf("x"), True),
        (lambda: kit.stamped(kit.scan_pdf(), kit.typed_pdf("RECEIVED 12 MAR 2024")), False),
        (lambda: kit.stamped(kit.scan_pdf(), kit.typed_pdf(LETTER, invisible=True)), False),
        (lambda: kit.stamped(kit.scan_pdf(), kit.typed_pdf(LETTER)), True),
        (lambda: kit.scan_pdf(), False),
    ],
    ids=["typed", "scan with a stamp", "scan with an OCR layer", "letter on letterhead", "scan"],
)
def test_scans_are_told_from_born_digital_pages(tmp_path: Path, content, own: bool) -> None:  # type: ignore[no-untyped-def]
    assert bool(only_page(tmp_path, content()).own_lines) is own


def test_text_hidden_under_the_scan_is_not_the_pages_own(tmp_path: Path) -> None:
    assert only_page(tmp_path, kit.stamped(kit.scan_pdf(), kit.typed_pdf(LETTER), under=True)).own_lines == ()


def test_an_owners_lock_is_opened_and_said(tmp_path: Path) -> None:
    upload = received(tmp_path, locked(owner="secret", user=""))
    assert any("without a password" in text for text in upload.warnings)
    assert len(list(intake.pages(upload, Limits()))) == 1


def locked(owner: str, user: str) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(kit.scan_pdf())) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner=owner, user=user))
    return out.getvalue()


def test_a_lost_cross_reference_table_is_repaired_and_said(tmp_path: Path) -> None:
    content = kit.typed_pdf("still here")
    table, trailer = content.rindex(b"xref\n0"), content.rindex(b"trailer")
    upload = received(tmp_path, content[:table] + content[trailer:].partition(b"startxref")[0])
    assert any("repaired" in text for text in upload.warnings)
    (page,) = intake.pages(upload, Limits())
    assert page.own_lines[0].text == "still here"


def test_pages_are_made_when_asked_for(tmp_path: Path) -> None:
    upload = received(tmp_path, kit.scan_pdf(3))
    pages = intake.pages(upload, Limits())
    assert next(pages).number == 1
    upload.path.unlink()
    with pytest.raises(UploadRejected):
        next(pages)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\nurse\\letter.pdf", "letter"),
        ("a\x00b\nc\x1b[31m.pdf", "a b c [31m"),
        ("invoice\u202efdp.exe", "invoice fdp"),
        ("x" * 300 + ".pdf", "x" * 120),
        ("....", "Record"),
        ("", "Record"),
        ("Entlassung Müller 3.4.2024.pdf", "Entlassung Müller 3.4.2024"),
        ("<script>alert(1)</script>.png", "script>"),
    ],
)
def test_titles_from_hostile_names(name: str, title: str) -> None:
    assert intake.safe_title(name) == title


@pytest.mark.parametrize("drawn_by_its_maker", [True, False])
def test_what_was_typed_into_a_form_is_read_and_kept(tmp_path: Path, drawn_by_its_maker: bool) -> None:
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(595, 842)).obj
        font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        fonts = pikepdf.Dictionary(Font=pikepdf.Dictionary(Helv=font))
        field = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Widget, FT=pikepdf.Name.Tx, T="allergy", V="Allergy: penicillin",
            Rect=[60, 600, 400, 640], F=4, DA="/Helv 14 Tf 0 g",
        )  # fmt: skip
        if drawn_by_its_maker:
            look = pdf.make_stream(b"/Tx BMC q BT /Helv 14 Tf 2 12 Td (Allergy: penicillin) Tj ET Q EMC")
            look.update(
                {"/Type": pikepdf.Name.XObject, "/Subtype": pikepdf.Name.Form, "/BBox": pikepdf.Array([0, 0, 340, 40])}
            )
            look.Resources = fonts
            field.AP = pikepdf.Dictionary(N=look)
        fields = pikepdf.Array([pdf.make_indirect(field)])
        page.Annots = fields
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=fields, DR=fonts, DA="/Helv 14 Tf 0 g")
        pdf.save(tmp_path / "form.pdf")
    upload = intake.receive(tmp_path / "form.pdf", Limits())
    (page,) = intake.pages(upload, Limits())
    assert [word.text for line in page.own_lines for word in line.words] == ["Allergy:", "penicillin"]
    assert (page.pixels < 128).any()

    base_pdf.build(upload, (), tmp_path / "kept.pdf")  # without its form a field would show nothing
    (kept,) = intake.pages(intake.receive(tmp_path / "kept.pdf", Limits()), Limits())
    assert [word.text for line in kept.own_lines for word in line.words] == ["Allergy:", "penicillin"]


@pytest.mark.parametrize("white", [1023, 4095, 65535])
def test_grey_of_more_than_eight_bits_is_white_where_its_scanner_says_white(tmp_path: Path, white: int) -> None:
    page = np.full((200, 300), white, np.uint16)
    page[80:120, 50:250] = 0
    Image.fromarray(page).save(tmp_path / "deep.tiff")
    (image,) = intake.pages(intake.receive(tmp_path / "deep.tiff", Limits()), Limits())
    assert image.pixels[0, 0].tolist() == [255, 255, 255]
    assert image.pixels[100, 100].tolist() == [0, 0, 0]


def test_sixteen_bits_in_which_nought_is_white_are_not_read_as_a_negative(tmp_path: Path) -> None:
    page = np.zeros((200, 300), np.uint16)
    page[80:120, 50:250] = 65535
    Image.fromarray(page).save(tmp_path / "white_is_zero.tiff", tiffinfo={262: 0})
    content = bytearray((tmp_path / "white_is_zero.tiff").read_bytes())
    place = content.index(bytes([6, 1, 3, 0, 1, 0, 0, 0]))  # the photometric tag, which Pillow writes as it likes
    content[place + 8] = 0
    (tmp_path / "white_is_zero.tiff").write_bytes(content)
    (image,) = intake.pages(intake.receive(tmp_path / "white_is_zero.tiff", Limits()), Limits())
    assert image.pixels[0, 0].tolist() == [255, 255, 255]
    assert image.pixels[100, 100].tolist() == [0, 0, 0]


def test_text_that_cannot_be_seen_is_not_read_and_is_told(tmp_path: Path) -> None:
    """In a layer that is switched off, and white on white."""
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(595, 842)).obj
        layer = pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.OCG, Name="off"))
        pdf.Root.OCProperties = pikepdf.Dictionary(
            OCGs=pikepdf.Array([layer]), D=pikepdf.Dictionary(OFF=pikepdf.Array([layer]), Order=pikepdf.Array([layer]))
        )
        font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font), Properties=pikepdf.Dictionary(L=layer))
        page.Contents = pdf.make_stream(
            b"/OC /L BDC BT /F1 18 Tf 60 600 Td (Allergy: none) Tj ET EMC "
            b"BT 1 g /F1 18 Tf 60 500 Td (Warfarin 5 mg) Tj ET BT 0 g /F1 18 Tf 60 700 Td (Sodium 139) Tj ET"
        )
        pdf.save(tmp_path / "hidden.pdf")
    (image,) = intake.pages(intake.receive(tmp_path / "hidden.pdf", Limits()), Limits())
    assert [word.text for line in image.own_lines for word in line.words] == ["Sodium", "139"]
    assert any("cannot be seen" in warning for warning in image.warnings)

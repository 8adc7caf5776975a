"""The PDF under the text layer: the upload's own picture or PDF, untouched where PDF can hold it as it is.

A JPEG goes in as its own bytes; a PNG, TIFF, WebP or HEIC without loss; a PDF keeps its pages and pictures, and loses
what acts (scripts, actions, attached files, form fields).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from domain.document import OcrPage, PageImage, PageSource
from domain.upload import Upload, UploadKind
from pipelines import picture_pages
from pipelines.word_layer import levelled

POINTS_PER_INCH = 72
LEVEL_ENOUGH_DEG = 0.1  # a page straighter than this is left as it is
STRAIGHTENED_QUALITY = 92  # JPEG
ACTING_IN_ROOT = ("/OpenAction", "/AA", "/AcroForm", "/Collection")
ACTING_IN_NAMES = ("/JavaScript", "/EmbeddedFiles")
ACTING_IN_PAGE = ("/AA",)
ANNOTATIONS_WITH_FILES = ("/FileAttachment", "/RichMedia", "/Movie", "/Sound", "/Screen", "/3D")


def build(upload: Upload, pages: Sequence[OcrPage], out: Path) -> None:
    """Write the base PDF of `upload`; `pages` give the dpi of pictures."""
    if upload.kind is UploadKind.PDF:
        _without_actions(upload.path, out)
    else:
        _from_pictures(upload, pages, out)


def needs_turning(page: OcrPage) -> bool:
    """Whether straightening would move anything on this page."""
    return page.source is PageSource.OCR and (page.rotation_deg % 360 != 0 or abs(page.skew_deg) > LEVEL_ENOUGH_DEG)


def replace_straightened(base: Path, turning: Iterable[tuple[OcrPage, PageImage]]) -> None:
    """Put turned and levelled pictures in the place of those pages of `base`; one picture in memory at a time."""
    import pikepdf

    with pikepdf.open(base, allow_overwriting_input=True) as pdf:
        for read, image in turning:
            with pikepdf.open(_straightened(read, image)) as turned:
                pdf.pages[read.number - 1] = turned.pages[0]
        pdf.save(base)


def _straightened(read: OcrPage, image: PageImage) -> io.BytesIO:
    import cv2
    import img2pdf

    matrix, width, height = levelled(read)
    turned = cv2.warpPerspective(
        image.pixels, matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=(255, 255, 255)
    )
    _, encoded = cv2.imencode(
        ".jpg", cv2.cvtColor(turned, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, STRAIGHTENED_QUALITY)
    )
    return io.BytesIO(img2pdf.convert(encoded.tobytes(), layout_fun=_layout(read.dpi)))


def _from_pictures(upload: Upload, pages: Sequence[OcrPage], out: Path) -> None:
    import img2pdf
    import pikepdf

    with pikepdf.new() as pdf, picture_pages.open_picture(upload.path, upload.kind) as picture:
        for read in pages:
            if upload.kind is UploadKind.TIFF:
                picture.seek(read.number - 1)
            single = _as_it_is(upload, picture, read.dpi) if upload.page_count == 1 else None
            if single is None:
                single = img2pdf.convert(_lossless(picture), layout_fun=_layout(read.dpi))
            with pikepdf.open(io.BytesIO(single)) as page:
                pdf.pages.extend(page.pages)
        pdf.save(out)


def _as_it_is(upload: Upload, picture: Any, dpi: float) -> bytes | None:
    """A one-page PDF around the file's own compressed data, or None where PDF cannot hold that."""
    import img2pdf

    if upload.kind not in (UploadKind.JPEG, UploadKind.PNG):
        return None
    if upload.kind is UploadKind.PNG and (picture.mode not in ("1", "L", "RGB", "P") or "transparency" in picture.info):
        return None
    turn = picture_pages.orientation(picture)
    if turn in (2, 4, 5, 7):  # mirrored: /Rotate cannot say so
        return None
    try:
        single = img2pdf.convert(
            upload.path.read_bytes(),
            layout_fun=_layout(dpi),
            rotation=img2pdf.Rotation.none,
        )
    except Exception:  # img2pdf refuses what it cannot embed (odd markers, depths); the lossless way always works
        return None
    return _rotated(single, {3: 180, 6: 90, 8: 270}.get(turn, 0))


def _rotated(pdf_bytes: bytes, degrees: int) -> bytes:
    import pikepdf

    if not degrees:
        return pdf_bytes
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf_bytes)) as pdf:
        pdf.pages[0].Rotate = degrees
        pdf.save(out)
    return out.getvalue()


def _lossless(picture: Any) -> bytes:
    """The frame's pixels as PNG; one bit a pixel stays one bit (img2pdf then packs it as fax group 4)."""
    upright = picture_pages.orientation(picture) == 1
    plain = upright and picture.mode in ("1", "L") and "transparency" not in picture.info
    out = io.BytesIO()
    if plain:
        picture.load()
        picture.copy().save(out, "PNG", compress_level=3)
    else:
        frame = picture_pages.upright_rgb(picture)
        sides = np.asarray(frame)
        if (sides[:, :, 0] == sides[:, :, 1]).all() and (sides[:, :, 1] == sides[:, :, 2]).all():
            frame = frame.convert("L")
        frame.save(out, "PNG", compress_level=3)
    return out.getvalue()


def _layout(dpi: float) -> Any:
    """img2pdf's question "how large?", answered with the dpi that the boxes were measured at."""

    def answer(width_px: int, height_px: int, _: Any) -> tuple[float, float, float, float]:
        width, height = width_px * POINTS_PER_INCH / dpi, height_px * POINTS_PER_INCH / dpi
        return width, height, width, height

    return answer


def _without_actions(source: Path, out: Path) -> None:
    import pikepdf

    with pikepdf.open(source, suppress_warnings=True) as pdf:
        root = pdf.Root
        _draw_fields(pdf)
        for key in ACTING_IN_ROOT:
            if key in root:
                del root[key]
        names = root.get("/Names")
        if isinstance(names, pikepdf.Dictionary):
            for key in ACTING_IN_NAMES:
                if key in names:
                    del names[key]
        for page in pdf.pages:
            for key in ACTING_IN_PAGE:
                if key in page.obj:
                    del page.obj[key]
            _calm_annotations(page.obj)
            _own_resources(page)
        pdf.save(out)  # an owner's lock is not carried over: OCRmyPDF takes no locked file


def _draw_fields(pdf: Any) -> None:
    """What was typed into form fields becomes part of the page: without its form a field shows nothing."""
    import pikepdf

    form = pdf.Root.get("/AcroForm")
    if not isinstance(form, pikepdf.Dictionary):
        return
    form["/NeedAppearances"] = True  # so that fields that nobody has drawn yet are drawn as well
    try:
        pdf.generate_appearance_streams()
        pdf.flatten_annotations("all")
    except (pikepdf.PdfError, ValueError, RuntimeError):  # fields too broken to draw are lost, not the record
        return


def _own_resources(page: Any) -> None:
    """Resources of the page's own, where it inherits or shares them: each page has its own font for our layer."""
    import pikepdf

    resources = pikepdf.Dictionary(dict(page.resources.items()))
    for key in ("/Font", "/XObject"):
        if isinstance(resources.get(key), pikepdf.Dictionary):
            resources[key] = pikepdf.Dictionary(dict(resources[key].items()))
    page.obj.Resources = resources


def _calm_annotations(page: Any) -> None:
    import pikepdf

    annotations = page.get("/Annots")
    if not isinstance(annotations, pikepdf.Array):
        return
    kept = pikepdf.Array()
    for item in annotations:
        if not isinstance(item, pikepdf.Dictionary) or str(item.get("/Subtype", "")) in ANNOTATIONS_WITH_FILES:
            continue
        for key in ("/A", "/AA"):
            if key in item:
                del item[key]
        kept.append(item)
    page["/Annots"] = kept

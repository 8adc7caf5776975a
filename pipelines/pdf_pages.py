"""PDF pages become page images, with their own text where a page was born digital.

Knows PDFium (one caller at a time: the library is not made for threads) and the probe that looks a file over first.
Whether a page is a scan is decided here, by what a reader sees of it: its visible text against its pictures.
"""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from domain.document import Box, PageImage, TextLine
from domain.errors import UploadRejected
from domain.limits import Limits
from domain.upload import Upload
from pipelines import pdf_text
from pipelines.pdf_rehearsal import rehearsed

POINTS_PER_INCH = 72
RENDER_DPI = 300.0
MAX_SIDE_PX = 5000  # long side of a page; A4 at 430 dpi. More does not make print more legible
MIN_SIDE_PX = 1000  # long side; below this even print of 12 points is too small to read
SMALL_COVER, LARGE_COVER = 0.25, 0.6  # share of the page under pictures
PROBE_SECONDS = 30
LEAST_CONTRAST = 12  # of 255, between a word and its ground; pale grey on white has 40 and more

PDFIUM = threading.RLock()

REPAIRED = "The PDF was damaged; it could be repaired, but a page or picture may be missing."
ACTIVE = "The PDF carries scripts or actions; none was run, and the searchable PDF leaves them out."
ATTACHED = "The PDF carries attached files; they were not read, and the searchable PDF leaves them out."
OWNER_LOCK = "The PDF forbids copying or printing, but opens without a password; it was read all the same."
UNSEEN = "The page holds text that cannot be seen on it; it was not read."
SMALLER = "The page is very large; it was read at {dpi:.0f} dpi."

REFUSALS = {
    "encrypted": "The PDF is protected by a password, so its pages cannot be seen. Open it with the password, save it "
    "without one (or print it to a new PDF), and upload that.",
    "broken": "The file begins like a PDF, but it is cut off or damaged beyond repair. Save or scan it again.",
    "empty": "The PDF has no pages, so there is nothing to read. Save it again where it was made.",
    "bomb": "The PDF unpacks or nests far beyond what a record can need, so it was not opened further. Print it to a "
    "new PDF, or scan the paper.",
    "xfa": "The PDF is a form that only Adobe's own reader can show. Open it there, print it to a new PDF.",
}


@dataclass(frozen=True, slots=True)
class PageKind:
    """How a page is to be read. `dpi`: to render at. `own_text`: it was born digital."""

    dpi: float
    own_text: bool


def inspect(path: Path, limits: Limits) -> tuple[int, tuple[str, ...], tuple[int, ...]]:
    """Number of pages, warnings, and which pages may be heavy to draw.

    Raises UploadRejected, within PROBE_SECONDS at the worst.
    """
    found = _probe(path, limits)
    state = found["state"]
    if state in REFUSALS:
        raise UploadRejected(REFUSALS[state])
    if state == "objects":
        raise UploadRejected(
            f"The PDF is made of {found['count']:,} objects; at most {limits.max_pdf_objects:,} can be taken. "
            "Print it to a new PDF, or split it."
        )
    if state == "tiny":
        raise UploadRejected(f"Page {found['page']} of the PDF has next to no size. Save it again where it was made.")
    if state == "pixels":
        raise UploadRejected(
            f"Page {found['page']} holds a picture of {found['width']:,} x {found['height']:,} pixels; at most "
            f"{limits.max_pixels / 1e6:,.0f} million can be read. Scan at 300 dpi, or save it smaller."
        )
    if state == "pages":
        return int(found["count"]), (), ()
    if found["xfa"] and found["pages"] == 1:
        raise UploadRejected(REFUSALS["xfa"])
    warnings = (
        (found["repaired"], REPAIRED),
        (found["active"], ACTIVE),
        (found["attachments"], ATTACHED),
        (found["was_encrypted"], OWNER_LOCK),
    )
    with PDFIUM, _opened(path) as pdf:  # what the probe repaired, the renderer must be able to show as well
        if len(pdf) != found["pages"]:
            raise UploadRejected(REFUSALS["broken"])
    return int(found["pages"]), tuple(text for applies, text in warnings if applies), tuple(found["heavy"])


def pages(upload: Upload, limits: Limits, render_dpi: float) -> Iterator[PageImage]:
    """One PageImage a page, rendered as a viewer shows it (crop box, /Rotate), white ground, annotations included."""
    with rehearsed(upload.path, upload.heavy_pages, render_dpi, limits.max_pixels) as drawable:
        for number in range(1, upload.page_count + 1):
            if not drawable(number):
                raise UploadRejected(
                    f"Page {number} of the PDF takes more time or memory to draw than any record needs, so the file "
                    "was not read further. Print it to a new PDF, or scan the paper."
                )
            yield draw(upload.path, number, limits, render_dpi)


def draw(path: Path, number: int, limits: Limits, render_dpi: float) -> PageImage:
    """One page, from 1. Raises UploadRejected where it cannot be shown."""
    with PDFIUM, _opened(path) as pdf:
        return _render(pdf, number, limits, render_dpi)


def _render(pdf: Any, number: int, limits: Limits, render_dpi: float) -> PageImage:
    import pypdfium2

    try:
        page = _as_printed(pdf, number)
        try:
            width_pt, height_pt = page.get_size()
            lines = pdf_text.own_text(page)
            kind = _kind(page, lines, render_dpi)
            dpi, warnings = _bounded(kind.dpi, width_pt, height_pt, limits)
            long_pt = max(width_pt, height_pt)
            # PDFium rounds up, so a hair below the whole pixel, or a scan comes out one pixel larger than it is.
            scale = (round(long_pt * dpi / POINTS_PER_INCH) - 0.01) / long_pt
            bitmap = page.render(scale=scale, rev_byteorder=True, may_draw_forms=False)
            try:
                array = bitmap.to_numpy()  # (height, width) or (height, width, 3 or 4) uint8
                pixels = _rgb(array)
            finally:
                bitmap.close()
            own: tuple[TextLine, ...] = ()
            if kind.own_text:
                held = pdf_text.in_pixels(page, lines, pixels.shape[1], pixels.shape[0])
                own = _seen(held, pixels)
                if own != held:
                    warnings = (*warnings, UNSEEN)
        finally:
            page.close()
    except (pypdfium2.PdfiumError, ValueError, OSError, MemoryError, ctypes.ArgumentError) as error:
        raise UploadRejected(
            f"Page {number} of the PDF is damaged and cannot be shown, so the file was not read further. Print it to a "
            "new PDF, or scan the paper again."
        ) from error
    return PageImage(number, pixels, dpi, own, warnings)


def _as_printed(pdf: Any, number: int) -> Any:
    """The page with what was typed into its form fields drawn on it, to be read like the rest. No script is run: this
    PDFium has no engine for them."""
    page = pdf[number - 1]
    if pdf.formenv is not None:
        page.flatten()
        page.close()  # only a page that is opened anew has the fields among its text
        page = pdf[number - 1]
    return page


def _seen(lines: Sequence[TextLine], pixels: np.ndarray) -> tuple[TextLine, ...]:
    """The lines without words where the page shows nothing: text in a hidden layer, or white on white."""
    seen = (tuple(word for word in line.words if _shows(pixels, word.box)) for line in lines)
    return tuple(TextLine(words) for words in seen if words)


def _shows(pixels: np.ndarray, box: Box) -> bool:
    """Whether anything stands out in a box of an image, uint8 (height, width, 3)."""
    cut = pixels[max(0, int(box.top)) : int(box.bottom) + 1, max(0, int(box.left)) : int(box.right) + 1]
    return bool(cut.size) and int(cut.max()) - int(cut.min()) >= LEAST_CONTRAST


def _kind(page: Any, text: pdf_text.OwnText, render_dpi: float) -> PageKind:
    """Scan or born digital.

    A picture that fills the page is a scan, unless plenty of visible text runs over most of the height: a header
    stamped on by the scanner is little text at one edge. Invisible text is another program's reading.
    """
    cover, native_dpi = _pictures(page)
    if text.legible and cover < SMALL_COVER:
        own = text.visible_chars >= 1
    elif text.legible and cover < LARGE_COVER:
        own = text.visible_chars >= 100
    else:
        own = text.legible and text.visible_chars >= 150 and text.spread >= 0.4
    if own or cover < SMALL_COVER:
        return PageKind(render_dpi, own)
    return PageKind(native_dpi or render_dpi, False)


def _pictures(page: Any) -> tuple[float, float]:
    """Share of the page under pictures, 0 to 1, and the finest resolution of one that covers a quarter of it (or 0)."""
    import pypdfium2.raw as pdfium_c

    left, bottom, right, top = page.get_bbox()
    width, height = max(1e-6, right - left), max(1e-6, top - bottom)
    covered = np.zeros((64, 64), bool)
    finest = 0.0
    for item in page.get_objects(filter=(pdfium_c.FPDF_PAGEOBJ_IMAGE,), max_depth=8):
        try:
            x0, y0, x1, y1 = item.get_bounds()
            px_width, px_height = item.get_px_size()
        except Exception:  # an image PDFium cannot measure is not drawn either
            continue
        if item.level and x1 - x0 <= 1.5 and y1 - y0 <= 1.5:  # inside a form, in the form's own units
            x0, y0, x1, y1 = left, bottom, right, top
        columns = np.clip(np.array([(x0 - left) / width, (x1 - left) / width]) * 64, 0, 64).round().astype(int)
        rows = np.clip(np.array([(y0 - bottom) / height, (y1 - bottom) / height]) * 64, 0, 64).round().astype(int)
        covered[rows[0] : rows[1], columns[0] : columns[1]] = True
        share = (columns[1] - columns[0]) * (rows[1] - rows[0]) / covered.size
        if share >= 0.25:
            long_px, long_pt = max(px_width, px_height), max(x1 - x0, y1 - y0, 1e-6)
            finest = max(finest, long_px / long_pt * POINTS_PER_INCH)
    return float(covered.mean()), finest


def _bounded(dpi: float, width_pt: float, height_pt: float, limits: Limits) -> tuple[float, tuple[str, ...]]:
    """`dpi` within what is worth rendering and allowed, and a warning where the page had to be made coarser."""
    long_in, area_in = max(width_pt, height_pt) / POINTS_PER_INCH, width_pt * height_pt / POINTS_PER_INCH**2
    dpi = max(dpi, MIN_SIDE_PX / long_in)
    most = min(MAX_SIDE_PX / long_in, (limits.max_pixels / area_in) ** 0.5)
    if dpi <= most:
        return dpi, ()
    return most, (SMALLER.format(dpi=most),) if most < 150 else ()


def _rgb(array: np.ndarray) -> np.ndarray:
    if array.ndim == 2:
        array = array[:, :, None]
    if array.shape[2] == 1:
        return np.repeat(array, 3, axis=2)
    return np.array(array[:, :, :3], order="C")  # a copy: the bitmap's memory goes with the bitmap


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(path)
    except (pypdfium2.PdfiumError, OSError) as error:
        raise UploadRejected(REFUSALS["broken"]) from error
    try:
        if pdf.get_formtype():
            pdf.init_forms()  # before any page is opened
        yield pdf
    finally:
        pdf.close()


def _probe(path: Path, limits: Limits) -> dict[str, Any]:
    script = Path(__file__).with_name("pdf_probe.py")
    command = [sys.executable, "-I", str(script), str(path.resolve())]
    command += [str(limits.max_pages), str(limits.max_pixels), str(limits.max_pdf_objects)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PROBE_SECONDS, check=False)
        return dict(json.loads(done.stdout))
    except (subprocess.TimeoutExpired, ValueError):  # out of time, or killed for its memory: no answer
        return {"state": "bomb"}

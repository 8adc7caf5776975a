"""An OCRmyPDF engine that reads nothing: it hands over the text layers that lie ready beside the input file.

OCRmyPDF loads this module by name and does the rest (grafting, /Rotate, metadata, PDF/A). It would paint every page for
its engine to look at; as nobody looks, a tiny picture stands in, which saves about a second and 100 MB a page.

Layers go through `generate_pdf` rather than `generate_ocr`: the tree of the latter is set line by line on a straight
baseline, and words on sloping or photographed lines end up beside their ink.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from ocrmypdf import hookimpl
from ocrmypdf.pluginspec import OcrEngine, OrientationConfidence

LAYERS = "layers"  # folder beside OCRmyPDF's input file
STAND_IN_SIDE = 8  # pixels


def layer_file(input_pdf: Path, number: int) -> Path:
    """Where the layer of a page (from 1) lies; an empty file for a page that keeps its own text."""
    return input_pdf.parent / LAYERS / f"{number:06d}.pdf"


class ReadPages(OcrEngine):
    """Serves one prepared layer a page; a page without one stops the job, so that none comes out without its text."""

    @staticmethod
    def version() -> str:
        return "1"

    @staticmethod
    def creator_tag(options: Any) -> str:
        return "HEALTH CONNECT"

    def __str__(self) -> str:
        return "HEALTH CONNECT, pages already read"

    @staticmethod
    def languages(options: Any) -> set[str]:
        return set(options.languages)

    @staticmethod
    def get_orientation(input_file: Path, options: Any) -> OrientationConfidence:
        return OrientationConfidence(angle=0, confidence=0.0)

    @staticmethod
    def generate_hocr(input_file: Path, output_hocr: Path, output_text: Path, options: Any) -> None:
        raise NotImplementedError("layers are placed word by word; run with pdf_renderer='sandwich'")

    @staticmethod
    def generate_pdf(input_file: Path, output_pdf: Path, output_text: Path, options: Any) -> None:
        number = int(Path(input_file).name.partition("_")[0])
        shutil.copyfile(layer_file(Path(options.input_file), number), output_pdf)
        Path(output_text).write_text("", encoding="utf-8")


@hookimpl
def get_ocr_engine(options: Any) -> OcrEngine:
    return ReadPages()


@hookimpl(tryfirst=True)
def rasterize_pdf_page(output_file: Path, raster_dpi: Any) -> Path:
    from PIL import Image

    dpi = tuple(float(value) for value in (raster_dpi.x, raster_dpi.y))
    Image.new("L", (STAND_IN_SIDE, STAND_IN_SIDE), 255).save(output_file, dpi=dpi)
    return output_file

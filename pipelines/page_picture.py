"""A page of a kept PDF as the picture in whose pixels its boxes are measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from domain.errors import NothingFound
from pipelines.pdf_pages import PDFIUM


def render(pdf: Path, number: int, width_px: int, height_px: int) -> np.ndarray:
    """uint8 (height_px, width_px, 3) RGB of page `number`, from 1. Raises NothingFound where there is no such page."""
    import cv2
    import pypdfium2

    with PDFIUM, pypdfium2.PdfDocument(pdf) as document:
        if not 1 <= number <= len(document):
            raise NothingFound(f"The record has no page {number}. Choose one of its pages.")
        page = document[number - 1]
        picture = page.render(scale=width_px / page.get_width(), rev_byteorder=True).to_numpy()
    rgb = np.ascontiguousarray(picture[:, :, :3])
    if rgb.shape[:2] != (height_px, width_px):  # pdfium rounds a page up to whole pixels
        rgb = cv2.resize(rgb, (width_px, height_px), interpolation=cv2.INTER_AREA)
    return rgb

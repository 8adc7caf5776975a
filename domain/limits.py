"""How much one upload may ask of the machine. Each limit is a setting (HEALTH_CONNECT_MAX_*)."""

from __future__ import annotations

from dataclasses import dataclass

MAX_BUNDLE_BYTES = 200_000_000  # a FHIR bundle with its PDFs; these cost about three times their size to receive


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that are checked before the costly step they guard."""

    max_bytes: int = 200_000_000
    max_pixels: int = 120_000_000  # a page; A3 at 600 dpi is 70 million
    max_pages: int = 1_000
    max_pdf_objects: int = 500_000  # objects of a PDF before it counts as a bomb
    min_side_px: int = 32  # smaller pictures hold no word

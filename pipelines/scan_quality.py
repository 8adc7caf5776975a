"""Is this a scan picture at all, and good enough? Arithmetic on pixels, before any network sees them.

Knows what no scan looks like: blank, tiny, coloured, a page of text. Whether a picture is of the right body part and
modality is for the classifier's own gate.
"""

from __future__ import annotations

import numpy as np

from domain.imaging import Doubt

MIN_SHORT_SIDE_PX, MIN_LONG_SIDE_PX = 48, 112
BLANK_DEVIATION = 6.0  # grey levels; noise of a lens cap stays below
BLANK_SPREAD = 12.0  # between the 2nd and 98th percentile
CHROMA_LEVELS, COLOUR_SHARE = 40, 0.12  # a pixel is coloured beyond these levels; more of them is no scan
PAPER_LEVEL, PAPER_SHARE = 12, 0.55  # a page: over half its pixels are one bright level
BRIGHT_PAPER = 150
STROKE_SHARE = (0.005, 0.40)
STROKES_A_LINE = 6.0  # dark runs met along a row that holds any ink
NOISE_NEIGHBOUR = 0.25  # correlation of neighbouring pixels; every scan is far smoother
WORK_SIDE_PX = 512  # larger pictures are judged at this size


def doubt_about(pixels: np.ndarray) -> Doubt | None:
    """The first reason to say nothing about a uint8 (height, width[, 3]) picture, or None."""
    height, width = pixels.shape[:2]
    if min(height, width) < MIN_SHORT_SIDE_PX or max(height, width) < MIN_LONG_SIDE_PX:
        return Doubt(
            "small",
            f"The picture is {width} x {height} pixels, too small to judge.",
            "Export it from the viewer at full size, not as a thumbnail.",
        )
    step = max(1, max(height, width) // WORK_SIDE_PX)
    sample = pixels[::step, ::step]
    grey = sample.mean(axis=2) if sample.ndim == 3 else sample.astype(np.float32)
    low, high = np.percentile(grey, (2, 98))
    if grey.std() < BLANK_DEVIATION or high - low < BLANK_SPREAD:
        return Doubt(
            "blank",
            "The picture is blank or nearly so.",
            "Check the export and its window; choose a slice that shows the body.",
        )
    if sample.ndim == 3:
        spread = sample.max(axis=2).astype(int) - sample.min(axis=2)
        if float((spread > CHROMA_LEVELS).mean()) > COLOUR_SHARE:
            return Doubt(
                "colour",
                "The picture is coloured like a photograph; this task reads grey scans.",
                "Export the picture from the viewer instead of photographing it, without colour overlays.",
            )
    if _neighbour_likeness(grey) < NOISE_NEIGHBOUR:
        return Doubt(
            "domain", "The picture is noise: neighbouring pixels have nothing in common.", "Export the picture again."
        )
    if _is_text(grey):
        return Doubt(
            "text",
            "The picture looks like a page of text, not a scan of the body.",
            "Use the Records tab for letters and reports, and upload the scan itself here.",
        )
    return None


def _neighbour_likeness(grey: np.ndarray) -> float:
    left, right = grey[:, :-1].ravel(), grey[:, 1:].ravel()
    spread = float(left.std() * right.std())
    return float(((left - left.mean()) * (right - right.mean())).mean()) / spread if spread else 1.0


def _is_text(grey: np.ndarray) -> bool:
    """Bright paper of one level, a little ink, and many strokes along each inked row."""
    levels = np.bincount(grey.astype(np.uint8).ravel(), minlength=256)
    paper = int(levels[BRIGHT_PAPER:].argmax()) + BRIGHT_PAPER
    if levels[max(0, paper - PAPER_LEVEL) : paper + PAPER_LEVEL + 1].sum() < PAPER_SHARE * grey.size:
        return False
    ink = grey < paper - 60
    if not STROKE_SHARE[0] < ink.mean() < STROKE_SHARE[1]:
        return False
    strokes = (np.diff(ink.astype(np.int8), axis=1) == 1).sum(axis=1)
    inked = strokes[strokes > 0]
    return bool(len(inked) and np.median(inked) >= STROKES_A_LINE)

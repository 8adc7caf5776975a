"""Takes shading, faintness and specks out of a page, and leaves a clean page as it is. Knows pixels only."""

from __future__ import annotations

import numpy as np

SPECK_PX = 3  # pixels, at most
SPECK_SHARE = 0.6  # of a stroke's width squared: the full stop of a 150 dpi fax is hardly larger than a speck
LONE_SPECK_PX = 12  # pixels, for a speck with no other ink beside it
LONE_REACH = 9  # pixels; a full stop stands nearer to its word
DOT_CROWD = 4.0  # times as many blots of a size near letters as elsewhere, from which they are dots and full stops
SPECK_DEPTH = 40  # of 255, darker than the paper
SPECKED = 0.0006  # specks a pixel of page, from which it counts as specked; a clean scan has a tenth of it
STREAK_LEVEL = 128  # of 255, darker than
STREAK_SHARE = 0.9  # of the page's height that a streak runs through; no rule of a form is so long
STREAK_WIDTH = 4  # pixels, at most
INK_DEPTH = 12  # of 255, darker than the paper: the faintest that a scanner's noise does not reach
GRAIN = 5.0  # deviations of the paper's grain, beyond which the darkest of nine pixels is ink
APART_PX = 3  # pixels
INK_ENOUGH = 30  # pixels; less is dust
BROAD_STROKE = 3.2  # pixels; strokes this broad survive a median of 3 by 3

BLURRED = (
    2.0  # pixels, the softness of edges (as a Gaussian's deviation); sharp scans, photographs and faxes stay below 1.5
)


def is_blurred(pixels: np.ndarray) -> bool:
    """Whether even the sharpest edges of the ink are soft. `pixels`: uint8 (height, width, 3) RGB.

    The slope of an edge of height h, blurred by a Gaussian of deviation s, is h / (s sqrt(2 pi)) at its steepest. A
    page without ink is not called blurred.
    """
    import cv2

    grey = cv2.medianBlur(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), 3)  # grain has slopes of its own
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=1) / 2
    steepest = float(np.percentile(np.abs(across), 99.9))
    paper, ink = np.percentile(grey, (60, 0.5))
    if paper - ink < INK_DEPTH:
        return False
    return bool((paper - ink) / max(steepest, 1e-6) / np.sqrt(2 * np.pi) > BLURRED)


def even_out(pixels: np.ndarray) -> np.ndarray:
    """Shading divided away and faint ink darkened; a page that is even and dark enough comes back as it is."""
    import cv2

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    scale = 400 / max(height, width)
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    paper = cv2.medianBlur(cv2.dilate(small, np.ones((9, 9), np.uint8)), 31)
    level = float(np.median(paper))
    ink = _darkness(grey, level)
    if paper.min() > 0.85 * level and level > 200 and ink < 110:
        return pixels
    ground = cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR)
    flat = cv2.divide(grey, np.maximum(ground, 1), scale=255)
    darkest = _darkness(flat, 255)
    if 60 < darkest < 250:
        table = np.clip((np.arange(256) - darkest) * 255 / max(1.0, 250 - darkest), 0, 255).astype(np.uint8)
        flat = cv2.LUT(flat, table)
    return cv2.cvtColor(flat, cv2.COLOR_GRAY2RGB)


def _darkness(grey: np.ndarray, paper: float) -> float:
    """How dark the ink is, 0 to 255: among what stands out from the paper, not among the whole page, of which a single
    line of text is a thousandth. 0 where nothing stands out: then there is nothing to darken."""
    import cv2

    strokes = cv2.erode(grey, np.ones((3, 3), np.uint8))  # thin strokes by their darkest pixel, not by their soft edges
    standing_out = strokes[strokes < paper - max(INK_DEPTH, GRAIN * _grain(grey))]
    return float(np.percentile(standing_out, 10)) if len(standing_out) >= INK_ENOUGH else 0.0


def _grain(grey: np.ndarray) -> float:
    """Standard deviation of the paper's brightness, 0 to 255, shading aside: from the median difference between pixels
    so near that the light is the same, and so far that their grain is not. Most of a page is paper."""
    if grey.shape[1] <= APART_PX:
        return 0.0
    rows = grey[::3].astype(np.float32)
    return 1.48 / np.sqrt(2) * float(np.median(np.abs(rows[:, APART_PX:] - rows[:, :-APART_PX])))


def without_specks(pixels: np.ndarray) -> np.ndarray:
    """Specks of dust, fax noise and grain painted over with their surroundings; the same array on an unspecked page.

    A plain median filter would do, but it eats the thin strokes of a fax or of small print: what is taken out is
    chosen by the size of the blot, and the filter used only where strokes are broad.
    """
    import cv2

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    ink = cv2.subtract(_paper_of(grey), grey) > SPECK_DEPTH
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    area = stats[:, cv2.CC_STAT_AREA]
    small, lone = area <= SPECK_PX, area <= LONE_SPECK_PX
    small[0] = lone[0] = False
    if small.sum() < SPECKED * grey.size:
        return pixels
    stroke = _stroke_width((ink & ~lone[labels]).astype(np.uint8))
    small &= area <= SPECK_SHARE * stroke**2
    letters = (ink & ~lone[labels]).astype(np.uint8)
    near = cv2.dilate(letters, np.ones((2 * LONE_REACH + 1, 2 * LONE_REACH + 1), np.uint8)).astype(bool)
    touching = np.bincount(labels[near], minlength=count) > 0
    for size in range(1, SPECK_PX + 1):  # specks fall anywhere; the dots of thin letters stand beside letters
        of_size = small & (area == size)
        if _crowded(of_size, touching, float(near.mean())):
            small &= ~(of_size & touching)
    gone = (small | (lone & ~touching))[labels]
    mended = pixels.copy()
    mended[gone] = cv2.medianBlur(pixels, 5)[gone]
    mended[gone & (cv2.cvtColor(mended, cv2.COLOR_RGB2GRAY) < 128)] = 255
    return cv2.medianBlur(mended, 3) if stroke >= BROAD_STROKE else mended


def _crowded(blots: np.ndarray, touching: np.ndarray, share: float) -> bool:
    """Whether blots stand near letters far more often than the share of the page that lies near letters would give."""
    beside = float((blots & touching).sum())
    elsewhere = float((blots & ~touching).sum())
    return beside * (1 - share) > DOT_CROWD * max(1.0, elsewhere) * share


def without_streaks(pixels: np.ndarray) -> np.ndarray:
    """Thin black lines from top to bottom, as a speck on the glass of a fax or scanner draws them, bridged from both
    sides; the same array on a page without."""
    import cv2

    dark = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) < STREAK_LEVEL
    columns = np.flatnonzero(dark.mean(axis=0) > STREAK_SHARE)
    if len(columns) == 0:
        return pixels
    mended = pixels.copy()
    for run in np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1):
        left, right = int(run[0]) - 2, int(run[-1]) + 2  # one more on either side: the edge of a streak is soft
        if len(run) <= STREAK_WIDTH and left >= 0 and right < pixels.shape[1]:
            share = np.linspace(0, 1, right - left + 1)[None, :, None]
            ends = pixels[:, [left, right]].astype(np.float32)
            mended[:, left : right + 1] = ends[:, :1] * (1 - share) + ends[:, 1:] * share
    return mended


def _paper_of(grey: np.ndarray) -> np.ndarray:
    """uint8 (height, width): the paper's brightness around each pixel."""
    import cv2

    height, width = grey.shape
    small = cv2.resize(grey, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
    paper = cv2.medianBlur(cv2.dilate(small, np.ones((5, 5), np.uint8)), 21)
    return cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR)


def _stroke_width(letters: np.ndarray) -> float:
    """Median width of strokes in pixels: twice the distance from a stroke's ridge to its edge."""
    import cv2

    depth = cv2.distanceTransform(letters, cv2.DIST_L2, 3)
    ridge = (depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8))) & (depth > 0)
    return 2 * float(np.median(depth[ridge])) if ridge.any() else 0.0

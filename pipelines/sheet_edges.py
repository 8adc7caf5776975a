"""Finds a sheet of paper by its four edges, and judges whether four corners are those of a sheet. Knows pixels only.

Where a shadow falls across the sheet, what is light is only a part of it. An edge of paper is told from that of a
shadow and from the rule of a table by two things: it is sharp, and all along it the paper inside is lighter than the
ground.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

SOFTNESS = 1.2  # pixels, of the picture looked at
BAND = 4  # pixels within which an edge of paper has risen; the edge of a shadow takes longer
RISE = 0.06  # of the brightness, that an edge rises by at least; grain and the weave of a cloth rise by less
STAYS = 0.6  # of its rise that an edge keeps beyond the band: paper does, the far side of a rule does not
SUPPORT = 0.75  # of a side's length along which it must be an edge; a thumb or a fold may hide the rest
PART = 0.2  # of the picture's side: a line that is an edge for less belongs to no sheet
SAMPLES = 120  # places along a side
SLOPE = np.deg2rad(35)  # a sheet turned further is taken for one that lies on its side
LINES = 14  # the strongest of either direction
APART = 6  # pixels: nearer lines are one
CORNER_REACH = 0.04  # of the picture's width: how far a corner may lie outside the picture


@dataclass(frozen=True, slots=True)
class _Line:
    """`abc`: a x + b y + c = 0. `opens`, `closes`: for each whole x (a level line) or y (an upright one) whether the
    line is there the edge of something lighter below or to the right of it, or above or to the left."""

    abc: np.ndarray
    opens: np.ndarray
    closes: np.ndarray


def log_brightness(small: np.ndarray) -> np.ndarray:
    """float32 (height, width, 3) of uint8 RGB: differences become ratios, so that an edge in shadow counts alike."""
    import cv2

    return np.log(cv2.GaussianBlur(small, (0, 0), SOFTNESS).astype(np.float32) + 8)


def edge_support(soft: np.ndarray, corners: np.ndarray) -> float:
    """Share, 0 to 1, of the least supported of the four sides that is an edge of something lighter than its ground.

    `soft`: see `log_brightness`. `corners`: (4, 2), clockwise.
    """
    shares = []
    for index in range(4):
        start, way = corners[index], corners[(index + 1) % 4] - corners[index]
        inward = np.array([-way[1], way[0]]) / max(1e-6, float(np.hypot(*way)))
        along = start + np.linspace(0.03, 0.97, SAMPLES)[:, None] * way
        shares.append(float(_edges(soft, along, inward)[0].mean()))
    return min(shares)


def sheet_by_edges(small: np.ndarray, soft: np.ndarray, least_area: float) -> np.ndarray | None:
    """Corners, float64 (4, 2) clockwise from top-left, of the largest sheet whose four sides are edges.

    `small`: uint8 (height, width, 3); `soft`: its `log_brightness`; `least_area`: share of the picture.
    """
    height, width = small.shape[:2]
    level, upright = _lines(soft)
    tops, bottoms = _likely(level, width)
    lefts, rights = _likely(upright, height)
    best, found = least_area * height * width, None
    for top, bottom, left, right in itertools.product(tops, bottoms, lefts, rights):
        corners = _corners(top.abc, bottom.abc, left.abc, right.abc)
        if corners is None or (size := area(corners)) <= best or not _inside(corners, width, height):
            continue
        sides = (
            _share(top.opens, corners[0, 0], corners[1, 0]), _share(bottom.closes, corners[3, 0], corners[2, 0]),
            _share(left.opens, corners[0, 1], corners[3, 1]), _share(right.closes, corners[1, 1], corners[2, 1]),
        )  # fmt: skip
        if min(sides) >= SUPPORT:
            best, found = size, corners
    return found


def area(corners: np.ndarray) -> float:
    """Of a quadrilateral, corners (4, 2) in order."""
    x, y = corners[:, 0], corners[:, 1]
    return 0.5 * abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1)))


def _likely(lines: list[_Line], side: int) -> tuple[list[_Line], list[_Line]]:
    """Lines that may open a sheet, and lines that may close one."""
    least = PART * side
    return [line for line in lines if line.opens.sum() > least], [line for line in lines if line.closes.sum() > least]


def _lines(soft: np.ndarray) -> tuple[list[_Line], list[_Line]]:
    """Long straight edges, nearly level and nearly upright."""
    import cv2

    height, width = soft.shape[:2]
    grey = np.clip((soft.mean(axis=2) - 2) * 70, 0, 255).astype(np.uint8)  # logarithms of 8 to 263
    segments = cv2.HoughLinesP(
        cv2.Canny(grey, 8, 20, L2gradient=True), 1, np.pi / 720, 60, minLineLength=width // 9, maxLineGap=12
    )
    chosen: tuple[list[_Line], list[_Line]] = ([], [])
    if segments is None:
        return chosen
    pieces = segments[:, 0, :].astype(np.float64)
    for index in np.argsort(-np.hypot(pieces[:, 2] - pieces[:, 0], pieces[:, 3] - pieces[:, 1])):
        x0, y0, x1, y1 = pieces[index]
        slope = abs(np.arctan2(y1 - y0, x1 - x0))
        slope = min(slope, np.pi - slope)
        kind = 0 if slope < SLOPE else 1 if slope > np.pi / 2 - SLOPE else None
        if kind is None or len(chosen[kind]) >= LINES:
            continue
        abc = np.cross([x0, y0, 1.0], [x1, y1, 1.0])
        abc /= np.hypot(abc[0], abc[1]) * np.sign(abc[1 - kind])  # its normal points down, or to the right
        side = (width, height)[kind]
        if all(np.abs(_ends(abc, kind, side) - _ends(known.abc, kind, side)).max() > APART for known in chosen[kind]):
            chosen[kind].append(_line(soft, abc, kind, side))
    return chosen


def _ends(abc: np.ndarray, kind: int, side: int) -> np.ndarray:
    """Where a level line crosses the picture's left and right rim; an upright one the upper and the lower."""
    return -(abc[kind] * np.array([0.0, side]) + abc[2]) / abc[1 - kind]


def _line(soft: np.ndarray, abc: np.ndarray, kind: int, side: int) -> _Line:
    at = np.arange(side, dtype=np.float64)
    across = -(abc[kind] * at + abc[2]) / abc[1 - kind]
    along = np.column_stack([at, across] if kind == 0 else [across, at])
    return _Line(abc, *_edges(soft, along, abc[:2]))


def _edges(soft: np.ndarray, along: np.ndarray, normal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """bool (n,) each: whether it grows lighter, sharply and for good, at places (n, 2), along the normal or against."""
    height, width = soft.shape[:2]
    places = along[:, None, :] + np.arange(-BAND - 2, BAND + 3)[None, :, None] * normal  # (n, 2 BAND + 5, 2)
    columns, rows = np.rint(places[..., 0]).astype(np.intp), np.rint(places[..., 1]).astype(np.intp)
    seen = ((columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)).all(axis=1)
    values = soft[rows.clip(0, height - 1), columns.clip(0, width - 1)]  # (n, 2 BAND + 5, 3)
    steps = values[:, BAND:] - values[:, :-BAND]
    whole = values[:, -2:].mean(axis=1) - values[:, :2].mean(axis=1)  # (n, 3)
    found = []
    for sign in (1, -1):
        rise = (sign * steps).max(axis=(1, 2))
        found.append(seen & (rise > RISE) & ((sign * whole).max(axis=1) > STAYS * rise))
    return found[0], found[1]


def _share(flags: np.ndarray, start: float, end: float) -> float:
    """Of the stretch from `start` to `end`, the part that is an edge; what lies outside the picture is none."""
    first, last = max(0, round(start)), min(len(flags), round(end))
    return float(flags[first:last].sum()) / max(1.0, end - start)


def _corners(top: np.ndarray, bottom: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray | None:
    """Where four lines cross, clockwise from top-left; None where they make no convex quadrilateral."""
    points = []
    for one, other in ((top, left), (top, right), (bottom, right), (bottom, left)):
        x, y, w = np.cross(one, other)
        if abs(w) < 1e-9:
            return None
        points.append((x / w, y / w))
    corners = np.array(points)
    sides = np.roll(corners, -1, axis=0) - corners
    following = np.roll(sides, -1, axis=0)
    return corners if (sides[:, 0] * following[:, 1] - sides[:, 1] * following[:, 0] > 0).all() else None


def _inside(corners: np.ndarray, width: int, height: int) -> bool:
    reach = CORNER_REACH * width
    return bool((corners > -reach).all() and (corners < np.array([width, height]) + reach).all())

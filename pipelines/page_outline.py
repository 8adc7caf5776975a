"""Finds a sheet of paper in a photograph. Knows pixels only."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipelines.sheet_edges import RISE, SUPPORT, area, edge_support, log_brightness, sheet_by_edges

LOOK_SIDE = 900  # pixels of the long side on which outlines and skew are sought
SMALLEST = 100  # pixels; no sheet with print on it is pictured smaller
BRIGHTER = 25  # of 255: a sheet is at least so much lighter than a dark ground
OTHER_HUE = 0.02  # distance in (r, g) chromaticity by which a light table differs from paper
LEAST_AREA = 0.15  # of the picture: no sheet worth reading is smaller in it
GROUND_SHARE = 0.08  # of the rim, that must differ from paper; ink at a scan's edge is less
INK_SIZE = 25  # pixels; ink is narrower, so that closing by this leaves the sheet whole


def find_page(pixels: np.ndarray, small: np.ndarray | None = None) -> np.ndarray | None:
    """Corners, float64 (4, 2) clockwise from top-left, of a sheet that lies on a darker or otherwise coloured ground.

    `pixels`: uint8 (height, width, 3) RGB; `small`: the same `shrunk`, where it is at hand. None where the page fills
    the picture, or no clean sheet stands out.
    """
    if min(pixels.shape[:2]) < SMALLEST:
        return None
    small = shrunk(pixels) if small is None else small
    height, width = small.shape[:2]
    soft = log_brightness(small)
    found = [corners for mask in _sheet_masks(small) if (corners := _sheet_corners(mask)) is not None]
    found = [corners for corners in found if edge_support(soft, corners) >= SUPPORT]
    if _shows_ground(soft) and (by_edges := sheet_by_edges(small, soft, LEAST_AREA)) is not None:
        found.append(by_edges)
    if not found:
        return None
    largest = max(found, key=area)
    return largest * [pixels.shape[1] / width, pixels.shape[0] / height]


def shrunk(pixels: np.ndarray) -> np.ndarray:
    """The page at a size to look at; as it is where it is small already."""
    import cv2

    scale = min(1.0, LOOK_SIDE / max(pixels.shape[:2]))
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else pixels


def _sheet_masks(small: np.ndarray) -> Iterator[np.ndarray]:
    """uint8 (height, width) guesses of where the sheet is: what is light, then what has the paper's own hue."""
    import cv2

    height, width = small.shape[:2]
    soft = cv2.GaussianBlur(small, (0, 0), 3)
    light = cv2.cvtColor(soft, cv2.COLOR_RGB2LAB)[:, :, 0]
    centre = (slice(height // 4, -height // 4), slice(width // 4, -width // 4))
    kernel = np.ones((INK_SIZE, INK_SIZE), np.uint8)
    if np.percentile(light[centre], 75) - np.median(_rim(light)) >= BRIGHTER:
        closed = cv2.morphologyEx(light, cv2.MORPH_CLOSE, kernel)
        yield cv2.threshold(closed, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1]
    # Chromaticity does not change with shading, so a light table under a lamp still differs from the paper on it.
    colour = soft.astype(np.float32) + 1
    hue = colour[:, :, :2] / colour.sum(axis=2, keepdims=True)  # (height, width, 2)
    bright = light[centre] >= np.median(light[centre])
    paper = np.median(hue[centre][bright], axis=0)
    away = np.linalg.norm(hue - paper, axis=2)
    if np.median(_rim(away)) > OTHER_HUE:
        grey = np.clip(away * (255 / 0.2), 0, 255).astype(np.uint8)
        opened = cv2.morphologyEx(cv2.medianBlur(grey, 5), cv2.MORPH_OPEN, kernel)
        yield cv2.threshold(opened, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)[1]


def _shows_ground(soft: np.ndarray) -> bool:
    """Whether the picture's rim is something else than paper, as it is of no scan: looking for edges takes its time.

    `soft`: float32 (height, width, 3), logarithms of brightness.
    """
    light = soft.mean(axis=2)
    height, width = light.shape
    paper = np.percentile(light[height // 4 : -height // 4, width // 4 : -width // 4], 75)
    return bool(np.mean(np.abs(_rim(light) - paper) > RISE) > GROUND_SHARE)


def _rim(values: np.ndarray) -> np.ndarray:
    return np.concatenate([edge.ravel() for edge in (values[:6], values[-6:], values[:, :6], values[:, -6:])])


def _sheet_corners(mask: np.ndarray) -> np.ndarray | None:
    import cv2

    height, width = mask.shape
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    sheet = max(contours, key=cv2.contourArea)
    hull = cv2.convexHull(sheet)
    if not LEAST_AREA * height * width < cv2.contourArea(hull) < 0.985 * height * width:
        return None
    rough = _four_corners(hull)
    if rough is None or cv2.contourArea(sheet) < 0.93 * cv2.contourArea(rough.astype(np.float32)):
        return None
    corners = _refined(sheet[:, 0, :].astype(np.float64), rough)
    if corners is None:
        return None
    inside = (corners > 0.004 * width) & (corners < np.array([width, height]) - 0.004 * width)
    if inside.all(axis=1).sum() < 3:
        return None  # the picture cuts the sheet: its outline is the picture's, not the sheet's
    return corners


def _four_corners(hull: np.ndarray) -> np.ndarray | None:
    import cv2

    length = cv2.arcLength(hull, True)
    for slack in (0.01, 0.015, 0.02, 0.03, 0.04, 0.06):
        outline = cv2.approxPolyDP(hull, slack * length, True)
        if len(outline) == 4:
            points = outline[:, 0, :].astype(np.float64)
            centre = points.mean(axis=0)
            angle = np.arctan2(points[:, 1] - centre[1], points[:, 0] - centre[0])
            points = points[np.argsort(angle)]  # clockwise on a screen, from the top-left quarter
            start = int(np.argmin(points.sum(axis=1)))
            return np.roll(points, -start, axis=0)
    return None


def _refined(outline: np.ndarray, corners: np.ndarray) -> np.ndarray | None:
    """Corners as the crossings of straight lines fitted to the middle of each side of the outline."""
    import cv2

    lines = []
    for index in range(4):
        start, end = corners[index], corners[(index + 1) % 4]
        direction = (end - start) / max(1e-6, float(np.linalg.norm(end - start)))
        along = (outline - start) @ direction
        across = np.abs((outline - start) @ np.array([-direction[1], direction[0]]))
        length = float(np.linalg.norm(end - start))
        near = outline[(across < 0.03 * length) & (along > 0.08 * length) & (along < 0.92 * length)]
        if len(near) < 20:
            return None
        vx, vy, x0, y0 = cv2.fitLine(near.astype(np.float32), cv2.DIST_HUBER, 0, 0.01, 0.01).ravel()
        lines.append(np.cross([x0, y0, 1.0], [x0 + vx, y0 + vy, 1.0]))
    crossings = []
    for index in range(4):
        x, y, w = np.cross(lines[index - 1], lines[index])
        if abs(w) < 1e-9:
            return None
        crossings.append((x / w, y / w))
    return np.array(crossings)

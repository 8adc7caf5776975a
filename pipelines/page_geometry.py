"""Makes a page ready to be read: a photograph flattened, the page upright and level, its shading even.

Knows pixels only. Every step is part of one projective map, so what is read comes back in the pixels of the page as
it was uploaded. A clean, upright page passes through untouched: resampling costs sharpness.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.document import Point, Quad

LOOK_SIDE = 900  # pixels of the long side on which skew and page edges are sought
MAX_SKEW_DEG = 16.0
LEVEL_ENOUGH_DEG = 0.12  # below this a line of A4 width drifts by less than a fifth of its height
INK_POINTS = 40_000  # ink pixels that vote on the skew; more changes the second decimal only
LOW_DPI_LONG_SIDE = 2000  # pixels; a page below this (A4 under 170 dpi) is enlarged before it is read
ENLARGE_TO = 2600  # pixels of the long side after enlarging


@dataclass(frozen=True, slots=True)
class ReadyPage:
    """`pixels`: uint8 (height, width, 3) RGB, upright. `to_upload`: float64 (3, 3), ready pixels to uploaded pixels."""

    pixels: np.ndarray
    to_upload: np.ndarray
    rotation_deg: int  # degrees clockwise the text lies turned in the upload: 0, 90, 180, 270
    skew_deg: float  # what remains, clockwise
    flattened: bool

    def quad_in_upload(self, quad: Quad) -> Quad:
        """Corners found in `pixels`, as they lie on the uploaded page."""
        corners = np.array([[x, y, 1.0] for x, y in quad]) @ self.to_upload.T
        points: list[Point] = [(float(x / w), float(y / w)) for x, y, w in corners]
        return (points[0], points[1], points[2], points[3])


def make_ready(pixels: np.ndarray, half_turn: bool = False) -> ReadyPage:
    """`pixels`: uint8 (height, width, 3) RGB. Leaves open whether the page is upside down: `half_turn` turns it over.

    Up against down cannot be told from geometry; the reader tries both (pipelines.digitise).
    """
    height, width = pixels.shape[:2]
    to_upload = np.eye(3)
    page_quad = find_page(pixels)
    if page_quad is not None:
        size, to_upload = _flattening(page_quad)
        looked_at = _warp(_shrunk(pixels), _scaled_map(pixels, to_upload), size, LOOK_SIDE)
        width, height = size
    else:
        looked_at = _shrunk(pixels)
    ink = _ink(looked_at)
    skew, confidence = skew_of(ink)
    skew_across, confidence_across = skew_of(np.rot90(ink))
    sideways = confidence_across > confidence
    if sideways:
        skew = skew_across
        # np.rot90 turns the page counter-clockwise, so its text was lying clockwise.
        to_upload = to_upload @ _quarter_turn_back(width)
        width, height = height, width
    if abs(skew) < LEVEL_ENOUGH_DEG:
        skew = 0.0
    if skew:
        size, turn = _levelling(width, height, skew)
        to_upload, (width, height) = to_upload @ turn, size
    if half_turn:
        to_upload = to_upload @ np.array([[-1, 0, width], [0, -1, height], [0, 0, 1.0]])
    scale = _enlargement(width, height)
    if scale != 1.0:
        to_upload = to_upload @ np.diag([1 / scale, 1 / scale, 1])
        width, height = round(width * scale), round(height * scale)
    upright = _resample(pixels, to_upload, (width, height))
    turned = (90 if sideways else 0) + (180 if half_turn else 0)
    return ReadyPage(even_out(upright), to_upload, turned % 360, skew, page_quad is not None)


def find_page(pixels: np.ndarray) -> np.ndarray | None:
    """Corners, float64 (4, 2) clockwise from top-left, of a sheet that lies on a darker or plainly other ground.

    None where the page fills the picture, or where no clean four-sided sheet stands out.
    """
    import cv2

    small = _shrunk(pixels)
    height, width = small.shape[:2]
    lab = cv2.cvtColor(cv2.GaussianBlur(small, (0, 0), 3), cv2.COLOR_RGB2LAB).astype(np.float32)
    edges = (lab[:6], lab[-6:], lab[:, :6], lab[:, -6:])
    rim = np.concatenate([edge.reshape(-1, 3) for edge in edges])
    ground = np.median(rim, axis=0)
    centre = lab[height // 4 : -height // 4, width // 4 : -width // 4].reshape(-1, 3)
    paper = np.percentile(centre[:, 0], 75)
    if paper - ground[0] < 25:
        return None
    light = lab[:, :, 0]
    # Ink is dark too: closing it away leaves the sheet whole.
    closed = cv2.morphologyEx(light, cv2.MORPH_CLOSE, np.ones((25, 25), np.uint8))
    _, mask = cv2.threshold(closed.astype(np.uint8), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    sheet = max(contours, key=cv2.contourArea)
    hull = cv2.convexHull(sheet)
    area = cv2.contourArea(hull)
    if not 0.15 * height * width < area < 0.985 * height * width:
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
    return corners * [pixels.shape[1] / width, pixels.shape[0] / height]


def skew_of(ink: np.ndarray) -> tuple[float, float]:
    """Degrees clockwise by which lines of text slope, and how sharply they stand out (comparable between turns).

    Projection profile, Postl 1986: rows of text make a profile of peaks and gaps only when summed along the lines.
    `ink`: bool (height, width).
    """
    ys, xs = np.nonzero(ink)
    if len(xs) < 50:
        return 0.0, 0.0
    if len(xs) > INK_POINTS:
        chosen = np.random.default_rng(0).choice(len(xs), INK_POINTS, replace=False)
        xs, ys = xs[chosen], ys[chosen]
    xs, ys = xs.astype(np.float32), ys.astype(np.float32)
    best = 0.0
    for step, reach in ((0.5, MAX_SKEW_DEG), (0.1, 0.5), (0.02, 0.1)):
        angles = np.arange(best - reach, best + reach + step / 2, step)
        sharpness = [_sharpness(xs, ys, angle) for angle in angles]
        best = float(angles[int(np.argmax(sharpness))])
    return best, _sharpness(xs, ys, best)


def even_out(pixels: np.ndarray) -> np.ndarray:
    """Shading divided away and faint ink darkened; a page that is even and dark enough comes back as it is."""
    import cv2

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    scale = 400 / max(height, width)
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    paper = cv2.medianBlur(cv2.dilate(small, np.ones((9, 9), np.uint8)), 31)
    ink = float(np.percentile(cv2.erode(grey[::4, ::4], np.ones((3, 3), np.uint8)), 1))
    level = float(np.median(paper))
    if paper.min() > 0.85 * level and level > 200 and ink < 110:
        return pixels
    ground = cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR)
    flat = cv2.divide(grey, np.maximum(ground, 1), scale=255)
    darkest = float(np.percentile(cv2.erode(flat[::4, ::4], np.ones((3, 3), np.uint8)), 1))
    if darkest > 60:
        table = np.clip((np.arange(256) - darkest) * 255 / max(1.0, 250 - darkest), 0, 255).astype(np.uint8)
        flat = cv2.LUT(flat, table)
    return cv2.cvtColor(flat, cv2.COLOR_GRAY2RGB)


def _sharpness(xs: np.ndarray, ys: np.ndarray, angle_deg: float) -> float:
    slope = np.deg2rad(angle_deg)
    rows = ys * np.float32(np.cos(slope)) - xs * np.float32(np.sin(slope))
    counts = np.bincount((rows - rows.min()).astype(np.int32)).astype(np.float64)
    return float(np.square(np.diff(counts)).sum() / len(xs))


def _shrunk(pixels: np.ndarray) -> np.ndarray:
    import cv2

    scale = min(1.0, LOOK_SIDE / max(pixels.shape[:2]))
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else pixels


def _ink(pixels: np.ndarray) -> np.ndarray:
    """Where there is text-like ink, bool (height, width): dark against its surroundings, neither rule nor blot."""
    import cv2

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    ground = cv2.medianBlur(cv2.dilate(grey, np.ones((5, 5), np.uint8)), 21)
    depth = cv2.subtract(ground, grey)
    limit, _ = cv2.threshold(depth, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    mask = (depth > max(12.0, limit * 0.7)).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    w, h, area = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_AREA]
    limit_px = max(grey.shape) // 8
    keep = (w < limit_px) & (h < limit_px) & (area >= 2) & (np.maximum(w, h) < 40)
    keep[0] = False
    return keep[labels] if count > 1 else np.zeros(grey.shape, bool)


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


def _flattening(quad: np.ndarray) -> tuple[tuple[int, int], np.ndarray]:
    """(width, height) of the flat page and the map from it to the photograph."""
    import cv2

    sides = [float(np.linalg.norm(quad[i] - quad[(i + 1) % 4])) for i in range(4)]
    width, height = round(max(sides[0], sides[2])), round(max(sides[1], sides[3]))
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    return (width, height), cv2.getPerspectiveTransform(flat, quad.astype(np.float32)).astype(np.float64)


def _scaled_map(pixels: np.ndarray, to_upload: np.ndarray) -> np.ndarray:
    scale = min(1.0, LOOK_SIDE / max(pixels.shape[:2]))
    return np.diag([scale, scale, 1]) @ to_upload


def _warp(picture: np.ndarray, to_picture: np.ndarray, size: tuple[int, int], long_side: int) -> np.ndarray:
    """The flat page at a size to look at."""
    import cv2

    scale = min(1.0, long_side / max(size))
    shrink = np.diag([1 / scale, 1 / scale, 1])
    target = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    return cv2.warpPerspective(
        picture,
        to_picture @ shrink,
        target,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _quarter_turn_back(width: int) -> np.ndarray:
    """From the page turned a quarter counter-clockwise to the page before: x = width - y', y = x'."""
    return np.array([[0, -1, width], [1, 0, 0], [0, 0, 1.0]])


def _levelling(width: int, height: int, skew_deg: float) -> tuple[tuple[int, int], np.ndarray]:
    """(width, height) that holds the levelled page, and the map from it to the sloping one."""
    slope = np.deg2rad(skew_deg)
    cos, sin = np.cos(slope), np.sin(slope)
    new_width = round(abs(width * cos) + abs(height * sin))
    new_height = round(abs(width * sin) + abs(height * cos))
    back = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
    centre = back @ np.array([new_width / 2, new_height / 2, 1])
    back[0, 2] = width / 2 - centre[0]
    back[1, 2] = height / 2 - centre[1]
    return (new_width, new_height), back


def _enlargement(width: int, height: int) -> float:
    longest = max(width, height)
    return ENLARGE_TO / longest if longest < LOW_DPI_LONG_SIDE else 1.0


def _resample(pixels: np.ndarray, to_upload: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    import cv2

    if np.array_equal(to_upload, np.eye(3)):
        return pixels
    # Maps speak of edges (pixel 0 spans 0 to 1), OpenCV of pixel centres: shift by half a pixel on both sides.
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    centred = np.linalg.inv(half) @ to_upload @ half
    ground = tuple(float(v) for v in np.median(pixels[::16, ::16].reshape(-1, 3), axis=0))
    return cv2.warpPerspective(
        pixels,
        centred,
        size,
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=ground,
    )

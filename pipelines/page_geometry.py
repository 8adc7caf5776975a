"""Makes a page ready to be read: a photograph flattened, the page upright and level, its shading even.

Knows pixels only. Every step is part of one projective map, so what is read comes back in the pixels of the page as
it was uploaded. A clean, upright page passes through untouched: resampling costs sharpness.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from domain.document import Point, Quad
from pipelines.page_cleaning import even_out, without_specks, without_streaks
from pipelines.page_outline import LOOK_SIDE, find_page, shrunk

MAX_SKEW_DEG = 16.0
LEVEL_ENOUGH_DEG = 0.12  # below this a line of A4 width drifts by less than a fifth of its height
INK_POINTS = 40_000  # ink pixels that vote on the skew; more changes the second decimal only
LOW_DPI_LONG_SIDE = 2000  # pixels; a page below this (A4 under 170 dpi) is enlarged before it is read
LETTER_PX = 4  # pixels of the picture looked at; a blot smaller than this is a dot or dust
MOST_BLOTS = 1500
NEIGHBOURS_ENOUGH = 40
NEIGHBOUR_DEG = 25.0  # more than a page is ever tilted
NEIGHBOURS_SURE = 3.0  # times as many beside as above, or the other way, from which neighbours tell how lines run
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

    def turned_over(self) -> ReadyPage:
        """The same page with its foot at the top."""
        height, width = self.pixels.shape[:2]
        return replace(
            self,
            pixels=np.ascontiguousarray(self.pixels[::-1, ::-1]),
            to_upload=self.to_upload @ _half_turn(width, height),
            rotation_deg=(self.rotation_deg + 180) % 360,
        )


def make_ready(pixels: np.ndarray, more_turns: int = 0) -> ReadyPage:
    """`pixels`: uint8 (height, width, 3) RGB. Rows of text are made level; `more_turns`: further quarter turns
    counter-clockwise, 0 to 3.

    Up against down cannot be told from rows, and sideways not surely on a sparse page; only reading tells
    (pipelines.digitise), which then asks for more turns.
    """
    # Specks first: enlarging would make them as large as the dots of letters, and they blur where lines run.
    pixels = without_specks(without_streaks(pixels))
    height, width = pixels.shape[:2]
    to_upload = np.eye(3)
    looked_at = shrunk(pixels)
    page_quad = find_page(pixels, looked_at)
    if page_quad is not None:
        size, to_upload = _flattening(page_quad)
        looked_at = _warp(looked_at, _scaled_map(pixels, to_upload), size, LOOK_SIDE)
        width, height = size
    ink = _ink(looked_at)
    skew, confidence = skew_of(ink)
    skew_across, confidence_across = skew_of(np.rot90(ink))
    runs_down = confidence_across > confidence
    along, across = neighbours(ink)
    if max(along, across) > NEIGHBOURS_SURE * min(along, across):
        runs_down = across > along  # the columns of a table can stand out more sharply than its rows
    sideways = runs_down ^ (more_turns % 2 == 1)
    half_turn = (more_turns + runs_down) // 2 % 2 == 1
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
        to_upload = to_upload @ _half_turn(width, height)
    scale = _enlargement(width, height)
    if scale != 1.0:
        to_upload = to_upload @ np.diag([1 / scale, 1 / scale, 1])
        width, height = round(width * scale), round(height * scale)
    upright = _resample(pixels, to_upload, (width, height))
    turned = (90 if sideways else 0) + (180 if half_turn else 0)
    return ReadyPage(even_out(upright), to_upload, turned % 360, skew, page_quad is not None)


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
    return best, _sharpness(xs, ys, best) * _contrast(xs, ys, best)


def neighbours(ink: np.ndarray) -> tuple[float, float]:
    """Shares, 0 to 1, of the blots of ink whose nearest neighbour lies beside them, and above or below them.

    O'Gorman 1993 (docstrum): a letter's neighbour is the next letter of its word, in a table as in running text.
    `ink`: bool (height, width). (0, 0) where there are too few blots, or words have run together.
    """
    import cv2

    _, _, stats, centres = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    sides = stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    centres = centres[1:][(sides.max(axis=1) >= LETTER_PX)]
    if len(centres) < NEIGHBOURS_ENOUGH:
        return 0.0, 0.0
    centres = centres[np.argsort(centres[:, 1], kind="stable")][:MOST_BLOTS].astype(np.float32)
    apart = np.square(centres[:, None] - centres[None]).sum(axis=2)  # (n, n)
    np.fill_diagonal(apart, np.inf)
    way = np.abs(centres[apart.argmin(axis=1)] - centres)  # (n, 2)
    slope = np.degrees(np.arctan2(way[:, 1], way[:, 0]))
    return float(np.mean(slope < NEIGHBOUR_DEG)), float(np.mean(slope > 90 - NEIGHBOUR_DEG))


def _sharpness(xs: np.ndarray, ys: np.ndarray, angle_deg: float) -> float:
    slope = np.deg2rad(angle_deg)
    rows = ys * np.float32(np.cos(slope)) - xs * np.float32(np.sin(slope))
    counts = np.bincount((rows - rows.min()).astype(np.int32)).astype(np.float64)
    return float(np.square(np.diff(counts)).sum() / len(xs))


def _contrast(xs: np.ndarray, ys: np.ndarray, angle_deg: float) -> float:
    """Share of the profile's energy that lies in its steps, 0 to 4; what counting noise alone would give is taken off.

    Sharpness grows with the length of a row, so that the columns of a long receipt would seem to be its lines.
    """
    slope = np.deg2rad(angle_deg)
    rows = ys * np.float32(np.cos(slope)) - xs * np.float32(np.sin(slope))
    counts = np.bincount((rows - rows.min()).astype(np.int32)).astype(np.float64)
    steps = float(np.square(np.diff(counts)).sum()) - 2 * len(xs)
    return max(0.001, steps / float(np.square(counts).sum()))


def _ink(pixels: np.ndarray) -> np.ndarray:
    """Where there is text-like ink, bool (height, width): dark against its surroundings, neither rule nor blot."""
    import cv2

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    ground = cv2.medianBlur(cv2.dilate(grey, np.ones((5, 5), np.uint8)), 21)
    depth = cv2.subtract(ground, grey)
    limit, _ = cv2.threshold(depth, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    mask = (depth > max(12.0, limit * 0.7)).astype(np.uint8)
    for kernel in (np.ones((1, 45), np.uint8), np.ones((45, 1), np.uint8)):  # rules and streaks, no letter is so long
        mask &= 1 - cv2.dilate(cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel), np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    w, h, area = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_AREA]
    limit_px = max(grey.shape) // 8
    keep = (w < limit_px) & (h < limit_px) & (area >= 2) & (np.maximum(w, h) < 40)
    keep[0] = False
    return keep[labels] if count > 1 else np.zeros(grey.shape, bool)


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


def _half_turn(width: int, height: int) -> np.ndarray:
    return np.array([[-1, 0, width], [0, -1, height], [0, 0, 1.0]])


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

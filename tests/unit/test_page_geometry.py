"""Pages come back upright, level and flat; what is read on them lands on the page as it was uploaded."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipelines.page_cleaning import even_out, without_specks
from pipelines.page_geometry import make_ready, neighbours
from pipelines.page_outline import find_page
from tests.page_kit import Printed, moved, printed, tilted, turned


def photographed(page: Printed, ground: tuple[int, int, int]) -> Printed:
    """The page lying askew on a table, darker to one side."""
    height, width = page.pixels.shape[:2]
    paper = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    corners = np.array([[190, 140], [1330, 190], [1380, 1010], [120, 960]], np.float32)
    matrix = cv2.getPerspectiveTransform(paper, corners).astype(float)
    flat = moved(page, matrix, (1500, 1150))
    mask = cv2.fillConvexPoly(np.zeros((1150, 1500), np.uint8), corners.astype(np.int32), 1)[:, :, None]
    picture = np.where(mask, flat.pixels, np.array(ground, np.uint8))
    shade = np.linspace(1.0, 0.7, 1500)[None, :, None]
    return Printed((picture * shade).astype(np.uint8), flat.words)


def test_a_clean_upright_page_is_not_resampled() -> None:
    page = printed(width=1500, height=2100)
    ready = make_ready(page.pixels)
    assert ready.pixels is page.pixels
    assert np.array_equal(ready.to_upload, np.eye(3))
    assert (ready.rotation_deg, ready.skew_deg, ready.flattened) == (0, 0.0, False)


@pytest.mark.parametrize("degrees", [-15.0, -6.4, -0.7, 0.5, 3.0, 9.5])
def test_skew_is_found_to_a_tenth_of_a_degree(degrees: float) -> None:
    assert make_ready(tilted(printed(), degrees).pixels).skew_deg == pytest.approx(degrees, abs=0.1)


@pytest.mark.parametrize(("quarters", "degrees"), [(0, 0.0), (0, 4.0), (1, 0.0), (1, -5.0), (3, 2.5), (2, -3.0)])
def test_rows_come_level_and_places_lead_back_to_the_upload(quarters: int, degrees: float) -> None:
    page = turned(tilted(printed(), degrees), quarters)
    ready = make_ready(page.pixels)
    assert ready.rotation_deg % 180 == quarters * 90 % 180
    from_upload = np.linalg.inv(ready.to_upload)
    for _, quad in page.words:
        there = cv2.perspectiveTransform(quad[None], from_upload)[0]
        rise = there[1, 1] - there[0, 1]
        assert abs(rise) < 0.004 * abs(there[1, 0] - there[0, 0]) + 0.5
        corners = [tuple(map(float, point)) for point in there]
        back = ready.quad_in_upload((corners[0], corners[1], corners[2], corners[3]))
        assert np.allclose(back, quad, atol=1e-3)


def test_more_turns_turn_the_page_over() -> None:
    page = printed(width=1500, height=2100)
    for turns in (0, 1):
        ready = make_ready(np.ascontiguousarray(np.rot90(page.pixels, -turns)))
        over = make_ready(np.ascontiguousarray(np.rot90(page.pixels, -turns)), more_turns=2)
        assert (over.rotation_deg - ready.rotation_deg) % 360 == 180
        assert np.abs(np.rot90(ready.pixels, 2).astype(int) - over.pixels).mean() < 3


@pytest.mark.parametrize("ground", [(50, 40, 35), (170, 140, 105)])
def test_a_sheet_on_a_table_is_flattened(ground: tuple[int, int, int]) -> None:
    page = photographed(printed(), ground)
    ready = make_ready(page.pixels)
    assert ready.flattened
    from_upload = np.linalg.inv(ready.to_upload)
    for _, quad in page.words:
        there = cv2.perspectiveTransform(quad[None], from_upload)[0]
        assert abs(there[1, 1] - there[0, 1]) < 0.01 * abs(there[1, 0] - there[0, 0]) + 1


@pytest.mark.parametrize("ground", [(105, 104, 102), (150, 150, 148)])
def test_the_edge_of_a_shadow_is_not_taken_for_the_sheets(ground: tuple[int, int, int]) -> None:
    """A grey desk has the paper's own hue, and half of the sheet lies in the shade of a hand: its light half is no sheet."""
    page = photographed(printed(), ground)
    height, width = page.pixels.shape[:2]
    across = np.arange(width)[None, :] + 0.4 * np.arange(height)[:, None] - 0.65 * width
    shaded = page.pixels * (1 - 0.42 / (1 + np.exp(-across / 18.0)))[:, :, None]
    corners = find_page(shaded.astype(np.uint8))
    assert corners is not None
    true = np.array([[190, 140], [1330, 190], [1380, 1010], [120, 960]])
    assert np.abs(corners - true).max() < 12


def test_a_page_that_fills_the_picture_is_no_photograph() -> None:
    assert find_page(printed().pixels) is None
    assert find_page(np.full((400, 300, 3), 255, np.uint8)) is None
    assert find_page(np.zeros((40, 30, 3), np.uint8)) is None


def test_shade_is_divided_away_and_faint_ink_darkened() -> None:
    page = printed().pixels.astype(float)
    shade = np.linspace(1.0, 0.6, page.shape[1])[None, :, None]
    even = even_out(((230 - (255 - page) * 0.3) * shade).astype(np.uint8))
    paper = np.median(even[:60], axis=(0, 2))
    assert paper.min() > 235
    assert np.percentile(even, 0.5) < 90


def test_specks_go_and_full_stops_stay() -> None:
    page = printed().pixels
    specked = page.copy()
    where = np.random.default_rng(4).random(page.shape[:2]) < 0.004
    specked[where] = 0
    mended = without_specks(specked)
    dark = (page < 128).all(axis=2)
    far = ~cv2.dilate(dark.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    assert (mended < 128).all(axis=2)[where & far].mean() < 0.01
    assert (mended < 128).all(axis=2)[dark].mean() > 0.95
    assert without_specks(page) is page


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (700, 2), (64, 64)])
def test_pages_with_nothing_on_them_do_no_harm(size: tuple[int, int]) -> None:
    ready = make_ready(np.full((*size, 3), 255, np.uint8))
    assert ready.pixels.dtype == np.uint8
    assert ready.rotation_deg in (0, 90)


def table(rows: int = 26, columns: int = 5) -> np.ndarray:
    """Short cells in columns far apart, whose left edges stand out more sharply than their rows."""
    page = np.full((1400, 1000, 3), 255, np.uint8)
    for row in range(rows):
        for column in range(columns):
            place = (40 + 190 * column, 60 + 50 * row + 9 * (column % 2))
            cv2.putText(page, f"{row * 37 % 90}.{column}x", place, cv2.FONT_HERSHEY_SIMPLEX, 0.7, (0, 0, 0), 2)
    return page


@pytest.mark.parametrize("quarters", [0, 1])
def test_a_table_is_not_taken_for_a_page_on_its_side(quarters: int) -> None:
    ready = make_ready(np.ascontiguousarray(np.rot90(table(), -quarters)))
    assert ready.rotation_deg % 180 == 90 * quarters


def test_neighbours_tell_how_lines_run() -> None:
    ink = table()[:, :, 0] < 128
    along, across = neighbours(ink)
    assert along > 3 * across
    assert neighbours(np.rot90(ink)) == pytest.approx((across, along), abs=0.02)
    assert neighbours(np.zeros((300, 200), bool)) == (0.0, 0.0)


def test_a_page_turned_over_leads_back_to_the_upload() -> None:
    page = printed(width=1500, height=2100)
    over = make_ready(np.ascontiguousarray(page.pixels[::-1, ::-1])).turned_over()
    assert np.array_equal(over.pixels, page.pixels)
    assert over.rotation_deg == 180
    assert over.quad_in_upload(((0, 0), (10, 0), (10, 5), (0, 5)))[0] == pytest.approx((1500, 2100))

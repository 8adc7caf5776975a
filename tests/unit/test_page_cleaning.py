"""Cleaning never costs text: a page with a single line keeps it, whatever its brightness."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.page_cleaning import even_out, is_blurred, without_specks, without_streaks
from tests.page_kit import printed


@pytest.mark.parametrize(("paper", "ink"), [(255, 0), (255, 60), (250, 180), (235, 200), (190, 120)])
def test_one_line_on_an_empty_page_stays_and_gets_no_fainter(paper: int, ink: int) -> None:
    page = np.full((1600, 1200, 3), paper, np.uint8)
    page[200:212, 100:500:4] = ink
    evened = even_out(page)
    contrast = evened[600, 600].astype(int) - evened[205, 100].astype(int)
    assert contrast.min() >= paper - ink
    assert evened[1200, 600].min() > 180


def test_grain_is_not_taken_for_faint_ink_and_darkened() -> None:
    page = printed(width=900, height=1200).pixels.astype(float)
    grain = np.random.default_rng(5).normal(0, 30, page.shape[:2])[..., None]
    noisy = np.clip(page + grain, 0, 255).astype(np.uint8)
    assert even_out(noisy) is noisy
    shade = np.linspace(1.0, 0.88, 900)[None, :, None]
    faint = (235 - (255 - page) * 0.16) * shade + grain / 15
    assert np.percentile(even_out(np.clip(faint, 0, 255).astype(np.uint8)), 1) < 110


def test_an_empty_page_stays_empty() -> None:
    page = np.full((400, 300, 3), 240, np.uint8)
    assert even_out(page).min() > 200


def test_a_blurred_page_is_told_from_a_sharp_and_from_an_empty_one() -> None:
    import cv2

    page = printed().pixels
    assert not is_blurred(page)
    assert is_blurred(cv2.GaussianBlur(page, (0, 0), 4))
    assert not is_blurred(np.full_like(page, 240))


def test_a_streak_of_the_fax_goes_and_the_rule_of_a_form_stays() -> None:
    page = printed(width=900, height=1200).pixels
    ruled = page.copy()
    ruled[100:900, 300:303] = 0
    streaked = ruled.copy()
    streaked[:, 500:502] = 0
    mended = without_streaks(streaked)
    away = np.r_[0:497, 505:900]
    assert np.array_equal(mended[:, away], ruled[:, away])
    assert (mended[:, 500:502] < 128).mean() < 0.2
    assert without_streaks(ruled) is ruled


def test_the_dots_of_thin_letters_are_told_from_specks_by_where_they_stand() -> None:
    import cv2

    page = np.full((700, 900, 3), 255, np.uint8)
    for row in range(40, 660, 30):  # a line of strokes two pixels wide, a dot of two pixels above each fourth
        for column in range(60, 840, 12):
            cv2.line(page, (column, row), (column, row + 10), (0, 0, 0), 1)
            cv2.line(page, (column + 1, row), (column + 1, row + 10), (0, 0, 0), 1)
            if column % 48 == 12:
                page[row - 3, column : column + 2] = 0
    dots = [(row - 3, column) for row in range(40, 660, 30) for column in range(60, 840, 12) if column % 48 == 12]
    specked = page.copy()
    specked[np.random.default_rng(7).random(page.shape[:2]) < 0.002] = 0
    mended = without_specks(specked)
    assert np.mean([(mended[row, column] < 128).all() for row, column in dots]) > 0.9
    alone = (specked < 128).all(axis=2) & ~(page < 128).all(axis=2)
    assert (mended[alone] < 128).all(axis=1).mean() < 0.3

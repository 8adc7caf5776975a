"""Cleaning never costs text: a page with a single line keeps it, whatever its brightness."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.page_cleaning import even_out, is_blurred
from tests.page_kit import printed


@pytest.mark.parametrize(("paper", "ink"), [(255, 0), (255, 60), (250, 180), (235, 200), (190, 120)])
def test_one_line_on_an_empty_page_stays_and_gets_no_fainter(paper: int, ink: int) -> None:
    page = np.full((1600, 1200, 3), paper, np.uint8)
    page[200:212, 100:500:4] = ink
    evened = even_out(page)
    contrast = evened[600, 600].astype(int) - evened[205, 100].astype(int)
    assert contrast.min() >= paper - ink
    assert evened[1200, 600].min() > 180


def test_an_empty_page_stays_empty() -> None:
    page = np.full((400, 300, 3), 240, np.uint8)
    assert even_out(page).min() > 200


def test_a_blurred_page_is_told_from_a_sharp_and_from_an_empty_one() -> None:
    import cv2

    page = printed().pixels
    assert not is_blurred(page)
    assert is_blurred(cv2.GaussianBlur(page, (0, 0), 4))
    assert not is_blurred(np.full_like(page, 240))

"""Boxes hug the ink of their own word, also in the corner of a table's cell."""

from __future__ import annotations

import cv2
import numpy as np

from domain.document import Box, Quad, TextLine, TextWord
from pipelines.word_boxes import tighten
from tests.page_kit import TEXT, moved, printed

INK = 40


def cell(*glyphs: Box) -> np.ndarray:
    """A cell with rules on its left and top, with soft edges, and solid glyphs in it."""
    page = np.full((120, 300), 255, np.uint8)
    page[:, 20:23] = page[20:23, :] = 60
    for box in glyphs:
        page[int(box.top) : int(box.bottom), int(box.left) : int(box.right)] = INK
    return cv2.GaussianBlur(np.repeat(page[:, :, None], 3, axis=2), (0, 0), 0.8)


def test_two_short_words_part_between_them_and_not_at_the_cell_s_margin() -> None:
    one, g = Box(40, 44, 48, 72), Box(60, 44, 80, 80)
    late = [TextWord.upright("1", 1.0, Box(50, 34, 66, 90)), TextWord.upright("g", 1.0, Box(72, 34, 92, 90))]
    (line,) = tighten(cell(one, g), [TextLine(tuple(late))])  # as found: both boxes lie too far to the right
    assert line.words[0].box.iou(one) > 0.8
    assert line.words[1].box.iou(g) > 0.8


def test_a_lone_letter_in_the_corner_of_a_cell_is_boxed_without_the_rules() -> None:
    letter = Box(34, 36, 52, 62)
    (line,) = tighten(cell(letter), [TextLine((TextWord.upright("H", 1.0, Box(28, 20, 60, 76)),))])
    assert line.words[0].box.iou(letter) > 0.8


def test_words_of_a_line_that_still_slopes_are_boxed_without_the_lines_beside_it() -> None:
    page = printed(TEXT[1:6], size_px=30, width=1300, height=520)
    turn = cv2.getRotationMatrix2D((650, 260), -2.0, 1.0)
    sloping = moved(page, np.vstack([turn, [0, 0, 1]]), (1300, 520))
    words = iter(sloping.words)
    lines = []
    for text in TEXT[1:6]:
        quads = [next(words)[1] for _ in text.split()]
        loose = [quad + np.array([[-4, -9], [4, -9], [4, 9], [-4, 9]]) for quad in quads]
        lines.append(TextLine(tuple(TextWord(t, 1.0, as_quad(q)) for t, q in zip(text.split(), loose, strict=True))))
    found = [word for line in tighten(sloping.pixels, lines) for word in line.words]
    overlaps = [
        word.box.iou(Box.around(map(tuple, quad))) for word, (_, quad) in zip(found, sloping.words, strict=True)
    ]
    assert np.quantile(overlaps, 0.1) > 0.6


def as_quad(corners: np.ndarray) -> Quad:
    a, b, c, d = ((float(x), float(y)) for x, y in corners)
    return (a, b, c, d)

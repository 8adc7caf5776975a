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


def test_rules_that_slope_a_little_are_no_ink_of_the_letter_between_them() -> None:
    letter = Box(44, 52, 60, 80)
    page = np.full((140, 320), 255, np.uint8)
    for left, top, right, bottom in ((0, 30, 320, 40), (0, 98, 320, 108), (24, 0, 28, 140)):
        cv2.line(page, (left, top), (right, bottom), 60, 3, cv2.LINE_AA)
    page[int(letter.top) : int(letter.bottom), int(letter.left) : int(letter.right)] = INK
    page = cv2.GaussianBlur(np.repeat(page[:, :, None], 3, axis=2), (0, 0), 0.8)
    (line,) = tighten(page, [TextLine((TextWord.upright("L", 1.0, Box(22, 28, 68, 104)),))])
    assert line.words[0].box.iou(letter) > 0.8


def test_a_lone_dash_reaches_down_to_the_foot_of_its_line() -> None:
    low, dash, high = Box(40, 44, 76, 72), Box(90, 58, 102, 61), Box(116, 44, 152, 72)
    loose = [("35", Box(38, 34, 78, 90)), ("-", Box(86, 34, 106, 90)), ("50", Box(112, 34, 156, 90))]
    words = tuple(TextWord.upright(text, 1.0, box) for text, box in loose)
    (line,) = tighten(cell(low, dash, high), [TextLine(words)])
    assert line.words[1].box.iou(Box(90, 58, 102, 72)) > 0.7


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

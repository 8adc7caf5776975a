"""Draws each word's box tight around its ink, and parts neighbours at the widest gap between them.

Recognition knows a character's place to a few pixels only; ink is exact. Works on upright pages, in their pixels.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from domain.document import Box, TextLine, TextWord
from pipelines.word_layer import moved

SEARCH = 0.7  # of the line's height: how far from the estimated boundary the true gap may lie
SLOPING = 0.15  # of a line's height: how far its end may lie above or below its start before it counts as sloping
RULE_EDGE = 2  # pixels over which a rule fades into the paper
RULE_RUN = 0.9  # of a strip's height: strokes of letters are shorter, since the strip is higher than they
RULE_REACH = 0.95  # of a strip's width, where the strip is narrow
DASHES = frozenset("-–—−=_~")
MARGIN = 0.25  # of the line's height: how far outside the detected line its ink may reach


def tighten(pixels: np.ndarray, lines: Sequence[TextLine]) -> tuple[TextLine, ...]:
    """`pixels`: uint8 (height, width, 3) RGB, upright. Words come back with quads that hug their ink.

    A word under which no ink is found keeps the box it had.
    """
    import cv2

    # Grain at the edge of a letter would stretch its box; this much softness moves a clean edge by nothing.
    grey = cv2.GaussianBlur(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), (0, 0), 0.8)
    return tuple(_tight_sloping(grey, line) for line in lines)


def _tight_sloping(grey: np.ndarray, line: TextLine) -> TextLine:
    """A line that still slopes (a photograph's far edge, a curled sheet) is looked at along its own direction.

    An upright strip around it would hold ink of the lines above and below.
    """
    import cv2

    if not line.words:
        return line
    first, last = np.asarray(line.words[0].quad, float), np.asarray(line.words[-1].quad, float)
    start, end = (first[0] + first[3]) / 2, (last[1] + last[2]) / 2
    height = float(np.median([np.linalg.norm(np.subtract(w.quad[3], w.quad[0])) for w in line.words]))
    length = float(np.linalg.norm(end - start))
    if abs(end[1] - start[1]) < SLOPING * height or length < height:
        return _tight_line(grey, line)
    along = (end - start) / length
    across = np.array([-along[1], along[0]])
    reach = height  # room around the line, so that the strip's margins are paper
    corner = start - reach * along - (height / 2 + reach) * across
    to_page = np.array([[along[0], across[0], corner[0]], [along[1], across[1], corner[1]], [0, 0, 1.0]])
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])  # pixel 0 spans 0 to 1; OpenCV speaks of its centre
    patch = cv2.warpAffine(
        grey,
        (np.linalg.inv(half) @ to_page @ half)[:2],
        (round(length + 2 * reach), round(height + 2 * reach)),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    (levelled,) = moved((line,), np.linalg.inv(to_page))
    (back,) = moved((_tight_line(patch, levelled),), to_page)
    return back


def _tight_line(grey: np.ndarray, line: TextLine) -> TextLine:
    boxes = [word.box for word in line.words]
    if not boxes:
        return line
    around = Box.covering(boxes)
    height = around.height
    left = max(0, int(around.left - MARGIN * height))
    right = min(grey.shape[1], int(around.right + MARGIN * height) + 1)
    top, bottom = max(0, int(around.top)), min(grey.shape[0], int(around.bottom) + 1)
    if right - left < 2 or bottom - top < 2:
        return line
    ink = ink_of(grey[top:bottom, left:right])
    columns = ink.sum(axis=0)  # (right - left,) ink pixels in each column
    cuts = [0]
    for before, after in itertools.pairwise(boxes):
        cuts.append(_gap(columns, (before.right + after.left) / 2 - left, SEARCH * height, cuts[-1]))
    cuts.append(right - left)
    words = []
    for word, start, end in zip(line.words, cuts, cuts[1:], strict=False):
        words.append(_hugging(word, ink[:, start:end], left + start, top) if end > start else word)
    return TextLine(_grounded(words))


def _grounded(words: Sequence[TextWord]) -> tuple[TextWord, ...]:
    """A dash that is a word of its own gets a box down to the line's foot: its ink alone is too flat to be clicked, or
    to be marked in a PDF."""
    feet = [
        word.box.bottom for word in words if word.text and word.text[-1].isalnum() and word.text[-1] not in "gjpqyQ"
    ]
    if not feet:
        return tuple(words)
    foot = float(np.median(feet))
    return tuple(
        TextWord.upright(word.text, word.confidence, replace(word.box, bottom=foot))
        if DASHES.issuperset(word.text) and word.box.bottom < foot < word.box.bottom + 4 * word.box.width
        else word
        for word in words
    )


def ink_of(grey: np.ndarray) -> np.ndarray:
    """Ink of one line, bool (height, width): darker than midway between paper and ink; rules are taken out."""
    paper, dark = np.percentile(grey, (90, 2))
    if paper - dark < 15:
        return np.zeros(grey.shape, bool)
    ink = grey < (paper + dark) / 2 + (paper - dark) * 0.12
    # A rule of a table runs through the whole height or width of the strip; letters do not. Its soft edges go with it.
    upright, level = _widened(ink.mean(axis=0) > 0.92), _widened(ink.mean(axis=1) > 0.85)
    ink[:, upright] = False
    ink[level] = False
    return ink & ~_sloping_rules(ink)


def _sloping_rules(ink: np.ndarray) -> np.ndarray:
    """bool (height, width): on a curled sheet or in a photograph no row or column is full of a table's rule, but a
    stretch of it longer than any stroke of a letter still is."""
    import cv2

    height, width = ink.shape
    level, upright = max(3, round(min(RULE_RUN * height, RULE_REACH * width))), max(3, round(RULE_RUN * height))
    solid = ink.astype(np.uint8)
    runs = cv2.morphologyEx(solid, cv2.MORPH_OPEN, np.ones((1, level), np.uint8))
    runs |= cv2.morphologyEx(solid, cv2.MORPH_OPEN, np.ones((upright, 1), np.uint8))
    if not runs.any():
        return runs.astype(bool)
    return cv2.dilate(runs, np.ones((2 * RULE_EDGE + 1, 2 * RULE_EDGE + 1), np.uint8)).astype(bool)


def _widened(rule: np.ndarray) -> np.ndarray:
    """bool (n,): the places of a rule and those within RULE_EDGE of it."""
    return np.convolve(rule, np.ones(2 * RULE_EDGE + 1), "same")[: len(rule)] > 0


def _gap(columns: np.ndarray, near: float, reach: float, after: int) -> int:
    """Middle of the widest blank run within `reach` of `near`; where there is none, the emptiest column.

    A gap has ink on both sides, on the left beyond the last boundary `after`: the margin of a cell with two short words
    ("1 g") is wider than the gap between them.
    """
    inked = np.flatnonzero(columns[after:]) + after
    first, last = (int(inked[0]) + 1, int(inked[-1])) if len(inked) else (0, len(columns))
    start, end = max(first, int(near - reach)), min(last, int(near + reach) + 1)
    if end - start < 2:
        return int(np.clip(near, after, len(columns)))
    blank = np.flatnonzero(columns[start:end] == 0)
    if len(blank) == 0:
        return start + int(np.argmin(columns[start:end]))
    runs = np.split(blank, np.flatnonzero(np.diff(blank) > 1) + 1)
    # Wide counts most; of two alike the nearer one is the boundary.
    widest = max(runs, key=lambda run: len(run) - 0.15 * abs(start + run.mean() - near))
    return start + round(float(widest.mean()))


def _hugging(word: TextWord, ink: np.ndarray, left: int, top: int) -> TextWord:
    """The word with its box drawn around the ink of its stretch of the line; specks at the far ends do not count."""
    columns, rows = np.flatnonzero(ink.any(axis=0)), np.flatnonzero(ink.any(axis=1))
    if len(columns) == 0:
        return word
    # Ink of the lines above and below may reach into the strip: only what hangs together with the middle counts.
    core = _main_run(ink.any(axis=1))
    rows = rows[(rows >= core[0]) & (rows <= core[1])]
    columns = np.flatnonzero(ink[rows[0] : rows[-1] + 1].any(axis=0))
    if len(columns) == 0:
        return word
    box = Box(
        float(left + columns[0]), float(top + rows[0]), float(left + columns[-1] + 1), float(top + rows[-1] + 1)
    )  # fmt: skip
    return replace(word, quad=TextWord.upright(word.text, word.confidence, box).quad)


def _main_run(rows: np.ndarray) -> tuple[int, int]:
    """First and last row of the ink, without runs at the strip's edge that a blank row parts from the rest."""
    filled = np.flatnonzero(rows)
    runs = np.split(filled, np.flatnonzero(np.diff(filled) > 1) + 1)
    height = len(rows)
    kept = [run for run in runs if not (len(run) < 0.25 * height and (run[0] == 0 or run[-1] == height - 1))]
    kept = kept or runs
    return int(kept[0][0]), int(kept[-1][-1])

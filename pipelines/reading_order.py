"""Puts lines into the order a person reads them: blocks by the white space between them, rows within a block.

Recursive XY-cut (Nagy and Seth 1984) with two rules of our own: a gutter must be wider than the text's own word gaps
and run past several lines; and side-by-side pieces that stand on common rows are a table, read row by row, unless they
are running text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domain.document import Box, TextLine

GUTTER = 1.2  # of the median line height: narrower white space parts words, not columns
PROSE_WIDTH = 14.0  # of the median line height: a column at least this wide can hold running text
PROSE_FILL = 0.55  # of the lines of such a column that must reach across most of it
MIN_COLUMN_LINES = 3


@dataclass(frozen=True, slots=True)
class _Piece:
    line: TextLine
    box: Box


def in_reading_order(lines: Sequence[TextLine]) -> tuple[TextLine, ...]:
    """Lines of an upright page, in reading order; pieces that share a row are joined into one line."""
    pieces = [_Piece(line, Box.covering(word.box for word in line.words)) for line in lines if line.words]
    if not pieces:
        return ()
    height = float(np.median([piece.box.height for piece in pieces]))
    return tuple(_ordered(pieces, height))


def _ordered(pieces: list[_Piece], height: float) -> list[TextLine]:
    ordered: list[TextLine] = []
    for band in _bands(pieces, height):
        columns = _prose_columns(band, height)
        if columns is None:
            ordered.extend(_rows(band))
        else:
            for column in columns:
                ordered.extend(_ordered(column, height))
    return ordered


def _bands(pieces: list[_Piece], height: float) -> list[list[_Piece]]:
    """The page cut into horizontal bands so that each holds either one column of text or several side by side.

    A line that crosses a gutter ends the columns above it.
    """
    gutters = _gutters(pieces, height)
    if not gutters:
        return [pieces]
    bands: list[list[_Piece]] = []
    crossing_now: bool | None = None
    for piece in sorted(pieces, key=lambda piece: (piece.box.top + piece.box.bottom) / 2):
        crosses = any(piece.box.left < middle < piece.box.right for middle in gutters)
        if crossing_now is None or crosses != crossing_now:
            bands.append([])
        bands[-1].append(piece)
        crossing_now = crosses
    return bands


def _gutters(pieces: list[_Piece], height: float) -> list[float]:
    """Middles of vertical white strips that part prose columns somewhere on the page."""
    found: list[float] = []
    ordered = sorted(pieces, key=lambda piece: piece.box.left)
    edges = sorted({piece.box.left for piece in ordered})
    for edge in edges:
        middle = edge - GUTTER * height / 2
        right = [p for p in pieces if p.box.left >= middle]
        left = [p for p in pieces if p.box.right <= middle]
        starts = [p for p in right if p.box.left <= edge + height]
        if len(starts) < MIN_COLUMN_LINES or len(left) < MIN_COLUMN_LINES:
            continue
        top, bottom = min(p.box.top for p in starts), max(p.box.bottom for p in starts)
        beside = [p for p in left if p.box.bottom > top and p.box.top < bottom]
        if len(beside) < MIN_COLUMN_LINES or not _is_prose(starts, height) or not _is_prose(beside, height):
            continue
        if not any(abs(middle - known) < 2 * height for known in found):
            found.append(middle)
    return found


def _prose_columns(band: list[_Piece], height: float) -> list[list[_Piece]] | None:
    """The band's columns left to right, or None where it is one column or a table."""
    for middle in _gutters(band, height):
        left = [p for p in band if (p.box.left + p.box.right) / 2 < middle]
        right = [p for p in band if (p.box.left + p.box.right) / 2 >= middle]
        if left and right and not any(p.box.left < middle < p.box.right for p in band):
            return [left, right]
    return None


def _is_prose(pieces: list[_Piece], height: float) -> bool:
    """Whether these lines are running text: wide, and most of them as long as the widest."""
    widths = np.array([piece.box.right for piece in pieces]) - min(piece.box.left for piece in pieces)
    widest = float(np.max(widths))
    if widest < PROSE_WIDTH * height:
        return False
    words = np.mean([len(piece.line.words) for piece in pieces])
    return float(np.mean(widths > 0.7 * widest)) >= PROSE_FILL and words >= 3


def _rows(pieces: list[_Piece]) -> list[TextLine]:
    """Pieces that stand on one row joined left to right, rows from top to bottom."""
    rows: list[list[_Piece]] = []
    for piece in sorted(pieces, key=lambda piece: (piece.box.top + piece.box.bottom) / 2):
        home = next((row for row in reversed(rows[-3:]) if _same_row(row, piece)), None)
        if home is None:
            rows.append([piece])
        else:
            home.append(piece)
    joined = []
    for row in rows:
        row.sort(key=lambda piece: piece.box.left)
        joined.append(TextLine(tuple(word for piece in row for word in piece.line.words)))
    return joined


def _same_row(row: list[_Piece], piece: _Piece) -> bool:
    """Overlaps the row by more than half of the smaller height, and covers no piece that is in it already."""
    near = min(row, key=lambda other: abs(other.box.left - piece.box.left))
    shared = min(near.box.bottom, piece.box.bottom) - max(near.box.top, piece.box.top)
    if shared < 0.5 * min(near.box.height, piece.box.height):
        return False
    return all(
        min(o.box.right, piece.box.right) - max(o.box.left, piece.box.left) < 0.3 * min(o.box.width, piece.box.width)
        for o in row
    )

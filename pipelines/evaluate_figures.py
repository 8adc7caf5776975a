"""ROC, reliability diagram and confusion matrix of an evaluation, drawn with Pillow alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from domain import imaging_figures as figures
from pipelines.evaluate import Evaluation

SIDE, MARGIN = 420, 60  # pixels of the plotting field, and around it
INK, FAINT, LINE = (30, 30, 30), (190, 190, 190), (20, 90, 160)


def draw(evaluation: Evaluation, out: Path) -> tuple[Path, ...]:
    """Write the three pictures as PNG into `out`; returns their paths."""
    out.mkdir(parents=True, exist_ok=True)
    made = {"roc": draw_roc(evaluation), "reliability": draw_reliability(evaluation)}
    made["confusion"] = draw_confusion(evaluation)
    paths = []
    for name, picture in made.items():
        paths.append(out / f"{evaluation.task}-{name}.png")
        picture.save(paths[-1])
    return tuple(paths)


def draw_roc(evaluation: Evaluation) -> Any:
    """Sensitivity over false alarms; every class where none is asked for."""
    picture, pen = _field(f"ROC, {evaluation.task}", "false alarms (1 - specificity)", "sensitivity")
    asked = evaluation.classes if evaluation.positive is None else (evaluation.positive,)
    for number, name in enumerate(asked):
        index = evaluation.classes.index(name)
        false_alarms, sensitivity = figures.roc_points(evaluation.labels == index, evaluation.probabilities[:, index])
        colour = ((20, 90, 160), (170, 70, 20), (30, 120, 60))[number % 3]
        pen.line([_place(x, y) for x, y in zip(false_alarms, sensitivity, strict=True)], fill=colour, width=3)
        pen.text((MARGIN + SIDE - 150, MARGIN + SIDE - 30 - 18 * number), name, fill=colour)
    return picture


def draw_reliability(evaluation: Evaluation) -> Any:
    """What is claimed against what happens, in ten bins."""
    picture, pen = _field(f"Reliability, {evaluation.task}", "probability given", "share that was so")
    if evaluation.positive is None:
        claimed, right = evaluation.probabilities.max(1), evaluation.probabilities.argmax(1) == evaluation.labels
    else:
        index = evaluation.classes.index(evaluation.positive)
        claimed, right = evaluation.probabilities[:, index], evaluation.labels == index
    points = [(x, y, weight) for x, y, weight in figures.reliability(claimed, right)]
    pen.line([_place(x, y) for x, y, _ in points], fill=LINE, width=2)
    for x, y, weight in points:
        size = 3 + 14 * float(np.sqrt(weight))
        left, top = _place(x, y)
        pen.ellipse((left - size, top - size, left + size, top + size), outline=LINE, width=3)
    return picture


def draw_confusion(evaluation: Evaluation) -> Any:
    """Rows what it was, columns what was said."""
    picture, pen = _canvas(f"Confusion, {evaluation.task}: rows true, columns said")
    count = len(evaluation.classes)
    table = figures.confusion(evaluation.labels, evaluation.probabilities.argmax(1), count)
    cell = SIDE // count
    for row in range(count):
        for column in range(count):
            share = table[row, column] / max(1, table[row].sum())
            left, top = MARGIN + column * cell, MARGIN + row * cell
            shade = tuple(int(255 - share * (255 - part)) for part in LINE)
            pen.rectangle((left, top, left + cell, top + cell), fill=shade, outline=FAINT)
            ink = (255, 255, 255) if share > 0.5 else INK
            pen.text((left + cell // 2 - 20, top + cell // 2 - 6), f"{table[row, column]} ({share:.0%})", fill=ink)
        pen.text((4, MARGIN + row * cell + cell // 2), evaluation.classes[row][:10], fill=INK)
        pen.text((MARGIN + row * cell + 8, MARGIN + SIDE + 8), evaluation.classes[row], fill=INK)
    return picture


def _canvas(title: str) -> tuple[Any, Any]:
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (SIDE + 2 * MARGIN, SIDE + 2 * MARGIN), (255, 255, 255))
    pen = ImageDraw.Draw(picture)
    pen.text((MARGIN, 20), title, fill=INK)
    return picture, pen


def _field(title: str, across: str, up: str) -> tuple[Any, Any]:
    picture, pen = _canvas(title)
    pen.rectangle((MARGIN, MARGIN, MARGIN + SIDE, MARGIN + SIDE), outline=INK)
    pen.line([_place(0, 0), _place(1, 1)], fill=FAINT, width=1)
    for tick in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        left, top = _place(tick, tick)
        pen.text((left - 8, MARGIN + SIDE + 6), f"{tick:.1f}", fill=INK)
        pen.text((MARGIN - 28, top - 6), f"{tick:.1f}", fill=INK)
    pen.text((MARGIN + SIDE // 3, MARGIN + SIDE + 26), across, fill=INK)
    pen.text((8, MARGIN - 22), up, fill=INK)
    return picture, pen


def _place(x: float, y: float) -> tuple[float, float]:
    return MARGIN + float(x) * SIDE, MARGIN + (1 - float(y)) * SIDE

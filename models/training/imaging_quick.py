"""A task of generated pictures: a bright square somewhere decides the class, and nothing else does.

It proves the whole path from training to bundle in seconds, and gives Grad-CAM a place that it must point at.
"""

from __future__ import annotations

import numpy as np

from models.lite_network import TOY
from models.picture_preparation import fit_square
from models.training.imaging_data import Labelled
from models.training.imaging_tasks import Recipe

QUICK = Recipe(
    "bright_square",
    ("plain", "square"),
    "square",
    "generated picture",
    crop_to_content=False,
    rotate_deg=5,
    side_px=128,
    small_side_px=64,
    small_epochs=8,
    full_epochs=4,
    variant=TOY,
    frozen_stages=0,
)
SQUARE_PX = 32
PICTURES = 96


def draw(side: int, with_square: bool, rng: np.random.Generator) -> tuple[np.ndarray, tuple[int, int] | None]:
    """uint8 (side, side) of soft grey clouds, and the square's (left, top) when there is one."""
    coarse = rng.normal(0, 1, (8, 8))
    clouds = np.kron(coarse, np.ones((side // 8, side // 8)))
    for axis in (0, 1):
        kernel = np.ones(side // 8) / (side // 8)
        clouds = np.apply_along_axis(lambda line: np.convolve(line, kernel, mode="same"), axis, clouds)  # noqa: B023
    picture = 90 + 25 * clouds + rng.normal(0, 4, (side, side))
    place = None
    if with_square:
        left, top = (int(value) for value in rng.integers(4, side - SQUARE_PX - 4, 2))
        picture[top : top + SQUARE_PX, left : left + SQUARE_PX] += 120
        place = (left, top)
    return np.clip(picture, 0, 255).astype(np.uint8), place


def generated(seed: int, count: int = PICTURES) -> Labelled:
    """Half with the square, half without."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    pictures = [draw(QUICK.side_px, bool(label), rng)[0] for label in labels]
    squares = np.stack([fit_square(picture, QUICK.side_px, QUICK.crop_to_content)[0] for picture in pictures])
    return Labelled(
        tuple(f"{i}.png" for i in range(count)), squares, labels.astype(np.int64), tuple(str(i) for i in range(count))
    )

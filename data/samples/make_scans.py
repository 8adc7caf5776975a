"""Draws the scan samples anew: phantoms, which are drawings and say so, and a page that is no scan at all.

    python data/samples/make_scans.py

Made by us from shapes and noise, with a fixed seed; no patient, no archive. Each carries the word PHANTOM in its file's
comment, and the page of samples says what it is for.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

HERE = Path(__file__).resolve().parent / "scans"
SEED = 20261124
RNG = np.random.default_rng(SEED)


def speckle(shape: tuple[int, int], grain: float) -> np.ndarray:
    """Multiplicative noise as ultrasound has it, mean 1."""
    real, imaginary = (cv2.GaussianBlur(RNG.normal(size=shape), (0, 0), grain) for _ in range(2))
    amplitude = np.hypot(real, imaginary)
    return amplitude / amplitude.mean()


def ellipse(
    shape: tuple[int, int], centre: tuple[float, float], axes: tuple[float, float], turn: float = 0
) -> np.ndarray:
    """Mask, 0 to 1."""
    mask = np.zeros(shape, np.float32)
    middle, half = tuple(map(round, centre)), tuple(map(round, axes))
    cv2.ellipse(mask, middle, half, turn, 0, 360, 1.0, -1, cv2.LINE_AA)
    return mask


def ultrasound() -> np.ndarray:
    """Layers of tissue with one dark oval that casts a bright band below it."""
    height, width = 380, 500
    rows = np.linspace(0, 1, height)[:, None]
    layers = 105 + 45 * np.sin(9 * rows + 0.3 * np.sin(np.linspace(0, 7, width))[None]) - 60 * rows
    lesion = cv2.GaussianBlur(ellipse((height, width), (250, 150), (70, 38), 8), (0, 0), 2)
    below = np.zeros((height, width), np.float32)
    below[185:330, 195:305] = 1
    tissue = layers * (1 - 0.82 * lesion) + 32 * cv2.GaussianBlur(below, (0, 0), 14)
    return np.clip(tissue * speckle((height, width), 1.6), 0, 255).astype(np.uint8)


def head(lump: bool) -> np.ndarray:
    """An oval head with skull, ventricles and folds; a bright ring where a lump is wanted."""
    side = 360
    skull = ellipse((side, side), (180, 180), (128, 158)) - ellipse((side, side), (180, 180), (118, 148))
    brain = ellipse((side, side), (180, 180), (112, 142))
    folds = cv2.GaussianBlur(RNG.normal(size=(side, side)), (0, 0), 5)
    folds = folds / np.abs(folds).max()
    ventricles = ellipse((side, side), (160, 170), (14, 40), 12) + ellipse((side, side), (200, 170), (14, 40), -12)
    picture = 150 * skull + brain * (88 + 42 * folds) - 62 * cv2.GaussianBlur(ventricles, (0, 0), 2)
    if lump:
        ring = ellipse((side, side), (236, 214), (27, 24)) - 0.6 * ellipse((side, side), (236, 214), (16, 13))
        picture = picture + 115 * cv2.GaussianBlur(ring, (0, 0), 1.6)
    return np.clip(cv2.GaussianBlur(picture, (0, 0), 0.8) + RNG.normal(0, 4, (side, side)), 0, 255).astype(np.uint8)


def bone(broken: bool) -> np.ndarray:
    """A long bone in soft tissue, whole or with a step in it."""
    height, width = 420, 300
    picture = 28 + 46 * cv2.GaussianBlur(ellipse((height, width), (150, 210), (105, 260)), (0, 0), 12)
    shaft = np.zeros((height, width), np.float32)
    cv2.fillPoly(shaft, [np.array([(128, -10), (176, -10), (168, 430), (134, 430)])], 1.0, cv2.LINE_AA)
    marrow = np.zeros((height, width), np.float32)
    cv2.fillPoly(marrow, [np.array([(141, -10), (163, -10), (158, 430), (145, 430)])], 1.0, cv2.LINE_AA)
    whole = 150 * shaft - 62 * cv2.GaussianBlur(marrow, (0, 0), 3)
    if broken:
        lower = whole.copy()
        lower[:214] = 0
        turn = cv2.getRotationMatrix2D((150, 214), 9, 1)
        turn[0, 2] += 9
        lower = cv2.warpAffine(lower, turn, (width, height))
        whole[210:] = 0
        whole = np.maximum(whole, lower)
        cv2.line(whole, (122, 208), (182, 220), 8.0, 3, cv2.LINE_AA)
    picture = cv2.GaussianBlur(picture + whole, (0, 0), 1.1)
    return np.clip(picture + RNG.normal(0, 3.2, (height, width)), 0, 255).astype(np.uint8)


def page() -> np.ndarray:
    """A page of writing: not a scan of a body, so no model may answer."""
    picture = Image.new("L", (420, 420), 245)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(size=22)
    for row, line in enumerate(
        ("Dear colleague,", "thank you for seeing this", "invented patient. There is", "no picture on this page.")
    ):
        pen.text((40, 60 + 44 * row), line, fill=25, font=font)
    return np.asarray(picture)


SCANS = {
    "3_phantom_ultrasound_with_a_dark_oval": ultrasound,
    "4_phantom_head_with_a_bright_ring": lambda: head(True),
    "5_phantom_bone_with_a_step": lambda: bone(True),
    "6_a_page_of_writing": page,
}


def main() -> None:
    HERE.mkdir(exist_ok=True)
    for name, draw in SCANS.items():
        said = PngInfo()
        said.add_text("Comment", "PHANTOM: drawn for HEALTH CONNECT, no patient")
        Image.fromarray(draw()).save(HERE / f"{name}.png", pnginfo=said, optimize=True)


if __name__ == "__main__":
    main()

"""Labelled pictures of one task: read once, split by group, varied the way acquisition varies."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.picture_preparation import fit_square
from models.training.imaging_tasks import Recipe

STYLE_SHARE = 0.5  # of the pictures of a task that borrows another source's look


@dataclass(frozen=True, slots=True)
class Labelled:
    """Pictures of one task: `squares` uint8 (n, side, side); `labels` int64 (n,) into the recipe's classes."""

    files: tuple[str, ...]
    squares: np.ndarray
    labels: np.ndarray
    groups: tuple[str, ...]

    def take(self, chosen: np.ndarray) -> Labelled:
        """The pictures at these positions."""
        return Labelled(
            tuple(self.files[i] for i in chosen),
            self.squares[chosen],
            self.labels[chosen],
            tuple(self.groups[i] for i in chosen),
        )


def read_rgb(path: Path) -> np.ndarray:
    """uint8 (height, width, 3) of one stored picture."""
    from PIL import Image

    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def read_rows(folder: Path) -> list[dict[str, str]]:
    """Rows of `folder`/list.csv: file, class, group."""
    with (folder / "list.csv").open(newline="", encoding="utf-8") as source:
        return list(csv.DictReader(source))


def load(folder: Path, recipe: Recipe) -> Labelled:
    """Everything in `folder`/list.csv (file, class, group), framed as the task frames it."""
    rows = read_rows(folder)
    squares = [fit_square(read_rgb(folder / row["file"]), recipe.side_px, recipe.crop_to_content)[0] for row in rows]
    labels = [recipe.classes.index(recipe.label(row["class"])) for row in rows]
    return Labelled(
        tuple(row["file"] for row in rows),
        np.stack(squares),
        np.array(labels, np.int64),
        tuple(row["group"] for row in rows),
    )


def vary(square: np.ndarray, recipe: Recipe, rng: np.random.Generator, style: np.ndarray | None) -> np.ndarray:
    """A plausible other taking of the same picture: position, size, exposure, noise, focus, compression."""
    import cv2

    side = square.shape[0]
    picture = borrow_style(square, style, rng) if style is not None and rng.random() < STYLE_SHARE else square
    turn = cv2.getRotationMatrix2D(
        (side / 2, side / 2), rng.uniform(-recipe.rotate_deg, recipe.rotate_deg), rng.uniform(*recipe.zoom)
    )
    turn[0, 1] += rng.uniform(-0.08, 0.08)  # shear: a probe or a plate is never quite square to the body
    turn[:, 2] += rng.uniform(-0.07, 0.07, 2) * side
    picture = cv2.warpAffine(picture, turn, (side, side), flags=cv2.INTER_LINEAR, borderValue=0)
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    levels = np.linspace(0, 1, 256) ** rng.uniform(0.65, 1.5)
    levels = (levels - 0.5) * rng.uniform(0.8, 1.2) + 0.5 + rng.uniform(-0.08, 0.08)
    picture = np.clip(levels * 255, 0, 255).astype(np.uint8)[picture]
    if rng.random() < 0.3:
        noise = rng.normal(0, rng.uniform(2, 12), picture.shape)
        picture = np.clip(picture + noise * (0.3 + picture / 255.0), 0, 255).astype(np.uint8)
    if rng.random() < 0.25:
        picture = cv2.GaussianBlur(np.ascontiguousarray(picture), (0, 0), rng.uniform(0.4, 1.3))
    if rng.random() < 0.25:
        _, packed = cv2.imencode(
            ".jpg", np.ascontiguousarray(picture), [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 90))]
        )
        picture = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)
    if rng.random() < 0.25:
        size = int(side * rng.uniform(0.08, 0.2))
        top, left = rng.integers(0, side - size, 2)
        picture = np.array(picture)
        picture[top : top + size, left : left + size] = int(rng.integers(0, 128))
    return np.ascontiguousarray(picture)


def borrow_style(square: np.ndarray, style: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture with another's grey levels and coarse shading, so that a scanner's look cannot give the class away.

    Histogram matching, then the swap of the lowest frequencies' amplitude (Yang and Soatto, "FDA: Fourier Domain
    Adaptation for Semantic Segmentation", CVPR 2020).
    """
    inside, theirs = square[square > 8], style[style > 8]
    if len(inside) < 500 or len(theirs) < 500:
        return square
    shares = np.cumsum(np.bincount(inside, minlength=256)) / len(inside)
    levels = np.quantile(theirs, np.clip(shares, 0, 1)).astype(np.uint8)
    levels[:9] = np.arange(9)
    matched = levels[square].astype(np.float32)
    reach = max(1, int(square.shape[0] * rng.uniform(0.004, 0.015)))
    ours, other = np.fft.fftshift(np.fft.fft2(matched)), np.fft.fftshift(np.fft.fft2(style.astype(np.float32)))
    middle = slice(square.shape[0] // 2 - reach, square.shape[0] // 2 + reach + 1)
    amplitude = np.abs(ours)
    strength = rng.uniform(0, 0.7)
    amplitude[middle, middle] = (1 - strength) * amplitude[middle, middle] + strength * np.abs(other)[middle, middle]
    mixed = np.fft.ifft2(np.fft.ifftshift(amplitude * np.exp(1j * np.angle(ours)))).real
    return np.where(square > 8, np.clip(mixed, 0, 255), square).astype(np.uint8)

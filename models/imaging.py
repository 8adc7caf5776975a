"""A MONAI bundle as a scan classifier: network, calibration, gate and explanation, all from the bundle's own files.

Nothing of the bundle is executed: the network is built from an allowed list of targets, weights are safetensors or
a state dict read with weights_only, the gate's numbers plain arrays. Of an ensemble's members the logits, the distances
and the maps are averaged.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from domain.errors import ModelUnavailable
from domain.imaging import ClassScores, Explanation
from domain.models import ModelCard
from models.bundle_files import BundleSettings, read_settings
from models.bundle_members import Member, ask, load_members, maps_of
from models.picture_preparation import Framing, fit_square, lay_back, sharpness

DELETED = (0.03, 0.08, 0.2)  # shares taken away for the deletion curve: with more gone, little is left to see
CELLS = 16  # the picture is taken away in 16 x 16 cells
CHANCE_ORDERS, OF_ENSEMBLE = 3, 2  # an ensemble takes as long as it has members


class BundleClassifier:
    """Serves one bundle. Deterministic; a batch gives what single pictures give; calls are locked, one at a time."""

    def __init__(self, folder: Path, card: ModelCard) -> None:
        self.card = card
        self.settings: BundleSettings = read_settings(folder)
        self._members: tuple[Member, ...] = load_members(folder, self.settings)
        self._lock = threading.Lock()

    @property
    def classes(self) -> tuple[str, ...]:
        return self.settings.classes

    @property
    def positive(self) -> str | None:
        return self.settings.positive

    @property
    def thresholds(self) -> tuple[float, ...]:
        return self.settings.thresholds

    @property
    def calibrated(self) -> bool:
        return self.settings.calibrated

    @property
    def split_seed(self) -> int:
        return self.settings.seed

    @property
    def member_folds(self) -> int:
        return self.settings.member_folds

    @property
    def folds_left_out(self) -> tuple[int, ...]:
        return tuple(sorted({one.left_out for one in self._members})) if self.member_folds else ()

    @property
    def second_source(self) -> str | None:
        return self.settings.second_source

    @property
    def modalities(self) -> tuple[str, ...]:
        return self.settings.modalities

    def classify(self, pictures: Sequence[np.ndarray], unseen: int | None = None) -> tuple[ClassScores, ...]:
        """One answer a picture, uint8 (height, width[, 3]) each. Calibrated where the bundle holds a calibration.
        `unseen`: only those of an ensemble answer that did not see this fold."""
        if not pictures:
            return ()
        framed = [self._square(picture) for picture in pictures]
        logits, _, distances = self.look(np.stack([square for square, _ in framed]), unseen)
        return tuple(
            ClassScores(
                tuple(float(value) for value in row),
                self.settings.prediction_set(row),
                None if distances is None else float(distances[i]),
                self.settings.gate_limit,
                sharpness(*framed[i]),
                self.settings.sharpness_limit,
                tuple(float(value) for value in logits[i]),
            )
            for i, row in enumerate(self.settings.calibrate(logits))
        )

    def features(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """float32 (n, features) of the first member's last layer."""
        return self.look(np.stack([self._square(picture)[0] for picture in pictures]))[1]

    def explain(self, picture: np.ndarray, label: str) -> Explanation:
        """Grad-CAM++ for one label over the original picture, tested by deletion. Raises ModelUnavailable for a
        network whose last convolution is not known."""
        if not self._members[0].explains:
            raise ModelUnavailable(
                f"{self.card.title} cannot show where its answer comes from. Use another model for that."
            )
        square, framing = self._square(picture)
        target = self.classes.index(label)
        small = _stretch(np.mean(self._heats(square, target), axis=0))
        reliable, by_map, by_chance = self._deletion(square, small, target)
        large = _enlarge(small, square.shape[0]).clip(max=1)  # bicubic swings a little over
        heat = lay_back(large, framing, (picture.shape[0], picture.shape[1]))
        return Explanation(label, heat, DELETED, by_map, by_chance, reliable)

    def look(self, squares: np.ndarray, unseen: int | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Of uint8 (n, side, side): float32 (n, classes) logits; float32 (n, features) of the first member's last
        layer; (n,) distances from the training pictures, or None without a gate. Means over the members asked, see
        `classify`."""
        asked = [one for one in self._members if unseen is None or one.left_out == unseen]
        logits, features, distances = [], [], []
        with self._alone():
            # Picture by picture, so that a batch equals single pictures.
            for square in squares:
                answers = ask(asked, self._views(square))
                logits.append(np.mean([out for out, _, _ in answers], axis=0))
                features.append(answers[0][1])
                distances.append(
                    [
                        one.gate.distances(seen[None])[0]
                        for one, (_, _, seen) in zip(asked, answers, strict=True)
                        if one.gate
                    ]
                )
        far = np.mean(distances, axis=1) if distances and distances[0] else None
        return np.stack(logits).astype(np.float32), np.stack(features).astype(np.float32), far

    def _views(self, square: np.ndarray) -> np.ndarray:
        """The picture, with its mirror image where the bundle asks for it."""
        return np.stack([square, square[:, ::-1]]) if self.settings.mirrored else square[None]

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One caller, one thread: for networks this small, threads that wait for one another on a busy machine were
        seen to burn fourteen times the processor time."""
        import torch

        with self._lock, torch.inference_mode():
            threads = torch.get_num_threads()
            torch.set_num_threads(1)
            try:
                yield
            finally:
                torch.set_num_threads(threads)

    def _square(self, picture: np.ndarray) -> tuple[np.ndarray, Framing]:
        return fit_square(picture, self.settings.side_px, self.settings.crop_to_content)

    def _heats(self, square: np.ndarray, target: int) -> list[np.ndarray]:
        """Of each member float32 (h, w), 0 to 1: Grad-CAM++ of the last convolution over the views that are judged.

        Chattopadhay et al., "Grad-CAM++", WACV 2018. The score is the label's margin over the mean of the others, so a
        map shows what speaks for this label rather than for any. High means decisive (MONAI's own normaliser makes it
        low).
        """
        with self._alone():
            seen = [maps for maps, _ in maps_of(self._members, self._views(square))]
            heads = [member.network._fc.weight for member in self._members]
            return [self._heat(head, maps, target) for head, maps in zip(heads, seen, strict=True)]

    def _heat(self, weights: Any, maps: Any, target: int) -> np.ndarray:
        import torch

        height, width = maps.shape[2:]
        # The last layers are a mean and a linear map, so the gradient is the same at every place: weight / places.
        gradient = (weights[target] - (weights.sum(0) - weights[target]) / (len(weights) - 1)) / (height * width)
        gradient = gradient.detach()[None, :, None, None]
        denominator = 2 * gradient**2 + maps.sum((2, 3), keepdim=True) * gradient**3
        alpha = torch.where(denominator != 0, gradient**2 / denominator, torch.zeros_like(denominator))
        importance = (alpha * torch.relu(gradient)) * (height * width)
        heat = torch.relu((importance * maps).sum(1)).numpy()
        return _stretch((heat[0] + heat[-1][:, ::-1]) / 2 if self.settings.mirrored else heat[0])

    def _deletion(self, square: np.ndarray, heat: np.ndarray, target: int):
        """Does taking away what the map calls decisive hurt more than taking away at random?

        Petsiuk et al., "RISE", BMVC 2018. Cells are replaced by the picture's own coarse mean, not by black, which
        would be evidence of its own.
        """
        side = square.shape[0]
        cell = side // CELLS
        cells = _shrink(_enlarge(heat, side), CELLS).ravel()
        rng = np.random.default_rng(0)  # the same chance every time: a reading repeated reads the same
        chances = CHANCE_ORDERS if len(self._members) == 1 else OF_ENSEMBLE
        orders = [np.argsort(-cells, kind="stable"), *(rng.permutation(CELLS * CELLS) for _ in range(chances))]
        coarse = _enlarge(_shrink(square.astype(np.float32), 4), side)
        pictures = [square]
        for order in orders:
            for share in DELETED:
                gone = np.zeros(CELLS * CELLS, bool)
                gone[order[: max(1, round(share * CELLS * CELLS))]] = True
                mask = np.kron(gone.reshape(CELLS, CELLS), np.ones((cell, cell), bool))
                pictures.append(np.where(mask, coarse, square).astype(np.uint8))
        with self._alone():
            # One at a time: a batch is no quicker on one thread, and takes ten times the memory.
            answers = [ask(self._members, one[None]) for one in pictures]
        logits = np.array([np.mean([out for out, _, _ in answer], axis=0) for answer in answers])
        others = (logits.sum(1) - logits[:, target]) / (logits.shape[1] - 1)
        margins = logits[:, target] - others
        left = (margins[1:] - margins[0]).reshape(len(orders), len(DELETED))
        scale = max(1.0, abs(float(margins[0])))
        by_map = tuple(round(float(1 + value / scale), 4) for value in left[0])
        by_chance = tuple(round(float(1 + value / scale), 4) for value in left[1:].mean(0))
        return bool(left[0].mean() < left[1:].mean(1).min()), by_map, by_chance


def _stretch(heat: np.ndarray) -> np.ndarray:
    """float32, from 0 to 1; all 0 where the map is flat."""
    low, high = float(heat.min()), float(heat.max())
    return ((heat - low) / (high - low) if high > low else np.zeros_like(heat)).astype(np.float32)


def _enlarge(picture: np.ndarray, side: int) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.fromarray(picture.astype(np.float32)).resize((side, side), Image.Resampling.BICUBIC)).clip(
        min=0
    )


def _shrink(picture: np.ndarray, cells: int) -> np.ndarray:
    side = picture.shape[0] // cells
    return picture[: side * cells, : side * cells].reshape(cells, side, cells, side).mean((1, 3))

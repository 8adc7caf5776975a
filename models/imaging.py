"""A MONAI bundle as a scan classifier: network, calibration, gate and explanation, all from the bundle's own files.

Nothing of the bundle is executed: the network is built from an allowed list of targets, weights are safetensors or
a state dict read with weights_only, the gate's features a plain array.
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
from models.lite_network import DEVIATION, MEAN, feature_map
from models.picture_preparation import Framing, fit_square, lay_back, sharpness

NEIGHBOURS = 5  # of the gate
MONAI_NETWORKS = "monai.networks.nets."
ALLOWED_TARGETS = ("models.lite_network.efficientnet_lite", MONAI_NETWORKS)
BATCH = 8
DELETED = (0.03, 0.08, 0.15, 0.3)  # shares taken away for the deletion curve
CELLS = 16  # the picture is taken away in 16 x 16 cells
CHANCE_ORDERS = 3


class BundleClassifier:
    """Serves one bundle. Deterministic; a batch gives what single pictures give; calls are locked, one at a time."""

    def __init__(self, folder: Path, card: ModelCard) -> None:
        self.card = card
        self.settings: BundleSettings = read_settings(folder)
        self._network = _build_network(folder, self.settings)
        self._gate = _load_gate(folder, self.settings)
        self._others = _load_others(folder)
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
    def modalities(self) -> tuple[str, ...]:
        return self.settings.modalities

    def classify(self, pictures: Sequence[np.ndarray]) -> tuple[ClassScores, ...]:
        """One answer a picture, uint8 (height, width[, 3]) each. Calibrated where the bundle holds a calibration."""
        if not pictures:
            return ()
        framed = [self._square(picture) for picture in pictures]
        squares = np.stack([square for square, _ in framed])
        logits, features = self.logits_and_features(squares)
        probabilities = self.settings.calibrate(logits)
        distances = self.distances(features)
        return tuple(
            ClassScores(
                tuple(float(value) for value in row),
                self.settings.prediction_set(row),
                None if distances is None else float(distances[i]),
                self.settings.gate_limit,
                sharpness(*framed[i]),
                self.settings.sharpness_limit,
                distances is not None and self._nearer_to_others(features[i], float(distances[i])),
                tuple(float(value) for value in logits[i]),
            )
            for i, row in enumerate(probabilities)
        )

    def explain(self, picture: np.ndarray, label: str) -> Explanation:
        """Grad-CAM++ for one label over the original picture, tested by deletion. Raises ModelUnavailable for a
        network whose last convolution is not known."""
        if not hasattr(self._network, "_conv_head"):
            raise ModelUnavailable(
                f"{self.card.title} cannot show where its answer comes from. Use another model for that."
            )
        square, framing = self._square(picture)
        target = self.classes.index(label)
        small = self._heat(square, target)
        reliable, by_map, by_chance = self._deletion(square, small, target)
        heat = lay_back(_enlarge(small, square.shape[0]), framing, (picture.shape[0], picture.shape[1]))
        return Explanation(label, heat, DELETED, by_map, by_chance, reliable)

    def logits_and_features(self, squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean over the picture and its mirror image: float32 (n, classes) logits, (n, features) pooled features."""

        logits, features = [], []
        with self._alone():
            for start in range(0, len(squares), BATCH):
                part = squares[start : start + BATCH]
                # Mirror images go through on their own, picture by picture, so that a batch equals single pictures.
                for square in part:
                    out, pooled = self._forward(np.stack([square, square[:, ::-1]]))
                    logits.append(out.mean(0).numpy())
                    features.append(pooled.mean(0).numpy())
        return np.stack(logits).astype(np.float32), np.stack(features).astype(np.float32)

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

    def distances(self, features: np.ndarray) -> np.ndarray | None:
        """(n,) mean cosine distance, 0 to 2, to the nearest training features; None without a gate."""
        if self._gate is None:
            return None
        # Row by row: one large product would round a row differently from the same row on its own.
        return np.concatenate([gate_distances(row[None], self._gate) for row in features])

    def _nearer_to_others(self, feature: np.ndarray, distance: float) -> bool:
        """Whether pictures of another modality are nearer than the task's own."""
        return self._others is not None and float(gate_distances(feature[None], self._others)[0]) < distance

    def _square(self, picture: np.ndarray) -> tuple[np.ndarray, Framing]:
        return fit_square(picture, self.settings.side_px, self.settings.crop_to_content)

    def _forward(self, squares: np.ndarray) -> tuple[Any, Any]:
        pictures = to_tensor(squares, self.settings.channels)
        if hasattr(self._network, "_conv_head"):
            pooled = feature_map(self._network, pictures).mean((2, 3))
            return self._network._fc(pooled), pooled
        out = self._network(pictures)
        return out, out

    def _heat(self, square: np.ndarray, target: int) -> np.ndarray:
        """float32 (h, w) Grad-CAM++ map of the last convolution, 0 to 1, mean over the picture and its mirror.

        Chattopadhay et al., "Grad-CAM++", WACV 2018. The score is the label's margin over the mean of the others, so a
        map shows what speaks for this label rather than for any. High means decisive (MONAI's own normaliser makes it
        low).
        """
        import torch

        with self._alone():
            maps = feature_map(self._network, to_tensor(np.stack([square, square[:, ::-1]]), self.settings.channels))
            weights = self._network._fc.weight
        height, width = maps.shape[2:]
        # The last layers are a mean and a linear map, so the gradient is the same at every place: weight / places.
        gradient = (weights[target] - (weights.sum(0) - weights[target]) / (len(weights) - 1)) / (height * width)
        gradient = gradient.detach()[None, :, None, None]
        denominator = 2 * gradient**2 + maps.sum((2, 3), keepdim=True) * gradient**3
        alpha = torch.where(denominator != 0, gradient**2 / denominator, torch.zeros_like(denominator))
        importance = (alpha * torch.relu(gradient)) * (height * width)
        heat = torch.relu((importance * maps).sum(1)).numpy()
        heat = (heat[0] + heat[1][:, ::-1]) / 2
        low, high = float(heat.min()), float(heat.max())
        return ((heat - low) / (high - low) if high > low else np.zeros_like(heat)).astype(np.float32)

    def _deletion(self, square: np.ndarray, heat: np.ndarray, target: int):
        """Does taking away what the map calls decisive hurt more than taking away at random?

        Petsiuk et al., "RISE", BMVC 2018. Cells are replaced by the picture's own coarse mean, not by black, which
        would be evidence of its own.
        """
        import torch

        side = square.shape[0]
        cell = side // CELLS
        cells = _shrink(_enlarge(heat, side), CELLS).ravel()
        rng = np.random.default_rng(0)  # the same chance every time: a reading repeated reads the same
        orders = [np.argsort(-cells, kind="stable"), *(rng.permutation(CELLS * CELLS) for _ in range(CHANCE_ORDERS))]
        coarse = _enlarge(_shrink(square.astype(np.float32), 4), side)
        pictures = [square]
        for order in orders:
            for share in DELETED:
                gone = np.zeros(CELLS * CELLS, bool)
                gone[order[: max(1, round(share * CELLS * CELLS))]] = True
                mask = np.kron(gone.reshape(CELLS, CELLS), np.ones((cell, cell), bool))
                pictures.append(np.where(mask, coarse, square).astype(np.uint8))
        with self._alone():
            logits = torch.cat([self._forward(np.stack([one]))[0] for one in pictures]).numpy()
        others = (logits.sum(1) - logits[:, target]) / (logits.shape[1] - 1)
        margins = logits[:, target] - others
        left = (margins[1:] - margins[0]).reshape(len(orders), len(DELETED))
        scale = max(1.0, abs(float(margins[0])))
        by_map = tuple(round(float(1 + value / scale), 4) for value in left[0])
        by_chance = tuple(round(float(1 + value / scale), 4) for value in left[1:].mean(0))
        return bool(left[0].mean() < left[1:].mean(1).min()), by_map, by_chance


def gate_distances(features: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(n,) mean cosine distance of (n, d) features to the nearest five of (m, d) rows of length 1."""
    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-9)
    similarity = unit @ known.T
    count = min(NEIGHBOURS, known.shape[0])
    return 1.0 - np.sort(similarity, axis=1)[:, -count:].mean(axis=1)


def to_tensor(squares: np.ndarray, channels: int) -> Any:
    """float32 (n, channels, side, side), normalised, from uint8 (n, side, side)."""
    import torch

    batch = torch.from_numpy(np.ascontiguousarray(squares)).float().div_(255.0).sub_(MEAN).div_(DEVIATION)
    return batch[:, None].expand(-1, channels, -1, -1).contiguous(memory_format=torch.channels_last)


def _enlarge(picture: np.ndarray, side: int) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.fromarray(picture.astype(np.float32)).resize((side, side), Image.Resampling.BICUBIC)).clip(
        min=0
    )


def _shrink(picture: np.ndarray, cells: int) -> np.ndarray:
    side = picture.shape[0] // cells
    return picture[: side * cells, : side * cells].reshape(cells, side, cells, side).mean((1, 3))


def _build_network(folder: Path, settings: BundleSettings) -> Any:
    """The network with its weights, in float32, ready to read."""
    import importlib

    import torch

    target, arguments = settings.network
    target = target if "." in target else f"{MONAI_NETWORKS}{target}"  # bundles may name a network by its class alone
    if not target.startswith(ALLOWED_TARGETS):
        raise ModelUnavailable(
            f"The bundle asks for a network that is not allowed ({target.rpartition('.')[2]}). "
            "Use a network of monai.networks.nets."
        )
    module, _, name = target.rpartition(".")
    try:
        network = getattr(importlib.import_module(module), name)(**arguments)
    except (ImportError, AttributeError, TypeError, ValueError, NotImplementedError) as error:
        raise ModelUnavailable(
            f"The network of this bundle cannot be built ({name}). Write network_def in inference.json with a class of "
            "monai.networks.nets and plain values, without references or expressions."
        ) from error
    packed = folder / "models" / "model.safetensors"
    if packed.is_file():
        from safetensors.torch import load_file

        state = load_file(packed)
    else:
        state = torch.load(folder / "models" / "model.pt", map_location="cpu", weights_only=True)
    state = state.get("state_dict", state.get("model", state))  # MONAI's own savers wrap it
    try:
        network.load_state_dict(
            {name: value.float() if value.is_floating_point() else value for name, value in state.items()}
        )
    except RuntimeError as error:
        raise ModelUnavailable(
            "The weights of this bundle do not fit its network. Export both from the same training run."
        ) from error
    network.eval().requires_grad_(False)
    return network.to(memory_format=torch.channels_last)


def _load_others(folder: Path) -> np.ndarray | None:
    path = folder / "models" / "other_kinds.npy"
    return np.load(path, allow_pickle=False).astype(np.float32) if path.is_file() else None


def _load_gate(folder: Path, settings: BundleSettings) -> np.ndarray | None:
    if settings.gate_limit is None:
        return None
    path = folder / "models" / "gate.npy"
    if not path.is_file():
        raise ModelUnavailable("The bundle names a gate, but its features are missing. Copy the whole bundle again.")
    return np.load(path, allow_pickle=False).astype(np.float32)

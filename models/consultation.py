"""Linear heads over sentence vectors: who is speaking, and what a statement of a visit is for.

Weights are small arrays in models/notes, made by models/training/notes.py from the train splits of ACI-Bench (Yim et
al. 2023) and MTS-Dialog (Ben Abacha et al. 2023), both CC BY 4.0.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from domain.errors import ModelUnavailable
from domain.models import ModelCard


class LinearHeads:
    """The heads of one file. `heads[name]`: float32 weights (features, classes) and bias (classes,)."""

    def __init__(self, folder: Path, card: ModelCard, file: str) -> None:
        """Raises ModelUnavailable for a file that is not what its card says."""
        self.card = card
        try:
            with np.load(folder / file, allow_pickle=False) as kept:
                arrays = {name: kept[name] for name in kept.files}
            self._heads = {
                name.removesuffix(".weights"): (arrays[name], arrays[name.replace(".weights", ".bias")])
                for name in arrays
                if name.endswith(".weights")
            }
            self._labels = {name: tuple(map(str, arrays[f"{name}.labels"])) for name in self._heads}
            self._constants = {name: arrays[name] for name in arrays if name.startswith("constant.")}
        except (OSError, ValueError, KeyError) as error:
            raise ModelUnavailable(
                f"The weights of {card.title} cannot be read. Install the program again, or make them with "
                "models/training/notes.py."
            ) from error

    def labels(self, head: str) -> tuple[str, ...]:
        """The classes of a head, in the order of its columns."""
        return self._labels[head]

    def constant(self, name: str) -> np.ndarray:
        """A fitted number that is no weight."""
        return self._constants[f"constant.{name}"]

    def scores(self, head: str, features: np.ndarray) -> np.ndarray:
        """Logits, float32 (n, classes), of features (n, features)."""
        weights, bias = self._heads[head]
        if features.shape[1] != weights.shape[0]:
            raise ValueError(f"{head} expects {weights.shape[0]} features, was given {features.shape[1]}")
        return (features.astype(np.float32) @ weights + bias).astype(np.float32)

    def log_probabilities(self, head: str, features: np.ndarray) -> np.ndarray:
        """Log of the softmax over the classes, float32 (n, classes)."""
        scores = self.scores(head, features)  # (n, classes)
        scores = scores - scores.max(axis=1, keepdims=True)
        return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))

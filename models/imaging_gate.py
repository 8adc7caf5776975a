"""Is a picture of the kind that a network was trained on? A distance in what its middle layers see.

Mahalanobis distance to the training pictures (Lee et al., "A Simple Unified Framework for Detecting
Out-of-Distribution Samples", NeurIPS 2018), over mean and spread of the middle stages' channels. The last layer is no
good for this: the better it is trained, the less is left in it of what the task does not ask for, and photographs
then look like whatever class they are called. Needs pictures of its own kind only, none of what it should refuse.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from domain.errors import ModelUnavailable

RIDGE = 0.2  # of a channel's variance: directions in which a few hundred pictures hardly vary count less
FLOOR = 1e-3  # of the mean spread: a channel that is always silent does not shout at its first word


@dataclass(frozen=True, slots=True, eq=False)
class Gate:
    """`mean`, `scale` float32 (d,), `whitening` float32 (d, d). The distance of a look (d,) is about 1 for pictures
    like those of training and has no upper end."""

    mean: np.ndarray
    scale: np.ndarray
    whitening: np.ndarray

    def distances(self, looks: np.ndarray) -> np.ndarray:
        """(n,) distances of (n, d) looks. Row by row: one large product would round a row differently from the same
        row on its own."""
        return np.array([np.sqrt(np.mean(((look - self.mean) * self.scale @ self.whitening) ** 2)) for look in looks])

    def save(self, path: Path) -> None:
        """Half precision for the large part; the same numbers give the same file."""
        np.savez(path, mean=self.mean, scale=self.scale, whitening=self.whitening.astype(np.float16))


def fit_gate(looks: np.ndarray) -> Gate:
    """The gate of these (n, d) looks of training pictures, rounded as it will be stored."""
    mean, spread = looks.mean(0), looks.std(0)
    even = 1.0 / (spread + FLOOR * spread.mean() + 1e-9)
    standard = (looks - mean) * even
    variances, directions = np.linalg.eigh(standard.T.astype(float) @ standard / len(looks))
    whitening = even[:, None] * (directions / np.sqrt(variances.clip(0) + RIDGE))
    scale = np.linalg.norm(whitening, axis=1)  # kept apart: half precision has no room for large and small at once
    rounded = (whitening / scale[:, None]).astype(np.float16).astype(np.float32)
    return Gate(mean.astype(np.float32), scale.astype(np.float32), rounded)


def load_gate(path: Path) -> Gate:
    """Raises ModelUnavailable where the file is missing."""
    if not path.is_file():
        raise ModelUnavailable("The bundle names a gate, but its file is missing. Copy the whole bundle again.")
    with np.load(path, allow_pickle=False) as stored:
        return Gate(*(stored[name].astype(np.float32) for name in ("mean", "scale", "whitening")))

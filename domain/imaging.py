"""A scan picture, and what a classifier may say about it: calibrated findings, or silence with a reason."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.models import ModelStamp

AUTO_TASK = "auto"


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """One picture of a scan file.

    `pixels`: uint8 (height, width) grey or (height, width, 3) RGB, white is bright whatever the file stored.
    `kind`: "png", "jpeg", "dicom" or "nifti". `modality`: what the file's header claims (DICOM code), None if nothing.
    `number`: from 1; `count`: pictures in the file. `warnings`: fit to be shown.
    """

    pixels: np.ndarray
    kind: str
    modality: str | None = None
    number: int = 1
    count: int = 1
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.pixels.dtype != np.uint8 or self.pixels.ndim not in (2, 3):
            raise ValueError(
                f"a scan picture is uint8 in 2 or 3 dimensions, not {self.pixels.dtype} {self.pixels.ndim}"
            )
        if not 1 <= self.number <= self.count:
            raise ValueError(f"picture {self.number} of {self.count} cannot be")

    @property
    def shape(self) -> tuple[int, int]:
        """Height, width in pixels."""
        return int(self.pixels.shape[0]), int(self.pixels.shape[1])


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why no score is given. `code`: "small", "blank", "blurred", "text", "colour", "domain", "modality", "task".
    `reason` and `advice`: sentences fit to be shown: what was seen, and what would help."""

    code: str
    reason: str
    advice: str


@dataclass(frozen=True, slots=True)
class ClassScores:
    """What a classifier makes of one picture. `probabilities`: 0 to 1, in the order of the card's labels, sum 1.
    `prediction_set`: labels that hold the truth at the conformal coverage. `distance`: how far the picture lies from
    the training pictures, about 1 for one like them, or None for a model without a gate; `distance_limit`: above it the
    picture is foreign.
    `sharpness`: share of fine detail, `sharpness_limit`: below it the picture is too blurred; None without a limit.
    """

    probabilities: tuple[float, ...]
    prediction_set: tuple[str, ...]
    distance: float | None
    distance_limit: float | None
    sharpness: float = 1.0
    sharpness_limit: float | None = None
    logits: tuple[float, ...] = ()  # the network's own outputs, before calibration

    @property
    def blurred(self) -> bool:
        """True where the fine detail of the training pictures is missing."""
        return self.sharpness_limit is not None and self.sharpness < self.sharpness_limit

    @property
    def foreign(self) -> bool:
        """True where the picture is unlike everything the model was trained on."""
        return self.distance is not None and self.distance_limit is not None and self.distance > self.distance_limit


@dataclass(frozen=True, slots=True)
class Finding:
    """One label's answer. `score` and `threshold` 0 to 1; `positive`: the score reaches the threshold.
    `calibrated`: whether the score was mapped to a probability on pictures kept from training."""

    label: str
    score: float
    threshold: float
    positive: bool
    calibrated: bool


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Where the answer for `label` comes from.

    `heat`: float32 (height, width) over the original picture, 0 to 1, 1 is most decisive (Grad-CAM++).
    `deleted`: shares of the picture taken away, most decisive first; `by_map`, `by_chance`: the label's margin over the
    others that is left, relative to the whole picture, when the map or chance chooses what to take away.
    `reliable`: the map finds what decides better than chance does.
    """

    label: str
    heat: np.ndarray
    deleted: tuple[float, ...]
    by_map: tuple[float, ...]
    by_chance: tuple[float, ...]
    reliable: bool

    @property
    def caption(self) -> str:
        """The words under the map, never more than the curve beside them shows."""
        if self.reliable:
            said = f"Where the answer '{self.label}' comes from: taking these places away changes it more than chance."
            if self.by_map[-1] < self.by_chance[-1]:
                return said
            return f"{said[:-1]}, on average; with {self.deleted[-1]:.0%} of the picture gone it no longer does."
        return f"Unreliable here: this map for '{self.label}' does no better than places chosen at random."


@dataclass(frozen=True, slots=True, eq=False)
class ScanReading:
    """A reading. When `abstained`, `doubt` says why, and there is no finding, no set and no explanation at all."""

    task: str
    findings: tuple[Finding, ...]
    model: ModelStamp
    doubt: Doubt | None = None
    prediction_set: tuple[str, ...] = ()
    explanation: Explanation | None = None
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.doubt is not None and (self.findings or self.prediction_set or self.explanation):
            raise ValueError("a reading that abstains carries no score")
        if self.doubt is None and not self.findings:
            raise ValueError("a reading without findings must say why it abstains")

    @property
    def abstained(self) -> bool:
        return self.doubt is not None

    @property
    def reason(self) -> str | None:
        """Why it abstained and what would help, in one text; None for a reading with findings."""
        return None if self.doubt is None else f"{self.doubt.reason} {self.doubt.advice}"

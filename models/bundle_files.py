"""What lies in a MONAI bundle folder, read as plain data: metadata.json, inference.json. Loads no framework.

Our own part of metadata.json is `health_connect`; a bundle without it still becomes a card, but its scores are marked
as not calibrated, it has no gate, and its threshold is one half.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from domain.errors import ModelUnavailable

EVEN_CHANCE = 0.5
SHARED_FILE = "shared.safetensors"


@dataclass(frozen=True, slots=True)
class BundleSettings:
    """How a bundle's network is fed and its outputs are read.

    `network`: target and arguments. `temperature`, `biases`: probabilities are softmax(logits / temperature + biases)
    (temperature scaling, Guo et al. 2017, with one shift a class). `set_limits`: a label is in the prediction set when
    1 - probability is at most its limit (class-conditional split conformal, Vovk 2012; Sadinle et al. 2019).
    `positive`: the class the task asks for, None where all are equal. `members`: weight files of an ensemble, whose
    logits are averaged; empty for one network. `member_folds`: above 0, each member was trained without its own fold
    of the groups; 0: all were trained without the same fifth. `mirrored`: a picture is judged with its mirror image.
    `second_source`: task whose pictures lent their look in training. `variants`: of each member the `variant` that its
    network is built with, empty where all are as `network` says. `folds_left_out`: of each member the fold that it did
    not see, empty where it is the one of its own number. `shared_stages`: above 0, members of another variant than
    `network` names have so many first stages in common; those weights lie in a file of their own, and these members
    bring no gate.
    """

    task: str
    classes: tuple[str, ...]
    positive: str | None
    side_px: int
    channels: int
    crop_to_content: bool
    network: tuple[str, dict[str, Any]]
    calibrated: bool
    temperature: float
    biases: tuple[float, ...]
    thresholds: tuple[float, ...]
    set_limits: tuple[float, ...]
    gate_limit: float | None
    sharpness_limit: float | None
    modalities: tuple[str, ...]
    seed: int
    members: tuple[str, ...] = ()
    member_folds: int = 0
    mirrored: bool = True
    second_source: str | None = None
    variants: tuple[int, ...] = ()
    folds_left_out: tuple[int, ...] = ()
    shared_stages: int = 0

    def network_of(self, number: int) -> tuple[str, dict[str, Any]]:
        """Target and arguments of the member of this number."""
        target, arguments = self.network
        return target, arguments | ({"variant": self.variants[number]} if self.variants else {})

    def shares(self, number: int) -> bool:
        """Whether its first stages are those that members have in common."""
        return self.shared_stages > 0 and self.network_of(number)[1] != self.network[1]

    def left_out(self, number: int) -> int:
        """The fold that the member of this number did not see."""
        return self.folds_left_out[number] if self.folds_left_out else number

    def calibrate(self, logits: np.ndarray) -> np.ndarray:
        """float64 (n, classes) probabilities, rows sum to 1, from (n, classes) logits."""
        scaled = np.asarray(logits, float) / self.temperature + np.asarray(self.biases)
        powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def prediction_set(self, probabilities: np.ndarray) -> tuple[str, ...]:
        """Labels that hold the truth at the conformal coverage; never empty."""
        inside = 1.0 - np.asarray(probabilities) <= np.asarray(self.set_limits)
        if not inside.any():
            inside[int(np.argmax(probabilities))] = True
        return tuple(label for label, kept in zip(self.classes, inside, strict=True) if kept)


def read_metadata(folder: Path) -> dict[str, Any]:
    """configs/metadata.json. Raises ModelUnavailable where it is missing or is not an object."""
    return _read_object(folder / "configs" / "metadata.json")


def read_settings(folder: Path) -> BundleSettings:
    """Raises ModelUnavailable, in words a person can act on, where the bundle says too little to be used."""
    metadata, inference = read_metadata(folder), _read_object(folder / "configs" / "inference.json")
    ours = metadata.get("health_connect", {})
    try:
        image = metadata["network_data_format"]["inputs"]["image"]
        classes = channel_names(metadata)
        network = dict(inference["network_def"])
        count = len(classes)
        settings = BundleSettings(
            task=ours.get("task", folder.name),
            classes=classes,
            positive=ours.get("positive"),
            side_px=int(image["spatial_shape"][0]),
            channels=int(image["num_channels"]),
            crop_to_content=bool(ours.get("crop_to_content", False)),
            network=(str(network.pop("_target_")), network),
            calibrated="calibration" in ours,
            temperature=float(ours.get("calibration", {}).get("temperature", 1.0)),
            biases=tuple(map(float, ours.get("calibration", {}).get("biases", [0.0] * count))),
            thresholds=tuple(map(float, ours.get("thresholds", [EVEN_CHANCE] * count))),
            set_limits=tuple(map(float, ours.get("set_limits", [1.0] * count))),
            gate_limit=ours.get("gate", {}).get("limit"),
            sharpness_limit=ours.get("gate", {}).get("sharpness_limit"),
            modalities=tuple(ours.get("dicom_modalities", ())),
            seed=int(ours.get("seed", 0)),
            members=tuple(map(str, ours.get("members", ()))),
            member_folds=int(ours.get("member_folds", 0)),
            mirrored=bool(ours.get("mirrored", True)),
            second_source=ours.get("second_source"),
            variants=tuple(map(int, ours.get("variants", ()))),
            folds_left_out=tuple(map(int, ours.get("folds_left_out", ()))),
            shared_stages=int(ours.get("shared_stages", 0)),
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelUnavailable(
            "The bundle does not say how its network is fed (network_data_format in metadata.json, network_def in "
            "inference.json). Complete these two files, as the MONAI bundle specification describes."
        ) from error
    if not len(settings.biases) == len(settings.thresholds) == len(settings.set_limits) == count:
        raise ModelUnavailable(f"The bundle names {count} classes, but not as many thresholds. Complete metadata.json.")
    for said in (settings.variants, settings.folds_left_out):
        if said and len(said) != len(settings.members):
            raise ModelUnavailable(
                f"The bundle names {len(settings.members)} networks, but not as many variants or folds. Complete "
                "metadata.json."
            )
    return settings


def channel_names(metadata: dict[str, Any]) -> tuple[str, ...]:
    """Labels in the order of the network's outputs. Raises KeyError, TypeError or ValueError on other shapes."""
    named = metadata["network_data_format"]["outputs"]["pred"]["channel_def"]
    return tuple(str(named[key]) for key in sorted(named, key=int))


def _read_object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelUnavailable(
            f"{path.name} of a bundle is missing or is not JSON, so the bundle cannot be used. Copy the bundle again."
        ) from error
    if not isinstance(content, dict):
        raise ModelUnavailable(f"{path.name} of a bundle is not a JSON object. Copy the bundle again.")
    return content

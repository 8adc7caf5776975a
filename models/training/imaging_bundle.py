"""From a trained network to a bundle: calibrate, set thresholds and prediction sets, fit the gate, measure, write.

Everything is fitted on the pictures kept from training. Figures of fitted things (calibration error, sensitivity at
the threshold, coverage) are cross-fitted in five folds of groups, so that no picture is judged by a fit it was part of.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from domain.imaging_fit import fit_calibration, fit_set_limits, fit_thresholds
from domain.models import InputContract, Metric, ModelCard, WeightsSource
from models.bundle_files import BundleSettings
from models.imaging import NEIGHBOURS, BundleClassifier, gate_distances
from models.picture_preparation import sharpness
from models.training.imaging_card import TEXTS, model_card_page
from models.training.imaging_data import Labelled
from models.training.imaging_tasks import Recipe

GATE_REJECTS = 0.05  # share of the task's own pictures that the gate may turn away
LEAST_LIMIT = 1e-3  # below it a distance is rounding
GATE_PICTURES = 400  # training pictures whose features the gate compares with
SHARP_QUANTILE, SHARP_SHARE = 0.01, 0.6  # blurred: clearly below the softest of the training pictures
VERSION = "1.0.0"


def fit_settings(settings: BundleSettings, logits: np.ndarray, labels: np.ndarray) -> BundleSettings:
    """The same settings with calibration, thresholds and set limits fitted to these pictures."""
    temperature, biases = fit_calibration(logits, labels)
    fitted = replace(settings, calibrated=True, temperature=temperature, biases=biases)
    scores = fitted.calibrate(logits)
    return replace(
        fitted,
        thresholds=fit_thresholds(scores, labels, settings.classes, settings.positive),
        set_limits=fit_set_limits(scores, labels),
    )


def write_bundle(
    folder: Path,
    recipe: Recipe,
    network: Any,
    train: Labelled,
    kept: Labelled,
    seed: int,
    also_known: np.ndarray | None = None,
) -> None:
    """Writes the whole bundle. Weights in float16 safetensors; the gate's features as a float16 array.

    `also_known`: uint8 (n, side, side) pictures of a second source that the gate lets in too; it sees no labels, so the
    source cannot give a class away there.
    """
    from safetensors.torch import save_file

    for name in ("configs", "models", "docs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    state = {
        name: value.half().contiguous() if value.is_floating_point() else value.contiguous()
        for name, value in network.state_dict().items()
    }
    save_file(state, folder / "models" / "model.safetensors")
    (folder / "models" / "model.safetensors").chmod(0o644)  # the library writes for the owner alone
    metadata = _metadata(recipe, seed)
    _write_json(folder / "configs" / "inference.json", _inference(recipe))
    _write_json(folder / "configs" / "metadata.json", metadata)

    classifier = BundleClassifier(folder, _bare_card(recipe))
    rng = np.random.default_rng(seed)
    sample = np.sort(rng.permutation(len(train.files))[:GATE_PICTURES])
    squares = train.squares[sample]
    if also_known is not None:
        squares = np.concatenate([squares, also_known[np.sort(rng.permutation(len(also_known))[:GATE_PICTURES])]])
    _, features = classifier.logits_and_features(squares)
    known = features / np.linalg.norm(features, axis=1, keepdims=True)
    np.save(folder / "models" / "gate.npy", known.astype(np.float16))
    logits, features = classifier.logits_and_features(kept.squares)
    distances = gate_distances(features, known.astype(np.float16).astype(np.float32))
    limit = max(LEAST_LIMIT, float(np.quantile(distances, 1 - GATE_REJECTS)))
    settings = fit_settings(classifier.settings, logits, kept.labels)
    ours = metadata["health_connect"]
    ours["calibration"] = {
        "temperature": round(settings.temperature, 5),
        "biases": [round(b, 5) for b in settings.biases],
    }
    ours["thresholds"] = [round(value, 6) for value in settings.thresholds]
    ours["set_limits"] = [round(value, 6) for value in settings.set_limits]
    sharp = [sharpness(square) for square in train.squares]
    ours["gate"] = {
        "limit": round(limit, 6),
        "neighbours": NEIGHBOURS,
        "pictures": len(squares),
        "sharpness_limit": round(float(np.quantile(sharp, SHARP_QUANTILE)) * SHARP_SHARE, 6),
    }
    ours["files"] = {
        f"models/{name}": hashlib.sha256((folder / "models" / name).read_bytes()).hexdigest()
        for name in ("model.safetensors", "gate.npy")
    }
    _write_json(folder / "configs" / "metadata.json", metadata)
    write_card_page(folder)


def write_other_kinds(folder: Path, squares: np.ndarray) -> None:
    """Features of other modalities' pictures, uint8 (n, side, side): a picture nearer to them than to the task's own is
    turned away. Needed where a network was trained so little that its features hardly part modalities."""
    path = folder / "models" / "other_kinds.npy"
    path.unlink(missing_ok=True)
    _, features = BundleClassifier(folder, _bare_card_of(folder)).logits_and_features(squares)
    np.save(path, (features / np.linalg.norm(features, axis=1, keepdims=True)).astype(np.float16))
    configs = folder / "configs" / "metadata.json"
    metadata = json.loads(configs.read_text(encoding="utf-8"))
    files = metadata["health_connect"]["files"]
    files["models/other_kinds.npy"] = hashlib.sha256(path.read_bytes()).hexdigest()
    _write_json(configs, metadata)


def _bare_card_of(folder: Path) -> ModelCard:
    from models.cards_imaging import card_of

    return card_of(folder)


def write_metrics(folder: Path, metrics: Sequence[Metric]) -> None:
    """Put measured figures into metadata.json and write the page again."""
    path = folder / "configs" / "metadata.json"
    metadata = json.loads(path.read_text(encoding="utf-8"))
    metadata["health_connect"]["metrics"] = [
        {"name": m.name, "value": m.value, "data": m.data, "command": m.command, "interval": m.interval}
        for m in metrics
    ]
    _write_json(path, metadata)
    write_card_page(folder)


def write_card_page(folder: Path) -> None:
    """docs/README.md, from metadata.json as it now stands."""
    metadata = json.loads((folder / "configs" / "metadata.json").read_text(encoding="utf-8"))
    (folder / "docs" / "README.md").write_text(model_card_page(metadata), encoding="utf-8")


def _metadata(recipe: Recipe, seed: int) -> dict[str, Any]:
    import monai
    import torch

    text = TEXTS[recipe.task]
    return {
        "schema": "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20220324.json",
        "version": VERSION,
        "changelog": {VERSION: "first trained on group-wise split, calibrated, with gate"},
        "monai_version": monai.__version__,
        "pytorch_version": torch.__version__.split("+")[0],
        "numpy_version": np.__version__,
        "required_packages_version": {"safetensors": "0.8.0"},
        "task": text["title"],
        "description": text["description"],
        "authors": "HEALTH CONNECT",
        "copyright": "weights: the licence below",
        "licence": text["licence"],
        "data_source": text["data"],
        "data_type": "png, jpeg, dicom, nifti",
        "intended_use": text["use"],
        "not_for": text["not_for"],
        "references": text["references"],
        "network_data_format": {
            "inputs": {
                "image": {
                    "type": "image",
                    "format": "magnitude",
                    "modality": recipe.modality,
                    "num_channels": 3,
                    "spatial_shape": [recipe.side_px, recipe.side_px],
                    "dtype": "float32",
                    "value_range": [-1, 1],
                    "is_patch_data": False,
                    "channel_def": {"0": "grey", "1": "grey", "2": "grey"},
                }
            },
            "outputs": {
                "pred": {
                    "type": "probabilities",
                    "format": "classes",
                    "num_channels": len(recipe.classes),
                    "spatial_shape": [],
                    "dtype": "float32",
                    "value_range": [0, 1],
                    "is_patch_data": False,
                    "channel_def": {str(i): name for i, name in enumerate(recipe.classes)},
                }
            },
        },
        "health_connect": {
            "id": f"{recipe.task.replace('_', '-')}-lite{recipe.variant}",
            "task": recipe.task,
            "positive": recipe.positive,
            "crop_to_content": recipe.crop_to_content,
            "dicom_modalities": text["dicom"],
            "seed": seed,
            "limits": text["limits"],
        },
    }


def _inference(recipe: Recipe) -> dict[str, Any]:
    return {
        "network_def": {
            "_target_": "models.lite_network.efficientnet_lite",
            "variant": recipe.variant,
            "side_px": recipe.side_px,
            "classes": len(recipe.classes),
        },
        "preprocessing": {
            "_target_": "models.picture_preparation.fit_square",
            "crop_to_content": recipe.crop_to_content,
        },
        "postprocessing": "mean logits of the picture and its mirror image; softmax(logits / temperature + biases)",
    }


def _bare_card(recipe: Recipe) -> ModelCard:
    return ModelCard(
        id=recipe.task, task=recipe.task, title=recipe.task, loader="", revision=VERSION, licence="", origin="",
        intended_use="", not_for="", input=InputContract(""), weights=WeightsSource(), memory_mb=0,
        labels=recipe.classes,
    )  # fmt: skip


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

"""From trained networks to a bundle: calibrate, set thresholds and prediction sets, fit the gate, measure, write.

Everything is fitted on pictures kept from training: on the common fifth, or, where each member of an ensemble left out
a fold of its own, on all pictures, each judged by the member that did not see it. Figures of fitted things (calibration
error, sensitivity at the threshold, coverage) are cross-fitted in five folds of groups, so that no picture is judged by
a fit it was part of.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from domain.imaging_fit import fit_calibration, fit_set_limits, fit_thresholds
from domain.models import InputContract, Metric, ModelCard, WeightsSource
from models.bundle_files import SHARED_FILE, BundleSettings, read_settings
from models.bundle_members import Member, ask, build_network, load_members
from models.imaging import BundleClassifier
from models.imaging_gate import fit_gate
from models.lite_network import block_strings
from models.picture_preparation import sharpness
from models.training.imaging_card import TEXTS, model_card_page
from models.training.imaging_data import Labelled
from models.training.imaging_tasks import Recipe

GATE_REJECTS = 0.05  # share of the task's own pictures that the gate may turn away
GATE_PICTURES = 800  # training pictures a network and source that the gate is fitted to
SHARP_QUANTILE, SHARP_SHARE = 0.01, 0.6  # blurred: clearly below the softest of the training pictures
VERSION = "1.3.0"
CHANGES = {
    "1.0.0": "first trained on group-wise split, calibrated, with gate",
    "1.1.0": "gate over the middle layers; breast_ultrasound and fracture trained anew",
    "1.2.0": "fracture read by two networks",
    "1.3.0": "breast_ultrasound read by two networks, with a larger one beside each whose last layer alone is fitted",
}
_SAID_ELSEWHERE = ("task", "classes", "positive", "modality", "crop_to_content", "rename", "style_from", "mirrored")


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """One network, the pictures it was trained on, and those of the same task that it did not see."""

    network: Any
    train: Labelled
    kept: Labelled


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
    folder: Path, recipe: Recipe, members: Sequence[Trained], seed: int, also_known: np.ndarray | None = None
) -> None:
    """Writes the whole bundle. Weights in float16 safetensors; the gates as arrays.

    `also_known`: uint8 (n, side, side) pictures of a second source that the gate lets in too; it sees no labels, so the
    source cannot give a class away there.
    """
    for name in ("configs", "models", "docs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for old in (folder / "models").iterdir():
        old.unlink()
    metadata = _metadata(recipe, seed)
    metadata["health_connect"]["gate"] = {"limit": 1.0}  # until it is known below; without a limit no gate is loaded
    _write_json(folder / "configs" / "inference.json", _inference(recipe))
    _write_json(folder / "configs" / "metadata.json", metadata)
    rng = np.random.default_rng(seed)
    states = [_stored(member.network) for member in members]
    for number, member in enumerate(members[: recipe.members]):
        _write_state(states[number], folder / "models" / member_files(recipe)[number][0])
        _write_gate(folder, recipe, number, member, also_known, rng)
    _write_beside(folder, recipe, states[recipe.members :])
    settings, distances = _judge_kept(folder, recipe, members)
    ours = metadata["health_connect"]
    ours["calibration"] = {
        "temperature": round(settings.temperature, 5),
        "biases": [round(b, 5) for b in settings.biases],
    }
    ours["thresholds"] = [round(value, 6) for value in settings.thresholds]
    ours["set_limits"] = [round(value, 6) for value in settings.set_limits]
    sharp = [sharpness(square) for square in members[0].train.squares]
    ours["gate"] = {
        "limit": round(float(np.quantile(distances, 1 - GATE_REJECTS)), 6),
        "kind": "Mahalanobis distance over the middle stages",
        "sharpness_limit": round(float(np.quantile(sharp, SHARP_QUANTILE)) * SHARP_SHARE, 6),
    }
    ours["files"] = {
        f"models/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((folder / "models").iterdir())
    }
    _write_json(folder / "configs" / "metadata.json", metadata)
    write_card_page(folder)


def stored_networks(folder: Path) -> list[Any]:
    """The networks that a bundle holds already."""
    return [member.network for member in load_members(folder, replace(read_settings(folder), gate_limit=None))]


def member_files(recipe: Recipe) -> tuple[tuple[str, str], ...]:
    """(weights, gate) file names of each member, below models/. Networks beside the members bring no gate."""
    if recipe.members == 1 and recipe.beside is None:
        return (("model.safetensors", "gate.npz"),)
    count = recipe.members + recipe.stand_beside
    return tuple((f"model_{number}.safetensors", f"gate_{number}.npz") for number in range(count))


def _stored(network: Any) -> dict[str, Any]:
    """Its weights as they are stored: half precision."""
    return {
        name: value.half().contiguous() if value.is_floating_point() else value.contiguous()
        for name, value in network.state_dict().items()
    }


def _write_state(state: dict[str, Any], path: Path) -> None:
    from safetensors.torch import save_file

    save_file(state, path)
    path.chmod(0o644)  # the library writes for the owner alone


def _write_beside(folder: Path, recipe: Recipe, states: Sequence[dict[str, Any]]) -> None:
    """The networks beside the members: what all have in common once, then of each what is its own."""
    import torch

    if not states:
        return
    common = {name for name in states[0] if all(torch.equal(states[0][name], other[name]) for other in states[1:])}
    common = {name for name in common if not name.startswith("_fc")}
    _write_state({name: states[0][name] for name in sorted(common)}, folder / "models" / SHARED_FILE)
    for number, state in enumerate(states, recipe.members):
        own = {name: value for name, value in state.items() if name not in common}
        _write_state(own, folder / "models" / member_files(recipe)[number][0])


def _write_gate(
    folder: Path, recipe: Recipe, number: int, member: Trained, also_known: np.ndarray | None, rng: np.random.Generator
) -> None:
    """The gate of what the network sees in its training pictures once its weights are rounded."""
    weights, gate = member_files(recipe)[number]
    squares = member.train.squares[np.sort(rng.permutation(len(member.train.files))[:GATE_PICTURES])]
    if also_known is not None:
        squares = np.concatenate([squares, also_known[np.sort(rng.permutation(len(also_known))[:GATE_PICTURES])]])
    import torch

    settings = read_settings(folder)
    stored = Member(build_network(folder, settings, weights, number), settings.channels)
    with torch.inference_mode():
        views = [np.stack([square, square[:, ::-1]]) if settings.mirrored else square[None] for square in squares]
        fit_gate(np.stack([ask([stored], view)[0][2] for view in views])).save(folder / "models" / gate)


def _judge_kept(folder: Path, recipe: Recipe, members: Sequence[Trained]) -> tuple[BundleSettings, np.ndarray]:
    """Settings fitted to the pictures kept from training, and how far these lie."""
    classifier = BundleClassifier(folder, _bare_card(recipe))
    if recipe.own_folds:
        apart = members[: recipe.members]  # those beside them left out the same
        looks = [classifier.look(member.kept.squares, number) for number, member in enumerate(apart)]
        labels = np.concatenate([member.kept.labels for member in apart])
    else:
        looks, labels = [classifier.look(members[0].kept.squares)], members[0].kept.labels
    logits = np.concatenate([found for found, _, _ in looks])
    return fit_settings(classifier.settings, logits, labels), np.concatenate([far for _, _, far in looks])


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
        "changelog": CHANGES,
        "monai_version": monai.__version__,
        "pytorch_version": torch.__version__.split("+")[0],
        "numpy_version": np.__version__,
        "required_packages_version": {"safetensors": "0.8.0"},
        "optional_packages_version": {},
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
            "mirrored": recipe.mirrored,
            "second_source": recipe.style_from,
            "making": _making(recipe),
            **_ensemble(recipe),
        },
    }


def _making(recipe: Recipe) -> dict[str, Any]:
    """What the script was told; the command that trains the same again."""
    told = {name: value for name, value in asdict(recipe).items() if name not in _SAID_ELSEWHERE}
    command = f"python -m models.training.imaging {recipe.task} --data DIR --pretrained FILE"
    return {"command": command if recipe.beside is None else f"{command} --pretrained-beside FILE", **told}


def _ensemble(recipe: Recipe) -> dict[str, Any]:
    if len(member_files(recipe)) == 1:
        return {}
    told: dict[str, Any] = {
        "members": [f"models/{weights}" for weights, _ in member_files(recipe)],
        "member_folds": (recipe.folds or recipe.members) if recipe.own_folds else 0,
    }
    if recipe.beside is not None:
        told["variants"] = [recipe.variant] * recipe.members + [recipe.beside] * recipe.stand_beside
        if recipe.own_folds:
            told["folds_left_out"] = [*range(recipe.members)] * 2
        told["shared_stages"] = len(block_strings(recipe.beside))
    return told


def _inference(recipe: Recipe) -> dict[str, Any]:
    files = [f"models/{weights}" for weights, _ in member_files(recipe)]
    beside = {
        "network_beside_def": _network_def(recipe, recipe.beside),
        "members_beside": files[recipe.members :],  # each together with the weights that they share
        "shared_beside": f"models/{SHARED_FILE}",
    }
    return {
        "network_def": _network_def(recipe, recipe.variant),
        "preprocessing": {
            "_target_": "models.picture_preparation.fit_square",
            "crop_to_content": recipe.crop_to_content,
        },
        "members": files[: recipe.members],
        **({} if recipe.beside is None else beside),
        "postprocessing": f"mean logits of {_averaged(recipe)}" + "; softmax(logits / temperature + biases)",
    }


def _network_def(recipe: Recipe, variant: int | None) -> dict[str, Any]:
    return {
        "_target_": "models.lite_network.efficientnet_lite",
        "variant": variant,
        "side_px": recipe.side_px,
        "classes": len(recipe.classes),
    }


def _averaged(recipe: Recipe) -> str:
    asked = "the picture and its mirror image" if recipe.mirrored else "the picture"
    return asked if len(member_files(recipe)) == 1 else f"{asked} over the members"


def _bare_card(recipe: Recipe) -> ModelCard:
    return ModelCard(
        id=recipe.task, task=recipe.task, title=recipe.task, loader="", revision=VERSION, licence="", origin="",
        intended_use="", not_for="", input=InputContract(""), weights=WeightsSource(), memory_mb=0,
        labels=recipe.classes,
    )  # fmt: skip


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

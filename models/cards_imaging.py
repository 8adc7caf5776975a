"""Cards of the imaging classifiers: one for every MONAI bundle in models/bundles. Loads no framework.

A bundle dropped into that folder, or into the one that HEALTH_CONNECT_BUNDLES_DIR names, becomes a card at the next
start. One that cannot be read is named in the log and left out, so that it never takes the others with it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from domain.errors import ModelUnavailable
from domain.models import InputContract, Metric, ModelCard, WeightsSource
from models.bundle_files import channel_names, read_metadata

log = logging.getLogger(__name__)

BUNDLES = Path(__file__).resolve().parent / "bundles"
LOADER = "models.imaging:BundleClassifier"
MEMORY_MB = 120  # measured: one Lite0 with its gate, after the framework itself is loaded
NOT_STATED = "not stated by the bundle"


def read_cards(bundles: Path = BUNDLES) -> tuple[ModelCard, ...]:
    """A card a bundle, ours (those that name their task) before others, then by name."""
    cards = []
    for folder in sorted(bundles.iterdir()) if bundles.is_dir() else ():
        if not (folder / "configs" / "metadata.json").is_file():
            continue
        try:
            cards.append(card_of(folder))
        except (ModelUnavailable, LookupError, TypeError, ValueError, AttributeError) as error:
            log.warning(
                "the bundle %s is left out: its metadata cannot be read (%s)", folder.name, type(error).__name__
            )
    return tuple(sorted(cards, key=lambda card: (not card.weights.files, card.id)))


def dropped_cards(folder: Path | None, known: Sequence[ModelCard]) -> tuple[ModelCard, ...]:
    """Cards of the bundles in a folder of the researcher's own, to stand behind those that are `known`.

    One whose name is taken, or whose task is no imaging task, is named in the log and left out.
    """
    cards: list[ModelCard] = []
    for card in read_cards(folder) if folder is not None else ():
        taken = any(one.id == card.id for one in (*known, *cards))
        if taken or any(one.task == card.task and one.loader != LOADER for one in known):
            log.warning("the bundle %s is left out: its id is taken, or its task is not of imaging", card.id)
        else:
            cards.append(card)
    return tuple(cards)


def imaging_tasks(cards: Sequence[ModelCard]) -> tuple[str, ...]:
    """Tasks that a bundle among `cards` does, in their order."""
    return tuple(dict.fromkeys(card.task for card in cards if card.loader == LOADER))


def card_of(folder: Path) -> ModelCard:
    """The card that a bundle's metadata.json describes."""
    metadata = read_metadata(folder)
    ours = metadata.get("health_connect", {})
    image = metadata["network_data_format"]["inputs"]["image"]
    side = tuple(int(length) for length in image["spatial_shape"][:2])
    return ModelCard(
        id=str(ours.get("id", folder.name)),
        task=str(ours.get("task", folder.name)),
        title=str(metadata.get("task", folder.name)),
        loader=LOADER,
        revision=str(metadata.get("version", NOT_STATED)),
        licence=str(metadata.get("licence", metadata.get("license", NOT_STATED))),
        origin=str(metadata.get("data_source", NOT_STATED)),
        intended_use=str(metadata.get("intended_use", NOT_STATED)),
        not_for=str(metadata.get("not_for", "Any decision on a patient: the bundle does not say what it is not for.")),
        input=InputContract(str(image.get("modality", "")) or NOT_STATED, size_px=(side[0], side[-1])),
        weights=WeightsSource(folder=_from_repository(folder), files=tuple(map(tuple, ours.get("files", {}).items()))),
        memory_mb=MEMORY_MB,
        labels=channel_names(metadata),
        metrics=tuple(_metric(entry) for entry in ours.get("metrics", ())),
        limits=tuple(map(str, ours.get("limits", ("Scores are not calibrated, and nothing is refused by a gate.",)))),
    )


def _from_repository(folder: Path) -> str:
    """The folder as a card names it: below the repository where it lies there."""
    root = BUNDLES.parent.parent
    return str(folder.relative_to(root) if folder.is_relative_to(root) else folder.resolve())


def _metric(entry: dict[str, Any]) -> Metric:
    interval = entry.get("interval")
    return Metric(
        name=str(entry["name"]),
        value=float(entry["value"]),
        data=str(entry["data"]),
        command=str(entry["command"]),
        interval=None if interval is None else (float(interval[0]), float(interval[1])),
    )


IMAGING_CARDS: tuple[ModelCard, ...] = read_cards()

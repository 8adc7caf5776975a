"""Finds a model's weights on this machine and checks them by hash. Never fetches anything."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from domain.errors import ModelUnavailable
from domain.models import ModelCard

REPOSITORY = Path(__file__).resolve().parent.parent
CHUNK = 1 << 20  # 1 MiB


def find(card: ModelCard) -> Path:
    """Folder that holds the card's weights, every listed file checked. Raises ModelUnavailable."""
    folder = _folder(card)
    for name, expected in card.weights.files:
        path = folder / name
        if not path.is_file():
            raise ModelUnavailable(
                f"A weight file of {card.title} is missing. Run the set-up again (make demo), then try once more."
            )
        if _sha256(path) != expected:
            raise ModelUnavailable(
                f"A weight file of {card.title} is not the one its card names, so it is not used. Install the pinned "
                "packages again, or correct the card."
            )
    return folder


def _folder(card: ModelCard) -> Path:
    if card.weights.folder is not None:
        return REPOSITORY / card.weights.folder
    if card.weights.package is None:
        return REPOSITORY  # an engine without weights of its own, such as an installed program
    spec = importlib.util.find_spec(card.weights.package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelUnavailable(
            f"The package with the weights of {card.title} is not installed. Run the set-up again (make demo)."
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()

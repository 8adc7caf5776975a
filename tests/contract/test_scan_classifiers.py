"""What every classifier on the shelf must do, and that its map points at what decides."""

from __future__ import annotations

import gc
import json
import socket
import weakref

import numpy as np
import pytest
from PIL import Image

from domain.imaging import Scan
from models import weights
from models.cards_imaging import IMAGING_CARDS, read_cards
from models.imaging import BundleClassifier
from models.shelf import ModelShelf
from models.training.imaging import train_quick
from models.training.imaging_quick import QUICK, draw
from pipelines.imaging import read_scan

pytestmark = pytest.mark.models

SIDE, SQUARE = 300, 90


def _picture(seed: int, square: bool = False) -> tuple[np.ndarray, tuple[slice, slice]]:
    """Soft clouds; and where the bright square lies when there is one."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.normal(0, 1, (8, 8)).astype(np.float32))
    picture = (
        90 + 25 * np.asarray(coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC)) + rng.normal(0, 4, (SIDE,) * 2)
    )
    top, left = (int(value) for value in rng.integers(5, SIDE - SQUARE - 5, 2))
    place = (slice(top, top + SQUARE), slice(left, left + SQUARE))
    if square:
        picture[place] += 110
    return np.clip(picture, 0, 255).astype(np.uint8), place


@pytest.fixture(scope="module", params=IMAGING_CARDS, ids=lambda card: card.id)
def classifier(request) -> BundleClassifier:
    return BundleClassifier(weights.find(request.param), request.param)


def test_labels_are_in_the_cards_order(classifier):
    assert classifier.classes == classifier.card.labels
    assert classifier.positive is None or classifier.positive in classifier.classes
    assert len(classifier.thresholds) == len(classifier.classes)


def test_shapes_ranges_batch_equals_single_and_the_same_again(classifier):
    pictures = [_picture(seed)[0] for seed in range(3)]
    together = classifier.classify(pictures)
    assert together == classifier.classify(pictures)
    assert together[1] == classifier.classify(pictures[1:2])[0]
    for scores in together:
        assert len(scores.probabilities) == len(classifier.classes)
        assert sum(scores.probabilities) == pytest.approx(1)
        assert min(scores.probabilities) >= 0
        assert scores.prediction_set
        assert set(scores.prediction_set) <= set(classifier.classes)
    assert classifier.classify([]) == ()


def test_it_is_silent_on_what_is_no_scan_of_its_kind(classifier):
    reading = read_scan(Scan(_picture(0, square=True)[0], "png"), classifier)
    assert reading.abstained
    assert reading.findings == ()


def test_it_needs_no_network(classifier, monkeypatch):
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("a classifier opened a connection"))
    classifier.classify([_picture(1)[0]])


@pytest.mark.parametrize("card", IMAGING_CARDS, ids=lambda card: card.id)
def test_memory_is_returned(card):
    """Nothing holds the network once the shelf has put it back, whoever has used it."""
    shelf = ModelShelf([card], 4096)
    with shelf.borrow(card.id) as borrowed:
        (scores,) = borrowed.classify([_picture(2)[0]])
        if card is IMAGING_CARDS[0]:  # every card explains with the same code, and it takes its time
            borrowed.explain(_picture(2)[0], card.labels[0])
        network = weakref.ref(borrowed._members[0].network)
    del borrowed
    assert shelf.unload(card.id)
    gc.collect()
    assert scores.probabilities
    assert network() is None


def test_its_card_says_what_a_card_must_say(classifier):
    card = classifier.card
    assert card.intended_use
    assert card.not_for
    assert card.licence
    assert card.weights.files
    assert card.metrics


def test_metadata_holds_what_the_monai_bundle_specification_demands(classifier):
    """Mandatory keys of the specification's text; the JSON schema it links to is not part of the package."""
    folder = weights.find(classifier.card)
    metadata = json.loads((folder / "configs" / "metadata.json").read_text(encoding="utf-8"))
    text = (
        "version",
        "monai_version",
        "pytorch_version",
        "numpy_version",
        "task",
        "description",
        "authors",
        "copyright",
    )
    assert all(isinstance(metadata[key], str) and metadata[key] for key in text)
    assert isinstance(metadata["optional_packages_version"], dict)
    assert metadata["version"] in metadata["changelog"]
    tensors = metadata["network_data_format"]
    for tensor in (*tensors["inputs"].values(), *tensors["outputs"].values()):
        assert tensor["type"] in {"image", "probabilities"}
        assert tensor["format"] in {"magnitude", "classes"}
        assert len(tensor["channel_def"]) == tensor["num_channels"]
        assert len(tensor["value_range"]) == 2
        assert isinstance(tensor["is_patch_data"], bool)
        assert tensor["dtype"] == "float32"
        assert all(side > 0 for side in tensor["spatial_shape"])


def test_monai_builds_the_network_that_the_bundle_names(classifier):
    """What a researcher does with a bundle: MONAI's own parser, then the stored weights."""
    from monai.bundle import ConfigParser
    from safetensors.torch import load_file

    folder = weights.find(classifier.card)
    parser = ConfigParser()
    parser.read_config(str(folder / "configs" / "inference.json"))
    for definition, files in (("network_def", "members"), ("network_beside_def", "members_beside")):
        if definition in parser:
            network = parser.get_parsed_content(definition)
        for name in parser.get(files, ()):
            state = load_file(folder / name)
            if files == "members_beside":
                state |= load_file(folder / parser.get("shared_beside"))
            network.load_state_dict({key: value.float() for key, value in state.items()})


def test_the_map_points_at_the_square_that_alone_decides():
    """The last layer is fitted anew so that only a bright square speaks for a class; MONAI's own normaliser would turn
    the map upside down, and this would point anywhere else."""
    import torch

    card = IMAGING_CARDS[0]
    classifier = BundleClassifier(weights.find(card), card)
    squares = np.stack([classifier._square(_picture(seed, square=bool(seed % 2))[0])[0] for seed in range(24)])
    _, features, _ = classifier.look(squares)
    signs, spread = np.where(np.arange(24) % 2, 1.0, -1.0), features - features.mean(0)
    direction = torch.from_numpy((spread.T @ np.linalg.solve(spread @ spread.T + np.eye(24), signs)).astype(np.float32))
    last = classifier._members[0].network._fc
    last.weight[:] = -direction
    last.weight[1] = direction
    last.bias[:] = 0
    for seed in (101, 102, 103):
        picture, place = _picture(seed, square=True)
        explanation = classifier.explain(picture, classifier.classes[1])
        assert explanation.heat.shape == picture.shape
        inside = float(explanation.heat[place].mean())
        outside = (float(explanation.heat.sum()) - inside * SQUARE**2) / (SIDE**2 - SQUARE**2)
        assert inside > 2 * outside
        assert explanation.reliable


def test_quick_training_makes_a_bundle_that_works_where_it_is_dropped(tmp_path):
    folder = train_quick(tmp_path, seed=7)
    (card,) = read_cards(tmp_path)
    assert card.task == QUICK.task
    classifier = BundleClassifier(weights.find(card), card)
    rng = np.random.default_rng(3)
    pictures = [draw(QUICK.side_px, bool(i % 2), rng)[0] for i in range(12)]
    likeliest = [scores.probabilities[1] > 0.5 for scores in classifier.classify(pictures)]
    assert sum(said == bool(i % 2) for i, said in enumerate(likeliest)) >= 10
    assert "Not for" in (folder / "docs" / "README.md").read_text(encoding="utf-8")

"""The gate on numbers whose kind is known, and an ensemble as a bundle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from domain.errors import ModelUnavailable
from models.imaging_gate import fit_gate, load_gate

RNG = np.random.default_rng(0)


def _looks(count: int, shift: float = 0.0, mixed: bool = True) -> np.ndarray:
    """Sixty channels that hang together the same way, or do not."""
    few = np.random.default_rng(5).normal(size=(6, 60))
    together = RNG.normal(size=(count, 6)) @ few if mixed else RNG.normal(size=(count, 60)) * 2.4
    return (together + 0.2 * RNG.normal(size=(count, 60)) + shift).astype(np.float32)


def test_the_gate_knows_its_own_and_refuses_what_is_shifted_or_hangs_together_otherwise():
    gate = fit_gate(_looks(300))
    own = gate.distances(_looks(100))
    limit = np.quantile(own, 0.95)
    assert 0.3 < own.mean() < 1.5
    assert (gate.distances(_looks(50, shift=4)) > limit).mean() > 0.95
    assert (gate.distances(_looks(50, mixed=False)) > limit).all()


def test_a_row_on_its_own_is_as_far_as_in_a_batch_and_after_storing(tmp_path):
    gate, looks = fit_gate(_looks(300)), _looks(5)
    gate.save(tmp_path / "gate.npz")
    stored = load_gate(tmp_path / "gate.npz")
    assert gate.distances(looks).tolist() == stored.distances(looks).tolist()
    assert stored.distances(looks)[3] == stored.distances(looks[3:4])[0]


def test_a_missing_gate_is_said(tmp_path):
    with pytest.raises(ModelUnavailable, match="Copy the whole bundle"):
        load_gate(tmp_path / "gate.npz")


@pytest.mark.models
def test_an_ensemble_is_a_bundle_whose_members_are_averaged(tmp_path):
    import torch

    from models.cards_imaging import read_cards
    from models.imaging import BundleClassifier
    from models.lite_network import efficientnet_lite
    from models.training.imaging import parted
    from models.training.imaging_bundle import Trained, write_bundle
    from models.training.imaging_quick import QUICK, draw, generated

    recipe, networks = replace(QUICK, members=2, own_folds=True), []
    for seed in range(2):
        torch.manual_seed(seed)
        networks.append(efficientnet_lite(QUICK.variant, QUICK.side_px, 2).eval())
    parts = parted(generated(3, 60), recipe, 7)
    assert set(parts[0][1].files) == set(parts[1][0].files)  # what one learns from is kept from the other
    write_bundle(tmp_path / "both", recipe, [Trained(n, *p) for n, p in zip(networks, parts, strict=True)], 7)
    (card,) = read_cards(tmp_path)
    classifier = BundleClassifier(tmp_path / "both", card)
    assert classifier.member_folds == 2
    picture = draw(QUICK.side_px, True, np.random.default_rng(1))[0]
    (both,) = classifier.classify([picture])
    alone = [classifier.classify([picture], member)[0] for member in range(2)]
    assert np.mean([one.logits for one in alone], axis=0) == pytest.approx(both.logits, abs=1e-6)
    assert np.mean([one.distance for one in alone]) == pytest.approx(both.distance)
    assert classifier.explain(picture, "square").heat.max() <= 1
    assert "did not see its group" in (tmp_path / "both" / "docs" / "README.md").read_text(encoding="utf-8")


@pytest.mark.models
def test_a_larger_network_stands_beside_each_member_and_its_body_is_stored_once(tmp_path):
    import torch

    from models.bundle_files import SHARED_FILE
    from models.cards_imaging import read_cards
    from models.imaging import BundleClassifier
    from models.lite_network import TOY, efficientnet_lite
    from models.training.imaging import fit_last_layer, parted
    from models.training.imaging_bundle import Trained, write_bundle
    from models.training.imaging_quick import QUICK, draw, generated

    recipe = replace(QUICK, members=2, folds=3, own_folds=True, beside=0, mirrored=False)
    parts, networks = parted(generated(3, 60), recipe, 7), []
    for number in range(2):
        torch.manual_seed(number)
        networks.append(efficientnet_lite(TOY, QUICK.side_px, 2).eval())
    for train, _ in parts:
        torch.manual_seed(5)  # the same body each time
        networks.append(fit_last_layer(efficientnet_lite(0, QUICK.side_px, 2), train, 2))
    write_bundle(tmp_path / "pairs", recipe, [Trained(n, *p) for n, p in zip(networks, parts + parts, strict=True)], 7)
    stored = {path.name: path.stat().st_size for path in (tmp_path / "pairs" / "models").iterdir()}
    assert stored["model_2.safetensors"] < stored[SHARED_FILE] / 100
    assert sorted(name for name in stored if name.startswith("gate")) == ["gate_0.npz", "gate_1.npz"]
    (card,) = read_cards(tmp_path)
    classifier = BundleClassifier(tmp_path / "pairs", card)
    assert classifier.folds_left_out == (0, 1)
    picture = draw(QUICK.side_px, True, np.random.default_rng(1))[0]
    (together,) = classifier.classify([picture])
    pairs = [classifier.classify([picture], fold)[0] for fold in (0, 1)]
    assert np.mean([pair.logits for pair in pairs], axis=0) == pytest.approx(together.logits, abs=1e-5)
    from models.bundle_members import to_tensor

    with torch.inference_mode():
        views = to_tensor(classifier._square(picture)[0][None], 3)
        plainly = [one.network(views)[0].numpy() for one in classifier._members]
    assert np.mean(plainly, axis=0) == pytest.approx(together.logits, abs=1e-4)  # as without anything shared
    assert classifier.explain(picture, "square").heat.max() <= 1
    assert "kept from one network" in (tmp_path / "pairs" / "docs" / "README.md").read_text(encoding="utf-8")

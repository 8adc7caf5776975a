"""Training a classifier: broken off and taken up again it ends as if it had gone on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.training.imaging_quick import QUICK, generated

pytestmark = pytest.mark.models


def test_a_training_that_was_broken_off_ends_with_the_same_weights(tmp_path) -> None:
    import torch

    from models.training.imaging import fit, new_network

    recipe, pictures = replace(QUICK, small_epochs=3, full_epochs=0), generated(3, 48)

    def trained(*parts: int | None, checkpoint=None):
        for stop_after in parts:
            ended = fit(
                pictures, replace(recipe, stop_after=stop_after), new_network(recipe, None, 3, 1), 3, checkpoint
            )
        return ended.state_dict()

    whole, resumed = trained(None), trained(1, None, checkpoint=tmp_path / "kept.pt")
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())

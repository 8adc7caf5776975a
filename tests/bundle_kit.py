"""Bundles as a researcher would drop them: a network of MONAI's own, unlike ours in every way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TINY = {"spatial_dims": 2, "in_channels": 1, "out_channels": 2, "init_features": 4, "growth_rate": 2}
TITLE = "A colleague's network"


def bundle(folder: Path, target: str = "DenseNet", **ours: Any) -> Path:
    """As the MONAI bundle specification has it, with a network of MONAI's own, far from ours."""
    import torch
    from monai.networks.nets import DenseNet

    (folder / "configs").mkdir(parents=True)
    (folder / "models").mkdir()
    image = {"type": "image", "num_channels": 1, "spatial_shape": [64, 64]}
    pred = {"channel_def": {"0": "absent", "1": "present"}}
    metadata = {
        "version": "0.3.1",
        "task": TITLE,
        "network_data_format": {"inputs": {"image": image}, "outputs": {"pred": pred}},
    }
    metadata |= {"health_connect": ours} if ours else {}
    (folder / "configs" / "metadata.json").write_text(json.dumps(metadata))
    inference = {"network_def": {"_target_": target, **TINY, "block_config": [1, 1]}}
    (folder / "configs" / "inference.json").write_text(json.dumps(inference))
    torch.manual_seed(1)
    torch.save(DenseNet(**TINY, block_config=(1, 1)).state_dict(), folder / "models" / "model.pt")
    return folder

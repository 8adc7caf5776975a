"""A researcher's MONAI bundle, dropped into the folder of HEALTH_CONNECT_BUNDLES_DIR, is listed, chosen and used."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from domain.audit import Actor
from domain.errors import ModelUnavailable
from domain.settings import Settings
from models.bundle_files import read_settings
from models.bundle_members import load_members
from pipelines.workbench import Workbench
from tests.bundle_kit import bundle

pytestmark = pytest.mark.models

ACTOR = Actor("visitor", "s", "researcher")


def opened(tmp_path: Path) -> Workbench:
    (tmp_path / "data").mkdir(exist_ok=True)
    return Workbench(Settings(data_dir=tmp_path / "data", bundles_dir=tmp_path / "bundles"))


@pytest.fixture
def cloudy(tmp_path: Path) -> Path:
    coarse = Image.fromarray(np.random.default_rng(0).integers(40, 220, (12, 12), np.uint8))
    coarse.resize((256, 200), Image.Resampling.BICUBIC).save(tmp_path / "cloudy.png")
    return tmp_path / "cloudy.png"


def test_a_dropped_bundle_is_listed_chosen_and_used(tmp_path, cloudy):
    bundle(tmp_path / "bundles" / "colleague", task="fracture", positive="present")
    bench = opened(tmp_path)
    assert "colleague" in {card.id for card in bench.model_cards()}
    assert bench.scan_cards()[0].id != "colleague"  # ours stays in use until somebody chooses
    bench.use_model("fracture", "colleague", ACTOR)
    assert "colleague" in {card.id for card in bench.scan_cards()}
    read = bench.read_scan(cloudy, "fracture", "", ACTOR)
    assert read.reading.model.id == "colleague"
    assert [finding.label for finding in read.reading.findings] == ["present"]
    said = " ".join(read.reading.warnings)
    for word in ("no gate", "not calibrated", "No map"):
        assert word in said
    assert "90 %" not in said  # no coverage was ever measured
    assert bench.trail().events[-1].model.id == "colleague"
    bench.close()
    for file in sorted((tmp_path / "bundles").rglob("*"), reverse=True):
        file.unlink() if file.is_file() else file.rmdir()
    again = opened(tmp_path)  # what was chosen has been taken away: the program starts, with its own
    assert "colleague" not in {card.id for card in again.scan_cards()}
    again.close()


def test_a_bundle_that_says_no_task_brings_one_of_its_own(tmp_path, cloudy):
    bundle(tmp_path / "bundles" / "knee_effusion", target="monai.networks.nets.DenseNet")
    bench = opened(tmp_path)
    assert "knee_effusion" in {card.task for card in bench.scan_cards()}
    assert bench.read_scan(cloudy, "knee_effusion", "", ACTOR).reading.findings
    bench.close()


def test_bundles_that_cannot_be_used_take_nothing_with_them(tmp_path, cloudy):
    folder = tmp_path / "bundles"
    bundle(folder / "reads-pages", task="ocr")  # a task that is not of imaging
    bundle(folder / "twin", id="rapidocr-none", task="fracture")
    bundle(folder / "twin2", id="rapidocr-none", task="fracture")
    bundle(folder / "asks-for-code", target="os.system", task="fracture")
    bundle(folder / "no-such-network", target="NoSuchNet", task="fracture")
    for name, content in {
        "list": "[]",
        "no-shape": '{"network_data_format": {"inputs": {"image": {"spatial_shape": []}}}}',
        "ours-is-a-list": '{"health_connect": [1], "network_data_format": {}}',
        "star": '{"network_data_format": {"inputs": {"image": {"spatial_shape": ["*", "*"]}}}}',
        "broken": "{",
    }.items():
        (folder / name / "configs").mkdir(parents=True)
        (folder / name / "configs" / "metadata.json").write_text(content)
    bench = opened(tmp_path)
    dropped = {card.id for card in bench.model_cards() if card.revision == "0.3.1"}
    assert dropped == {"rapidocr-none", "asks-for-code", "no-such-network"}
    bench.use_model("fracture", "asks-for-code", ACTOR)
    read = bench.read_scan(cloudy, "auto", "", ACTOR)  # the other tasks are still asked
    assert "cannot be loaded: fracture" in " ".join(read.reading.warnings)
    for name in ("asks-for-code", "no-such-network"):
        bench.use_model("fracture", name, ACTOR)
        with pytest.raises(ModelUnavailable, match="network"):
            bench.read_scan(cloudy, "fracture", "", ACTOR)
    bench.close()


@pytest.mark.parametrize(
    ("ours", "told"),
    [
        ({"members": ["a", "b"], "variants": [0]}, "as many"),
        ({"members": ["a", "b"], "member_folds": 2, "folds_left_out": [0, 1, 2]}, "as many"),
        ({"members": ["model.safetensors"], "variants": [1], "shared_stages": 2}, "shared.safetensors"),
    ],
)
def test_a_bundle_whose_networks_do_not_add_up_is_refused_in_words(tmp_path, ours, told):
    from safetensors.torch import save_file

    folder = bundle(tmp_path / "odd", target="models.lite_network.efficientnet_lite", **ours)
    inference = {
        "network_def": {"_target_": "models.lite_network.efficientnet_lite", "variant": -1, "side_px": 64, "classes": 2}
    }
    (folder / "configs" / "inference.json").write_text(json.dumps(inference))
    save_file({"nothing": torch.zeros(1)}, folder / "models" / "model.safetensors")
    with pytest.raises(ModelUnavailable, match=told):
        load_members(folder, read_settings(folder))


def test_a_folder_that_is_not_there_is_named_at_the_start(tmp_path):
    with pytest.raises(ValueError, match="a folder that exists"):
        Settings(data_dir=tmp_path, bundles_dir=tmp_path / "nowhere")

"""The imaging desk on the real shelf: a drawn picture is not answered, and everything leaves a trail."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from domain.audit import Actor
from domain.errors import NothingFound, UploadRejected
from domain.settings import Settings
from pipelines.workbench import Workbench

ACTOR = Actor("visitor", "s", "clinician")


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    bench = Workbench(Settings(data_dir=tmp_path_factory.mktemp("data")))
    yield bench
    bench.close()


@pytest.fixture
def drawn(tmp_path):
    """Stripes and noise: no scan at all."""
    noise = np.random.default_rng(5).integers(0, 255, (300, 300, 3), np.uint8)
    noise[::7] = 255
    Image.fromarray(noise).save(tmp_path / "drawn.png")
    return tmp_path / "drawn.png"


@pytest.mark.parametrize("task", ["auto", "breast_ultrasound"])
def test_a_picture_that_is_no_scan_is_refused_with_a_reason_and_no_score(bench, drawn, task) -> None:
    read = bench.read_scan(drawn, task, "", ACTOR)
    assert read.reading.abstained
    assert read.reading.reason
    assert not read.reading.findings
    assert read.overlay is None
    assert read.reading.task == task


def test_unknown_tasks_and_broken_files_are_refused_in_words(bench, drawn, tmp_path) -> None:
    with pytest.raises(NothingFound, match="one of"):
        bench.read_scan(drawn, "astrology", "", ACTOR)
    with pytest.raises(NothingFound):
        bench.read_scan(drawn, "auto", "nobody", ACTOR)
    (tmp_path / "empty.png").write_bytes(b"")
    with pytest.raises(UploadRejected, match="empty"):
        bench.read_scan(tmp_path / "empty.png", "auto", "", ACTOR)


def test_every_task_has_a_card_that_says_what_it_is_not_for(bench) -> None:
    for card in bench.scan_cards():
        assert card.not_for
        assert card.intended_use
        assert card.labels
        assert card.metrics


def test_the_command_prints_the_outside_shape(drawn, monkeypatch, tmp_path) -> None:
    from typer.testing import CliRunner

    from pipelines.__main__ import app

    monkeypatch.setenv("HEALTH_CONNECT_DATA_DIR", str(tmp_path / "data"))
    done = CliRunner().invoke(app, ["read-scan", str(drawn), "--json"])
    assert done.exit_code == 0, done.output
    shape = json.loads(done.stdout)
    assert shape["abstained"]
    assert shape["findings"] == []
    assert shape["reading_id"]

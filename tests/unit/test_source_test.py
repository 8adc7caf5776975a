"""The source test, with features whose source and class are known."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from domain.imaging_fit import linear_scores
from domain.models import InputContract, ModelCard, WeightsSource
from pipelines.source_test import source_metrics

RNG = np.random.default_rng(0)


def test_linear_scores_find_a_direction_and_nothing_where_there_is_none():
    labels = np.arange(120) % 2 == 0
    groups = [str(number // 2) for number in range(120)]
    noise = np.random.default_rng(1).normal(size=(120, 300))
    planted = noise + 1.5 * labels[:, None] * (np.arange(300) < 20)
    scores, others = linear_scores(planted, labels, groups, planted[:10])
    assert scores[labels].mean() > scores[~labels].mean() + 0.3
    assert others.shape == (10,)
    blind, _ = linear_scores(noise, labels, groups)
    assert abs(blind[labels].mean() - blind[~labels].mean()) < 0.2


class TellsSource:
    """Its features show the mean grey level and nothing else: source b is brighter, the class is not seen."""

    card = ModelCard("a", "a", "a", "", "1", "", "", "", "", InputContract(""), WeightsSource(), 0, ("no", "yes"))
    classes, positive, split_seed, second_source = ("no", "yes"), "yes", 7, "b"

    def features(self, pictures):
        return np.array([[picture.mean(), RNG.normal()] for picture in pictures], np.float32)


@pytest.fixture
def two_sources(tmp_path):
    rng = np.random.default_rng(0)
    for source, level, classes in (("a", 90, ("no", "yes")), ("b", 160, ("one", "other"))):
        (tmp_path / source).mkdir()
        rows = ["file,class,group"]
        for number in range(160):
            pixels = np.clip(level + rng.normal(0, 5) + rng.normal(0, 20, (70, 70)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / source / f"{number}.png")
            rows.append(f"{number}.png,{classes[number % 2]},g{number}")
        (tmp_path / source / "list.csv").write_text("\n".join(rows), encoding="utf-8")
    return tmp_path


def test_a_source_that_shows_is_told_and_says_nothing_of_the_class(two_sources):
    told, gives = source_metrics(TellsSource(), two_sources)
    assert told.value == 1
    assert gives.value < 0.85
    assert gives.interval[0] < 0.5 or gives.value < 0.5
    assert "not seen in training" in told.data


def test_without_a_second_source_there_is_no_figure(two_sources):
    (two_sources / "b" / "list.csv").unlink()
    assert source_metrics(TellsSource(), two_sources) == ()

"""Figures of a card from a folder of labelled pictures, with a classifier whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from domain.errors import UploadRejected
from domain.imaging import ClassScores
from domain.imaging_fit import member_folds
from domain.models import InputContract, ModelCard, WeightsSource
from pipelines.evaluate import evaluate
from pipelines.evaluate_figures import draw


class ByBrightness:
    """Says "yes" the surer the brighter the picture; right whenever bright pictures are the positives."""

    card = ModelCard("b", "bright", "b", "", "1", "", "", "", "", InputContract(""), WeightsSource(), 0, ("no", "yes"))
    classes, positive, thresholds, calibrated, modalities, split_seed = ("no", "yes"), "yes", (0.5, 0.5), True, (), 7
    member_folds, folds_left_out, second_source = 0, (), None

    def classify(self, pictures, unseen=None):
        def scores(picture):
            logit = (float(picture.mean()) - 127) / 20
            yes = 1 / (1 + np.exp(-logit))
            return ClassScores((1 - yes, yes), ("yes" if yes > 0.5 else "no",), 0.1, 0.2, logits=(0.0, logit))

        return tuple(scores(picture) for picture in pictures)


@pytest.fixture
def labelled(tmp_path):
    folder, rows = tmp_path / "bright", ["file,class,group"]
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(60):
        level = 70 if number % 2 else 190
        slope = np.linspace(-40, 40, 128)[None] * np.ones((128, 1))
        pixels = np.clip(level + slope + rng.normal(0, 3, (128, 128)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        rows.append(f"{number}.png,{'no' if number % 2 else 'yes'},g{number // 2}-{number % 2}")
    (folder / "list.csv").write_text("\n".join(rows), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(("split", "pictures"), [("all", 60), ("held-out", 12)])
def test_a_perfect_classifier_gets_perfect_figures(labelled, split, pictures):
    judged = evaluate(ByBrightness(), labelled, split)
    figures = {metric.name: metric for metric in judged.metrics}
    assert len(judged.labels) == pictures
    assert figures["AUROC yes"].value == 1
    assert figures["sensitivity at 90 % specificity"].value == 1
    assert figures["sensitivity at 90 % specificity"].interval[0] < 1
    assert figures["abstained on the task's own pictures"].value == 0
    assert figures["AUROC yes"].command.startswith("python -m pipelines evaluate")


def test_each_picture_is_judged_by_the_member_that_did_not_see_it(labelled):
    class OfTwo(ByBrightness):
        """Writes down which fold its members must not have seen."""

        member_folds, folds_left_out = 2, (0, 1)

        def __init__(self):
            self.asked = []

        def classify(self, pictures, unseen=None):
            self.asked += [unseen] * len(pictures)
            return super().classify(pictures)

    judged = evaluate(classifier := OfTwo(), labelled)
    groups = [f"g{number // 2}-{number % 2}" for number in range(60)]
    labels = np.array([0 if number % 2 else 1 for number in range(60)])
    assert classifier.asked == member_folds(groups, labels, 7, 2).tolist()
    assert "did not see" in judged.metrics[0].data


def test_member_folds_keep_groups_whole_and_classes_even():
    groups = [str(number // 3) for number in range(300)]
    labels = np.array([number // 3 % 4 == 0 for number in range(300)], int)
    fold = member_folds(groups, labels, 7, 3)
    assert all(len(set(fold[start : start + 3])) == 1 for start in range(0, 300, 3))
    for number in range(3):
        assert 90 <= (fold == number).sum() <= 110
        assert 20 <= labels[fold == number].sum() <= 30


def test_the_three_pictures_are_drawn(labelled, tmp_path):
    paths = draw(evaluate(ByBrightness(), labelled, "all"), tmp_path / "figures")
    assert [path.name for path in paths] == ["bright-roc.png", "bright-reliability.png", "bright-confusion.png"]
    assert all(Image.open(path).size == (540, 540) for path in paths)


@pytest.mark.parametrize("content", ["file,class\n", "file,class,group\n1.png,maybe,1\n", "nothing"])
def test_a_bad_list_is_refused_in_words(tmp_path, content):
    (tmp_path / "list.csv").write_text(content, encoding="utf-8")
    with pytest.raises(UploadRejected):
        evaluate(ByBrightness(), tmp_path, "all")


def test_folds_that_every_member_saw_are_not_judged(labelled):
    class OfThreeFolds(ByBrightness):
        member_folds, folds_left_out = 3, (0, 1)

    judged = evaluate(OfThreeFolds(), labelled)
    groups = [f"g{number // 2}-{number % 2}" for number in range(60)]
    labels = np.array([0 if number % 2 else 1 for number in range(60)])
    assert len(judged.labels) == int((member_folds(groups, labels, 7, 3) < 2).sum())

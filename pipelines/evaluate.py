"""The figures of an imaging card, printed again from labelled pictures, with ROC, reliability and confusion drawn.

`evaluate` on the pictures kept from training ("held-out", the split that the bundle's seed gives) cross-fits what was
fitted on them (calibration, threshold, sets) in five folds of groups, so that no picture is judged by a fit it was
part of. Of an ensemble whose members each left out a fold of their own, every picture of these folds is judged by the
members that did not see it; the mean of all, which is what ships, cannot be judged there. On a data set of another
origin ("all") the bundle is judged exactly as it ships.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from domain import imaging_figures as figures
from domain import imaging_fit as fit
from domain.imaging import ClassScores
from domain.limits import Limits
from domain.models import Metric
from models.contracts import ScanClassifier
from pipelines.progress import Progress, silent
from pipelines.scan_intake import open_scan
from pipelines.scan_list import read_list
from pipelines.scan_quality import doubt_about
from pipelines.source_test import source_metrics

SAY_EVERY = 16  # pictures
SPLITS = ("held-out", "all")


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """`probabilities` (n, classes) judged against `labels` (n,); `abstained` bool (n,): the gate said no to these.
    Figures are over all pictures, gate or not, so that they compare with other models'."""

    task: str
    classes: tuple[str, ...]
    positive: str | None
    split: str
    labels: np.ndarray
    probabilities: np.ndarray
    abstained: np.ndarray
    metrics: tuple[Metric, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """A figure a line, as the command prints them."""
        lines = [f"{self.task}: {len(self.labels)} pictures ({self.split})"]
        for metric in self.metrics:
            between = "" if metric.interval is None else f"  ({metric.interval[0]:.3f} to {metric.interval[1]:.3f})"
            lines.append(f"  {metric.name:48} {metric.value:.3f}{between}")
        return tuple(lines)


def evaluate(
    classifier: ScanClassifier, data: Path, split: str = "held-out", progress: Progress = silent
) -> Evaluation:
    """Judge a classifier on `data`/TASK/list.csv (or `data`/list.csv). Raises UploadRejected where the list is bad."""
    task = classifier.card.task
    folder = data / task if (data / task / "list.csv").is_file() else data
    files, labels, groups = read_list(folder, classifier.classes)
    judges: list[int | None] | None = None
    if split == "held-out" and classifier.member_folds:
        fold = fit.member_folds(groups, labels, classifier.split_seed, classifier.member_folds)
        kept = np.flatnonzero(np.isin(fold, classifier.folds_left_out))
        files, labels, groups = [files[i] for i in kept], labels[kept], [groups[i] for i in kept]
        judges = fold[kept].tolist()
    elif split == "held-out":
        kept = np.flatnonzero(fit.held_out(groups, labels, classifier.split_seed))
        files, labels, groups = [files[i] for i in kept], labels[kept], [groups[i] for i in kept]
    scores: list[ClassScores] = []
    refused: list[bool] = []
    for number, name in enumerate(files):
        if number % SAY_EVERY == 0:
            progress(number, len(files), "pictures", "Reading pictures")
        picture = open_scan(folder / name, Limits()).picture().pixels
        scores += classifier.classify([picture], None if judges is None else judges[number])
        refused.append(doubt_about(picture) is not None)
    judged = judge(classifier, scores, np.array(refused), labels, groups, split)
    if split != "held-out":
        return judged
    return replace(judged, metrics=(*judged.metrics, *source_metrics(classifier, data)))


def judge(
    classifier: ScanClassifier,
    scores: Sequence[ClassScores],
    refused: np.ndarray,
    labels: np.ndarray,
    groups: Sequence[str],
    split: str,
) -> Evaluation:
    """Figures from scores that are already there. `refused` bool (n,): turned away before the network."""
    classes, positive = classifier.classes, classifier.positive
    logits = np.array([score.logits for score in scores])
    probabilities = np.array([score.probabilities for score in scores])
    inside = np.array([[label in score.prediction_set for label in classes] for score in scores])
    decided = probabilities >= np.array(classifier.thresholds)
    ranking = probabilities  # as shipped: a few fitted numbers hardly change the order, folds of their own would
    if split == "held-out":
        probabilities, decided, inside = cross_fit(logits, labels, groups, classes, positive)
    abstained = refused | np.array([score.foreign or score.blurred for score in scores])
    data = f"{len(labels)} pictures"
    if split == "held-out" and classifier.member_folds:
        data += ", each judged by the networks that did not see its group, of those that answer"
    elif split == "held-out":
        data += " of groups kept from training"
    command = f"python -m pipelines evaluate {classifier.card.task} --data DIR"

    found: list[Metric] = []

    def add(name: str, value: float, interval: tuple[float, float] | None = None) -> None:
        rounded = None if interval is None else (round(interval[0], 4), round(interval[1], 4))
        found.append(Metric(name, round(float(value), 4), data, command, rounded))

    def add_share(name: str, hit: np.ndarray) -> None:
        add(name, float(hit.mean()) if len(hit) else 0.0, figures.share_interval(int(hit.sum()), len(hit)))

    if positive is None:
        areas = [figures.auroc(labels == k, ranking[:, k]) for k in range(len(classes))]
        add("AUROC, mean over classes", float(np.mean(areas)))
        for name, area in zip(classes, areas, strict=True):
            add(f"AUROC {name}", area)
        right = probabilities.argmax(1) == labels
        add_share("accuracy", right)
        add("calibration error (ECE)", figures.calibration_error(probabilities.max(1), right))
    else:
        asked = classes.index(positive)
        yes, ordered = labels == asked, ranking[:, asked]
        add(f"AUROC {positive}", figures.auroc(yes, ordered), figures.auroc_interval(yes, ordered))
        add_share("sensitivity at 90 % specificity", ordered[yes] >= figures.threshold_at_specificity(yes, ordered))
        add_share("sensitivity at the card's threshold", decided[yes, asked])
        add_share("specificity at the card's threshold", ~decided[~yes, asked])
        add("calibration error (ECE)", figures.calibration_error(probabilities[:, asked], yes))
    add_share("coverage of the prediction set", inside[np.arange(len(labels)), labels])
    add("labels in the prediction set, mean", inside.sum(1).mean())
    add_share("abstained on the task's own pictures", abstained)
    return Evaluation(
        classifier.card.task, tuple(classes), positive, split, labels, probabilities, abstained, tuple(found)
    )


def cross_fit(logits, labels, groups, classes, positive):
    """(probabilities, decided, inside): each fold judged by what was fitted on the other four."""
    probabilities = np.zeros(logits.shape)
    decided, inside = np.zeros(logits.shape, bool), np.zeros(logits.shape, bool)
    fold = fit.folds(groups)
    for number in np.unique(fold):
        here, there = fold == number, fold != number
        temperature, shifts = fit.fit_calibration(logits[there], labels[there])
        fitted = fit.softmax(logits / temperature + np.array(shifts))
        probabilities[here] = fitted[here]
        decided[here] = fitted[here] >= np.array(fit.fit_thresholds(fitted[there], labels[there], classes, positive))
        kept = 1 - fitted[here] <= np.array(fit.fit_set_limits(fitted[there], labels[there]))
        kept[np.flatnonzero(~kept.any(1)), fitted[here].argmax(1)[~kept.any(1)]] = True
        inside[here] = kept
    return probabilities, decided, inside

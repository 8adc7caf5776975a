"""Can the source of a picture be told from what a network makes of it, and does the source give the class away?

A task trained on two sources, or on one that borrows another's look, may learn the source in place of the disease. Here
a linear classifier is fitted to the network's own features, among pictures of the same class that the network has not
seen, to tell the one source from the other, cross-validated by group: near 0.5 nothing of the source is left, near 1
it can be told. That alone is no fault where classes do not follow the source; so the same score is also asked, within
the first source, for the class: near 0.5 the source gives nothing away.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from domain import imaging_figures as figures
from domain import imaging_fit as fit
from domain.limits import Limits
from domain.models import Metric
from models.contracts import ScanClassifier
from pipelines.scan_intake import open_scan
from pipelines.scan_list import read_list, read_rows

MOST = 200  # pictures of one class and source


def source_metrics(classifier: ScanClassifier, data: Path) -> tuple[Metric, ...]:
    """The two figures; nothing for a task with one source, or where `data` lacks the other one's folder."""
    if classifier.second_source is None or classifier.positive is None:
        return ()
    task, second = classifier.card.task, classifier.second_source
    if not (data / second / "list.csv").is_file():
        return ()
    files, labels, groups = read_list(data / task, classifier.classes)
    asked = labels == classifier.classes.index(classifier.positive)
    kept = fit.held_out(groups, labels, classifier.split_seed)
    same, rest = _some(kept & asked), _some(kept & ~asked)
    other_files, other_labels, other_groups = read_rows(data / second)
    other = _some(fit.held_out(other_groups, other_labels, classifier.split_seed))
    ours = _features(classifier, data / task, [files[i] for i in same])
    theirs = _features(classifier, data / second, [other_files[i] for i in other])
    without = _features(classifier, data / task, [files[i] for i in rest])
    is_second = np.r_[np.zeros(len(ours), bool), np.ones(len(theirs), bool)]
    named = [f"1:{groups[i]}" for i in same] + [f"2:{other_groups[i]}" for i in other]
    scores, elsewhere = fit.linear_scores(np.concatenate([ours, theirs]), is_second, named, without)
    command = f"python -m pipelines evaluate {task} --data DIR"
    told = Metric(
        f"source told among {classifier.positive} pictures, AUROC",
        round(figures.auroc(is_second, scores), 4),
        f"{len(ours)} pictures of {task} against {len(theirs)} of {second}, not seen in training; linear classifier on "
        "the network's features, cross-validated by group; 0.5 would be: cannot be told",
        command,
        _rounded(figures.auroc_interval(is_second, scores)),
    )
    with_it = np.r_[np.ones(len(ours), bool), np.zeros(len(without), bool)]
    within = np.r_[scores[: len(ours)], elsewhere]
    gives = Metric(
        f"that source score taken for {classifier.positive}, AUROC",
        round(figures.auroc(with_it, within), 4),
        f"{len(with_it)} pictures of {task} alone; 0.5: the source gives nothing away",
        command,
        _rounded(figures.auroc_interval(with_it, within)),
    )
    return told, gives


def _some(chosen: np.ndarray) -> np.ndarray:
    """Positions of at most MOST of the chosen pictures, the same ones every time."""
    return np.sort(np.random.default_rng(0).permutation(np.flatnonzero(chosen))[:MOST])


def _features(classifier: ScanClassifier, folder: Path, names: list[str]) -> np.ndarray:
    return np.concatenate(
        [classifier.features([open_scan(folder / name, Limits()).picture().pixels]) for name in names]
    )


def _rounded(interval: tuple[float, float]) -> tuple[float, float]:
    return round(interval[0], 4), round(interval[1], 4)

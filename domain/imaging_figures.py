"""How good a classifier's scores are: the figures of a card, from labels and scores alone. numpy only."""

from __future__ import annotations

import math

import numpy as np

BINS = 10  # of the reliability diagram, equal in width
Z95 = 1.959964


def auroc(positive: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve by ranks, ties counted half (Hanley and McNeil 1982). nan with one class only."""
    positive, scores = np.asarray(positive, bool), np.asarray(scores, float)
    yes, no = int(positive.sum()), int((~positive).sum())
    if not yes or not no:
        return float("nan")
    values, place = np.unique(scores, return_inverse=True)
    counts = np.bincount(place, minlength=len(values))
    ranks = np.cumsum(counts) - (counts - 1) / 2.0
    return float((ranks[place][positive].sum() - yes * (yes + 1) / 2) / (yes * no))


def roc_points(positive: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(false alarm rate, sensitivity) as the threshold falls, from (0, 0) to (1, 1)."""
    positive, scores = np.asarray(positive, bool), np.asarray(scores, float)
    order = np.argsort(-scores, kind="stable")
    hits, ends = positive[order], np.r_[np.flatnonzero(np.diff(scores[order])), len(scores) - 1]
    sensitivity = np.cumsum(hits)[ends] / max(1, hits.sum())
    false_alarms = np.cumsum(~hits)[ends] / max(1, (~hits).sum())
    return np.r_[0.0, false_alarms], np.r_[0.0, sensitivity]


def auroc_interval(positive: np.ndarray, scores: np.ndarray, draws: int = 500, seed: int = 0) -> tuple[float, float]:
    """95 % interval by bootstrap within each class."""
    positive, scores = np.asarray(positive, bool), np.asarray(scores, float)
    yes, no = scores[positive], scores[~positive]
    if not len(yes) or not len(no):
        return float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    labels = np.r_[np.ones(len(yes), bool), np.zeros(len(no), bool)]
    areas = [auroc(labels, np.r_[rng.choice(yes, len(yes)), rng.choice(no, len(no))]) for _ in range(draws)]
    return float(np.quantile(areas, 0.025)), float(np.quantile(areas, 0.975))


def calibration_error(probability: np.ndarray, correct: np.ndarray, bins: int = BINS) -> float:
    """Expected calibration error: mean gap between what is claimed and what happens, weighted by bin size
    (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017)."""
    return sum(weight * abs(claimed - seen) for claimed, seen, weight in reliability(probability, correct, bins))


def reliability(
    probability: np.ndarray, correct: np.ndarray, bins: int = BINS
) -> tuple[tuple[float, float, float], ...]:
    """(mean claimed, share correct, share of all cases) of each bin that is not empty."""
    probability, correct = np.asarray(probability, float), np.asarray(correct, float)
    place = np.clip((probability * bins).astype(int), 0, bins - 1)
    rows = []
    for bin_index in range(bins):
        inside = place == bin_index
        if inside.any():
            rows.append((float(probability[inside].mean()), float(correct[inside].mean()), float(inside.mean())))
    return tuple(rows)


def share_interval(hits: int, cases: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927)."""
    if not cases:
        return 0.0, 1.0
    share, z2 = hits / cases, Z95**2
    centre = (share + z2 / (2 * cases)) / (1 + z2 / cases)
    half = Z95 * math.sqrt(share * (1 - share) / cases + z2 / (4 * cases**2)) / (1 + z2 / cases)
    return max(0.0, centre - half), min(1.0, centre + half)


def threshold_at_specificity(positive: np.ndarray, scores: np.ndarray, specificity: float = 0.9) -> float:
    """Lowest threshold at which at least `specificity` of the negatives score below it."""
    negatives = np.sort(np.asarray(scores, float)[~np.asarray(positive, bool)])
    below = math.ceil(specificity * len(negatives))
    if below >= len(negatives):
        return float(np.nextafter(negatives[-1], np.inf)) if len(negatives) else 0.5
    return float(np.nextafter(negatives[below - 1], np.inf))


def confusion(labels: np.ndarray, guesses: np.ndarray, classes: int) -> np.ndarray:
    """int (classes, classes): rows what it was, columns what was said."""
    table = np.zeros((classes, classes), int)
    np.add.at(table, (np.asarray(labels, int), np.asarray(guesses, int)), 1)
    return table

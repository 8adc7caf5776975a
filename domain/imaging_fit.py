"""What is fitted on labelled pictures kept from training: split, calibration, thresholds, prediction sets."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from domain.imaging_figures import threshold_at_specificity

HELD_OUT_SHARE = 0.2
COVERAGE = 0.9
SPECIFICITY = 0.9
EVEN_CHANCE = 0.5
STEPS, RATE = 400, 0.05  # of the calibration's descent: three to four numbers, smooth and nearly convex
RIDGE = 1.0  # of the linear classifier, in units of a mean picture's squared length
SHRINK = 0.02  # keeps the class shifts of a small calibration set near zero


def held_out(groups: Sequence[str], labels: np.ndarray, seed: int, share: float = HELD_OUT_SHARE) -> np.ndarray:
    """bool (n,): pictures kept from training. Whole groups, in every class about `share` of its pictures; the order of
    groups comes from their hash, so the same list and seed give the same split on every machine."""
    chosen = np.zeros(len(groups), bool)
    for of_class in _shuffled(groups, labels, seed):
        wanted = share * sum(map(len, of_class))
        taken = 0
        for positions in of_class:
            if taken >= wanted:
                break
            chosen[positions] = True
            taken += len(positions)
    return chosen


def member_folds(groups: Sequence[str], labels: np.ndarray, seed: int, count: int) -> np.ndarray:
    """int (n,): the member of an ensemble of `count` that did not see the picture in training. Whole groups; each
    class spread evenly; by hash, so that the same list and seed give the same folds on every machine."""
    chosen = np.zeros(len(groups), int)
    for of_class in _shuffled(groups, labels, seed):
        sizes = np.zeros(count, int)
        for positions in of_class:
            emptiest = int(sizes.argmin())
            chosen[positions] = emptiest
            sizes[emptiest] += len(positions)
    return chosen


def _shuffled(groups: Sequence[str], labels: np.ndarray, seed: int) -> list[list[list[int]]]:
    """For each class its groups, each as the positions of its pictures, in the order of their hashes. A group belongs
    to the class that most of its pictures have."""
    labels = np.asarray(labels)
    members: dict[str, list[int]] = defaultdict(list)
    for position, group in enumerate(groups):
        members[group].append(position)
    by_class: dict[int, list[str]] = defaultdict(list)
    for group, positions in members.items():
        by_class[Counter(labels[positions].tolist()).most_common(1)[0][0]].append(group)
    return [
        [
            members[name]
            for name in sorted(names, key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).hexdigest())
        ]
        for names in by_class.values()
    ]


def folds(groups: Sequence[str], count: int = 5) -> np.ndarray:
    """int (n,): fold of each picture, whole groups together, by hash."""
    return np.array([int(hashlib.sha256(f"fold:{group}".encode()).hexdigest(), 16) % count for group in groups])


def softmax(scores: np.ndarray) -> np.ndarray:
    """Rows that sum to 1."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def fit_calibration(logits: np.ndarray, labels: np.ndarray) -> tuple[float, tuple[float, ...]]:
    """(temperature, shift a class) that make softmax(logits / temperature + shifts) fit best by log loss.

    Temperature scaling (Guo et al., ICML 2017) with a shift a class; Adam on the logarithm of the scale.
    """
    logits, count = np.asarray(logits, float), logits.shape[1]
    truth = np.eye(count)[np.asarray(labels)]
    state = np.zeros(1 + count)
    first, second = np.zeros_like(state), np.zeros_like(state)
    for step in range(1, STEPS + 1):
        scale = np.exp(state[0])
        gap = softmax(logits * scale + state[1:]) - truth
        slope = np.r_[(gap * logits).sum(1).mean() * scale, gap.mean(0) + 2 * SHRINK * state[1:] / count]
        first, second = 0.9 * first + 0.1 * slope, 0.99 * second + 0.01 * slope**2
        rate = RATE * (1 - step / (STEPS + 1))
        state -= rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-8)
        state[0] = np.clip(state[0], -2.5, 2.5)
    return float(np.exp(-state[0])), tuple(float(shift) for shift in state[1:])


def fit_thresholds(
    probabilities: np.ndarray, labels: np.ndarray, classes: Sequence[str], positive: str | None
) -> tuple[float, ...]:
    """At least nine in ten negatives stay below the threshold of the class asked for; the other classes are named when
    they are more likely than not."""
    return tuple(
        operating_threshold(np.asarray(labels) == index, probabilities[:, index]) if name == positive else EVEN_CHANCE
        for index, name in enumerate(classes)
    )


def operating_threshold(positive: np.ndarray, scores: np.ndarray) -> float:
    """Threshold at 90 % specificity; raised, up to one half, as long as that costs no sensitivity. Where classes part
    cleanly the bare rule would call a score of one in a million positive."""
    lowest = threshold_at_specificity(positive, scores, SPECIFICITY)
    caught = scores[positive & (scores >= lowest)]
    if not caught.size or lowest >= EVEN_CHANCE:
        return lowest
    weakest = float(caught.min())
    below = scores[~positive & (scores < weakest)]
    middle = (weakest + (float(below.max()) if below.size else 0.0)) / 2
    return max(lowest, min(EVEN_CHANCE, middle))


def fit_set_limits(probabilities: np.ndarray, labels: np.ndarray) -> tuple[float, ...]:
    """Class by class, the limit of 1 - probability that holds the truth in at least 90 of 100 cases
    (class-conditional split conformal: Vovk, ACML 2012)."""
    limits = []
    for index in range(probabilities.shape[1]):
        misses = np.sort(1.0 - probabilities[np.asarray(labels) == index, index])
        rank = int(np.ceil((len(misses) + 1) * COVERAGE))
        limits.append(float(misses[rank - 1]) if rank <= len(misses) else 1.0)
    return tuple(limits)


def linear_scores(
    features: np.ndarray, labels: np.ndarray, groups: Sequence[str], others: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Scores (n,) of a linear classifier (ridge regression on standardised features) for bool labels, each picture
    scored by the fit to the other folds of groups; and of `others` (m, d), the mean over the fits."""
    labels, fold = np.asarray(labels, float), folds(groups)
    scores, elsewhere = np.zeros(len(labels)), []
    for number in np.unique(fold):
        here, there = fold == number, fold != number
        mean, spread = features[there].mean(0), features[there].std(0) + 1e-6
        known, middle = (features[there] - mean) / spread, labels[there].mean()
        inner = known @ known.T + RIDGE * features.shape[1] * np.eye(len(known))
        weights = known.T @ np.linalg.solve(inner, labels[there] - middle)
        scores[here] = (features[here] - mean) / spread @ weights + middle
        if others is not None:
            elsewhere.append((others - mean) / spread @ weights + middle)
    return scores, np.mean(elsewhere, axis=0) if elsewhere else np.zeros(0)

"""Figures and fits on cases whose answer is known by hand."""

from __future__ import annotations

import numpy as np
import pytest

from domain import imaging_figures as figures
from domain import imaging_fit as fit


def test_auroc_counts_ordered_pairs_and_halves_ties():
    assert figures.auroc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])) == pytest.approx(0.75)
    assert figures.auroc(np.array([0, 1]), np.array([0.5, 0.5])) == pytest.approx(0.5)
    assert np.isnan(figures.auroc(np.array([1, 1]), np.array([0.1, 0.2])))


def test_threshold_leaves_nine_in_ten_negatives_below():
    negatives = np.arange(10) / 10
    threshold = figures.threshold_at_specificity(np.zeros(10, bool), negatives)
    assert (negatives < threshold).sum() == 9


def test_operating_threshold_is_raised_where_classes_part_cleanly():
    scores = np.r_[np.full(50, 1e-6), np.full(50, 0.999)]
    assert fit.operating_threshold(np.arange(100) >= 50, scores) == pytest.approx(0.5, abs=0.001)


def test_calibration_error_of_a_known_gap():
    assert figures.calibration_error(np.full(10, 0.9), np.arange(10) < 5) == pytest.approx(0.4)


def test_wilson_interval_of_a_known_share():
    low, high = figures.share_interval(8, 10)
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)


def test_calibration_undoes_overconfidence_and_prior_shift():
    rng = np.random.default_rng(0)
    true_logits = rng.normal(0, 1.5, (4000, 3))
    labels = np.array([rng.choice(3, p=row) for row in fit.softmax(true_logits)])
    shifted = true_logits * 3 + np.array([0.0, 2.0, -1.0])
    temperature, shifts = fit.fit_calibration(shifted, labels)
    fitted = fit.softmax(shifted / temperature + np.array(shifts))
    assert temperature == pytest.approx(3, rel=0.15)
    assert figures.calibration_error(fitted.max(1), fitted.argmax(1) == labels) < 0.03


def test_sets_hold_the_truth_as_often_as_promised():
    rng = np.random.default_rng(1)
    probabilities = rng.dirichlet(np.ones(3), 3000)
    labels = np.array([rng.choice(3, p=row) for row in probabilities])
    limits = np.array(fit.fit_set_limits(probabilities[:1500], labels[:1500]))
    held = (1 - probabilities[1500:] <= limits)[np.arange(1500), labels[1500:]]
    assert held.mean() == pytest.approx(0.9, abs=0.03)


def test_the_split_keeps_groups_whole_and_is_the_same_every_time():
    groups = [f"g{i // 4}" for i in range(400)]
    labels = np.array([i // 4 % 2 for i in range(400)])
    kept = fit.held_out(groups, labels, 7)
    assert (kept == fit.held_out(groups, labels, 7)).all()
    assert not {g for g, k in zip(groups, kept, strict=True) if k} & {
        g for g, k in zip(groups, kept, strict=True) if not k
    }
    assert kept.mean() == pytest.approx(0.2, abs=0.03)
    assert kept[labels == 1].mean() == pytest.approx(0.2, abs=0.03)

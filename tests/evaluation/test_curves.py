"""Curves over thresholds and scores by class, against scikit-learn, scipy and laws."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import calibration as sklearn_calibration
from sklearn import metrics

from medcls.evaluation import calibration, curves, intervals

Array = np.ndarray[Any, Any]


def judged(n: int, seed: int, decimals: int) -> tuple[Array, Array]:
    """Return which images are of a class, some of each, and scores, many of them equal with few decimals."""
    generator = np.random.default_rng(seed)
    positive = generator.permutation(np.arange(n) % 3 == 0)
    return positive, np.round(generator.normal(positive * 0.8), decimals)


cases = given(n=st.integers(2, 60), seed=st.integers(0, 999), decimals=st.sampled_from([0, 1, 8]))


@cases
def test_roc_is_scikit_learns_without_points_within_straight_pieces(n: int, seed: int, decimals: int) -> None:
    positive, scores = judged(n, seed, decimals)
    curve = curves.roc(positive, scores)
    falses, recalls, _ = metrics.roc_curve(positive, scores, drop_intermediate=False)
    assert curve is not None

    own = list(zip(curve.false_alarms.tolist(), curve.recalls.tolist(), strict=True))
    assert set(own) <= set(zip(falses.tolist(), recalls.tolist(), strict=True))
    assert (own[0], own[-1]) == ((0, 0), (1, 1))
    assert curve.area == pytest.approx(metrics.roc_auc_score(positive, scores))


@cases
def test_precision_and_recall_are_scikit_learns(n: int, seed: int, decimals: int) -> None:
    positive, scores = judged(n, seed, decimals)
    curve = curves.precision_recall(positive, scores)
    precisions, recalls, _ = metrics.precision_recall_curve(positive, scores)
    assert curve is not None

    np.testing.assert_allclose(curve.recalls, recalls[::-1])
    np.testing.assert_allclose(curve.precisions, precisions[::-1])
    assert curve.average == pytest.approx(metrics.average_precision_score(positive, scores))
    assert curve.prevalence == positive.mean()
    assert curve.precisions[-1] == pytest.approx(curve.prevalence)


def test_curves_of_one_kind_of_images_are_undefined() -> None:
    scores = np.array([0.1, 0.9])
    assert curves.roc(np.array([True, True]), scores) is None
    assert curves.roc(np.array([False, False]), scores) is None
    assert curves.precision_recall(np.array([False, False]), scores) is None
    alone = curves.precision_recall(np.array([True, True]), scores)
    assert alone is not None
    assert alone.average == alone.prevalence == 1


@given(seeds=st.lists(st.integers(0, 999), min_size=1, max_size=5), decimals=st.sampled_from([0, 1, 8]))
def test_the_mean_curves_area_is_the_areas_mean(seeds: list[int], decimals: int) -> None:
    each = [curves.roc(*judged(30, seed, decimals)) for seed in seeds]
    mean = curves.mean_roc([curve for curve in each if curve is not None])

    assert np.trapezoid(mean.recalls, mean.false_alarms) == pytest.approx(mean.area)
    assert (np.diff(mean.false_alarms) >= 0).all()
    assert (np.diff(mean.recalls) >= -1e-12).all()
    assert (mean.recalls[0], mean.recalls[-1]) == (0, pytest.approx(1))


def test_two_classes_have_one_curve_and_more_have_one_each() -> None:
    generator = np.random.default_rng(0)
    for classes, expected in ((2, [1]), (3, [0, 1, 2])):
        labels, probabilities = np.arange(12) % classes, generator.dirichlet(np.ones(classes), 12)
        assert list(curves.rocs(labels, probabilities)) == expected
        assert list(curves.precision_recalls(labels, probabilities)) == expected


def test_reliability_of_bins_worked_by_hand() -> None:
    probabilities = np.array([[0.62, 0.38], [0.38, 0.62], [0.9, 0.1], [0.0, 1.0]])
    found = calibration.reliability(np.array([0, 0, 0, 1]), probabilities)

    assert found.counts.nonzero()[0].tolist() == [9, 13, 14]
    assert found.counts.sum() == 4
    assert found.confidences[[9, 13, 14]] == pytest.approx([0.62, 0.9, 1.0])
    assert found.accuracies[[9, 13, 14]].tolist() == [0.5, 1.0, 1.0]
    assert np.isnan(found.accuracies[0])
    assert calibration.expected_error(np.array([0, 0, 0, 1]), probabilities) == pytest.approx((0.24 + 0.1) / 4)


@given(n=st.integers(1, 80), classes=st.integers(2, 5), seed=st.integers(0, 999), decimals=st.sampled_from([1, 8]))
def test_calibration_error_is_its_definition_over_scikit_learns_curve(
    n: int, classes: int, seed: int, decimals: int
) -> None:
    generator = np.random.default_rng(seed)
    labels, probabilities = generator.integers(0, classes, n), generator.dirichlet(np.ones(classes), n).round(decimals)
    confidences, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    shares, means = sklearn_calibration.calibration_curve(right, confidences, n_bins=15)
    counts = np.bincount(np.searchsorted(np.linspace(0, 1, 16)[1:-1], confidences))

    expected = np.abs(shares - means) @ counts[counts > 0] / n
    assert calibration.expected_error(labels, probabilities) == pytest.approx(expected)


@pytest.mark.parametrize("classes", [2, 4])
def test_brier_score_is_the_sum_of_scikit_learns_scores_per_class(classes: int) -> None:
    generator = np.random.default_rng(0)
    labels, probabilities = generator.integers(0, classes, 60), generator.dirichlet(np.ones(classes), 60)
    each = [metrics.brier_score_loss(labels == k, probabilities[:, k]) for k in range(classes)]

    assert calibration.brier(labels, probabilities) == pytest.approx(each[1] if classes == 2 else sum(each))


@given(right=st.integers(0, 50), wrong=st.integers(0, 50))
def test_wilsons_interval_is_scipys(right: int, wrong: int) -> None:
    n = right + wrong + 1
    low, high = calibration.wilson(np.array([right / n]), np.array([n]))
    expected = stats.binomtest(right, n).proportion_ci(method="wilson")
    assert (low[0], high[0]) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_class_scores_are_scikit_learns_within_their_intervals() -> None:
    generator, names = np.random.default_rng(0), ("a", "b", "c")
    labels = generator.integers(0, 3, 200)
    chosen = np.where(generator.random(200) < 0.6, labels, generator.integers(0, 3, 200))
    found = intervals.class_scores(labels, chosen, names)
    expected = metrics.precision_recall_fscore_support(labels, chosen)

    for score, values in zip(("precision", "recall", "f1"), expected[:3], strict=True):
        for name, value in zip(names, values, strict=True):
            low, high = found[f"{score}/{name}"].ci95
            assert found[f"{score}/{name}"].value == pytest.approx(value)
            assert low < value < high


def test_perfect_and_empty_classes_have_honest_intervals() -> None:
    labels, chosen = np.array([0] * 30 + [1] * 10), np.array([0] * 30 + [2] * 10)
    found = intervals.class_scores(labels, chosen, ("a", "b", "c", "d"))

    assert (found["recall/a"].value, found["recall/b"].value) == (1.0, 0.0)
    assert found["recall/a"].ci95 == pytest.approx((0.025 ** (1 / 30), 1.0))
    assert found["recall/b"].ci95 == pytest.approx((0.0, 1 - 0.025 ** (1 / 10)))
    assert found["precision/c"].value == found["f1/c"].value == 0.0
    assert {name for name in found if name.endswith(("/d", "precision/b", "recall/c"))} == set()
    patients = np.array([f"p{row // 10}" for row in range(40)])
    wider = intervals.class_scores(labels, chosen, ("a", "b", "c", "d"), patients)
    assert wider["recall/a"].ci95[0] < found["recall/a"].ci95[0]

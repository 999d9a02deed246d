"""Scores class by class: points and intervals are those that the summary has."""

import numpy as np
import pytest
from figure_parts import lines, points, predicted, ticks
from sklearn import metrics

from medcls.evaluation import intervals, summary
from medcls.report.figures import class_scores

NAMES = ("a", "b", "c")


def segments(axes) -> dict[str, list[tuple[float, float, float]]]:
    """Return low end, high end and height of each interval, by colour."""
    return {
        tuple(each.get_colors()[0]): [(line[0][0], line[1][0], line[0][1]) for line in each.get_segments()]
        for each in axes.collections
    }


def test_dots_are_scikit_learns_scores() -> None:
    labels, probabilities = predicted(90, 3)
    (axes,) = class_scores.class_scores(labels, probabilities, NAMES, None, "").axes
    precision, recall, f1, count = metrics.precision_recall_fscore_support(labels, probabilities.argmax(axis=1))

    drawn = list(lines(axes).items())
    for (label, line), name, values in zip(drawn, ("recall", "precision", "F1"), (recall, precision, f1), strict=True):
        assert label == f"{name} (mean {values.mean():.3f})"
        assert [x for x, _ in points(line)] == pytest.approx(values.tolist())
        assert [round(y) for _, y in points(line)] == [0, 1, 2]
    assert ticks(axes.yaxis) == [f"{name} ({n})" for name, n in zip(NAMES, count, strict=True)]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first class on top


def test_intervals_of_recall_are_those_of_the_test_scores() -> None:
    labels, probabilities = predicted(90, 3)
    patients = np.array([f"p{k // 3}" for k in range(90)])
    expected = intervals.test_scores(labels, probabilities, NAMES, patients)
    (axes,) = class_scores.class_scores(labels, probabilities, NAMES, patients, "").axes

    recalls = next(iter(segments(axes).values()))
    assert [tuple(ends) for *ends, _ in recalls] == [expected[f"recall/{name}"].ci95 for name in NAMES]


def test_what_is_undefined_is_not_drawn() -> None:
    labels = np.array([0, 0, 2])
    probabilities = np.array([[0.9, 0.1, 0.0], [0.8, 0.2, 0.0], [0.7, 0.1, 0.2]])
    (axes,) = class_scores.class_scores(labels, probabilities, NAMES, None, "").axes

    assert [[round(y) for _, y in points(line)] for line in lines(axes).values()] == [[0, 2], [0], [0, 2]]
    assert ticks(axes.yaxis) == ["a (2)", "b (0)", "c (1)"]


def test_recalls_from_fold_to_fold_beside_the_held_out_part() -> None:
    repeats = {"a": [0.5, 0.7, 0.9], "c": [1.0, 0.8, 0.9]}
    tested = {"a": summary.TestScore(0.6, (0.4, 0.8)), "b": summary.TestScore(1.0, (0.7, 1.0))}
    (axes,) = class_scores.recalls(repeats, tested, NAMES, "fold", "").axes

    drawn = lines(axes)
    assert points(drawn["one fold"]) == [(0.5, 0), (0.7, 0), (0.9, 0), (1.0, 2), (0.8, 2), (0.9, 2)]
    assert points(drawn["mean of the folds"]) == [(pytest.approx(0.7), 0), (pytest.approx(0.9), 2)]
    assert [x for x, _ in points(drawn["test set, 95% interval"])] == [0.6, 1.0]
    (ends,) = segments(axes).values()
    assert [(low, high) for low, high, _ in ends] == [(0.4, 0.8), (0.7, 1.0)]
    (without,) = class_scores.recalls(repeats, {}, NAMES, "seed", "").axes
    assert list(lines(without)) == ["one seed", "mean of the seeds"]

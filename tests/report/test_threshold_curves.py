"""ROC and precision-recall curves: their points are scikit-learn's, their legends say areas and shares."""

import numpy as np
import pytest
from figure_parts import lines, points, predicted
from sklearn import metrics

from medcls.report.figures import roc as thresholds


def test_roc_curves_of_several_classes_and_their_mean() -> None:
    labels, probabilities = predicted(90, 3)
    (axes,) = thresholds.roc(labels, probabilities, ("a", "b", "c"), "").axes
    areas = [metrics.roc_auc_score(labels == k, probabilities[:, k]) for k in range(3)]
    drawn = lines(axes)

    assert list(drawn) == ["chance  0.500", f"mean  {np.mean(areas):.3f}"] + [
        f"{name}  {area:.3f}" for name, area in zip("abc", areas, strict=True)
    ]
    for number, line in enumerate(list(drawn.values())[2:]):
        falses, recalls, _ = metrics.roc_curve(labels == number, probabilities[:, number], drop_intermediate=False)
        drawn_points = points(line)
        assert set(drawn_points) <= set(zip(falses.tolist(), recalls.tolist(), strict=True))
        assert np.trapezoid(*np.array(drawn_points).T[::-1]) == pytest.approx(np.trapezoid(recalls, falses))
    mean = np.array(points(drawn[f"mean  {np.mean(areas):.3f}"]))
    assert np.trapezoid(mean[:, 1], mean[:, 0]) == pytest.approx(np.mean(areas))


def test_of_two_classes_there_is_one_curve() -> None:
    labels, probabilities = predicted(80, 2)
    (roc,) = thresholds.roc(labels, probabilities, ("AFF", "NFF"), "").axes
    (precision,) = thresholds.precision_recall(labels, probabilities, ("AFF", "NFF"), "").axes
    area = metrics.roc_auc_score(labels, probabilities[:, 1])
    average = metrics.average_precision_score(labels, probabilities[:, 1])

    assert list(lines(roc)) == ["chance  0.500", f"NFF vs. AFF  {area:.3f}"]
    assert list(lines(precision))[1:] == [f"NFF vs. AFF  {average:.3f} ({labels.mean():.3f})"]


def test_precision_recall_curves_stand_above_their_classes_shares() -> None:
    labels, probabilities = predicted(90, 3)
    (axes,) = thresholds.precision_recall(labels, probabilities, ("a", "b", "c"), "").axes
    averages = [metrics.average_precision_score(labels == k, probabilities[:, k]) for k in range(3)]
    shares = [float(np.mean(labels == k)) for k in range(3)]
    flat = {line.get_color(): points(line) for line in axes.get_lines() if line.get_label().startswith("_")}

    for number, (label, line) in enumerate(list(lines(axes).items())[1:]):
        precisions, recalls, _ = metrics.precision_recall_curve(labels == number, probabilities[:, number])
        np.testing.assert_allclose(points(line), np.stack([recalls, precisions], axis=1)[::-1][: len(points(line))])
        assert label == f"{'abc'[number]}  {averages[number]:.3f} ({shares[number]:.3f})"
        assert flat[line.get_color()] == [(0, pytest.approx(shares[number])), (1, pytest.approx(shares[number]))]
        assert line.get_drawstyle() == "steps-pre"
    assert f"mean {np.mean(averages):.3f}" in axes.get_legend().get_title().get_text()


def test_a_class_without_images_is_named_without_a_curve() -> None:
    labels, probabilities = predicted(60, 3)
    labels[labels == 1] = 0
    for draw in (thresholds.roc, thresholds.precision_recall):
        (axes,) = draw(labels, probabilities, ("a", "absent", "c"), "").axes
        assert points(lines(axes)["absent  -"]) == []


def test_one_image_has_no_roc_curve() -> None:
    labels, probabilities = predicted(1, 3)
    (axes,) = thresholds.roc(labels, probabilities, ("a", "b", "c"), "").axes

    assert sorted(lines(axes)) == ["a  -", "b  -", "c  -", "chance  0.500"]


def test_no_two_curves_look_alike() -> None:
    labels, probabilities = predicted(400, 30)
    (axes,) = thresholds.roc(labels, probabilities, tuple(f"c{k}" for k in range(30)), "").axes

    looks = [(line.get_color(), line.get_linestyle()) for line in axes.get_lines()]
    assert len(set(looks)) == len(looks) == 32


def test_of_a_hundred_classes_the_worst_are_drawn() -> None:
    labels, probabilities = predicted(2000, 100, skill=3)
    areas = [metrics.roc_auc_score(labels == k, probabilities[:, k]) for k in range(100)]
    (axes,) = thresholds.roc(labels, probabilities, tuple(f"c{k}" for k in range(100)), "").axes

    worst = sorted(np.argsort(areas)[:32])
    assert list(lines(axes))[2:] == [f"c{k}  {areas[k]:.3f}" for k in worst]
    assert "32 lowest of 100" in axes.get_legend().get_title().get_text()

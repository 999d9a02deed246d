"""The calibration diagram: scikit-learn's points, their intervals, the counts, and the scores in the title."""

import numpy as np
import pytest
from figure_parts import lines, predicted, title
from scipy import stats
from sklearn import calibration, metrics

from medcls.evaluation import classification
from medcls.report.figures.calibration import calibration_diagram


def test_points_bars_and_counts() -> None:
    labels, probabilities = predicted(300, 3)
    probabilities = probabilities.astype(float)
    diagram, counts = calibration_diagram(labels, probabilities, "").axes
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    accuracies, confidences = calibration.calibration_curve(right, confidence, n_bins=15)
    drawn = lines(diagram)["predictions"]

    np.testing.assert_allclose(drawn.get_xdata(), confidences)
    np.testing.assert_allclose(drawn.get_ydata(), accuracies)
    heights = [bar.get_height() for bar in counts.patches]
    np.testing.assert_array_equal(heights, np.histogram(confidence, np.linspace(0, 1, 16))[0])
    (bars,) = diagram.collections
    for segment, share, count in zip(bars.get_segments(), accuracies, [n for n in heights if n], strict=True):
        interval = stats.binomtest(round(share * count), int(count)).proportion_ci(method="wilson")
        assert tuple(segment[:, 1]) == pytest.approx((interval.low, interval.high), abs=1e-6)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_title_says_the_scores(classes: int) -> None:
    labels, probabilities = predicted(200, classes)
    scores = classification.scores(labels, probabilities, tuple("abc"[:classes]))

    said = title(calibration_diagram(labels, probabilities, "some run"))

    assert said == f"some run expected calibration error {scores['ece']:.3f}, Brier {scores['brier']:.3f}"
    if classes == 2:
        assert f"Brier {metrics.brier_score_loss(labels, probabilities[:, 1]):.3f}" in said

"""The calibration diagram: scikit-learn's points, their intervals, the counts, and the scores in the title."""

import numpy as np
import pytest
from figure_parts import check_legends, check_texts, lines, points, predicted, title
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

    single = lines(diagram)["a single prediction"]
    joined = np.isfinite(drawn.get_ydata())
    shown = np.concatenate([drawn.get_xdata()[joined], single.get_xdata()])
    order = np.argsort(shown)
    np.testing.assert_allclose(shown[order], confidences)
    np.testing.assert_allclose(np.concatenate([drawn.get_ydata()[joined], single.get_ydata()])[order], accuracies)
    heights = [bar.get_height() for bar in counts.patches]
    np.testing.assert_array_equal(heights, np.histogram(confidence, np.linspace(0, 1, 16))[0])
    (bars,) = diagram.collections
    for segment, share, count in zip(bars.get_segments(), accuracies, [n for n in heights if n], strict=True):
        interval = stats.binomtest(round(share * count), int(count)).proportion_ci(method="wilson")
        assert tuple(segment[:, 1]) == pytest.approx((interval.low, interval.high), abs=1e-6)


def test_a_bin_of_one_image_is_joined_to_no_other() -> None:
    confidence = np.array([0.55, 0.56, 0.71, 0.91, 0.92, 0.93, 0.97, 0.98])  # in bins of 2, 1, 3 and 2 images
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    diagram, _ = calibration_diagram(np.zeros(8, np.int64), probabilities, "").axes
    drawn, single = lines(diagram)["predictions"], lines(diagram)["a single prediction"]

    assert points(single) == [(0.71, 1.0)]
    assert single.get_linestyle() == "None"
    joined = [x for x, y in points(drawn) if np.isfinite(y)]
    assert joined == pytest.approx([0.555, 0.92, 0.975])
    breaks = np.isnan(drawn.get_ydata())[np.searchsorted(np.linspace(0, 1, 16), [0.555, 0.71, 0.92]) - 1]
    assert breaks.tolist() == [False, True, False]  # the line ends at the bin of one image


def test_nothing_lies_on_the_curves_and_no_text_on_another() -> None:
    labels, probabilities = predicted(300, 3)
    figure = calibration_diagram(labels, probabilities, "some run, validation set")
    check_texts(figure)
    check_legends(figure)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_title_says_the_scores(classes: int) -> None:
    labels, probabilities = predicted(200, classes)
    scores = classification.scores(labels, probabilities, tuple("abc"[:classes]))

    said = title(calibration_diagram(labels, probabilities, "some run"))

    assert said == f"some run expected calibration error {scores['ece']:.3f}, Brier {scores['brier']:.3f}"
    if classes == 2:
        assert f"Brier {metrics.brier_score_loss(labels, probabilities[:, 1]):.3f}" in said

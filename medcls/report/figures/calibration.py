"""Calibration diagrams: how often a model is right at each confidence."""

from __future__ import annotations

import numpy as np

from medcls.evaluation import calibration
from medcls.evaluation.classification import Labels, Numbers
from medcls.report.figures import canvas
from medcls.utils.lazy import matplotlib

SIDE, BELOW = 3.6, 1.0  # of the diagram's square, and the height of the counts, in inches
LEFT, FLOOR, GAP = 0.65, 0.5, 0.12
ENTRIES, ACROSS = 4, 2  # of the legend above the diagram
FEWEST = 2  # images in a bin whose point is joined to others: one image alone is right or wrong


def calibration_diagram(labels: Labels, probabilities: Numbers, title: str) -> matplotlib.figure.Figure:
    """Draw the accuracy of predictions at each confidence, and the number of predictions below it.

    The bars at the points are 95% intervals (Wilson 1927). Points of neighbouring bins are joined; the point of a
    single image, which can only be 0 or 1, is hollow and joined to none. The expected calibration error and the Brier
    score are added to the title.

    Args:
        labels: the true classes, of shape (n,).
        probabilities: the predicted ones, of shape (n, classes).
        title: of the figure.
    """
    reliability = calibration.reliability(labels, probabilities)
    error = calibration.expected_error(labels, probabilities)
    brier = calibration.brier(labels, probabilities)
    whole_title = f"{title}\nexpected calibration error {error:.3f}, Brier {brier:.3f}"
    figure = canvas.sheet(
        LEFT + SIDE + 0.2, FLOOR + BELOW + GAP + SIDE + canvas.legend_height(ENTRIES, ACROSS), whole_title
    )
    _draw_diagram(canvas.panel(figure, LEFT, FLOOR + BELOW + GAP, SIDE, SIDE), reliability)
    _draw_counts(canvas.panel(figure, LEFT, FLOOR, SIDE, BELOW), reliability, len(labels))
    return figure


def _draw_diagram(axes: matplotlib.axes.Axes, reliability: calibration.Reliability) -> None:
    filled = reliability.counts > 0
    confidences, lows, highs = reliability.confidences[filled], reliability.lows[filled], reliability.highs[filled]
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.9, linestyle=(0, (1, 2)), label="confidence = accuracy")
    axes.vlines(confidences, lows, highs, color=canvas.COLOURS[0], linewidth=1.0, label="95% interval")
    several = reliability.counts >= FEWEST
    joined = np.where(several, reliability.accuracies, np.nan)  # a line breaks at NaN
    axes.plot(reliability.confidences, joined, "o-", color=canvas.COLOURS[0], markersize=5, label="predictions")
    single = filled & ~several
    axes.plot(
        reliability.confidences[single],
        reliability.accuracies[single],
        "o",
        color=canvas.COLOURS[0],
        markersize=5,
        markerfacecolor="white",
        label="a single prediction",
    )
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.03, 1.03)
    axes.grid(alpha=0.3)
    axes.tick_params(labelbottom=False)
    axes.set_ylabel("accuracy", size=canvas.SIZE)
    canvas.legend_above(axes, ACROSS)


def _draw_counts(axes: matplotlib.axes.Axes, reliability: calibration.Reliability, total: int) -> None:
    lower_edges, width = reliability.edges[:-1], reliability.edges[1]
    axes.bar(lower_edges, reliability.counts, width, align="edge", color=canvas.COLOURS[-3], edgecolor="white")
    axes.set_xlim(-0.01, 1.01)
    axes.yaxis.set_major_locator(matplotlib.ticker.MaxNLocator(3, integer=True, min_n_ticks=1))
    axes.set_xlabel("confidence: probability of the predicted class", size=canvas.SIZE)
    axes.set_ylabel(f"images (of {total})", size=canvas.SIZE)

"""Whether a model's confidence is its accuracy."""

from typing import Any

from medcls.evaluation import calibration
from medcls.evaluation.classification import Labels, Numbers
from medcls.report.figures import canvas
from medcls.utils.lazy import matplotlib

SIDE, BELOW = 3.6, 1.0  # of the diagram's square, and the height of the counts, in inches
LEFT, FLOOR, GAP = 0.65, 0.5, 0.12


def calibration_diagram(labels: Labels, probabilities: Numbers, title: str) -> Any:
    """Return a Figure of how often predictions of each confidence are right, and of how many there are.

    The bars of a point are its 95% interval (Wilson 1927). The title adds the expected calibration error and the
    Brier score.

    Args:
        labels: of shape (n,).
        probabilities: of shape (n, classes).
        title: of the figure.
    """
    found = calibration.reliability(labels, probabilities)
    error, brier = calibration.expected_error(labels, probabilities), calibration.brier(labels, probabilities)
    said = f"{title}\nexpected calibration error {error:.3f}, Brier {brier:.3f}"
    figure = canvas.sheet(LEFT + SIDE + 0.2, FLOOR + BELOW + GAP + SIDE + 0.1, said)
    _draw_diagram(canvas.panel(figure, LEFT, FLOOR + BELOW + GAP, SIDE, SIDE), found)
    _draw_counts(canvas.panel(figure, LEFT, FLOOR, SIDE, BELOW), found, len(labels))
    return figure


def _draw_diagram(axes: Any, found: calibration.Reliability) -> None:
    filled = found.counts > 0
    confidences, accuracies = found.confidences[filled], found.accuracies[filled]
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.9, linestyle=(0, (1, 2)), label="confidence = accuracy")
    ends = found.lows[filled], found.highs[filled]
    axes.vlines(confidences, *ends, color=canvas.COLOURS[0], linewidth=1.0, label="95% interval")
    axes.plot(confidences, accuracies, "o-", color=canvas.COLOURS[0], markersize=5, label="predictions")
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.03, 1.03)
    axes.grid(alpha=0.3)
    axes.tick_params(labelbottom=False)
    axes.set_ylabel("share that is right", size=canvas.SIZE)
    axes.legend(loc="upper left", fontsize=canvas.SIZE, frameon=False)


def _draw_counts(axes: Any, found: calibration.Reliability, total: int) -> None:
    width = found.edges[1]
    axes.bar(found.edges[:-1], found.counts, width, align="edge", color=canvas.COLOURS[-3], edgecolor="white")
    axes.set_xlim(-0.01, 1.01)
    axes.yaxis.set_major_locator(matplotlib.ticker.MaxNLocator(3, integer=True, min_n_ticks=1))
    axes.set_xlabel("confidence: probability of the predicted class", size=canvas.SIZE)
    axes.set_ylabel(f"images of {total}", size=canvas.SIZE)

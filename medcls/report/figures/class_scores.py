"""Scores class by class."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from medcls.evaluation import intervals
from medcls.evaluation.classification import Labels, Numbers
from medcls.report.figures import canvas

WIDTH, FLOOR = 4.2, 0.5  # of the panel, and below it, in inches
ROW, LEAST = 0.34, 0.8  # height of a class, and of the panel at least
SCORES = ("recall", "precision", "f1")
LOOKS = (("o", canvas.COLOURS[0]), ("s", canvas.COLOURS[1]), ("D", canvas.COLOURS[-1]))


def class_scores(labels: Labels, probabilities: Numbers, classes: tuple[str, ...], patients: Any, title: str) -> Any:
    """Return a Figure of each class's recall, precision and F1 with 95% intervals, and its number of images.

    Args:
        labels: of shape (n,).
        probabilities: of shape (n, classes).
        classes: their names.
        patients: the patient of each image, of shape (n,), or None.
        title: of the figure.
    """
    found = intervals.class_scores(labels, probabilities.argmax(axis=1), classes, patients)
    counts = np.bincount(labels, minlength=len(classes))
    axes = _panel([f"{name} ({count})" for name, count in zip(canvas.names(classes), counts, strict=True)], title)
    for score, (marker, colour), shift in zip(SCORES, LOOKS, (-0.22, 0.0, 0.22), strict=True):
        rows = [row for row, name in enumerate(classes) if f"{score}/{name}" in found]
        each = [found[f"{score}/{classes[row]}"] for row in rows]
        ups, values = np.array(rows) + shift, [one["value"] for one in each]
        lows, highs = [one["ci95"][0] for one in each], [one["ci95"][1] for one in each]
        axes.hlines(ups, lows, highs, color=colour, linewidth=1.2)
        label = f"{score.replace('f1', 'F1')} (mean {np.mean(values):.3f})" if values else score
        axes.plot(values, ups, linestyle="", marker=marker, color=colour, markersize=5, label=label)
    axes.set_xlabel("95% intervals; in brackets the class's images", size=canvas.SIZE)
    return _explained(axes, len(SCORES))


def recalls(
    repeats: Mapping[str, Sequence[float]],
    tested: Mapping[str, intervals.Score],
    classes: tuple[str, ...],
    repeat: str,
    title: str,
) -> Any:
    """Return a Figure of how each class's recall differs from fold to fold, and what it is on the held-out part.

    Args:
        repeats: class -> one recall a fold or seed, for the classes that have some.
        tested: class -> recall on the held-out part with its 95% interval, likewise; empty without such a part.
        classes: their names.
        repeat: "fold" or "seed".
        title: of the figure.
    """
    axes = _panel(canvas.names(classes), title)
    points = [(value, row) for row, name in enumerate(classes) for value in repeats.get(name, ())]
    means = [(float(np.mean(repeats[name])), row) for row, name in enumerate(classes) if repeats.get(name)]
    look = {"linestyle": "", "color": canvas.COLOURS[-1]}
    axes.plot(*_unzipped(points), marker="o", markersize=4, alpha=0.5, label=f"a {repeat}", **look)
    axes.plot(*_unzipped(means), marker="|", markersize=14, markeredgewidth=2, label=f"mean of the {repeat}s", **look)
    if tested:
        rows = [row for row, name in enumerate(classes) if name in tested]
        ends = [tested[classes[row]]["ci95"] for row in rows]
        ups, colour = np.array(rows) + 0.22, canvas.COLOURS[0]
        axes.hlines(ups, [low for low, _ in ends], [high for _, high in ends], color=colour, linewidth=1.2)
        values = [tested[classes[row]]["value"] for row in rows]
        axes.plot(values, ups, "D", color=colour, markersize=5, label="held-out part, 95% interval")
    axes.set_xlabel("recall", size=canvas.SIZE)
    return _explained(axes, 3)


def _unzipped(points: Sequence[tuple[float, int]]) -> tuple[list[float], list[int]]:
    return [value for value, _ in points], [row for _, row in points]


def _panel(names: Sequence[str], title: str) -> Any:
    """Axes with a row for each name, the first on top."""
    left, height = 0.25 + canvas.text_width(names), max(LEAST, ROW * len(names))
    figure = canvas.sheet(left + WIDTH + 0.2, FLOOR + height + 0.3, title)
    axes = canvas.panel(figure, left, FLOOR, WIDTH, height)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(-0.02, 1.02)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    for row in range(1, len(names), 2):
        axes.axhspan(row - 0.5, row + 0.5, color="0.96", zorder=0)
    axes.tick_params(axis="y", length=0)
    return axes


def _explained(axes: Any, columns: int) -> Any:
    """The finished Figure, with a legend above the panel."""
    place = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "borderaxespad": 0.2}
    axes.legend(ncols=columns, fontsize=canvas.SIZE - 1, frameon=False, columnspacing=1.0, handletextpad=0.3, **place)
    return axes.figure

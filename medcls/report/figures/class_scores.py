"""Scores class by class: recall, precision and F1 of one run, and the recalls of repeats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from medcls.evaluation import intervals
from medcls.evaluation.classification import Labels, Numbers
from medcls.evaluation.summary import TestScore
from medcls.report.figures import canvas
from medcls.utils.lazy import matplotlib

WIDTH, FLOOR = 4.2, 0.5  # of the panel, and below it, in inches
ROW, LEAST = 0.34, 0.8  # height of a class, and of the panel at least
SCORES = ("recall", "precision", "f1")
LOOKS = (("o", canvas.COLOURS[0]), ("s", canvas.COLOURS[1]), ("D", canvas.COLOURS[-1]))
SHIFT = 0.22  # of a row, between the scores of a class


def class_scores(
    labels: Labels,
    probabilities: Numbers,
    classes: tuple[str, ...],
    patients: NDArray[np.str_] | None,
    title: str,
) -> matplotlib.figure.Figure:
    """Draw recall, precision and F1 of each class with their 95% intervals, and the class's number of images.

    Args:
        labels: the true classes, of shape (n,).
        probabilities: the predicted ones, of shape (n, classes).
        classes: the names of the classes.
        patients: the patient of each image, of shape (n,), or None.
        title: of the figure.
    """
    scores = intervals.class_scores(labels, probabilities.argmax(axis=1), classes, patients)
    counts = np.bincount(labels, minlength=len(classes))
    names = [f"{name} ({count})" for name, count in zip(canvas.names(classes), counts, strict=True)]
    figure, axes = _panel(names, title)
    for score, (marker, colour), shift in zip(SCORES, LOOKS, (-SHIFT, 0.0, SHIFT), strict=True):
        of_classes = {name: scores[f"{score}/{name}"] for name in classes if f"{score}/{name}" in scores}
        label = score.replace("f1", "F1")
        if of_classes:
            label += f" (mean {np.mean([class_score.value for class_score in of_classes.values()]):.3f})"
        _draw_intervals(axes, classes, of_classes, shift, marker, colour, label)
    axes.set_xlabel("95% intervals; number of images in brackets", size=canvas.SIZE)
    canvas.legend_above(axes, len(SCORES))
    return figure


def recalls(
    repeats: Mapping[str, Sequence[float]],
    tested: Mapping[str, TestScore],
    classes: tuple[str, ...],
    repeat: str,
    title: str,
) -> matplotlib.figure.Figure:
    """Draw how the recall of each class differs between repeats, and the recall on the test set.

    Args:
        repeats: class -> the recall of each fold or seed, for the classes that have any.
        tested: class -> the recall on the test set with its 95% interval; empty if there is no test set.
        classes: the names of the classes.
        repeat: "fold" or "seed".
        title: of the figure.
    """
    figure, axes = _panel(canvas.names(classes), title)
    values: list[float] = []
    rows: list[int] = []
    means: list[float] = []
    mean_rows: list[int] = []
    for row, name in enumerate(classes):
        of_class = repeats.get(name, ())
        values += of_class
        rows += [row] * len(of_class)
        if of_class:
            means.append(float(np.mean(of_class)))
            mean_rows.append(row)
    grey = canvas.COLOURS[-1]
    axes.plot(values, rows, linestyle="", color=grey, marker="o", markersize=4, alpha=0.5, label=f"one {repeat}")
    label = f"mean of the {repeat}s"
    axes.plot(means, mean_rows, linestyle="", color=grey, marker="|", markersize=14, markeredgewidth=2, label=label)
    if tested:
        _draw_intervals(axes, classes, tested, SHIFT, "D", canvas.COLOURS[0], "test set, 95% interval")
    axes.set_xlabel("recall", size=canvas.SIZE)
    canvas.legend_above(axes, 3)
    return figure


def _draw_intervals(
    axes: matplotlib.axes.Axes,
    classes: tuple[str, ...],
    scores: Mapping[str, TestScore],
    shift: float,
    marker: str,
    colour: str,
    label: str,
) -> None:
    """Draw one score of every class that has it, with its interval, a shift below the middle of the class's row."""
    heights, values, lows, highs = [], [], [], []
    for row, name in enumerate(classes):
        if name in scores:
            low, high = scores[name].ci95
            heights.append(row + shift)
            values.append(scores[name].value)
            lows.append(low)
            highs.append(high)
    axes.hlines(heights, lows, highs, color=colour, linewidth=1.2)
    axes.plot(values, heights, linestyle="", marker=marker, color=colour, markersize=5, label=label)


def _panel(names: Sequence[str], title: str) -> tuple[matplotlib.figure.Figure, matplotlib.axes.Axes]:
    """Return a figure and its axes, with a row for each name, the first on top."""
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
    return figure, axes

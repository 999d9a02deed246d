"""Confusion matrices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medcls.report.figures import canvas
from medcls.utils.lazy import matplotlib

VERY_FEW, FEW, MANY = 4, 10, 40  # classes up to which cells are large, have percentages, have numbers at all


def confusion_matrix(matrix: NDArray[np.integer], classes: tuple[str, ...], title: str) -> matplotlib.figure.Figure:
    """Draw how many images of each class were predicted as which class, with percentages of each row.

    With more than ten classes, percentages and zeros are shown by the colours alone; with more than 40, all numbers.

    Args:
        matrix: counts of shape (classes, classes): rows are true, columns predicted.
        classes: the names of the classes.
        title: of the figure.
    """
    count, names = len(classes), canvas.names(classes)
    cell = _cell(count)
    side, names_width = count * cell, canvas.text_width(names)
    horizontal = names_width <= cell - 0.1
    floor = 0.4 + (0.17 if horizontal else names_width)
    figure = canvas.sheet(0.4 + names_width + side + 0.15, floor + side + 0.1, title)
    axes = canvas.panel(figure, 0.4 + names_width, floor, side, side)
    shares = matrix / np.maximum(matrix.sum(axis=1), 1)[:, None]
    axes.imshow(shares, cmap=canvas.blues(), vmin=0.0, vmax=1.0)
    if count <= MANY:
        _write_numbers(axes, matrix, shares)
    axes.set_xticks(range(count), names, rotation=0 if horizontal else 90)
    axes.set_yticks(range(count), names)
    axes.tick_params(length=2, labelsize=canvas.SIZE if count <= MANY else 7)
    axes.set_xlabel("predicted", size=canvas.SIZE)
    axes.set_ylabel("true", size=canvas.SIZE)
    return figure


def _cell(count: int) -> float:
    """Return the side of a cell in inches."""
    if count <= VERY_FEW:
        return 0.8
    if count <= FEW:
        return 0.52
    return 0.36 if count <= MANY else 0.16


def _write_numbers(axes: matplotlib.axes.Axes, matrix: NDArray[np.integer], shares: NDArray[np.float64]) -> None:
    count, totals = len(matrix), matrix.sum(axis=1)
    size = 12 if count <= VERY_FEW else 9 if count <= FEW else 7
    for row in range(count):
        for column in range(count):
            number = int(matrix[row, column])
            if count <= FEW:
                text = f"{number}\n{_percent(number, int(totals[row]))}"
            elif number:
                text = f"{number}"
            else:
                continue
            colour = "white" if shares[row, column] > 0.65 else "black"
            axes.text(column, row, text, color=colour, size=size, ha="center", va="center")


def _percent(count: int, total: int) -> str:
    """Return a fraction in whole percent: 0% only if none are counted, 100% only if all are."""
    if total == 0:
        return "-"
    if 0 < count < 0.005 * total:
        return "<1%"
    if 0.995 * total < count < total:
        return ">99%"
    return f"{count / total:.0%}"

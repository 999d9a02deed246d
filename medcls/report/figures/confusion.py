"""Confusion matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from medcls.report.figures import canvas
from medcls.utils.lazy import matplotlib

ACROSS, GAP = 4, 0.25  # matrices in a row, and inches between two
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
    _draw(axes, matrix, names, upright=horizontal)
    axes.set_ylabel("true", size=canvas.SIZE)
    return figure


def side_by_side(
    matrices: Mapping[str, NDArray[np.integer]], classes: tuple[str, ...], title: str
) -> matplotlib.figure.Figure:
    """Draw the confusion matrices of several variants, up to four in a row, each as `confusion_matrix` draws one.

    Args:
        matrices: variant -> counts of shape (classes, classes): rows are true, columns predicted.
        classes: the names of the classes.
        title: of the figure.
    """
    count, names = len(classes), canvas.names(classes)
    side, names_width = count * _cell(count), canvas.text_width(names)
    horizontal = names_width <= _cell(count) - 0.1
    floor = 0.4 + (0.17 if horizontal else names_width)
    across = min(ACROSS, len(matrices))
    high, left = floor + side + 0.3, 0.4 + names_width
    rows = -(-len(matrices) // across)
    figure = canvas.sheet(left + across * (side + GAP), rows * high, title)
    for place, (variant, matrix) in enumerate(matrices.items()):
        row, column = divmod(place, across)
        axes = canvas.panel(figure, left + column * (side + GAP), (rows - 1 - row) * high + floor, side, side)
        _draw(axes, matrix, names, upright=horizontal)
        axes.set_title(canvas.fitting(canvas.plain(variant), side), size=canvas.SIZE, pad=4)
        if column:
            axes.set_yticklabels([])
        else:
            axes.set_ylabel("true", size=canvas.SIZE)
    return figure


def _draw(axes: matplotlib.axes.Axes, matrix: NDArray[np.integer], names: Sequence[str], *, upright: bool) -> None:
    """Draw one matrix into its panel.

    Args:
        axes: the panel.
        matrix: counts of shape (classes, classes).
        names: of the classes, as they are drawn.
        upright: whether the names below the matrix are written horizontally.
    """
    count = len(matrix)
    shares = matrix / np.maximum(matrix.sum(axis=1), 1)[:, None]
    axes.imshow(shares, cmap=canvas.blues(), vmin=0.0, vmax=1.0)
    if count <= MANY:
        _write_numbers(axes, matrix, shares)
    axes.set_xticks(range(count), names, rotation=0 if upright else 90)
    axes.set_yticks(range(count), names)
    axes.tick_params(length=2, labelsize=canvas.SIZE if count <= MANY else 7)
    axes.set_xlabel("predicted", size=canvas.SIZE)


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

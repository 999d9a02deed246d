"""The confusion matrix."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.report.figures import canvas

FEW, MANY = 10, 40  # classes up to which percentages, and numbers at all, find room in a cell


def confusion_matrix(matrix: NDArray[np.integer], classes: tuple[str, ...], title: str) -> Any:
    """Return a Figure of how many images of each class were taken for which, with percentages of each row.

    With more than ten classes the percentages, and the zeros, are left to the colours.

    Args:
        matrix: counts of shape (classes, classes): rows are true, columns predicted.
        classes: their names.
        title: of the figure.
    """
    count, shown = len(classes), canvas.names(classes)
    side = count * (0.8 if count <= 4 else 0.52 if count <= FEW else 0.36 if count <= MANY else 0.16)
    names = canvas.text_width(shown)
    across = names <= side / count - 0.1
    floor = 0.4 + (0.17 if across else names)
    figure = canvas.sheet(0.4 + names + side + 0.15, floor + side + 0.1, title)
    axes = canvas.panel(figure, 0.4 + names, floor, side, side)
    totals = matrix.sum(axis=1)
    shares = matrix / np.maximum(totals, 1)[:, None]
    axes.imshow(shares, cmap=canvas.blues(), vmin=0.0, vmax=1.0)
    size = 12 if count <= 4 else 9 if count <= FEW else 7
    for row, column in np.ndindex(count, count) if count <= MANY else ():
        number = int(matrix[row, column])
        if number or count <= FEW:
            text = f"{number}\n{_percent(number, int(totals[row]))}" if count <= FEW else f"{number}"
            colour = "white" if shares[row, column] > 0.65 else "black"
            axes.text(column, row, text, color=colour, size=size, ha="center", va="center")
    axes.set_xticks(range(count), shown, rotation=0 if across else 90)
    axes.set_yticks(range(count), shown)
    axes.tick_params(length=2, labelsize=canvas.SIZE if count <= MANY else 7)
    axes.set_xlabel("predicted", size=canvas.SIZE)
    axes.set_ylabel("true", size=canvas.SIZE)
    return figure


def _percent(count: int, total: int) -> str:
    """The share in whole percent, which says 0% and 100% of nothing and everything alone."""
    if total == 0:
        return "-"
    if 0 < count < 0.005 * total:
        return "<1%"
    if 0.995 * total < count < total:
        return ">99%"
    return f"{count / total:.0%}"

"""Sanity checks of saliency maps: what random weights make of them, and their deletion and insertion curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.explain.faithfulness import area
from medcls.report.figures import canvas
from medcls.utils.lazy import matplotlib

WIDE, HIGH, LEFT, FLOOR, GAP = 2.7, 2.2, 0.7, 1.1, 0.6  # inches

Arrays = Mapping[str, NDArray[Any]]
Curves = NDArray[np.floating]  # of shape (n, points)


def trust(arrays: Arrays, title: str) -> matplotlib.figure.Figure:
    """Draw three panels: similarity of the maps under random weights, deletion curves, insertion curves.

    Args:
        arrays: as `medcls.explain.heat_maps` returns them for maps that were tested.
        title: of the figure.
    """
    figure = canvas.sheet(LEFT + 3 * WIDE + 2 * GAP + 0.15, FLOOR + HIGH + 0.25 + canvas.legend_height(2, 1), title)
    panels = [canvas.panel(figure, LEFT + column * (WIDE + GAP), FLOOR, WIDE, HIGH) for column in range(3)]
    _draw_similarity(panels[0], arrays)
    deletion, random_deletion = arrays["deletion"], arrays["random_deletion"]
    _draw_curves(panels[1], "deletion: probability", "fraction of the pixels removed", deletion, random_deletion)
    insertion, random_insertion = arrays["insertion"], arrays["random_insertion"]
    _draw_curves(panels[2], "insertion: probability", "fraction of the pixels inserted", insertion, random_insertion)
    return figure


def _draw_similarity(axes: matplotlib.axes.Axes, arrays: Arrays) -> None:
    stages = ["trained"]
    stages += [canvas.shortened(canvas.plain(str(layer)), 15) for layer in arrays["down_to"]]
    for name, label, colour in (
        ("ranks", "rank correlation", canvas.COLOURS[0]),
        ("likeness", "structural similarity", canvas.COLOURS[1]),
    ):
        values = np.concatenate([np.ones((1, arrays[name].shape[1])), arrays[name]])
        _draw_band(axes, np.arange(len(stages)), values.T, label, colour)
    axes.set_xticks(range(len(stages)), stages, rotation=60, ha="right", size=canvas.SIZE - 2)
    axes.set_ylim(-1.02, 1.02)
    axes.axhline(0, color="black", linewidth=0.6)
    _finish(axes, "similarity with random weights down to")


def _draw_curves(axes: matplotlib.axes.Axes, title: str, x_label: str, of_maps: Curves, of_random_maps: Curves) -> None:
    fractions = np.linspace(0, 1, of_maps.shape[1])
    for curves, name, colour in (
        (of_maps, "saliency maps", canvas.COLOURS[0]),
        (of_random_maps, "random maps", canvas.COLOURS[7]),
    ):
        _draw_band(axes, fractions, curves, f"{name}: area {area(curves).mean():.2f}", colour)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel(x_label, size=canvas.SIZE)
    _finish(axes, title)


def _draw_band(axes: matplotlib.axes.Axes, x: NDArray[Any], curves: Curves, label: str, colour: str) -> None:
    """Draw the mean of curves, of shape (n, points), with a band of one standard deviation."""
    mean, spread = curves.mean(axis=0), curves.std(axis=0)
    axes.plot(x, mean, color=colour, label=label)
    axes.fill_between(x, mean - spread, mean + spread, color=colour, alpha=0.15, linewidth=0)


def _finish(axes: matplotlib.axes.Axes, title: str) -> None:
    axes.set_title(title, loc="left", size=canvas.SIZE)
    axes.grid(alpha=0.3)
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.07),  # above the title
        borderaxespad=0.2,
        labelspacing=0.3,
        fontsize=canvas.SIZE - 1,
        frameon=False,
    )

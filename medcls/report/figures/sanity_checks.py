"""Whether maps can be believed, drawn: what random weights make of them, and what deletion and insertion say."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.explain.faithfulness import area
from medcls.report.figures import canvas

WIDE, HIGH, LEFT, FLOOR, GAP = 2.7, 2.2, 0.7, 1.1, 0.6  # inches

Arrays = Mapping[str, NDArray[Any]]


def trust(arrays: Arrays, title: str) -> Any:
    """Return a Figure of what `heat_maps` has checked: similarity under random weights, deletion, insertion."""
    figure = canvas.sheet(LEFT + 3 * WIDE + 2 * GAP + 0.15, FLOOR + HIGH + 0.3, title)
    first, *others = [canvas.panel(figure, LEFT + n * (WIDE + GAP), FLOOR, WIDE, HIGH) for n in range(3)]
    _similarity(first, arrays)
    for axes, kind in zip(others, ("deletion", "insertion"), strict=True):
        _followed(axes, kind, arrays[kind], arrays[f"random_{kind}"])
    return figure


def _similarity(axes: Any, arrays: Arrays) -> None:
    names = ["trained", *(canvas.shortened(canvas.plain(str(name)), 15) for name in arrays["down_to"])]
    for name, label, colour in (
        ("ranks", "rank correlation", canvas.COLOURS[0]),
        ("likeness", "structural similarity", canvas.COLOURS[1]),
    ):
        values = np.concatenate([np.ones((1, arrays[name].shape[1])), arrays[name]])
        _band(axes, np.arange(len(names)), values.T, label, colour)
    axes.set_xticks(range(len(names)), names, rotation=60, ha="right", size=canvas.SIZE - 2)
    axes.set_ylim(-1.02, 1.02)
    axes.axhline(0, color="black", linewidth=0.6)
    _dress(axes, "random from the head down to")


def _followed(axes: Any, kind: str, heat: NDArray[np.float32], random: NDArray[np.float32]) -> None:
    shares = np.linspace(0, 1, heat.shape[1])
    for values, label, colour in (
        (heat, "by the maps", canvas.COLOURS[0]),
        (random, "by random maps", canvas.COLOURS[7]),
    ):
        _band(axes, shares, values, f"{label}: area {area(values).mean():.2f}", colour)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel(f"share of the pixels {'taken away' if kind == 'deletion' else 'put in'}", size=canvas.SIZE)
    _dress(axes, f"{kind}: probability")


def _band(axes: Any, x: NDArray[Any], values: NDArray[Any], label: str, colour: str) -> None:
    """Draw the mean of curves, of shape (n, points), within one standard deviation."""
    mean, spread = values.mean(axis=0), values.std(axis=0)
    axes.plot(x, mean, color=colour, label=label)
    axes.fill_between(x, mean - spread, mean + spread, color=colour, alpha=0.15, linewidth=0)


def _dress(axes: Any, title: str) -> None:
    axes.set_title(title, loc="left", size=canvas.SIZE)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=canvas.SIZE - 1, frameon=False)

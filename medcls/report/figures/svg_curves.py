"""Learning curves of several variants as SVG: each the mean of its repeats with a band, in the page's colours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcls.report.figures.inline_svg import inline_svg
from medcls.utils.lazy import backend_svg, matplotlib

GREY = "#9c9ca1"

Repeats = Sequence[Sequence[float]]  # one curve per repeat, one value per epoch
Curves = Mapping[str, Repeats]  # variant -> its curves
Values = NDArray[np.float64]


@dataclass(frozen=True)
class LegendEntry:
    """An entry of a legend: a name and the colour of its curves."""

    name: str
    colour: str


def mean_and_band(repeats: Repeats) -> tuple[Values, Values, Values]:
    """Return the mean of repeats and the ends of the band of one standard deviation, each of shape (epochs,).

    Each epoch counts the repeats that reached it.

    Args:
        repeats: one curve per repeat; repeats may differ in length.
    """
    longest = max(map(len, repeats))
    table = np.full((len(repeats), longest), np.nan)
    for row, curve in zip(table, repeats, strict=True):
        row[: len(curve)] = curve
    counts = np.isfinite(table).sum(axis=0)
    mean = np.nanmean(table, axis=0)
    squares = np.nansum((table - mean) ** 2, axis=0)
    sd = np.sqrt(squares / np.maximum(counts - 1, 1))
    return mean, mean - sd, mean + sd


@dataclass(frozen=True)
class Quantity:
    """What was measured at each epoch of several variants.

    Attributes:
        name: for a file's name.
        title: of its chart.
        training: variant -> one curve per repeat; may be empty.
        validation: variant -> one curve per repeat.
    """

    name: str
    title: str
    training: Curves
    validation: Curves


def chart(quantity: Quantity, marked: Mapping[str, str]) -> str:
    """Return an SVG of one quantity, drawn by `draw`."""
    figure = matplotlib.figure.Figure(figsize=(4.9, 3.0))
    backend_svg.FigureCanvasSVG(figure)
    axes = figure.add_axes((0.145, 0.155, 0.835, 0.755))  # a layout engine would draw it twice
    draw(axes, quantity, marked)
    return inline_svg(figure)


def draw(axes: matplotlib.axes.Axes, quantity: Quantity, marked: Mapping[str, str]) -> None:
    """Draw for each variant the mean of its repeats with a band, training dashed and validation solid.

    Args:
        axes: where.
        quantity: what was measured.
        marked: variant -> its colour; it has a band, too. The validation curves of other variants are drawn in grey.
    """
    for variant, colour in marked.items():
        if quantity.training.get(variant):
            _draw(axes, quantity.training[variant], colour, "--")
        if quantity.validation.get(variant):
            _draw(axes, quantity.validation[variant], colour, "-")
    for variant, repeats in quantity.validation.items():
        if variant not in marked:
            _draw_grey(axes, repeats)
    axes.set_title(quantity.title)
    axes.set_xlabel("epoch")
    axes.tick_params(labelsize=9)
    axes.grid(alpha=0.25)
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True, min_n_ticks=1))


def legend(validation: Iterable[str], marked: Mapping[str, str]) -> list[LegendEntry]:
    """Return the legend of charts, which the page shows beside them: there it can lie on no curve.

    Args:
        validation: the variants that have curves.
        marked: variant -> its colour, of those that have one.
    """
    entries = [LegendEntry(variant, colour) for variant, colour in marked.items()]
    others = [variant for variant in validation if variant not in marked]
    if others:
        entries.append(LegendEntry(others[0] if len(others) == 1 else f"{len(others)} others", GREY))
    return entries


def _draw(axes: matplotlib.axes.Axes, repeats: Repeats, colour: str, style: str) -> None:
    mean, low, high = mean_and_band(repeats)
    epochs = np.arange(1, len(mean) + 1)
    axes.plot(epochs, mean, color=colour, linestyle=style, linewidth=1.4, marker=_marker(mean), zorder=2.0)
    if len(repeats) > 1:
        axes.fill_between(epochs, low, high, color=colour, alpha=0.18, linewidth=0)


def _draw_grey(axes: matplotlib.axes.Axes, repeats: Repeats) -> None:
    """Draw the mean of repeats behind the coloured curves, without a band."""
    mean, _, _ = mean_and_band(repeats)
    epochs = np.arange(1, len(mean) + 1)
    axes.plot(epochs, mean, color=GREY, linestyle="-", linewidth=0.8, marker=_marker(mean), zorder=1.5)


def _marker(mean: Values) -> str | None:
    """Return the marker of a curve: a curve of a single epoch would be invisible without one."""
    return "o" if len(mean) == 1 else None

"""Curves of several variants over the epochs, each the mean of its repeats with a band: SVG in the page's colours."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from medcls.utils.lazy import backend_svg, matplotlib

INK = "#010203"  # stands for the page's own text colour
# Petroff, Accessible color sequences for data visualization (2021); darkest left out, as the page may be dark.
COLOURS = ("#5790fc", "#f89c20", "#e42536", "#964a8b", "#7a21dd")
GREY = "#9c9ca1"  # of the same sequence

Curves = Mapping[str, Sequence[Sequence[float]]]


def mean_and_band(repeats: Sequence[Sequence[float]]) -> tuple[Any, Any, Any]:
    """Return mean, lower and upper end (mean -+ standard deviation), each of shape (epochs,), over one curve a repeat.

    Repeats that stopped early are left out behind their ends.
    """
    longest = max(map(len, repeats))
    table = np.full((len(repeats), longest), np.nan)
    for row, curve in zip(table, repeats, strict=True):
        row[: len(curve)] = curve
    there = np.isfinite(table).sum(axis=0)
    mean = np.nanmean(table, axis=0)
    squares = np.nansum((table - mean) ** 2, axis=0)
    sd = np.sqrt(squares / np.maximum(there - 1, 1))
    return mean, mean - sd, mean + sd


def chart(name: str, training: Curves, validation: Curves, marked: Sequence[str]) -> str:
    """Return an SVG of one quantity: per variant the mean of its repeats, training dashed and validation full.

    Args:
        name: what is drawn.
        training: variant -> one curve a repeat; may be empty.
        validation: likewise.
        marked: the variants with a colour and a band of their own, no more than there are `COLOURS`; of the others,
            the validation curves are drawn in grey.
    """
    figure = matplotlib.figure.Figure(figsize=(6.4, 3.4))
    backend_svg.FigureCanvasSVG(figure)
    axes = figure.add_axes((0.135, 0.14, 0.845, 0.77))  # a layout engine would draw it twice
    others = [variant for variant in validation if variant not in marked]
    for variant, colour in zip(marked, COLOURS, strict=False):
        for curves, style in ((training, "--"), (validation, "-")):
            if curves.get(variant):
                _draw(axes, curves[variant], colour, style, variant if curves is validation else "")
    for number, variant in enumerate(others):
        label = "" if number else variant if len(others) == 1 else f"{len(others)} others"
        _draw(axes, validation[variant], GREY, "-", label, behind=True)
    _style(axes, name)
    return _inline(figure)


def _draw(
    axes: Any, repeats: Sequence[Sequence[float]], colour: str, style: str, label: str, *, behind: bool = False
) -> None:
    mean, low, high = mean_and_band(repeats)
    epochs = np.arange(1, len(mean) + 1)
    marker = "o" if len(mean) == 1 else None
    width, order = (0.8, 1.5) if behind else (1.4, 2.0)
    look = {"color": colour, "linestyle": style, "linewidth": width, "marker": marker, "zorder": order}
    axes.plot(epochs, mean, label=label or None, **look)
    if len(repeats) > 1 and not behind:
        axes.fill_between(epochs, low, high, color=colour, alpha=0.18, linewidth=0)


def _style(axes: Any, name: str) -> None:
    axes.set_title(name, color=INK)
    axes.set_xlabel("epoch", color=INK)
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(alpha=0.25)
    axes.tick_params(colors=INK, labelsize=9)
    for spine in axes.spines.values():
        spine.set_color(INK)
        spine.set_alpha(0.4)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(labelcolor=INK, frameon=False, fontsize=9)


def _inline(figure: Any) -> str:
    """Return the figure as an <svg> element without size, so that the page scales it, in the page's colours."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace(INK, "currentColor")
    head, _, rest = text.partition(">")
    kept = [part for part in head.split('" ') if not part.startswith(("width=", "height="))]
    return '" '.join(kept) + ">" + rest

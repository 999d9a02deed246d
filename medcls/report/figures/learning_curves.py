"""Learning curves of one run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from medcls.report.figures import canvas
from medcls.utils.lazy import matplotlib

WIDTH, HEIGHT, GAP = 2.7, 2.4, 0.65  # of a panel and between two, in inches
FLOOR, LEAST = 0.5, 4.2  # below the panels; the sheet's width at least, for the legend
TRAINING, VALIDATION, TEST = canvas.COLOURS[0], canvas.COLOURS[1], canvas.COLOURS[-1]
RATE = "learning_rate"

History = Mapping[str, Sequence[float]]


def learning_curves(history: History, best_epoch: int | None, title: str) -> matplotlib.figure.Figure:
    """Draw the loss and every metric over the epochs: training dashed, validation solid, test dotted.

    Args:
        history: one value per epoch of the loss and of the metrics ("loss", "accuracy", ...), of the validation set
            ("val_loss", ...), of the test set where it was followed ("test_loss", ...), and of "learning_rate", which
            is drawn last on a logarithmic axis.
        best_epoch: the epoch whose weights the run keeps, counted from 0 as in the history; None to mark no epoch.
        title: of the figure.
    """
    names: list[str] = []
    for curve in history:
        name = curve.removeprefix("val_").removeprefix("test_")
        if name != RATE and name not in names:
            names.append(name)
    has_rates = any(rate > 0 for rate in history.get(RATE, ()))
    count = len(names) + 1 if has_rates else len(names)
    figure = canvas.sheet(max(LEAST, count * (WIDTH + GAP) + 0.15), FLOOR + HEIGHT + 0.6, title)
    panels = [canvas.panel(figure, GAP + column * (WIDTH + GAP), FLOOR, WIDTH, HEIGHT) for column in range(count)]
    for axes, name in zip(panels, names, strict=False):
        _draw_metric(axes, name, history, best_epoch)
    if has_rates:
        _draw_rates(panels[-1], history[RATE], best_epoch)
    if names:
        panels[0].legend(
            loc="lower left",
            bbox_to_anchor=(0.0, 1.1),
            borderaxespad=0.0,
            ncols=3,
            fontsize=canvas.SIZE,
            frameon=False,
            handlelength=1.6,
            columnspacing=1.2,
        )
    return figure


def _draw_metric(axes: matplotlib.axes.Axes, name: str, history: History, best_epoch: int | None) -> None:
    training, validation = history.get(name, ()), history.get(f"val_{name}", ())
    if training:
        _draw_curve(axes, training, TRAINING, "--", "training")
    if validation:
        _draw_curve(axes, validation, VALIDATION, "-", "validation")
    if f"test_{name}" in history:
        _draw_curve(axes, history[f"test_{name}"], TEST, ":", "test")
    if best_epoch is not None:
        _mark_epoch(axes, best_epoch)
        curve, colour = (validation, VALIDATION) if validation else (training, TRAINING)
        if best_epoch < len(curve) and math.isfinite(curve[best_epoch]):
            axes.plot([best_epoch + 1], [curve[best_epoch]], "o", color=colour, markersize=5)
            axes.set_title(f"{curve[best_epoch]:.3f}", loc="right", size=canvas.SIZE)
    axes.set_title(name.replace("_", " "), loc="left", size=canvas.TITLE)
    axes.set_xlabel("epoch", size=canvas.SIZE)


def _draw_rates(axes: matplotlib.axes.Axes, rates: Sequence[float], best_epoch: int | None) -> None:
    _draw_curve(axes, rates, canvas.COLOURS[-1], "-", None)
    axes.lines[0].set_drawstyle("steps-mid")
    if best_epoch is not None:
        _mark_epoch(axes, best_epoch)
    axes.set_yscale("log")
    ends = sorted({min(rate for rate in rates if rate > 0), max(rates)})
    axes.set_yticks(ends, [f"{rate:.2g}" for rate in ends])
    axes.yaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    axes.set_title("learning rate", loc="left", size=canvas.TITLE)
    axes.set_xlabel("epoch", size=canvas.SIZE)


def _draw_curve(
    axes: matplotlib.axes.Axes, values: Sequence[float], colour: str, linestyle: str, label: str | None
) -> None:
    """Draw one value per epoch over the epochs, counted from 1."""
    count = len(values)
    marker = "o" if count == 1 else None
    axes.plot(range(1, count + 1), values, color=colour, linestyle=linestyle, label=label, marker=marker)
    axes.set_xlim(0.5, count + 0.5)
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(alpha=0.3)


def _mark_epoch(axes: matplotlib.axes.Axes, best_epoch: int) -> None:
    label = f"best epoch: {best_epoch + 1}"
    axes.axvline(best_epoch + 1, color="black", linewidth=0.8, linestyle=":", label=label)

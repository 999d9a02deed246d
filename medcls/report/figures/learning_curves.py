"""Learning curves."""

import math
from typing import Any

from medcls.report.figures import canvas
from medcls.utils.lazy import matplotlib

WIDTH, HEIGHT, GAP = 2.7, 2.4, 0.65  # of a panel and between two, in inches
FLOOR, LEAST = 0.5, 4.2  # below the panels; the sheet's width at least, for the legend
TRAINING, VALIDATION = canvas.COLOURS[0], canvas.COLOURS[1]


def learning_curves(history: dict[str, list[float]], best_epoch: int | None, title: str) -> Any:
    """Return a Figure of the loss and every metric over the epochs, training dashed and validation full.

    Args:
        history: one value an epoch for loss and metrics, for the same on validation and on the test part ("val_" and
            "test_" before the name), and for learning_rate, which is drawn last on a logarithmic axis.
        best_epoch: the epoch whose weights the run keeps, counted from 0 as in the history, or None.
        title: of the figure.
    """
    found = (name.removeprefix("val_").removeprefix("test_") for name in history if name != "learning_rate")
    names = list(dict.fromkeys(found))
    rates = [rate for rate in history.get("learning_rate", []) if rate > 0]
    count = len(names) + bool(rates)
    figure = canvas.sheet(max(LEAST, count * (WIDTH + GAP) + 0.15), FLOOR + HEIGHT + 0.6, title)
    panels = [canvas.panel(figure, GAP + column * (WIDTH + GAP), FLOOR, WIDTH, HEIGHT) for column in range(count)]
    for axes, name in zip(panels, names, strict=False):
        _draw_metric(axes, name, history, best_epoch)
    if rates:
        _draw_rates(panels[-1], history["learning_rate"], best_epoch)
    if names:
        place = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.1), "borderaxespad": 0.0, "ncols": 3}
        panels[0].legend(fontsize=canvas.SIZE, frameon=False, handlelength=1.6, columnspacing=1.2, **place)
    return figure


def _draw_metric(axes: Any, name: str, history: dict[str, list[float]], best_epoch: int | None) -> None:
    training, validation = history.get(name, []), history.get(f"val_{name}", [])
    if training:
        _draw_curve(axes, training, color=TRAINING, linestyle="--", label="training")
    if validation:
        _draw_curve(axes, validation, color=VALIDATION, linestyle="-", label="validation")
    if f"test_{name}" in history:
        _draw_curve(axes, history[f"test_{name}"], color=canvas.COLOURS[-1], linestyle=":", label="test")
    if best_epoch is not None:
        _mark(axes, best_epoch)
        kept = (validation or training)[best_epoch : best_epoch + 1]
        if kept and math.isfinite(kept[0]):
            axes.plot([best_epoch + 1], kept, "o", color=VALIDATION if validation else TRAINING, markersize=5)
            axes.set_title(f"{kept[0]:.3f}", loc="right", size=canvas.SIZE)
    axes.set_title(name.replace("_", " "), loc="left", size=canvas.TITLE)
    axes.set_xlabel("epoch", size=canvas.SIZE)


def _draw_rates(axes: Any, rates: list[float], best_epoch: int | None) -> None:
    _draw_curve(axes, rates, color=canvas.COLOURS[-1], drawstyle="steps-mid")
    if best_epoch is not None:
        _mark(axes, best_epoch)
    axes.set_yscale("log")
    ends = sorted({min(rate for rate in rates if rate > 0), max(rates)})
    axes.set_yticks(ends, [f"{rate:.2g}" for rate in ends])
    axes.yaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    axes.set_title("learning rate", loc="left", size=canvas.TITLE)
    axes.set_xlabel("epoch", size=canvas.SIZE)


def _draw_curve(axes: Any, values: list[float], **style: Any) -> None:
    """One value an epoch, counted from 1."""
    count = len(values)
    axes.plot(range(1, count + 1), values, marker="o" if count == 1 else None, **style)
    axes.set_xlim(0.5, count + 0.5)
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(alpha=0.3)


def _mark(axes: Any, best_epoch: int) -> None:
    label = f"best epoch: {best_epoch + 1}"
    axes.axvline(best_epoch + 1, color="black", linewidth=0.8, linestyle=":", label=label)

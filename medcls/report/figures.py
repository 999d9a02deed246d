"""Learning curves and confusion matrices as matplotlib figures, without pyplot and its global state."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.lazy import lazy

agg = lazy("matplotlib.backends.backend_agg")
figures = lazy("matplotlib.figure")
ticker = lazy("matplotlib.ticker")


def learning_curves(history: dict[str, list[float]], best_epoch: int | None, title: str) -> Any:
    """Return a Figure of the loss and every metric over the epochs, training dashed and validation full.

    Args:
        history: one value an epoch for loss and metrics, for the same on validation ("val_" before the name),
            and for learning_rate, which is drawn below on a logarithmic axis.
        best_epoch: the epoch whose weights the run keeps, counted from 0 as in the history, or None.
        title: of the figure.
    """
    names = list(dict.fromkeys(name.removeprefix("val_") for name in history if name != "learning_rate"))
    columns = max(1, len(names))
    rates = history.get("learning_rate", [])
    has_rates = any(rate > 0 for rate in rates)
    figure = _figure(3.6 * columns + 0.6, 4.4 if has_rates else 3.6, title)
    grid = figure.add_gridspec(1 + has_rates, columns, height_ratios=[5, 1] if has_rates else [1])
    for column, name in enumerate(names):
        axes = figure.add_subplot(grid[0, column])
        _draw_metric(axes, name, history, best_epoch)
        if column == 0:
            axes.legend()
    if has_rates:
        _draw_rates(figure.add_subplot(grid[1, :]), rates, best_epoch)
    return figure


def confusion_matrix(matrix: NDArray[np.integer], classes: tuple[str, ...], title: str) -> Any:
    """Return a Figure of how many images of each class were taken for which, with percentages of each row.

    Args:
        matrix: counts of shape (classes, classes): rows are true, columns predicted.
        classes: their names.
        title: of the figure.
    """
    count = len(classes)
    side = max(2.6, 0.52 * count) + 0.07 * max(len(name) for name in classes) + 1.0
    figure = _figure(side, side, title)
    axes = figure.add_subplot()
    totals = matrix.sum(axis=1)
    shares = matrix / np.maximum(totals, 1)[:, None]
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    size = 12 if count <= 4 else 9 if count <= 10 else 7
    for row, column in np.ndindex(count, count):
        text = f"{matrix[row, column]}\n{_percent(int(matrix[row, column]), int(totals[row]))}"
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, text, color=colour, size=size, ha="center", va="center")
    axes.set_xticks(range(count), classes, rotation=0 if count <= 4 else 90)
    axes.set_yticks(range(count), classes)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    return figure


def save(figure: Any, path: Path) -> None:
    """Write the Figure as a PNG of 100 dots an inch: the same bytes for the same figure."""
    figure.savefig(path, dpi=100, format="png", metadata={"Software": None})


def _figure(width: float, height: float, title: str) -> Any:
    """An empty Figure of this size in inches."""
    figure = figures.Figure(figsize=(width, height), layout="constrained")
    agg.FigureCanvasAgg(figure)
    figure.suptitle(title)
    return figure


def _draw_metric(axes: Any, name: str, history: dict[str, list[float]], best_epoch: int | None) -> None:
    training, validation = history.get(name, []), history.get(f"val_{name}", [])
    if training:
        _draw_curve(axes, training, color="tab:blue", linestyle="--", label="training")
    if validation:
        _draw_curve(axes, validation, color="tab:orange", linestyle="-", label="validation")
    if best_epoch is not None:
        label = f"best epoch: {best_epoch + 1}"
        axes.axvline(best_epoch + 1, color="black", linewidth=0.8, linestyle=":", label=label)
    axes.set_title(name.replace("_", " "))
    axes.set_xlabel("epoch")


def _draw_rates(axes: Any, rates: list[float], best_epoch: int | None) -> None:
    _draw_curve(axes, rates, color="tab:grey", drawstyle="steps-mid")
    if best_epoch is not None:
        axes.axvline(best_epoch + 1, color="black", linewidth=0.8, linestyle=":")
    axes.set_yscale("log")
    ends = sorted({min(rate for rate in rates if rate > 0), max(rates)})
    axes.set_yticks(ends, [f"{rate:.2g}" for rate in ends])
    axes.yaxis.set_minor_locator(ticker.NullLocator())
    axes.set_ylabel("learning\nrate")


def _draw_curve(axes: Any, values: list[float], **style: Any) -> None:
    """One value an epoch, counted from 1."""
    count = len(values)
    axes.plot(range(1, count + 1), values, marker="o" if count == 1 else None, **style)
    axes.set_xlim(0.5, count + 0.5)
    axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(alpha=0.3)


def _percent(count: int, total: int) -> str:
    """The share in whole percent, which says 0% and 100% of nothing and everything alone."""
    if total == 0:
        return "-"
    if 0 < count < 0.005 * total:
        return "<1%"
    if 0.995 * total < count < total:
        return ">99%"
    return f"{count / total:.0%}"

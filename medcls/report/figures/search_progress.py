"""A search as a figure: what its trials scored one after another, and over each parameter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medcls.evaluation.run_record import Scalar
from medcls.evaluation.summary import TrialRecord
from medcls.report.figures import canvas
from medcls.utils.lazy import matplotlib

WIDTH, HEIGHT, GAP = 2.5, 2.2, 0.65  # of a panel, and between two, in inches
FLOOR, ABOVE = 0.5, 0.25  # below and above a panel
ACROSS = 4  # panels in a row
DECADES = 20.0  # times that the largest value is the smallest, from where on an axis is logarithmic
TRIAL, BEST = canvas.COLOURS[0], canvas.COLOURS[1]


def search(trials: Sequence[TrialRecord], score: str, title: str) -> matplotlib.figure.Figure:
    """Draw the score of each completed trial: over the trials with the best so far, and over each parameter.

    Args:
        trials: of the search, at least one of which is complete.
        score: what their values are, in words.
        title: of the figure.
    """
    complete = [trial for trial in trials if trial.value is not None]
    paths = list(dict.fromkeys(path for trial in trials for path in trial.params))
    across = min(ACROSS, len(paths) + 1)
    rows = -(-(len(paths) + 1) // across)
    high = FLOOR + HEIGHT + ABOVE
    figure = canvas.sheet(GAP + across * (WIDTH + GAP) - GAP + 0.15, rows * high, title)
    panels = []
    for place in range(len(paths) + 1):
        row, column = divmod(place, across)
        bottom = (rows - 1 - row) * high + FLOOR
        panels.append(canvas.panel(figure, GAP + column * (WIDTH + GAP), bottom, WIDTH, HEIGHT))
    _draw_progress(panels[0], complete)
    for axes, path in zip(panels[1:], paths, strict=True):
        _draw_parameter(axes, complete, path)
    for axes in panels:
        axes.grid(alpha=0.3)
    for axes in panels[::across]:
        axes.set_ylabel(canvas.plain(score), size=canvas.SIZE)
    return figure


def _draw_progress(axes: matplotlib.axes.Axes, trials: Sequence[TrialRecord]) -> None:
    """Draw the scores over the numbers of the trials, and the best so far as a line."""
    ordered = sorted(trials, key=lambda trial: trial.number)
    numbers = [trial.number for trial in ordered]
    values = [trial.value or 0.0 for trial in ordered]
    axes.step(numbers, np.maximum.accumulate(values), where="post", color=BEST, linewidth=1.2, label="best so far")
    axes.plot(numbers, values, "o", color=TRIAL, markersize=4)
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_title("best so far", loc="right", size=canvas.SIZE, color=BEST)
    axes.set_xlabel("trial", size=canvas.SIZE)


def _draw_parameter(axes: matplotlib.axes.Axes, trials: Sequence[TrialRecord], path: str) -> None:
    """Draw the scores over the values of one parameter, the best trial in another colour."""
    shown = [trial for trial in trials if path in trial.params]
    values = [trial.params[path] for trial in shown]
    places, names = _places(values)
    best = max(shown, key=lambda trial: trial.value or 0.0) if shown else None
    for trial, place in zip(shown, places, strict=True):
        axes.plot([place], [trial.value or 0.0], "o", color=BEST if trial is best else TRIAL, markersize=4)
    if names:
        axes.set_xticks(range(len(names)), [canvas.shortened(canvas.plain(name), 12) for name in names])
        axes.set_xlim(-0.5, len(names) - 0.5)
    elif min(places, default=0.0) > 0 and max(places) > DECADES * min(places):
        axes.set_xscale("log")
    else:
        axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(4))
    axes.set_xlabel(canvas.fitting(canvas.plain(path.removeprefix("learner.")), WIDTH), size=canvas.SIZE)


def _places(values: Sequence[Scalar]) -> tuple[list[float], list[str]]:
    """Return where values lie on an axis, and the names of its ticks where the values are no numbers."""
    numbers = [float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) == len(values):
        return numbers, []
    names = sorted({str(value) for value in values})
    return [float(names.index(str(value))) for value in values], names

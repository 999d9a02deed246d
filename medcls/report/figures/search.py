"""Figures of a search: its history, what each trial was made of, and which parameters mattered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from medcls.evaluation.trial_scores import ScoredTrial
from medcls.report.figures import canvas
from medcls.report.figures.inline_svg import PAPER
from medcls.report.figures.parallel_axes import Axis, axis_of
from medcls.report.figures.svg_curves import GREY
from medcls.utils import palette
from medcls.utils.lazy import matplotlib

PREFIX = "learner."  # every parameter of a search has it, so the figures leave it out
WIDTH, HEIGHT, LEFT, FLOOR = 4.1, 2.4, 0.65, 0.5  # of the history, in inches
COMPLETE, BEST = palette.FIRST[:2]
ROW = 0.3  # inches of a bar
TALL, HEADS = 2.6, 0.62  # of parallel axes, and of their names below, in inches
FAINTEST = 0.3  # how opaque the worst trial is

MakeFigure = Callable[[], "matplotlib.figure.Figure"]


def figures(
    trials: Sequence[ScoredTrial], importances: Mapping[str, float] | None, metric: str
) -> dict[str, MakeFigure]:
    """Return what makes each figure of a search by name: "history", "parallel_coordinates", "importances".

    Args:
        trials: of the search.
        importances: path of a parameter -> its share; None where the trials are too few to tell.
        metric: the score in words.
    """
    drawn: dict[str, MakeFigure] = {"history": lambda: history(trials, metric)}
    if any(trial.is_complete for trial in trials):
        drawn["parallel_coordinates"] = lambda: parallel_coordinates(trials, metric)
    if importances:
        drawn["importances"] = lambda: bars(importances)
    return drawn


def history(trials: Sequence[ScoredTrial], metric: str) -> matplotlib.figure.Figure:
    """Draw the score of each trial in their order with one standard deviation over the folds, and the best so far.

    Args:
        trials: of the search, in any order.
        metric: the score in words.
    """
    figure = canvas.sheet(LEFT + WIDTH + 0.15, FLOOR + HEIGHT + canvas.legend_height(4, 2), "")
    axes = canvas.panel(figure, LEFT, FLOOR, WIDTH, HEIGHT)
    complete = sorted((trial for trial in trials if trial.is_complete), key=lambda trial: trial.number)
    others = [trial for trial in trials if not trial.is_complete and trial.mean is not None]
    _draw_best_so_far(axes, complete)
    for trial in complete:
        if trial.mean is not None and trial.sd is not None:
            ends = (trial.mean - trial.sd, trial.mean + trial.sd)
            axes.plot([trial.number] * 2, ends, "-", color=COMPLETE, alpha=0.45, linewidth=1.2)
    _draw_points(axes, complete, "o", COMPLETE, "mean of the folds")
    _draw_points(axes, others, "x", GREY, "pruned: mean of the folds so far")
    _draw_points(axes, [trial for trial in complete if trial.is_best], "D", BEST, "best")
    numbers = [trial.number for trial in trials]
    axes.set_xlim(min(numbers, default=0) - 0.5, max(numbers, default=0) + 0.5)
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(alpha=0.25)
    axes.set_xlabel("trial", size=canvas.SIZE)
    axes.set_ylabel(canvas.plain(metric), size=canvas.SIZE)
    canvas.legend_above(axes, 2)
    return figure


def _draw_best_so_far(axes: matplotlib.axes.Axes, complete: Sequence[ScoredTrial]) -> None:
    highest: list[float] = []
    for trial in complete:
        assert trial.mean is not None
        highest.append(max([*highest[-1:], trial.mean]))
    numbers = [trial.number for trial in complete]
    axes.plot(numbers, highest, color=BEST, linewidth=1.2, drawstyle="steps-post", label="best so far")


def _draw_points(
    axes: matplotlib.axes.Axes, trials: Sequence[ScoredTrial], marker: str, colour: str, label: str
) -> None:
    """Draw the scores of some trials, with an entry in the legend where there are any."""
    if trials:
        numbers, means = [trial.number for trial in trials], [trial.mean or 0.0 for trial in trials]
        axes.plot(numbers, means, linestyle="", marker=marker, color=colour, markersize=5.5, label=label, zorder=3)


def parallel_coordinates(trials: Sequence[ScoredTrial], metric: str) -> matplotlib.figure.Figure:
    """Draw an axis for each parameter and one for the score, and each complete trial as a line through its values.

    The better a trial, the stronger its line.

    Args:
        trials: of the search.
        metric: the score in words.
    """
    complete = [trial for trial in reversed(trials) if trial.is_complete]  # the best is drawn last, on top
    paths: dict[str, None] = {}
    for trial in complete:
        paths |= dict.fromkeys(trial.params)
    scales = []
    for path in paths:
        scales.append(axis_of(path.removeprefix(PREFIX), [trial.params.get(path) for trial in complete]))
    scales.append(axis_of(metric, [trial.mean for trial in complete]))
    places = [0.15]
    for scale in scales:
        places.append(places[-1] + scale.width())
    figure = canvas.sheet(places[-1], HEADS + TALL + 0.15, "")
    axes = canvas.panel(figure, 0.0, HEADS, places[-1], TALL)
    axes.set(xlim=(0, places[-1]), ylim=(-0.04, 1.04), xticks=[], yticks=[])
    axes.set_axis_off()
    for number, trial in enumerate(complete, start=1):
        heights = [scale.heights[number - 1] for scale in scales]
        opacity = FAINTEST + (1 - FAINTEST) * number / len(complete)
        colour, width = (BEST, 2.2) if trial.is_best else (COMPLETE, 1.1)
        label = f"trial {trial.number}"
        axes.plot(places[:-1], heights, color=colour, linewidth=width, alpha=opacity, label=label)
    for place, scale in zip(places, scales, strict=False):
        _draw_axis(axes, place, scale)
    return figure


def _draw_axis(axes: matplotlib.axes.Axes, place: float, scale: Axis) -> None:
    """Draw a parallel axis with its ticks at its right and its name below."""
    axes.plot([place, place], [0, 1], color=GREY, linewidth=0.9, zorder=1.5)
    for height, label in scale.ticks:
        text = axes.text(place + 0.05, height, label, size=canvas.SIZE - 1, va="center", zorder=4)
        text.set_path_effects([matplotlib.patheffects.withStroke(linewidth=3, foreground=PAPER)])  # lines stay behind
    axes.text(place - 0.05, -0.06, "\n".join(scale.name_lines), size=canvas.SIZE - 1, va="top", linespacing=1.15)


def bars(importances: Mapping[str, float]) -> matplotlib.figure.Figure:
    """Draw the share of each parameter in the variance of the scores, the largest on top.

    Args:
        importances: path of a parameter -> its share, from 0 to 1.
    """
    ranked = sorted(importances.items(), key=lambda item: -item[1])
    names = [canvas.plain(path.removeprefix(PREFIX)) for path, _ in ranked]
    left, height = 0.25 + canvas.text_width(names), max(0.8, ROW * len(names))
    figure = canvas.sheet(left + 3.4, FLOOR + height + 0.1, "")
    axes = canvas.panel(figure, left, FLOOR, 2.9, height)
    shares = [share for _, share in ranked]
    axes.barh(range(len(names)), shares, height=0.65, color=COMPLETE)
    for row, share in enumerate(shares):
        axes.text(share + 0.01, row, f"{share:.0%}", size=canvas.SIZE, va="center")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(0, 1.0)
    axes.grid(axis="x", alpha=0.25)
    axes.set_axisbelow(True)
    axes.set_xlabel("share of the variance of the scores (fANOVA)", size=canvas.SIZE)
    return figure

"""ROC and precision-recall curves of each class against the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcls.evaluation import curves
from medcls.evaluation.classification import Labels, Numbers, judged
from medcls.report.figures import canvas
from medcls.utils.lazy import matplotlib

SIDE = 3.9  # of the curves' square, in inches
MOST = 32  # curves that differ in colour or line style
FEW = 12  # legend entries up to which curves are drawn thick
GREY, DOTTED = "grey", (0, (1, 2))


@dataclass(frozen=True)
class _Line:
    """A line of the figure: without points it is only an entry of the legend, without a label it has no entry.

    Attributes:
        across, up: the coordinates of its points, each of shape (points,).
        label: its text in the legend.
        colour: any colour of Matplotlib.
        style: its line style.
        width: in points; None for the usual width.
        steps: how consecutive points are joined: "default" for straight lines, "steps-pre" for steps.
        order: lines of a higher order lie above the others.
    """

    across: Sequence[float] | NDArray[np.floating]
    up: Sequence[float] | NDArray[np.floating]
    label: str
    colour: str
    style: str | tuple[float, Sequence[float]]
    width: float | None = None
    steps: str = "default"
    order: float = 2.0


def roc(labels: Labels, probabilities: Numbers, classes: tuple[str, ...], title: str) -> matplotlib.figure.Figure:
    """Draw the ROC curve of each class against the rest, the mean of these curves, and the areas in the legend.

    Of two classes, only the curve of the second is drawn. A class that has no images, or all of them, has an entry in
    the legend but no curve. Of more than 32 classes, the 32 with the smallest areas are drawn.

    Args:
        labels: the true classes, of shape (n,).
        probabilities: the predicted ones, of shape (n, classes).
        classes: the names of the classes.
        title: of the figure.
    """
    of_classes = curves.rocs(labels, probabilities)
    lines = [_Line([0, 1], [0, 1], "chance  0.500", GREY, DOTTED, 0.9)]
    if len(of_classes) > 1:
        mean = curves.mean_roc(list(of_classes.values()))
        lines.append(_Line(mean.false_alarms, mean.recalls, f"mean  {mean.area:.3f}", "black", "-", 2.2, order=3))
    shown = _shown(classes, {number: curve.area for number, curve in of_classes.items()})
    for position, (number, name) in enumerate(shown.items()):
        curve, look = of_classes.get(number), canvas.curve_style(position)
        if curve is None:
            lines.append(_Line([], [], f"{name}  -", look["color"], look["linestyle"]))
        else:
            label = f"{name}  {curve.area:.3f}"
            lines.append(_Line(curve.false_alarms, curve.recalls, label, look["color"], look["linestyle"]))
    heading = "area under the curve" + _note(classes)
    return _drawn(lines, ("false positive rate (1 - specificity)", "recall (sensitivity)"), heading, title)


def precision_recall(
    labels: Labels, probabilities: Numbers, classes: tuple[str, ...], title: str
) -> matplotlib.figure.Figure:
    """Draw the precision of each class over its recall, with average precision and prevalence in the legend.

    The prevalence of a class, drawn as a dotted line, is the precision of guessing. Of two classes, only the curve of
    the second is drawn; of more than 32, the 32 with the lowest average precision.

    Args:
        labels: the true classes, of shape (n,).
        probabilities: the predicted ones, of shape (n, classes).
        classes: the names of the classes.
        title: of the figure.
    """
    of_classes = curves.precision_recalls(labels, probabilities)
    lines = [_Line([], [], "chance: prevalence of the class", GREY, DOTTED, 0.9)]
    shown = _shown(classes, {number: curve.average for number, curve in of_classes.items()})
    for position, (number, name) in enumerate(shown.items()):
        curve, look = of_classes.get(number), canvas.curve_style(position)
        if curve is None:
            lines.append(_Line([], [], f"{name}  -", look["color"], look["linestyle"]))
            continue
        label = f"{name}  {curve.average:.3f} ({curve.prevalence:.3f})"
        lines.append(_Line(curve.recalls, curve.precisions, label, look["color"], look["linestyle"], steps="steps-pre"))
        lines.append(_Line([0, 1], [curve.prevalence] * 2, "", look["color"], DOTTED, 0.9))
    heading = "average precision (prevalence)" + _note(classes)
    if len(of_classes) > 1:
        heading += f"\nmean {np.mean([curve.average for curve in of_classes.values()]):.3f}"
    return _drawn(lines, ("recall (sensitivity)", "precision"), heading, title)


def _shown(classes: tuple[str, ...], scores: Mapping[int, float]) -> dict[int, str]:
    """Return the classes whose curves are shown, number -> name; of two classes, the second against the first.

    Args:
        classes: the names of the classes.
        scores: number of a class -> the area or average precision of its curve.
    """
    names = canvas.names(classes)
    if len(classes) == 2:
        return {1: f"{names[1]} vs. {names[0]}"}
    if len(classes) <= MOST:
        return {number: names[number] for number in judged(len(classes))}
    lowest = sorted(scores, key=scores.__getitem__)[:MOST]
    return {number: names[number] for number in sorted(lowest)}


def _note(classes: tuple[str, ...]) -> str:
    return f"\nthe {MOST} lowest of {len(classes)} classes" if len(classes) > MOST else ""


def _drawn(lines: Sequence[_Line], labels: tuple[str, str], heading: str, title: str) -> matplotlib.figure.Figure:
    """Draw lines in a square with a legend to the right.

    Args:
        lines: from the bottom up.
        labels: of the horizontal and the vertical axis.
        heading: of the legend.
        title: of the figure.
    """
    left, floor = 0.6, 0.5
    entries = [line.label for line in lines if line.label]
    room = max(canvas.legend_width(entries, SIDE), canvas.text_width(heading.splitlines()) + 0.2)
    figure = canvas.sheet(left + SIDE + room, floor + SIDE + 0.1, title)
    axes = canvas.panel(figure, left, floor, SIDE, SIDE)
    usual = 1.4 if len(entries) <= FEW else 1.0
    for line in lines:
        axes.plot(
            line.across,
            line.up,
            label=line.label or "_",  # a legend leaves out what begins with an underscore
            color=line.colour,
            linestyle=line.style,
            linewidth=usual if line.width is None else line.width,
            drawstyle=line.steps,
            zorder=line.order,
        )
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.01)
    axes.grid(alpha=0.3)
    axes.set_xlabel(labels[0], size=canvas.SIZE)
    axes.set_ylabel(labels[1], size=canvas.SIZE)
    canvas.legend(figure, axes, heading)
    return figure

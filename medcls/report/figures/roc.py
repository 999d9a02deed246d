"""ROC and precision-recall curves: one a class against the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from medcls.evaluation import curves
from medcls.evaluation.classification import Labels, Numbers, judged
from medcls.report.figures import canvas

SIDE = 3.9  # of the curves' square, in inches
MOST = 32  # curves that differ in colour or line
CHANCE = MappingProxyType({"color": "grey", "linewidth": 0.9, "linestyle": (0, (1, 2))})


@dataclass(frozen=True)
class _Line:
    """What is drawn: of no points, an entry of the legend alone; without a label, no entry."""

    across: Any
    up: Any
    label: str = ""
    style: Mapping[str, Any] = field(default_factory=dict)


def roc(labels: Labels, probabilities: Numbers, classes: tuple[str, ...], title: str) -> Any:
    """Return a Figure of each class's ROC curve against the rest, the areas in the legend, and of their mean.

    Of two classes it is class 1's alone. A class that no image has, or every image, is named without a curve. Of more
    than 32 classes the worst 32 are drawn.

    Args:
        labels: of shape (n,).
        probabilities: of shape (n, classes).
        classes: their names.
        title: of the figure.
    """
    found = curves.rocs(labels, probabilities)
    lines = [_Line([0, 1], [0, 1], "chance  0.500", CHANCE)]
    if len(found) > 1:
        mean = curves.mean_roc(list(found.values()))
        style = {"color": "black", "linewidth": 2.2, "zorder": 3}
        lines.append(_Line(mean.false_alarms, mean.recalls, f"mean  {mean.area:.3f}", style))
    shown = _shown(classes, {number: curve.area for number, curve in found.items()})
    for place, (number, name) in enumerate(shown.items()):
        curve, style = found.get(number), canvas.curve_style(place)
        if curve is None:
            lines.append(_Line([], [], f"{name}  -", style))
        else:
            lines.append(_Line(curve.false_alarms, curve.recalls, f"{name}  {curve.area:.3f}", style))
    heading = "area under the curve" + _note(classes)
    return _drawn(lines, ("false alarms (1 - specificity)", "recall (sensitivity)"), heading, title)


def precision_recall(labels: Labels, probabilities: Numbers, classes: tuple[str, ...], title: str) -> Any:
    """Return a Figure of each class's precision over its recall, with average precision and prevalence.

    The prevalence, a dotted line, is the precision of guessing. Of two classes class 1's curve is drawn alone, of more
    than 32 the worst 32.

    Args:
        labels: of shape (n,).
        probabilities: of shape (n, classes).
        classes: their names.
        title: of the figure.
    """
    found = curves.precision_recalls(labels, probabilities)
    lines = [_Line([], [], "chance: the class's share", CHANCE)]
    shown = _shown(classes, {number: curve.average for number, curve in found.items()})
    for place, (number, name) in enumerate(shown.items()):
        curve, style = found.get(number), canvas.curve_style(place)
        if curve is None:
            lines.append(_Line([], [], f"{name}  -", style))
            continue
        text = f"{name}  {curve.average:.3f} ({curve.prevalence:.3f})"
        lines.append(_Line(curve.recalls, curve.precisions, text, {**style, "drawstyle": "steps-pre"}))
        lines.append(_Line([0, 1], [curve.prevalence] * 2, style={**CHANCE, "color": style["color"]}))
    heading = "average precision (share)" + _note(classes)
    if len(found) > 1:
        heading += f"\nmean {np.mean([curve.average for curve in found.values()]):.3f}"
    return _drawn(lines, ("recall (sensitivity)", "precision"), heading, title)


def _shown(classes: tuple[str, ...], scores: Mapping[int, float]) -> dict[int, str]:
    """The classes whose curves are shown, by number; of two classes, the one is told from the other."""
    names = canvas.names(classes)
    if len(classes) == 2:
        return {1: f"{names[1]} against {names[0]}"}
    numbers = judged(len(classes)) if len(classes) <= MOST else sorted(sorted(scores, key=scores.__getitem__)[:MOST])
    return {number: names[number] for number in numbers}


def _note(classes: tuple[str, ...]) -> str:
    return f"\nthe {MOST} lowest of {len(classes)} classes" if len(classes) > MOST else ""


def _drawn(lines: Sequence[_Line], names: tuple[str, str], heading: str, title: str) -> Any:
    """The lines in a square, with a legend beside it."""
    left, floor = 0.6, 0.5
    entries = [line.label for line in lines if line.label]
    room = max(canvas.legend_width(entries, SIDE), canvas.text_width(heading.splitlines()) + 0.2)
    figure = canvas.sheet(left + SIDE + room, floor + SIDE + 0.1, title)
    axes = canvas.panel(figure, left, floor, SIDE, SIDE)
    width = 1.4 if len(entries) <= 12 else 1.0
    for line in lines:
        axes.plot(line.across, line.up, label=line.label or "_", **{"linewidth": width, **line.style})
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.01)
    axes.grid(alpha=0.3)
    axes.set_xlabel(names[0], size=canvas.SIZE)
    axes.set_ylabel(names[1], size=canvas.SIZE)
    canvas.legend(axes, heading)
    return figure

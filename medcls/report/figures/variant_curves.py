"""Learning curves of a study's variants as a figure of its own, its legend beside it."""

from __future__ import annotations

from collections.abc import Mapping

from medcls.report.figures import canvas, svg_curves
from medcls.report.figures.svg_curves import Quantity
from medcls.utils.lazy import matplotlib

LEFT, FLOOR, WIDTH, HEIGHT = 0.7, 0.5, 4.6, 3.0  # of the panel, in inches


def curves(quantity: Quantity, marked: Mapping[str, str], title: str) -> matplotlib.figure.Figure:
    """Draw one quantity over the epochs: lines are means over the repeats, bands one standard deviation.

    Args:
        quantity: what was measured.
        marked: variant -> its colour, as `study_curves.colours` gives them.
        title: of the figure.
    """
    entries = svg_curves.legend(quantity.validation or quantity.training, marked)
    shown = [canvas.plain(canvas.shortened(entry.name, 2 * canvas.LONGEST)) for entry in entries]
    kinds = ("training", "validation") if quantity.training else ()
    room = canvas.legend_width([*shown, *kinds], HEIGHT)
    figure = canvas.sheet(LEFT + WIDTH + room, FLOOR + HEIGHT + 0.3, title)
    axes = canvas.panel(figure, LEFT, FLOOR, WIDTH, HEIGHT)
    svg_curves.draw(axes, quantity, marked)
    for entry, name in zip(entries, shown, strict=True):
        axes.plot([], [], color=entry.colour, label=name)
    for kind, line in zip(kinds, ("--", "-"), strict=False):
        axes.plot([], [], color="black", linestyle=line, label=kind)
    canvas.legend(figure, axes, "")
    return figure

"""Figures as SVG that stands in a page itself, and takes the page's text colour."""

from __future__ import annotations

import io

from medcls.utils.lazy import matplotlib

INK = "#010203"  # stands for the page's own text colour
PAPER = "#fefdfe"  # stands for the page's own background, white elsewhere
FRAME = 0.4  # how opaque the frames of axes are


def inline_svg(figure: matplotlib.figure.Figure) -> str:
    """Return a figure as an <svg> element without size, so that the page scales it; what is black has the page's ink.

    The figure's own texts and frames are recoloured.
    """
    for text in figure.findobj(matplotlib.text.Text):
        if text.get_color() == "black":
            text.set_color(INK)
    for axes in figure.axes:
        axes.tick_params(colors=INK)
        for spine in axes.spines.values():
            spine.set_color(INK)
            spine.set_alpha(FRAME)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    whole = buffer.getvalue()
    drawn = whole[whole.index("<svg") :].replace(INK, "currentColor").replace(PAPER, "var(--paper)")
    head, _, rest = drawn.partition(">")
    attributes = [attribute for attribute in head.split('" ') if not attribute.startswith(("width=", "height="))]
    return '" '.join(attributes) + ">" + rest

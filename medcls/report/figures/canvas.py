"""What all figures share: sheets measured in inches, panels, colours, and names that fit.

Everything has its place by measured text, not by a layout engine: that costs as much as the drawing itself. No pyplot
and no global state, so threads may draw side by side.
"""

import functools
import textwrap
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from medcls.utils.lazy import PIL, backend_agg, matplotlib

DOTS = 100  # an inch
SIZE, TITLE = 9, 10.5  # of text, in points
ROW = 0.165  # a legend's row, in inches
LONGEST = 24  # characters of a name
# Petroff, Accessible color sequences for data visualization (2021): eight that colour-blind people tell apart.
COLOURS = ("#1845fb", "#ff5e02", "#c91f16", "#c849a9", "#adad7d", "#86c8dd", "#578dff", "#656364")
LINES = ("-", "--", ":", "-.")
# From white to dark blue in equal steps of CIELAB, so that equal differences look equal.
BLUES = ("#ffffff", "#d7deec", "#b0bed9", "#899fc6", "#6182b3", "#36659f", "#004a8b")


def sheet(width: float, height: float, title: str) -> Any:
    """Return an empty Figure of this size in inches; its title takes room of its own above."""
    lines = [line for each in title.splitlines() for line in textwrap.wrap(plain(each), max(12, int(width / 0.088)))]
    figure = matplotlib.figure.Figure(figsize=(width, height + 0.18 * len(lines) + 0.12), dpi=DOTS)
    backend_agg.FigureCanvasAgg(figure)
    if lines:
        top = 1 - 0.08 / figure.get_figheight()
        figure.suptitle("\n".join(lines), x=0.5, y=top, va="top", size=TITLE, linespacing=1.15)
    return figure


def panel(figure: Any, left: float, bottom: float, width: float, height: float) -> Any:
    """Return Axes whose frame lies there, in inches from the lower left corner of the sheet."""
    across, up = figure.get_size_inches()
    axes = figure.add_axes((left / across, bottom / up, width / across, height / up))
    axes.tick_params(labelsize=SIZE)
    return axes


def legend(axes: Any, title: str) -> None:
    """Explain the curves on the right of the axes, in as many columns as `legend_width` allowed for."""
    handles, labels = axes.get_legend_handles_labels()
    height = axes.get_position().height * axes.figure.get_figheight()
    axes.legend(
        handles,
        labels,
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        borderaxespad=0.5,
        frameon=False,
        fontsize=SIZE,
        ncols=columns(len(labels), height),
        columnspacing=1.0,
        labelspacing=0.3,
        title=title,
        title_fontsize=SIZE,
        alignment="left",
    )


def columns(count: int, height: float) -> int:
    """Return how many columns a legend of so many entries needs beside axes of this height in inches."""
    return max(1, -(-count // int(height / ROW - 3)))  # three rows are the title's


def legend_width(labels: Sequence[str], height: float) -> float:
    """Return the inches that a legend beside axes of this height takes."""
    return columns(len(labels), height) * (text_width(labels) + 0.55) + 0.15


def text_width(texts: Iterable[str], size: float = SIZE) -> float:
    """Return the width in inches of the longest of some texts."""
    renderer, font = backend_agg.RendererAgg(1, 1, DOTS), matplotlib.font_manager.FontProperties(size=size)
    drawn = [text.replace(r"\$", "$") for text in texts]
    widths = [renderer.get_text_width_height_descent(text, font, ismath=False)[0] for text in drawn]
    return max(widths, default=0.0) / DOTS


def fitting(text: str, width: float, size: float = SIZE) -> str:
    """Return a plain text, shortened in its middle until it is no wider than so many inches."""
    shown, most = text, len(text)
    while most > 3 and (measured := text_width([shown], size)) > width:
        most = max(3, min(most - 1, int(len(shown) * width / measured)))
        shown = shortened(text, most)
    return shown


def curve_style(number: int) -> dict[str, Any]:
    """Return colour and line of a class's curve, other than those of 31 others."""
    turn = number // len(COLOURS)
    return {"color": COLOURS[number % len(COLOURS)], "linestyle": LINES[turn % len(LINES)]}


def blues() -> Any:
    """Return the colour map of shares: white for none, dark blue for all, even to the eye."""
    return matplotlib.colors.LinearSegmentedColormap.from_list("even blues", BLUES)


def plain(text: str) -> str:
    """Return a text as it can be drawn: on one line, no formula in it, a box for what the font has not."""
    drawable = _drawable()
    line = " ".join(unicodedata.normalize("NFC", text).split())
    return "".join(each if ord(each) in drawable else "□" for each in line).replace("$", r"\$")


def shortened(text: str, most: int) -> str:
    """Return a text of at most so many characters: of a longer one its beginning and its end."""
    if len(text) <= most:
        return text
    text = text.replace("…", "")  # shortened before: one mark is enough
    end = (most - 1) // 3
    return f"{text[: most - 1 - end].rstrip()}…{text[len(text) - end :].lstrip()}"


def names(classes: Sequence[str]) -> list[str]:
    """Return names, as of classes, as they are drawn: plain, short, no two alike.

    Numbered are those that could be taken for another, or that a legend would leave out: it does so with names that
    begin with an underscore.
    """
    short = [shortened(plain(name), LONGEST) for name in classes]
    often = Counter(short)
    numbered = [f"{number}: {name}" for number, name in enumerate(short, start=1)]
    unclear = [often[name] > 1 or "□" in name or name.startswith("_") for name in short]
    drawn = [other if odd else name for name, other, odd in zip(short, numbered, unclear, strict=True)]
    return drawn if len(set(drawn)) == len(drawn) else numbered


def save(figure: Any, place: Path | IO[bytes]) -> None:
    """Write the Figure as a PNG of 100 dots an inch: the same bytes for the same figure.

    Matplotlib's own `savefig` draws everything twice, the first time to measure what is placed by hand here.
    """
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[:, :, :3]
    PIL.Image.fromarray(np.ascontiguousarray(pixels)).save(place, "PNG", dpi=(DOTS, DOTS))


@functools.cache
def _drawable() -> frozenset[int]:
    """The characters that the font has, by number."""
    return frozenset(matplotlib.font_manager.get_font(matplotlib.font_manager.findfont("DejaVu Sans")).get_charmap())

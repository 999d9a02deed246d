"""Shared tools of all figures: sheets and panels measured in inches, colours, legends, and names that fit.

Every element is placed by its measured text instead of a layout engine, which costs as much time as the drawing itself.
Nothing uses pyplot or global state, so several threads may draw at once.
"""

from __future__ import annotations

import functools
import textwrap
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, TypedDict

import numpy as np
from numpy.typing import NDArray

from medcls.utils.lazy import PIL, backend_agg, matplotlib

DOTS = 100  # an inch
SIZE, TITLE = 9, 10.5  # of text, in points
LINE, LETTER = 0.18, 0.088  # height of a title's line and width of a letter in it, in inches
ROW = 0.165  # a legend's row, in inches
LONGEST = 24  # characters of a name
# Petroff, Accessible color sequences for data visualization (2021): eight that colour-blind people tell apart.
COLOURS = ("#1845fb", "#ff5e02", "#c91f16", "#c849a9", "#adad7d", "#86c8dd", "#578dff", "#656364")
LINES = ("-", "--", ":", "-.")
# From white to dark blue in equal steps of CIELAB, so that equal differences look equal.
BLUES = ("#ffffff", "#d7deec", "#b0bed9", "#899fc6", "#6182b3", "#36659f", "#004a8b")


class CurveStyle(TypedDict):
    """The look of a curve: its colour and line style."""

    color: str
    linestyle: str


def sheet(width: float, height: float, title: str) -> matplotlib.figure.Figure:
    """Return an empty figure with a title.

    Args:
        width: of the figure, in inches.
        height: of the figure without its title, in inches; the title's lines are added on top.
        title: one or more lines; lines that are too long are wrapped.
    """
    letters = max(12, int(width / LETTER))
    lines: list[str] = []
    for line in title.splitlines():
        lines += textwrap.wrap(plain(line), letters)
    figure = matplotlib.figure.Figure(figsize=(width, height + LINE * len(lines) + 0.12), dpi=DOTS)
    backend_agg.FigureCanvasAgg(figure)
    if lines:
        top = 1 - 0.08 / figure.get_figheight()
        figure.suptitle("\n".join(lines), x=0.5, y=top, va="top", size=TITLE, linespacing=1.15)
    return figure


def panel(
    figure: matplotlib.figure.Figure, left: float, bottom: float, width: float, height: float
) -> matplotlib.axes.Axes:
    """Add axes to a figure and return them.

    Args:
        figure: the figure.
        left: from the figure's left edge to the frame of the axes, in inches.
        bottom: from the figure's lower edge to the frame, in inches.
        width: of the frame, in inches.
        height: of the frame, in inches.
    """
    across, up = figure.get_size_inches()
    axes = figure.add_axes((left / across, bottom / up, width / across, height / up))
    axes.tick_params(labelsize=SIZE)
    return axes


def legend(figure: matplotlib.figure.Figure, axes: matplotlib.axes.Axes, title: str) -> None:
    """Put a legend to the right of axes, in as many columns as `legend_width` allowed for."""
    handles, labels = axes.get_legend_handles_labels()
    height = axes.get_position().height * figure.get_figheight()
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


def legend_above(axes: matplotlib.axes.Axes, columns: int) -> None:
    """Put a legend above axes, in so many columns: upon no curve.

    Its rows need `legend_height` inches of room, and the axes have no title.
    """
    axes.legend(
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        borderaxespad=0.2,
        ncols=columns,
        fontsize=SIZE - 1,
        frameon=False,
        columnspacing=1.0,
        labelspacing=0.3,
        handlelength=1.6,
        handletextpad=0.4,
    )


def legend_beside_title(axes: matplotlib.axes.Axes, **spacing: float) -> None:
    """Draw a legend of two columns above the right half of axes whose title is on the left.

    Args:
        axes: whose curves or points have labels.
        **spacing: further distances of Matplotlib's legend, in units of the font's size.
    """
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        borderaxespad=0.2,
        ncols=2,
        fontsize=SIZE,
        frameon=False,
        columnspacing=1.0,
        **spacing,
    )


def legend_height(count: int, columns: int) -> float:
    """Return the height in inches of a legend of `count` entries above axes."""
    return -(-count // columns) * ROW + 0.12


def columns(count: int, height: float) -> int:
    """Return how many columns a legend of `count` entries needs beside axes of a height in inches."""
    rows = int(height / ROW - 3)  # three rows are the title's
    return max(1, -(-count // rows))


def legend_width(labels: Sequence[str], height: float) -> float:
    """Return the width in inches of a legend beside axes of a height in inches."""
    return columns(len(labels), height) * (text_width(labels) + 0.55) + 0.15


def text_width(texts: Iterable[str], size: float = SIZE) -> float:
    """Return the width in inches of the longest of some texts, drawn at a size in points."""
    renderer = backend_agg.RendererAgg(1, 1, DOTS)
    font = matplotlib.font_manager.FontProperties(size=size)
    longest = 0.0
    for text in texts:
        width, _, _ = renderer.get_text_width_height_descent(text.replace(r"\$", "$"), font, ismath=False)
        longest = max(longest, width)
    return longest / DOTS


def fitting(text: str, width: float, size: float = SIZE) -> str:
    """Return a plain text, shortened in the middle until it fits.

    Args:
        text: as `plain` returns it.
        width: the room for the text, in inches.
        size: of the text, in points.
    """
    shown, most = text, len(text)
    while most > 3:
        measured = text_width([shown], size)
        if measured <= width:
            break
        most = max(3, min(most - 1, int(len(shown) * width / measured)))
        shown = shortened(text, most)
    return shown


def curve_style(number: int) -> CurveStyle:
    """Return colour and line style of the curve of a class; 32 classes in a row look different."""
    turn = number // len(COLOURS)
    return {"color": COLOURS[number % len(COLOURS)], "linestyle": LINES[turn % len(LINES)]}


def blues() -> matplotlib.colors.Colormap:
    """Return the colour map of fractions: white for 0, dark blue for 1, in perceptually even steps."""
    return matplotlib.colors.LinearSegmentedColormap.from_list("even blues", BLUES)


def plain(text: str) -> str:
    """Return a text that can be drawn: on one line, without formulas, with a box for each missing character."""
    drawable = _drawable()
    line = " ".join(unicodedata.normalize("NFC", text).split())
    return "".join(character if ord(character) in drawable else "□" for character in line).replace("$", r"\$")


def shortened(text: str, most: int) -> str:
    """Return a text of at most `most` characters: the beginning and the end of a longer one."""
    if len(text) <= most:
        return text
    text = text.replace("…", "")  # shortened before: one mark is enough
    end = (most - 1) // 3
    return f"{text[: most - 1 - end].rstrip()}…{text[len(text) - end :].lstrip()}"


def names(classes: Sequence[str]) -> list[str]:
    """Return the names of classes as they are drawn: plain, short, and all different.

    A name gets a number if it could be mistaken for another one, or if a legend would leave it out: legends ignore
    names that begin with an underscore.
    """
    short = [shortened(plain(name), LONGEST) for name in classes]
    numbered = [f"{number}: {name}" for number, name in enumerate(short, start=1)]
    counts = Counter(short)
    drawn = []
    for name, name_with_number in zip(short, numbered, strict=True):
        unclear = counts[name] > 1 or "□" in name or name.startswith("_")
        drawn.append(name_with_number if unclear else name)
    return drawn if len(set(drawn)) == len(drawn) else numbered


def agg_canvas(figure: matplotlib.figure.Figure) -> backend_agg.FigureCanvasAgg:
    """Return the canvas of a figure of `sheet`, on which Matplotlib's Agg renderer draws."""
    assert isinstance(figure.canvas, backend_agg.FigureCanvasAgg)
    return figure.canvas


def drawn_pixels(figure: matplotlib.figure.Figure) -> NDArray[np.uint8]:
    """Return the pixels of a figure that has been drawn, of shape (height, width, 3), uint8, RGB."""
    return np.array(agg_canvas(figure).buffer_rgba(), np.uint8)[:, :, :3].copy()


def save(figure: matplotlib.figure.Figure, output: Path | IO[bytes], scale: int = 1) -> None:
    """Write a figure as a PNG of 100 dots per inch, or a multiple of that; equal figures give equal bytes.

    Matplotlib's own `savefig` draws everything twice, the first time to measure what is placed by hand here.

    Args:
        figure: the figure.
        output: the file, its path or open.
        scale: how many times as many dots; 1 for figures that place images by pixels.
    """
    dots = DOTS * scale
    figure.set_dpi(dots)
    figure.canvas.draw()
    PIL.Image.fromarray(drawn_pixels(figure)).save(output, "PNG", dpi=(dots, dots))


@functools.cache
def _drawable() -> frozenset[int]:
    """Return the code points of the characters that the font has."""
    font = matplotlib.font_manager.get_font(matplotlib.font_manager.findfont("DejaVu Sans"))
    return frozenset(font.get_charmap())

"""Pictures in rows, each with a title above and a line below on what it shows: before and after."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from medcls.report.figures import canvas

SIDE = 2.0  # inches of a picture's longer side
GAP, ABOVE, LINE, LETTER = 0.25, 0.24, 0.15, 0.066  # inches between, for a title, of a line, of a letter
TICKS = (0.4, 0.25)  # inches for the numbers beside and below a picture


@dataclass(frozen=True)
class Picture:
    """An image of shape (height, width) or (height, width, 1 or 3), 0..255 or 0..1 if it is of floats; its words."""

    image: NDArray[Any]
    title: str
    caption: str = ""


def strips(
    rows: Sequence[Sequence[Picture]], output: Path | IO[bytes], title: str = "", *, ruler: bool = False
) -> None:
    """Write rows of pictures as a PNG; with a `ruler` the axes count each picture's pixels.

    Args:
        rows: the pictures; every row may have another number of them.
        output: the file, its path or open.
        title: above all of them.
        ruler: show how many pixels high and wide each picture is.
    """
    left, below = TICKS if ruler else (0.0, 0.0)
    across = max(len(row) for row in rows)
    captions = [[_wrapped(picture.caption, left) for picture in row] for row in rows]
    under = [LINE * max(len(lines) for lines in each) + 0.05 for each in captions]
    heights = [ABOVE + SIDE + below + space + GAP / 2 for space in under]
    figure = canvas.sheet(GAP + across * (left + SIDE + GAP), sum(heights) + GAP / 2, title)
    bottom = sum(heights) + GAP / 2
    for row, lines, space, height in zip(rows, captions, under, heights, strict=True):
        bottom -= height
        for place, (picture, words) in enumerate(zip(row, lines, strict=True)):
            at = GAP + left + place * (left + SIDE + GAP)
            axes = canvas.panel(figure, at, bottom + space + below, SIDE, SIDE)
            _show(axes, picture, ruler=ruler)
            figure.text(
                (at - left) / figure.get_figwidth(),
                (bottom + space) / figure.get_figheight(),
                "\n".join(words),
                size=canvas.SIZE - 1,
                va="top",
                linespacing=1.2,
            )
    canvas.save(figure, output)


def _show(axes: Any, picture: Picture, *, ruler: bool) -> None:
    image = picture.image[..., 0] if picture.image.shape[2:] == (1,) else picture.image
    most = 1.0 if np.issubdtype(image.dtype, np.floating) else 255
    axes.imshow(image, cmap="gray", vmin=0, vmax=most, interpolation="nearest", aspect="equal")
    axes.set_title(canvas.fitting(canvas.plain(picture.title), SIDE), size=canvas.SIZE, pad=3)
    if not ruler:
        axes.set_axis_off()


def _wrapped(caption: str, left: float) -> list[str]:
    return textwrap.wrap(canvas.plain(caption), int((SIDE + left) / LETTER))

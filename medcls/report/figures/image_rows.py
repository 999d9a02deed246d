"""Pictures in rows, such as before and after a transform, each with a title above and a caption below."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from medcls.report.figures import canvas
from medcls.utils.lazy import matplotlib

SIDE = 2.0  # inches of a picture's longer side
GAP, ABOVE, LINE, LETTER = 0.25, 0.24, 0.15, 0.066  # inches between, for a title, of a line, of a letter
TICKS = (0.4, 0.25)  # inches for the numbers beside and below a picture


@dataclass(frozen=True)
class Picture:
    """An image with its words.

    Attributes:
        image: of shape (height, width) or (height, width, 1 or 3): integers from 0 to 255 or floats from 0 to 1.
        title: above the image, on one line.
        caption: below the image, wrapped.
    """

    image: NDArray[np.integer] | NDArray[np.floating]
    title: str
    caption: str = ""


@dataclass(frozen=True)
class _Row:
    """A row of pictures with their captions in lines, and its height in inches, of captions and in all."""

    pictures: Sequence[Picture]
    captions: Sequence[Sequence[str]]
    caption_height: float
    height: float


def strips(
    rows: Sequence[Sequence[Picture]], output: Path | IO[bytes], title: str = "", *, ruler: bool = False
) -> None:
    """Write rows of pictures as a PNG.

    Args:
        rows: the pictures; rows may differ in length.
        output: the file, its path or open.
        title: above all rows.
        ruler: whether to draw axes that count the pixels of each picture.
    """
    left, below = TICKS if ruler else (0.0, 0.0)
    measured = [_measured(pictures, left, below) for pictures in rows]
    across = max(len(pictures) for pictures in rows)
    bottom = sum(row.height for row in measured) + GAP / 2
    figure = canvas.sheet(GAP + across * (left + SIDE + GAP), bottom, title)
    for row in measured:
        bottom -= row.height
        for column, (picture, lines) in enumerate(zip(row.pictures, row.captions, strict=True)):
            picture_left = GAP + left + column * (left + SIDE + GAP)
            axes = canvas.panel(figure, picture_left, bottom + row.caption_height + below, SIDE, SIDE)
            _show(axes, picture, ruler=ruler)
            figure.text(
                (picture_left - left) / figure.get_figwidth(),
                (bottom + row.caption_height) / figure.get_figheight(),
                "\n".join(lines),
                size=canvas.SIZE - 1,
                va="top",
                linespacing=1.2,
            )
    canvas.save(figure, output)


def _measured(pictures: Sequence[Picture], left: float, below: float) -> _Row:
    """Wrap the captions of a row of pictures; `left` and `below` are the inches for the ruler's numbers."""
    letters = int((SIDE + left) / LETTER)
    captions = [textwrap.wrap(canvas.plain(picture.caption), letters) for picture in pictures]
    caption_height = LINE * max(len(lines) for lines in captions) + 0.05
    return _Row(pictures, captions, caption_height, ABOVE + SIDE + below + caption_height + GAP / 2)


def _show(axes: matplotlib.axes.Axes, picture: Picture, *, ruler: bool) -> None:
    image = picture.image[..., 0] if picture.image.shape[2:] == (1,) else picture.image
    white = 1.0 if np.issubdtype(image.dtype, np.floating) else 255
    axes.imshow(image, cmap="gray", vmin=0, vmax=white, interpolation="nearest", aspect="equal")
    axes.set_title(canvas.fitting(canvas.plain(picture.title), SIDE), size=canvas.SIZE, pad=3)
    if not ruler:
        axes.set_axis_off()

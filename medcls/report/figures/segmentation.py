"""Figures of segmentation: images with the outlines of true and predicted masks, and how the scores spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from medcls.report.figures import canvas
from medcls.utils.evenly_spaced import evenly_spaced
from medcls.utils.lazy import matplotlib, skimage

SIDE = 2.4  # inches of a picture
GAP, ABOVE, BELOW = 0.15, 0.24, 0.32  # inches between pictures, for a title and for a legend
TRUE, PREDICTED = canvas.COLOURS[5], canvas.COLOURS[1]
CASES = 3  # of each kind
PANEL, HIGH, ACROSS = 2.9, 2.6, 3  # width and height of a panel of the spread in inches, panels in a row


@dataclass(frozen=True)
class Segmented:
    """Images that a model has segmented.

    Attributes:
        images: of the whole data set, of shape (images, height, width, channels); may be a memory map.
        rows: the rows of the images that were segmented, of shape (n,).
        masks: the true masks, of shape (n, height, width).
        predicted: the predicted masks, of shape (n, height, width).
        dice: of each image, of shape (n,), NaN where undefined.
        files: the names of the images' files, of length n.
    """

    images: NDArray[np.uint8]
    rows: NDArray[np.int64]
    masks: NDArray[np.bool_]
    predicted: NDArray[np.bool_]
    dice: NDArray[np.floating]
    files: Sequence[str]


def cases(dice: NDArray[np.floating]) -> dict[str, NDArray[np.int64]]:
    """Return the positions of the best, the median and the worst cases by Dice, at most three of each.

    Images without a Dice score, whose masks mark nothing, are left out.

    Args:
        dice: of each image, of shape (n,), NaN where undefined.
    """
    order = np.argsort(-dice, kind="stable")  # NaN comes last
    order = order[: np.count_nonzero(np.isfinite(dice))]
    few = min(CASES, len(order))
    middle = (len(order) - few) // 2
    return {"best": order[:few], "median": order[middle : middle + few], "worst": order[len(order) - few :][::-1]}


def overlays(segmented: Segmented, title: str) -> matplotlib.figure.Figure:
    """Draw the best, median and worst cases, one row each, with true and predicted outlines."""
    kinds = cases(segmented.dice)
    across = max(len(positions) for positions in kinds.values())
    high = SIDE + ABOVE + GAP
    figure = canvas.sheet(GAP + across * (SIDE + GAP), BELOW + len(kinds) * high, title)
    for row, (kind, positions) in enumerate(kinds.items()):
        bottom = BELOW + (len(kinds) - 1 - row) * high
        for column, position in enumerate(positions):
            axes = canvas.panel(figure, GAP + column * (SIDE + GAP), bottom, SIDE, SIDE)
            image = np.asarray(segmented.images[segmented.rows[position]])
            outlined(axes, image, [(segmented.masks[position], TRUE), (segmented.predicted[position], PREDICTED)])
            file = PurePath(segmented.files[position]).name
            name = canvas.plain(f"{kind}: Dice {segmented.dice[position]:.3f}, {file}")
            axes.set_title(canvas.fitting(name, SIDE), size=canvas.SIZE - 1, pad=3)
    handles = [
        matplotlib.lines.Line2D([], [], color=TRUE, label="true outline"),
        matplotlib.lines.Line2D([], [], color=PREDICTED, label="predicted outline"),
    ]
    figure.legend(handles=handles, loc="lower center", ncols=2, fontsize=canvas.SIZE, frameon=False)
    return figure


def examples(images: NDArray[np.uint8], masks: NDArray[np.uint8], count: int = 8) -> matplotlib.figure.Figure:
    """Draw some images of a data set with the outlines of their masks.

    Args:
        images: of shape (n, height, width, channels); may be a memory map.
        masks: of shape (n, height, width, 1), 0 or 1; may be a memory map.
        count: how many images to show, spread evenly over the data set.
    """
    rows = evenly_spaced(len(images), count)
    across = -(-len(rows) // 2)
    figure = canvas.sheet(GAP + across * (SIDE + GAP), 2 * (SIDE + GAP), "")
    for position, row in enumerate(rows):
        left, bottom = GAP + position % across * (SIDE + GAP), (1 - position // across) * (SIDE + GAP)
        axes = canvas.panel(figure, left, bottom, SIDE, SIDE)
        outlined(axes, np.asarray(images[row]), [(np.asarray(masks[row])[..., 0] > 0, TRUE)])
    return figure


def spread(scores: Mapping[str, NDArray[np.floating]], title: str) -> matplotlib.figure.Figure:
    """Draw how each score spreads over the images: one point per image, sorted, and the mean as a dashed line.

    Args:
        scores: name -> the score of each image, of shape (n,), NaN where undefined.
        title: of the figure.
    """
    rows = -(-len(scores) // ACROSS)
    figure = canvas.sheet(ACROSS * PANEL + 0.2, rows * HIGH, title)
    for number, (name, values) in enumerate(scores.items()):
        row, column = divmod(number, ACROSS)
        axes = canvas.panel(figure, 0.55 + column * PANEL, 0.45 + (rows - 1 - row) * HIGH, 2.2, 1.85)
        defined = np.sort(values[np.isfinite(values)])
        if len(defined):
            axes.plot(np.linspace(0, 1, len(defined)), defined, ".-", color=canvas.COLOURS[0], linewidth=0.8)
            axes.axhline(float(defined.mean()), color=canvas.COLOURS[-1], linestyle="--", linewidth=0.8)
        axes.set_title(canvas.plain(name.replace("_", " ")), size=canvas.SIZE)
        axes.set_xlabel("fraction of the images", size=canvas.SIZE)
    return figure


def outlined(
    axes: matplotlib.axes.Axes, image: NDArray[np.uint8], outlines: Sequence[tuple[NDArray[np.bool_], str]]
) -> None:
    """Draw an image with the outlines of masks, closed where a mask meets the image's edge.

    Args:
        axes: to draw into.
        image: of shape (height, width, 1 or 3).
        outlines: masks of shape (height, width), each with its colour.
    """
    axes.imshow(image[..., 0] if image.shape[-1] == 1 else image, cmap="gray", vmin=0, vmax=255)
    for mask, colour in outlines:
        for line in skimage.measure.find_contours(np.pad(mask, 1).astype(np.float32), 0.5):
            # Where a mask meets the image's edge, half the line lies outside.
            axes.plot(line[:, 1] - 1, line[:, 0] - 1, color=colour, linewidth=1.1, clip_on=False)
    height, width = image.shape[:2]
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    axes.set_axis_off()

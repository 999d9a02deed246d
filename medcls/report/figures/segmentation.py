"""What segmentation found and missed: images with the outlines of the true and of the predicted mask."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.report.figures import canvas
from medcls.utils.lazy import matplotlib, skimage

SIDE = 2.4  # inches of a picture
GAP, ABOVE, BELOW = 0.15, 0.24, 0.32  # inches between pictures, for a title and for a legend
TRUE, PREDICTED = canvas.COLOURS[5], canvas.COLOURS[1]
EACH = 3  # cases of each kind


def cases(dice: NDArray[np.floating]) -> dict[str, NDArray[np.int64]]:
    """Return the places of the best, the median and the worst cases by Dice, at most three of each.

    Those without a Dice, whose masks mark nothing, are no cases.
    """
    order = np.argsort(-dice, kind="stable")  # NaN comes last
    order = order[: np.count_nonzero(np.isfinite(dice))]
    few = min(EACH, len(order))
    middle = (len(order) - few) // 2
    return {"best": order[:few], "median": order[middle : middle + few], "worst": order[len(order) - few :][::-1]}


def overlays(
    images: NDArray[np.uint8],
    rows: NDArray[np.int64],
    masks: NDArray[np.bool_],
    found: NDArray[np.bool_],
    dice: NDArray[np.floating],
    files: Sequence[str],
    title: str,
) -> Any:
    """Return a Figure of the best, median and worst cases, one row each, with true and predicted outlines.

    Args:
        images: those of the data set, of shape (images, height, width, channels); may be a memory map.
        rows: which of them, of shape (n,).
        masks: the true ones, of shape (n, height, width).
        found: the predicted ones, likewise.
        dice: of each image, of shape (n,).
        files: their files' names.
        title: of the figure.
    """
    kinds = cases(dice)
    across = max(len(each) for each in kinds.values())
    high = SIDE + ABOVE + GAP
    figure = canvas.sheet(GAP + across * (SIDE + GAP), BELOW + len(kinds) * high, title)
    for number, (kind, places) in enumerate(kinds.items()):
        bottom = BELOW + (len(kinds) - 1 - number) * high
        for column, place in enumerate(places):
            axes = canvas.panel(figure, GAP + column * (SIDE + GAP), bottom, SIDE, SIDE)
            outlined(axes, np.asarray(images[rows[place]]), [(masks[place], TRUE), (found[place], PREDICTED)])
            name = canvas.plain(f"{kind}: Dice {dice[place]:.3f}, {PurePath(files[place]).name}")
            axes.set_title(canvas.fitting(name, SIDE), size=canvas.SIZE - 1, pad=3)
    legend = [(TRUE, "true outline"), (PREDICTED, "predicted outline")]
    handles = [matplotlib.lines.Line2D([], [], color=colour, label=label) for colour, label in legend]
    figure.legend(handles=handles, loc="lower center", ncols=2, fontsize=canvas.SIZE, frameon=False)
    return figure


def examples(images: Any, masks: Any, count: int = 8) -> Any:
    """Return a Figure of some images with the outlines of their masks.

    Args:
        images: of shape (n, height, width, channels); may be a memory map.
        masks: of shape (n, height, width, 1), 0 or 1; likewise.
        count: how many, spread over all.
    """
    chosen = np.unique(np.linspace(0, len(images) - 1, min(count, len(images))).astype(int))
    across = -(-len(chosen) // 2)
    figure = canvas.sheet(GAP + across * (SIDE + GAP), 2 * (SIDE + GAP), "")
    for place, row in enumerate(chosen):
        left, bottom = GAP + place % across * (SIDE + GAP), (1 - place // across) * (SIDE + GAP)
        axes = canvas.panel(figure, left, bottom, SIDE, SIDE)
        outlined(axes, np.asarray(images[row]), [(np.asarray(masks[row])[..., 0] > 0, TRUE)])
    return figure


def spread(scores: Mapping[str, NDArray[np.floating]], title: str) -> Any:
    """Return a Figure of how each score spreads over the images: every image a point, sorted.

    Args:
        scores: name in words -> one value an image, of shape (n,), NaN where undefined.
        title: of the figure.
    """
    across = 3
    figure = canvas.sheet(across * 2.9 + 0.2, -(-len(scores) // across) * 2.6, title)
    for number, (name, values) in enumerate(scores.items()):
        bottom = 0.45 + (-(-len(scores) // across) - 1 - number // across) * 2.6
        axes = canvas.panel(figure, 0.55 + number % across * 2.9, bottom, 2.2, 1.85)
        defined = np.sort(values[np.isfinite(values)])
        if len(defined):
            axes.plot(np.linspace(0, 1, len(defined)), defined, ".-", color=canvas.COLOURS[0], linewidth=0.8)
            axes.axhline(defined.mean(), color=canvas.COLOURS[-1], linestyle="--", linewidth=0.8)
        axes.set_title(canvas.plain(name.replace("_", " ")), size=canvas.SIZE)
        axes.set_xlabel("share of the images", size=canvas.SIZE)
    return figure


def outlined(axes: Any, image: NDArray[np.uint8], outlines: Sequence[tuple[NDArray[np.bool_], str]]) -> None:
    """Draw an image with the outlines of masks, each in its colour, into axes."""
    axes.imshow(image[..., 0] if image.shape[-1] == 1 else image, cmap="gray", vmin=0, vmax=255)
    for mask, colour in outlines:
        for line in _lines(mask):
            axes.plot(line[:, 1], line[:, 0], color=colour, linewidth=1.1)
    height, width = image.shape[:2]
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    axes.set_axis_off()


def _lines(mask: NDArray[np.bool_]) -> Iterator[NDArray[np.floating]]:
    """Yield the outlines of a mask, closed where it meets the image's edge, as rows and columns of pixels."""
    for line in skimage.measure.find_contours(np.pad(mask, 1).astype(np.float32), 0.5):
        yield line - 1

"""Examples of a data set in one picture: images, one row per class, or points in the plane."""

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from medcls.report.figures import canvas
from medcls.utils.evenly_spaced import evenly_spaced
from medcls.utils.lazy import PIL

COUNT = 8  # images of each class
SMALLEST = 64  # pixels to which smaller images are enlarged
GAP = 4  # pixels between images


def montage(images: NDArray[np.uint8], labels: NDArray[np.int64], classes: Sequence[str]) -> bytes:
    """Return a PNG with one row per class: up to eight of its images, spread evenly over the data set.

    Args:
        images: of shape (n, height, width, channels); may be a memory map.
        labels: the classes of the images, of shape (n,).
        classes: the names of the classes.
    """
    height, width, channels = images.shape[1:]
    times = max(1, -(-SMALLEST // max(height, width)))
    tall, wide = height * times + GAP, width * times + GAP
    sheet = np.zeros((tall * len(classes) - GAP, wide * COUNT - GAP, channels), np.uint8)
    for label in range(len(classes)):
        rows = np.flatnonzero(labels == label)
        for column, row in enumerate(rows[evenly_spaced(len(rows), COUNT)]):
            enlarged = np.asarray(images[row]).repeat(times, axis=0).repeat(times, axis=1)
            top, left = label * tall, column * wide
            sheet[top : top + height * times, left : left + width * times] = enlarged
    buffer = io.BytesIO()
    PIL.Image.fromarray(sheet if channels == 3 else sheet[:, :, 0]).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def scatter(points: NDArray[np.float32], labels: NDArray[np.int64], classes: Sequence[str]) -> bytes:
    """Return a PNG of points by their first two coordinates, in the colours of their classes.

    Args:
        points: of shape (n, coordinates); may be a memory map.
        labels: the classes of the points, of shape (n,).
        classes: the names of the classes.
    """
    across = 2 if len(classes) == 2 else 3
    figure = canvas.sheet(4.2, 4.0 + canvas.legend_height(len(classes), across), "")
    axes = canvas.panel(figure, 0.5, 0.4, 3.6, 3.6)
    for label, name in enumerate(canvas.names(classes)):
        of_class = np.asarray(points)[labels == label]
        axes.scatter(of_class[:, 0], of_class[:, 1], s=8, color=canvas.curve_style(label)["color"], label=name)
    canvas.legend_above(axes, across)
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=canvas.DOTS, format="png", metadata={"Software": None})
    return buffer.getvalue()

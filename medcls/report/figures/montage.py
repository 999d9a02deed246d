"""Examples of a data set as a picture: images, one row a class, or points in the plane."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.report.figures import canvas

COUNT = 8  # images of each class
SMALLEST = 64  # pixels to which smaller images are enlarged
GAP = 4


def montage(images: Any, labels: NDArray[np.int64], classes: Sequence[str]) -> bytes:
    """Return a PNG of the first images of every class, spread over its rows, one row of the picture a class.

    Args:
        images: of shape (n, height, width, channels), uint8; may be a memory map.
        labels: of shape (n,).
        classes: their names, for their number.
    """
    from PIL import Image

    height, width, channels = images.shape[1:]
    times = max(1, -(-SMALLEST // max(height, width)))
    tall, wide = height * times + GAP, width * times + GAP
    sheet = np.zeros((tall * len(classes) - GAP, wide * COUNT - GAP, channels), np.uint8)
    for label in range(len(classes)):
        rows = np.flatnonzero(labels == label)
        chosen = rows[np.unique(np.linspace(0, len(rows) - 1, min(COUNT, len(rows))).astype(int))] if len(rows) else []
        for place, row in enumerate(chosen):
            large = np.repeat(np.repeat(np.asarray(images[row]), times, axis=0), times, axis=1)
            sheet[label * tall :, place * wide :][: height * times, : width * times] = large
    buffer = io.BytesIO()
    Image.fromarray(sheet if channels == 3 else sheet[:, :, 0]).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def scatter(points: Any, labels: NDArray[np.int64], classes: Sequence[str]) -> bytes:
    """Return a PNG of points by their first two coordinates, of shape (n, coordinates), in their classes' colours."""
    figure = canvas.sheet(4.2, 4.0, "")
    axes = canvas.panel(figure, 0.5, 0.4, 3.6, 3.6)
    for label, name in enumerate(canvas.names(classes)):
        chosen = np.asarray(points)[labels == label]
        axes.scatter(chosen[:, 0], chosen[:, 1], s=8, color=canvas.curve_style(label)["color"], label=name)
    axes.legend(fontsize=canvas.SIZE)
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=canvas.DOTS, format="png", metadata={"Software": None})
    return buffer.getvalue()

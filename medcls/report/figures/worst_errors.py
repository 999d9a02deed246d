"""The most certain errors."""

from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.evaluation.classification import Labels, Numbers
from medcls.report.figures import canvas

MOST, ACROSS = 12, 4  # images on a sheet and in a row
SMALLEST, LARGEST = 192, 300  # pixels of an image's side on the sheet, as far as whole factors reach them
EDGE, LINE, TEXT = 10, 14, 8  # pixels between images and of a line of text; points of the text


def worst(labels: Labels, probabilities: Numbers, most: int = MOST) -> NDArray[np.int64]:
    """Return the rows of the wrong predictions, the most certain first, at most so many."""
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    order = np.argsort(-probabilities[wrong].max(axis=1), kind="stable")
    return wrong[order[:most]]


def certain_errors(
    images: NDArray[np.uint8],
    labels: Labels,
    probabilities: Numbers,
    files: Sequence[str],
    classes: tuple[str, ...],
    title: str,
) -> Any:
    """Return a Figure of images that were taken for another class, each pixel as it is.

    Args:
        images: of shape (images, height, width, channels); small ones are enlarged by whole pixels, those wider
            than 300 pixels are averaged over whole blocks.
        labels: their true classes, of shape (images,).
        probabilities: of shape (images, classes).
        files: their files' names.
        classes: names.
        title: of the figure.
    """
    if not len(labels):
        figure = canvas.sheet(4.2, 0.5, title)
        figure.text(0.5, 0.25 / figure.get_figheight(), "No image was taken for another class.", ha="center")
        return figure
    names = canvas.names(classes)
    pixels = [_sized(image) for image in images]
    side = max(len(image) for image in pixels)
    cell = max(side, SMALLEST) + EDGE
    head = 3 * LINE + 4
    down = side + head + 2 * EDGE
    rows, columns = -(-len(pixels) // ACROSS), min(len(pixels), ACROSS)
    figure = canvas.sheet((columns * cell + EDGE) / canvas.DOTS, rows * down / canvas.DOTS, title)
    for place, image in enumerate(pixels):
        left, top = EDGE + place % ACROSS * cell, (rows - place // ACROSS) * down - EDGE
        figure.figimage(image, left, top - head - len(image), cmap="gray", vmin=0, vmax=255)
        chosen = probabilities[place].argmax()
        wrong, share = names[chosen], f"  {probabilities[place, chosen]:.2f}"
        lines = _lines(names[labels[place]], wrong, share, PurePath(files[place]).name, (cell - EDGE) / canvas.DOTS)
        for number, (text, colour) in enumerate(lines):
            at = (left / figure.bbox.width, (top - number * LINE) / figure.bbox.height)
            figure.text(*at, text, size=TEXT, va="top", color=colour)
    return figure


def _lines(true: str, wrong: str, share: str, file: str, room: float) -> Iterator[tuple[str, str]]:
    """What stands above an image, in its colour: no line is wider than the room, in inches."""
    yield canvas.fitting(f"true: {true}", room, TEXT), "black"
    mark = canvas.text_width([f"→ {share}"], TEXT)
    yield f"→ {canvas.fitting(wrong, room - mark, TEXT)}{share}", canvas.COLOURS[2]
    yield canvas.fitting(canvas.plain(file), room, TEXT), canvas.COLOURS[-1]


def _sized(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image enlarged, or reduced, by a whole factor; a grey one without its channel's axis."""
    factor, blocks = max(1, SMALLEST // max(image.shape[:2])), -(-max(image.shape[:2]) // LARGEST)
    if blocks > 1:
        height, width = (length // blocks * blocks for length in image.shape[:2])
        cut = image[:height, :width].reshape(height // blocks, blocks, width // blocks, blocks, -1)
        image = cut.mean(axis=(1, 3)).round().astype(np.uint8)
    image = image.repeat(factor, axis=0).repeat(factor, axis=1)
    return image[:, :, 0] if image.shape[2] == 1 else image

"""The most confident errors of a classifier, as a sheet of images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from medcls.evaluation.classification import Labels, Numbers
from medcls.report.figures import canvas
from medcls.utils.lazy import matplotlib

MOST, ACROSS = 12, 4  # images on a sheet and in a row
SMALLEST, LARGEST = 192, 300  # pixels of an image's side on the sheet, as far as whole factors reach them
EDGE, LINE, TEXT = 10, 14, 8  # pixels between images and of a line of text; points of the text


@dataclass(frozen=True)
class Misclassified:
    """Images that were misclassified.

    Attributes:
        images: of shape (n, height, width, channels).
        labels: the true classes, of shape (n,).
        probabilities: the predicted ones, of shape (n, classes).
        files: the names of the images' files, of length n.
        classes: the names of the classes.
    """

    images: NDArray[np.uint8]
    labels: Labels
    probabilities: Numbers
    files: Sequence[str]
    classes: tuple[str, ...]


def worst(labels: Labels, probabilities: Numbers, most: int = MOST) -> NDArray[np.int64]:
    """Return the rows of wrong predictions, the most confident first.

    Args:
        labels: the true classes, of shape (n,).
        probabilities: the predicted ones, of shape (n, classes).
        most: how many rows are returned at most.
    """
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    order = np.argsort(-probabilities[wrong].max(axis=1), kind="stable")
    return wrong[order[:most]]


def certain_errors(wrong: Misclassified, title: str) -> matplotlib.figure.Figure:
    """Draw misclassified images pixel by pixel, each below its true class, its predicted class and its file's name.

    Small images are enlarged by a whole factor; images wider or higher than 300 pixels are averaged over whole blocks.
    """
    if not len(wrong.labels):
        figure = canvas.sheet(4.2, 0.5, title)
        figure.text(0.5, 0.25 / figure.get_figheight(), "No image was misclassified.", ha="center")
        return figure
    pictures = [_sized(image) for image in wrong.images]
    side = max(len(picture) for picture in pictures)
    cell = max(side, SMALLEST) + EDGE
    head = 3 * LINE + 4
    down = side + head + 2 * EDGE
    rows, columns = -(-len(pictures) // ACROSS), min(len(pictures), ACROSS)
    figure = canvas.sheet((columns * cell + EDGE) / canvas.DOTS, rows * down / canvas.DOTS, title)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, ACROSS)
        left, top = EDGE + column * cell, (rows - row) * down - EDGE
        figure.figimage(picture, left, top - head - len(picture), cmap="gray", vmin=0, vmax=255)
        for line, (text, colour) in enumerate(_lines(wrong, number, (cell - EDGE) / canvas.DOTS)):
            x, y = left / figure.bbox.width, (top - line * LINE) / figure.bbox.height
            figure.text(x, y, text, size=TEXT, va="top", color=colour)
    return figure


def _lines(wrong: Misclassified, number: int, room: float) -> list[tuple[str, str]]:
    """Return the lines above an image, each with its colour; no line is wider than `room` inches."""
    names = canvas.names(wrong.classes)
    true = canvas.fitting(f"true: {names[wrong.labels[number]]}", room, TEXT)
    predicted = wrong.probabilities[number].argmax()
    probability = f"  {wrong.probabilities[number, predicted]:.2f}"
    room_for_name = room - canvas.text_width([f"→ {probability}"], TEXT)
    name = canvas.fitting(names[predicted], room_for_name, TEXT)
    file = canvas.fitting(canvas.plain(PurePath(wrong.files[number]).name), room, TEXT)
    return [(true, "black"), (f"→ {name}{probability}", canvas.COLOURS[2]), (file, canvas.COLOURS[-1])]


def _sized(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an image enlarged, or reduced, by a whole factor; a grey one without the axis of its channel."""
    longer = max(image.shape[:2])
    factor, block = max(1, SMALLEST // longer), -(-longer // LARGEST)
    if block > 1:
        height, width = image.shape[0] // block * block, image.shape[1] // block * block
        blocks = image[:height, :width].reshape(height // block, block, width // block, block, -1)
        image = blocks.mean(axis=(1, 3)).round().astype(np.uint8)
    image = image.repeat(factor, axis=0).repeat(factor, axis=1)
    return image[:, :, 0] if image.shape[2] == 1 else image

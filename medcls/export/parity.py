"""The parity check: whether an exported model predicts as the run did."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.evaluation.classification import with_both_classes

BATCH = 64  # the largest number of images in a batch
PIXELS = 2**20  # the largest number of pixels in a batch, so that large images fit into memory
TOLERANCE = 1e-5  # the largest difference of a probability from the one that the run has stored

Answers = NDArray[np.float32]
Predict = Callable[[NDArray[Any]], Answers]


def at_once(shape: tuple[int, ...]) -> int:
    """Return the batch size for images of a shape (height, width, channels)."""
    return max(min(BATCH, PIXELS // math.prod(shape[:2])), 1)


def parity(
    predict: Predict, images: NDArray[np.uint8], rows: NDArray[np.int64], answers: Answers
) -> dict[str, float | int]:
    """Compare a model's predictions for some rows of `images` with the stored ones.

    Args:
        predict: the model.
        images: of shape (n, height, width, channels), uint8.
        rows: the rows of the images to predict.
        answers: the stored predictions, of shape (rows, classes), or (rows, height, width, 1) for masks.

    Returns:
        "largest_difference": of any probability. "classes_changed": the number of images (or pixels) with another most
        probable class, without those whose two most probable classes were within the tolerance.
    """
    largest, changed = 0.0, 0
    for batch, predictions in _predicted(predict, images, rows):
        actual, expected = with_both_classes(predictions), with_both_classes(answers[batch])
        expected_class = np.expand_dims(expected.argmax(axis=-1), -1)
        actual_class = np.expand_dims(actual.argmax(axis=-1), -1)
        margin = np.take_along_axis(expected, expected_class, -1) - np.take_along_axis(expected, actual_class, -1)
        largest = max(largest, float(np.abs(actual - expected).max()))
        changed += int((margin > TOLERANCE).sum())
    return {"largest_difference": largest, "classes_changed": changed}


def agrees(found: dict[str, float | int]) -> bool:
    """Tell whether the differences that `parity` returned are within the tolerance."""
    return found["largest_difference"] <= TOLERANCE and found["classes_changed"] == 0


def answers_to(predict: Predict, images: NDArray[np.uint8], rows: NDArray[np.int64]) -> Answers:
    """Return a model's predictions for some rows of `images`.

    Args:
        predict: the model.
        images: of shape (n, height, width, channels), uint8.
        rows: the rows of the images to predict.
    """
    batches = [predictions for _, predictions in _predicted(predict, images, rows)]
    return np.concatenate(batches)


def _predicted(predict: Predict, images: NDArray[np.uint8], rows: NDArray[np.int64]) -> Iterator[tuple[slice, Answers]]:
    """Yield a slice of the rows and a model's predictions for it, batch by batch."""
    batch_size = at_once(images.shape[1:])
    for start in range(0, len(rows), batch_size):
        batch = slice(start, start + batch_size)
        yield batch, predict(images[rows[batch]])

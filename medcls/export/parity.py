"""Whether a model that was written and loaded again answers as the run did."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.evaluation.classification import with_both_classes

BATCH = 64  # images predicted at once,
PIXELS = 2**20  # or fewer, so that large ones fit into memory
TOLERANCE = 1e-5  # by which a probability may differ from the one that the run has stored

Answers = NDArray[np.float32]
Predict = Callable[[NDArray[Any]], Answers]


def at_once(shape: tuple[int, ...]) -> int:
    """Return how many images of a shape, (height, width, channels), to predict at once."""
    return max(min(BATCH, PIXELS // math.prod(shape[:2])), 1)


def parity(
    predict: Predict, images: NDArray[np.uint8], rows: NDArray[np.int64], answers: Answers
) -> dict[str, float | int]:
    """Compare a network's answers to some rows of `images` with those expected.

    Answers are of shape (rows, classes), or (rows, height, width, 1) where every pixel has one.

    Returns:
        "largest_difference" of a probability; "classes_changed": of how many images (or pixels) another class comes
        first, those left out whose two first classes were no further apart than the tolerance.
    """
    largest, changed = 0.0, 0
    for some, now in _answered(predict, images, rows):
        found, expected = with_both_classes(now), with_both_classes(answers[some])
        first, other = (np.expand_dims(each.argmax(axis=-1), -1) for each in (expected, found))
        apart = np.take_along_axis(expected, first, -1) - np.take_along_axis(expected, other, -1) > TOLERANCE
        largest = max(largest, float(np.abs(found - expected).max()))
        changed += int(apart.sum())
    return {"largest_difference": largest, "classes_changed": changed}


def agrees(found: dict[str, float | int]) -> bool:
    """Tell whether what `parity` found is close enough."""
    return found["largest_difference"] <= TOLERANCE and found["classes_changed"] == 0


def answers_to(predict: Predict, images: NDArray[np.uint8], rows: NDArray[np.int64]) -> Answers:
    """Return a network's answers to some rows of `images`, batch by batch."""
    return np.concatenate([answers for _, answers in _answered(predict, images, rows)])


def _answered(predict: Predict, images: NDArray[np.uint8], rows: NDArray[np.int64]) -> Iterator[tuple[slice, Answers]]:
    count = at_once(images.shape[1:])
    for start in range(0, len(rows), count):
        some = slice(start, start + count)
        yield some, predict(images[rows[some]])

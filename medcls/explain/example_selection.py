"""Which images are worth a look: right and wrong ones, certain and uncertain ones, of every class."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Pick:
    """An image to be shown: its place among those that were predicted, and why."""

    place: int
    why: str


def picks(labels: NDArray[np.int64], probabilities: NDArray[np.floating], most: int) -> list[Pick]:
    """Return at most so many images: of each class the right and the wrong that are most and least certain.

    Where there are more, what is most certain comes first. Ordered by class.

    Args:
        labels: the true classes, of shape (n,).
        probabilities: of shape (n, classes).
        most: how many.
    """
    found = list(_candidates(labels, probabilities))
    found.sort(key=lambda each: each[0])  # by urgency, each class in turn
    chosen: dict[int, tuple[int, str]] = {}
    for urgency, place, why in found:
        if place not in chosen and len(chosen) < most:
            chosen[place] = (urgency, why)
    ordered = sorted(chosen, key=lambda place: (labels[place], chosen[place][0]))
    return [Pick(place, chosen[place][1]) for place in ordered]


def _candidates(labels: NDArray[np.int64], probabilities: NDArray[np.floating]) -> Iterator[tuple[int, int, str]]:
    """Yield (urgency, place, why)."""
    certainty, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    for label in np.unique(labels):
        for number, (word, wanted) in enumerate((("right", True), ("wrong", False))):
            places = np.flatnonzero((labels == label) & (right == wanted))
            if len(places):
                order = places[np.argsort(-certainty[places], kind="stable")]
                yield number, int(order[0]), f"{word}, most certain"
                yield number + 2, int(order[-1]), f"{word}, least certain"

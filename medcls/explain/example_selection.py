"""The choice of images to show: right and wrong predictions, confident and unconfident ones, of every class."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Pick:
    """An image to be shown.

    Attributes:
        place: its position among the images that were predicted.
        why: the reason in words, e.g. "wrong, most certain".
    """

    place: int
    why: str


@dataclass(frozen=True)
class _Candidate:
    """An image that might be shown, and how soon: urgency 0 before 1."""

    urgency: int
    pick: Pick


def picks(labels: NDArray[np.int64], probabilities: NDArray[np.floating], most: int) -> list[Pick]:
    """Choose the most and the least certain of the right and of the wrong predictions of each class.

    If there are too many, the most certain ones are preferred.

    Args:
        labels: the true classes, of shape (n,).
        probabilities: the predicted ones, of shape (n, classes).
        most: how many images are chosen at most.

    Returns:
        The chosen images, ordered by class.
    """
    by_urgency = sorted(_candidates(labels, probabilities), key=lambda candidate: candidate.urgency)
    chosen: dict[int, _Candidate] = {}
    for candidate in by_urgency:
        if candidate.pick.place not in chosen and len(chosen) < most:
            chosen[candidate.pick.place] = candidate
    places = sorted(chosen, key=lambda place: (labels[place], chosen[place].urgency))
    return [chosen[place].pick for place in places]


def _candidates(labels: NDArray[np.int64], probabilities: NDArray[np.floating]) -> Iterator[_Candidate]:
    certainty, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    for label in np.unique(labels):
        for urgency, (word, wanted) in enumerate((("right", True), ("wrong", False))):
            places = np.flatnonzero((labels == label) & (right == wanted))
            if len(places):
                order = places[np.argsort(-certainty[places], kind="stable")]
                yield _Candidate(urgency, Pick(int(order[0]), f"{word}, most certain"))
                yield _Candidate(urgency + 2, Pick(int(order[-1]), f"{word}, least certain"))

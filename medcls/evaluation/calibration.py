"""Whether probabilities mean what they say: of the images predicted with 80%, are 80% right?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 15  # as in Guo et al., On Calibration of Modern Neural Networks (2017)
SQUARED = 1.959964**2  # of the normal distribution's 97.5% point


@dataclass(frozen=True)
class Reliability:
    """How often predictions of about the same confidence are right, in bins of equal width.

    Attributes:
        edges: of shape (bins + 1,), from 0 to 1.
        counts: of shape (bins,): images.
        confidences: of shape (bins,): their mean probability of the predicted class, NaN in an empty bin.
        accuracies: of shape (bins,): the share that is right, NaN in an empty bin.
        lows, highs: of shape (bins,): the ends of the accuracies' 95% intervals (Wilson 1927), NaN in an empty bin.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    confidences: NDArray[np.float64]
    accuracies: NDArray[np.float64]
    lows: NDArray[np.float64]
    highs: NDArray[np.float64]


def reliability(labels: NDArray[np.integer], probabilities: NDArray[np.floating]) -> Reliability:
    """Return the reliability of the predicted class's probability.

    Args:
        labels: of shape (n,).
        probabilities: of shape (n, classes).
    """
    places = bins(probabilities)
    counts = np.bincount(places, minlength=BINS)
    confident = np.bincount(places, probabilities.max(axis=1), BINS)
    right = np.bincount(places, probabilities.argmax(axis=1) == labels, BINS)
    divisor = np.where(counts, counts, np.nan)
    lows, highs = wilson(right / divisor, divisor)
    return Reliability(np.linspace(0, 1, BINS + 1), counts, confident / divisor, right / divisor, lows, highs)


def expected_error(labels: NDArray[np.integer], probabilities: NDArray[np.floating]) -> float:
    """Return the expected calibration error: how far a bin's confidence and accuracy differ, in the mean."""
    return float(np.abs(overconfidence(labels, probabilities).sum(axis=0)).sum() / len(labels))


def brier(labels: NDArray[np.integer], probabilities: NDArray[np.floating]) -> float:
    """Return the Brier score, the mean of `squared_errors`."""
    return float(squared_errors(labels, probabilities).mean())


def wilson(shares: NDArray[Any], counts: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the ends of the 95% score intervals of shares of so many images each."""
    middle = (shares + SQUARED / (2 * counts)) / (1 + SQUARED / counts)
    half = np.sqrt(SQUARED * (shares * (1 - shares) / counts + SQUARED / (4 * counts**2))) / (1 + SQUARED / counts)
    return middle - half, middle + half


def bins(probabilities: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the bin of each image's highest probability, of shape (n,); a bin has its upper edge, not its lower."""
    places: NDArray[np.int64] = np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], probabilities.max(axis=1))
    return places


def overconfidence(labels: NDArray[np.integer], probabilities: NDArray[np.floating]) -> NDArray[Any]:
    """Return what each image adds to each bin's excess of confidence over rightness, of shape (n, bins)."""
    excess = probabilities.max(axis=1) - (probabilities.argmax(axis=1) == labels)
    each: NDArray[Any] = np.eye(BINS)[bins(probabilities)] * excess[:, None]
    return each


def squared_errors(labels: NDArray[np.integer], probabilities: NDArray[np.floating]) -> NDArray[Any]:
    """Return each image's Brier score, of shape (n,): 0 to 1 where there are two classes, else 0 to 2.

    That is the squared error of class 1's probability, and the sum over the classes of theirs.
    """
    classes = probabilities.shape[1]
    total: NDArray[Any] = ((probabilities - np.eye(classes)[labels]) ** 2).sum(axis=1)
    return total / 2 if classes == 2 else total

"""What a threshold on a class's probability would do: ROC and precision-recall curves."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcls.evaluation.classification import Labels, Numbers, judged


@dataclass(frozen=True)
class Roc:
    """Recall against the share of false alarms, as the threshold falls.

    Attributes:
        false_alarms: of shape (points,), ascending from 0 to 1: the share of the others that is taken for the class.
        recalls: of shape (points,), ascending from 0 to 1.
        area: under the curve.
    """

    false_alarms: Numbers
    recalls: Numbers
    area: float


@dataclass(frozen=True)
class PrecisionRecall:
    """Precision against recall, as the threshold falls.

    Attributes:
        recalls: of shape (points,), ascending from 0 to 1.
        precisions: of shape (points,), 1 at recall 0.
        average: the average precision: the precisions weighted with the growth of recall, not interpolated.
        prevalence: the share of the class, which is the precision of guessing.
    """

    recalls: Numbers
    precisions: Numbers
    average: float
    prevalence: float


def rocs(labels: Labels, probabilities: Numbers) -> dict[int, Roc]:
    """Return the curve of each class against the rest; of two classes, class 1's alone; those that are defined.

    Args:
        labels: of shape (n,).
        probabilities: of shape (n, classes).
    """
    numbers = judged(probabilities.shape[1])
    found = {number: roc(labels == number, probabilities[:, number]) for number in numbers}
    return {number: curve for number, curve in found.items() if curve is not None}


def precision_recalls(labels: Labels, probabilities: Numbers) -> dict[int, PrecisionRecall]:
    """Return the curve of each class against the rest; of two classes, class 1's alone; those that are defined."""
    numbers = judged(probabilities.shape[1])
    found = {number: precision_recall(labels == number, probabilities[:, number]) for number in numbers}
    return {number: curve for number, curve in found.items() if curve is not None}


def roc(positive: NDArray[np.bool_], scores: Numbers) -> Roc | None:
    """Return the curve, without the points that lie within a straight piece; None without both kinds of images.

    Args:
        positive: of shape (n,): which images are of the class.
        scores: of shape (n,): how much each image looks like the class.
    """
    hits, chosen = _steps(positive, scores)
    falses = chosen - hits
    if not hits[-1] or not falses[-1]:
        return None
    turns = np.ones(len(hits), bool)
    turns[1:-1] = (np.diff(hits, 2) != 0) | (np.diff(falses, 2) != 0)
    recalls, false_alarms = hits[turns] / hits[-1], falses[turns] / falses[-1]
    return Roc(false_alarms, recalls, float(np.trapezoid(recalls, false_alarms)))


def precision_recall(positive: NDArray[np.bool_], scores: Numbers) -> PrecisionRecall | None:
    """Return the curve, None where no image is of the class.

    Args:
        positive: of shape (n,): which images are of the class.
        scores: of shape (n,): how much each image looks like the class.
    """
    hits, chosen = _steps(positive, scores)
    if not hits[-1]:
        return None
    recalls = hits / hits[-1]
    precisions = np.concatenate([[1.0], hits[1:] / chosen[1:]])
    average = float(np.diff(recalls) @ precisions[1:])
    return PrecisionRecall(recalls, precisions, average, float(positive.mean()))


def mean_roc(curves: Sequence[Roc]) -> Roc:
    """Return the mean of some curves: at every share of false alarms their mean recall.

    A curve that rises there counts with the foot of its rise, then with its head: so the area is the areas' mean.
    """
    places = np.unique(np.concatenate([curve.false_alarms for curve in curves]))
    feet = [np.interp(-places, -curve.false_alarms[::-1], curve.recalls[::-1]) for curve in curves]
    heads = [np.interp(places, curve.false_alarms, curve.recalls) for curve in curves]
    recalls = np.stack([np.mean(feet, axis=0), np.mean(heads, axis=0)], axis=1).ravel()
    return Roc(np.repeat(places, 2), recalls, float(np.mean([curve.area for curve in curves])))


def _steps(positive: NDArray[np.bool_], scores: Numbers) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many images of the class, and how many at all, reach each of the falling thresholds, from none to all."""
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.diff(scores[order], append=-np.inf))  # of equals, all at once
    hits, chosen = np.cumsum(positive[order])[last], last + 1
    return np.concatenate([[0], hits]), np.concatenate([[0], chosen])

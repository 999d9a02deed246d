"""Scores of a classifier: labels and probabilities in, numbers out."""

import numpy as np
from numpy.typing import NDArray

from medcls.evaluation import metrics
from medcls.evaluation.calibration import overconfidence, squared_errors
from medcls.utils.errors import TrainingError

Labels = NDArray[np.integer]
Numbers = NDArray[np.floating]

# As in Keras's cross-entropy: one image, however wrong, costs at most 16.1.
SMALLEST_PROBABILITY = 1e-7


def scores(labels: Labels, probabilities: Numbers, classes: tuple[str, ...]) -> dict[str, float]:
    """Return accuracy, balanced_accuracy, macro_f1, log_loss, brier, ece, auc and recall/CLASS, those that are defined.

    The predicted class is the most probable, the first of equals. balanced_accuracy is the mean recall of the
    classes among the labels; macro_f1 the mean over those among labels and predictions. auc is class 1's where
    there are two, else the mean over the classes, each against the rest. A class without images has neither
    recall nor auc. brier is the mean squared error of the probabilities (Brier 1950), ece the expected calibration
    error of the predicted class's probability in 15 bins (Guo et al. 2017).

    Args:
        labels: of shape (n,).
        probabilities: of shape (n, classes).
        classes: their names.

    Raises:
        TrainingError: a probability is not a number, because training diverged.
    """
    values = weighted_scores(labels, probabilities, classes, np.ones((1, len(labels))))
    return {name: float(value[0]) for name, value in values.items() if np.isfinite(value[0])}


def weighted_scores(
    labels: Labels, probabilities: Numbers, classes: tuple[str, ...], weights: Numbers
) -> dict[str, Numbers]:
    """Return the `scores` of many resamples at once: each of shape (resamples,), NaN where undefined.

    Args:
        labels: of shape (n,).
        probabilities: of shape (n, classes).
        classes: their names.
        weights: of shape (resamples, n): how often each image counts.
    """
    if not np.isfinite(probabilities).all():
        raise TrainingError("The predicted probabilities are not numbers: try a lower learning rate.")
    true, predicted = np.eye(len(classes))[labels], np.eye(len(classes))[probabilities.argmax(axis=1)]
    losses = -np.log(np.maximum(probabilities[np.arange(len(labels)), labels], SMALLEST_PROBABILITY))
    totals = weights.sum(axis=1)
    each = _of_classes(true, predicted, weights)
    return {
        "accuracy": _ratio(weights @ (true * predicted).sum(axis=1), totals),
        "balanced_accuracy": _mean(each["recall"]),
        "macro_f1": _mean(each["f1"]),
        "log_loss": _ratio(weights @ losses, totals),
        "brier": _ratio(weights @ squared_errors(labels, probabilities), totals),
        "ece": _ratio(np.abs(weights @ overconfidence(labels, probabilities)).sum(axis=1), totals),
        "auc": _auc(true, probabilities, weights),
        **{f"recall/{name}": each["recall"][:, number] for number, name in enumerate(classes)},
    }


def weighted_class_scores(
    labels: Labels, predicted: Labels, classes: tuple[str, ...], weights: Numbers
) -> dict[str, Numbers]:
    """Return recall/CLASS, precision/CLASS, f1/CLASS of many resamples: each of shape (resamples,), NaN if undefined.

    Args:
        labels: of shape (n,).
        predicted: the predicted class of each image, of shape (n,).
        classes: their names.
        weights: of shape (resamples, n): how often each image counts.
    """
    each = _of_classes(np.eye(len(classes))[labels], np.eye(len(classes))[predicted], weights)
    return {
        f"{score}/{name}": values[:, number] for score, values in each.items() for number, name in enumerate(classes)
    }


def score_names(classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of those `scores` that are the better the higher: what may decide which model is best."""
    return metrics.to_maximise(metrics.CLASSES, classes)


def judged(n_classes: int) -> range:
    """Return the classes that are judged against the rest: of two, class 1 says it all."""
    return range(1 if n_classes == 2 else 0, n_classes)


def with_both_classes(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a network's answers as one probability per class.

    Args:
        probabilities: of shape (..., classes), or (..., 1) from one sigmoid unit: the probability of the second class.

    Returns:
        Probabilities of shape (..., classes), with two classes in the case of a sigmoid unit.
    """
    if probabilities.shape[-1] > 1:
        return probabilities
    return np.concatenate([1 - probabilities, probabilities], axis=-1)


def confusion_matrix(labels: Labels, predicted: Labels, n_classes: int) -> NDArray[np.int64]:
    """Return how many images of each class (rows) were taken for each class (columns).

    Args:
        labels: of shape (n,).
        predicted: of shape (n,).
        n_classes: the number of classes.

    Returns:
        Counts of shape (n_classes, n_classes).
    """
    cells = np.asarray(labels, np.int64) * n_classes + predicted
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)


def _of_classes(true: Numbers, predicted: Numbers, weights: Numbers) -> dict[str, Numbers]:
    """Recall, precision and F1, each of shape (resamples, classes), of labels and predictions as rows of 0 and 1."""
    occurring, chosen, right = weights @ true, weights @ predicted, weights @ (true * predicted)
    return {
        "recall": _ratio(right, occurring),
        "precision": _ratio(right, chosen),
        "f1": _ratio(2 * right, occurring + chosen),
    }


def _auc(true: Numbers, probabilities: Numbers, weights: Numbers) -> Numbers:
    each = [
        _auc_against_rest(true[:, number] == 1, probabilities[:, number], weights) for number in judged(true.shape[1])
    ]
    return _mean(np.stack(each, axis=1))


def _auc_against_rest(positive: NDArray[np.bool_], probabilities: Numbers, weights: Numbers) -> Numbers:
    """How often a positive image is more probable than a negative one; of equals, half of them count."""
    negatives = np.flatnonzero(~positive)
    negatives = negatives[np.argsort(probabilities[negatives])]
    ascending = probabilities[negatives]
    fewer = np.searchsorted(ascending, probabilities[positive], side="left")
    upto = np.searchsorted(ascending, probabilities[positive], side="right")
    below = np.cumsum(np.pad(weights[:, negatives], ((0, 0), (1, 0))), axis=1)
    wins = np.einsum("rn,rn->r", weights[:, positive], below[:, fewer] + below[:, upto]) / 2
    return _ratio(wins, weights[:, positive].sum(axis=1) * below[:, -1])


def _ratio(numerator: Numbers, denominator: Numbers) -> Numbers:
    """The quotient, NaN where the denominator is 0."""
    quotient = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator > 0)
    return quotient


def _mean(values: Numbers) -> Numbers:
    """The mean of each row's defined values, NaN where there is none."""
    defined = np.isfinite(values)
    return _ratio(np.where(defined, values, 0.0).sum(axis=1), defined.sum(axis=1))

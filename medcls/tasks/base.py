"""The task: what a target means, with its head, loss, metrics, scores and the metric to monitor."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from medcls.augmentation.base import Augmentation
from medcls.data.dataset import Dataset, Targets
from medcls.data.loading.batches import Augment
from medcls.evaluation import segmentation
from medcls.evaluation.summary import TestScore
from medcls.utils.tensors import KerasTensor, Metric, Tensor

Rows: TypeAlias = NDArray[np.int64]
"""Numbers of rows of a data set."""

Truth: TypeAlias = NDArray[np.int64 | np.bool_]
"""The class of each image, of shape (n,), or its mask, of shape (n, height, width)."""

Predictions: TypeAlias = NDArray[np.float32]
"""Probabilities of the classes, of shape (n, classes), or of the pixels, of shape (n, height, width, 1)."""


def no_further_scores(data: Dataset, rows: Rows, predictions: Predictions) -> dict[str, NDArray[np.float64]]:  # noqa: ARG001
    """Return no scores beyond those at the study's image size.

    Args:
        data: the data set.
        rows: of the images, of shape (n,).
        predictions: of these images.
    """
    return {}


@dataclass(frozen=True)
class Task:
    """What a target means: the training loop asks this value and has no cases of its own.

    Attributes:
        name: recorded and hashed.
        truth: (data set, rows) -> the correct answers that scores take: the class of each image, or its mask.
        target: (data set, rows) -> targets, float32, one row an image, read when they are needed.
        vary: an augmentation -> a function (images, targets, weights, seed) -> the changed images, targets and weights
            of a training batch.
        head: (features, number of classes) -> output tensor.
        read: output of the head -> what is stored and scored: probabilities of the classes, of shape (n, classes), or
            of the pixels, of shape (n, height, width, 1).
        loss: (targets, predictions) -> one value an image.
        metrics: number of classes -> Keras metrics, whose names appear in the history.
        scores: (truth, predictions, class names) -> the final scores of the validation or test set.
        tested: (truth, predictions, class names, patients) -> the scores of the test set with their intervals.
        score_names: class names -> the names of the scores that may decide which model is best; higher is better.
        monitor: the name in the history that early stopping and `plateau` watch.
        mode: "min" or "max", the direction in which `monitor` gets better.
        measure: the name in the history whose value in training, minus its value in validation, is the gap.
        classes: how many classes a data set must have, None for any number.
        soft: whether a target may lie between classes, as the target of mixed images does.
        own_size: (data set, rows, predictions) -> further scores of each image at its own size, by name.
        pixels: whether each pixel is classified, so that features are maps and targets are masks.
    """

    name: str
    truth: Callable[[Dataset, Rows], Truth]
    target: Callable[[Dataset, Rows], Targets]
    vary: Callable[[Augmentation], Augment]
    head: Callable[[KerasTensor, int], KerasTensor]
    read: Callable[[Predictions], Predictions]
    loss: Callable[[Tensor, Tensor], Tensor]
    metrics: Callable[[int], list[Metric]]
    scores: Callable[..., dict[str, float]]
    tested: Callable[..., Mapping[str, TestScore]]
    score_names: Callable[[tuple[str, ...]], tuple[str, ...]]
    monitor: str
    mode: str
    measure: str = "accuracy"
    classes: int | None = None
    soft: bool = True
    own_size: Callable[[Dataset, Rows, Predictions], dict[str, NDArray[np.float64]]] = no_further_scores
    pixels: bool = False

    def functions(self) -> list[Callable[..., object]]:
        """Return the functions that define the task; their sources are hashed."""
        return [self.truth, self.target, self.vary, self.head, self.read, self.loss, self.metrics, self.scores]


def overlaps_at_own_size(data: Dataset, rows: Rows, predictions: Predictions) -> dict[str, NDArray[np.float64]]:
    """Return Dice and IoU of each image at its own size, of shape (n,), where its mask is a file.

    Args:
        data: the data set.
        rows: of the images, of shape (n,).
        predictions: probabilities of the pixels, of shape (n, height, width, 1).
    """
    masks = data.whole
    if masks is None:
        return {}
    return segmentation.at_own_size((masks[row] for row in rows), predictions)


def as_they_are(predictions: Predictions) -> Predictions:
    """Return probabilities as they are."""
    return predictions

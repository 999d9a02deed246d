"""What a target means: head, loss, metrics, final scores, and what to monitor."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from medcls import losses, metrics
from medcls.evaluation import classification
from medcls.lazy import lazy

keras = lazy("keras")


@dataclass(frozen=True)
class Task:
    """A frozen value that the training loop asks instead of knowing the task.

    Attributes:
        name: recorded and hashed.
        target: (labels of shape (n,), number of classes) -> targets, float32, one row an image.
        head: (features, number of classes) -> output tensor.
        read: what the head puts out -> what is stored and scored: class probabilities of shape (n, classes).
        loss: (targets, predictions) -> one value an image.
        metrics: number of classes -> Keras metrics, whose names appear in the history.
        scores: (labels, predictions, class names) -> the final scores of one part of the data.
        score_names: class names -> the names of the scores that may decide which model is best, the higher the better.
        monitor: the history's name that early stopping and plateaus watch.
        mode: "min" or "max": which way `monitor` gets better.
        classes: how many classes it can tell apart, None for any number.
        soft: whether a target may lie between classes, as that of mixed images does.
    """

    name: str
    target: Callable[..., Any]
    head: Callable[..., Any]
    read: Callable[..., Any]
    loss: Callable[..., Any]
    metrics: Callable[[int], list[Any]]
    scores: Callable[..., dict[str, float]]
    score_names: Callable[[tuple[str, ...]], tuple[str, ...]]
    monitor: str
    mode: str
    classes: int | None = None
    soft: bool = True

    def functions(self) -> list[Callable[..., Any]]:
        """Return the functions that define the task, for hashing their sources."""
        return [self.target, self.head, self.read, self.loss, self.metrics, self.scores]


def one_hot(labels: Any, classes: int) -> Any:
    """Return labels of shape (n,) as targets of shape (n, classes), float32."""
    return np.eye(classes, dtype=np.float32)[labels]


def numbers(labels: Any, classes: int) -> Any:  # noqa: ARG001
    """Return labels of shape (n,) as targets of shape (n, 1), float32: the number of the class."""
    return np.asarray(labels, np.float32)[:, None]


def softmax_head(features: Any, classes: int) -> Any:
    """Return class probabilities of shape (batch, classes)."""
    return keras.layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")(features)


def sigmoid_head(features: Any, classes: int) -> Any:  # noqa: ARG001
    """Return the probability of the second of two classes, of shape (batch, 1)."""
    return keras.layers.Dense(1, activation="sigmoid", dtype="float32", name="probability")(features)


def as_they_are(predictions: Any) -> Any:
    """Return class probabilities of shape (n, classes) as they are."""
    return predictions


def both_classes(predictions: Any) -> Any:
    """Return the probability of the second class, of shape (n, 1), as those of both, of shape (n, 2)."""
    return np.concatenate([1 - predictions, predictions], axis=1)


def class_metrics(classes: int) -> list[Any]:
    """Return accuracy and balanced accuracy (the mean recall over the classes that occur)."""
    return [keras.metrics.CategoricalAccuracy(name="accuracy"), metrics.balanced_accuracy(classes)]


def sparse_class_metrics(classes: int) -> list[Any]:
    """Return the same from targets that are class numbers."""
    return [keras.metrics.SparseCategoricalAccuracy(name="accuracy"), metrics.balanced_accuracy(classes)]


def binary_metrics(classes: int) -> list[Any]:
    """Return the same from the probability of the second of two classes."""
    return [metrics.binary_accuracy(), metrics.balanced_accuracy(classes)]


MULTICLASS = Task(
    name="multiclass",
    target=one_hot,
    head=softmax_head,
    read=as_they_are,
    loss=losses.cross_entropy,
    metrics=class_metrics,
    scores=classification.scores,
    score_names=classification.score_names,
    monitor="val_loss",
    mode="min",
)
"""One softmax unit a class, categorical cross-entropy."""

SPARSE = replace(MULTICLASS, name="sparse", target=numbers, metrics=sparse_class_metrics, soft=False)
"""The same with class numbers for targets: sparse categorical cross-entropy."""

BINARY = replace(
    MULTICLASS,
    name="binary",
    target=numbers,
    head=sigmoid_head,
    read=both_classes,
    metrics=binary_metrics,
    classes=2,
)
"""One sigmoid unit, binary cross-entropy: two classes."""

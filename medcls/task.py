"""What a target means: head, loss, metrics, final scores, and what to monitor."""

from collections.abc import Callable
from dataclasses import dataclass
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
        loss: (targets, predictions) -> one value an image.
        metrics: number of classes -> Keras metrics, whose names appear in the history.
        scores: (labels, predictions, class names) -> the final scores of one part of the data.
        score_names: class names -> the names of the scores that may decide which model is best, the higher the better.
        monitor: the history's name that early stopping and plateaus watch.
        mode: "min" or "max": which way `monitor` gets better.
    """

    name: str
    target: Callable[..., Any]
    head: Callable[..., Any]
    loss: Callable[..., Any]
    metrics: Callable[[int], list[Any]]
    scores: Callable[..., dict[str, float]]
    score_names: Callable[[tuple[str, ...]], tuple[str, ...]]
    monitor: str
    mode: str

    def functions(self) -> list[Callable[..., Any]]:
        """Return the functions that define the task, for hashing their sources."""
        return [self.target, self.head, self.loss, self.metrics, self.scores]


def one_hot(labels: Any, classes: int) -> Any:
    """Return labels of shape (n,) as targets of shape (n, classes), float32."""
    return np.eye(classes, dtype=np.float32)[labels]


def softmax_head(features: Any, classes: int) -> Any:
    """Return class probabilities of shape (batch, classes)."""
    return keras.layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")(features)


def class_metrics(classes: int) -> list[Any]:
    """Return accuracy and balanced accuracy (the mean recall over the classes that occur)."""
    return [keras.metrics.CategoricalAccuracy(name="accuracy"), metrics.balanced_accuracy(classes)]


MULTICLASS = Task(
    name="multiclass",
    target=one_hot,
    head=softmax_head,
    loss=losses.cross_entropy,
    metrics=class_metrics,
    scores=classification.scores,
    score_names=classification.score_names,
    monitor="val_loss",
    mode="min",
)

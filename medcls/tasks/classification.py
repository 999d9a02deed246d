"""Classification tasks: softmax with one-hot targets, softmax with class numbers, one sigmoid for two classes."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from medcls import losses
from medcls.augmentation.base import Augmentation
from medcls.data.dataset import Dataset, Targets
from medcls.data.loading.batches import Augment
from medcls.evaluation import classification, intervals
from medcls.tasks import metrics
from medcls.tasks.base import Rows, Task, Truth, as_they_are
from medcls.utils.lazy import keras
from medcls.utils.tensors import KerasTensor, Metric


def labels(data: Dataset, rows: Rows) -> Truth:
    """Return the classes of some images, of shape (n,)."""
    return data.labels[rows]


def one_hot(labels: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    """Return labels of shape (n,) as targets of shape (n, classes), float32."""
    return np.eye(classes, dtype=np.float32)[labels]


def as_columns(data: Dataset, rows: Rows) -> Targets:
    """Return targets of shape (n, classes), float32, one-hot."""
    return one_hot(data.labels[rows], len(data.classes))


def as_numbers(data: Dataset, rows: Rows) -> Targets:
    """Return targets of shape (n, 1), float32: the number of the class."""
    return np.asarray(data.labels[rows], np.float32)[:, None]


def images_alone(augmentation: Augmentation) -> Augment:
    """Return an augmentation's function of a batch, which changes targets only where it mixes images."""
    return augmentation.batch


def softmax_head(features: KerasTensor, classes: int) -> KerasTensor:
    """Return class probabilities of shape (batch, classes)."""
    return keras.layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")(features)


def sigmoid_head(features: KerasTensor, classes: int) -> KerasTensor:  # noqa: ARG001
    """Return the probability of the second of two classes, of shape (batch, 1)."""
    return keras.layers.Dense(1, activation="sigmoid", dtype="float32", name="probability")(features)


def class_metrics(classes: int) -> list[Metric]:
    """Return accuracy and balanced accuracy (the mean recall over the classes that occur)."""
    return [keras.metrics.CategoricalAccuracy(name="accuracy"), metrics.balanced_accuracy(classes)]


def sparse_class_metrics(classes: int) -> list[Metric]:
    """Return accuracy and balanced accuracy for targets that are class numbers."""
    return [keras.metrics.SparseCategoricalAccuracy(name="accuracy"), metrics.balanced_accuracy(classes)]


def binary_metrics(classes: int) -> list[Metric]:
    """Return accuracy and balanced accuracy for the probability of the second of two classes."""
    return [metrics.binary_accuracy(), metrics.balanced_accuracy(classes)]


MULTICLASS = Task(
    name="multiclass",
    truth=labels,
    target=as_columns,
    vary=images_alone,
    head=softmax_head,
    read=as_they_are,
    loss=losses.cross_entropy,
    metrics=class_metrics,
    scores=classification.scores,
    tested=intervals.test_scores,
    score_names=classification.score_names,
    monitor="val_loss",
    mode="min",
)
"""One softmax unit for each class, one-hot targets, categorical cross-entropy."""


SPARSE = replace(MULTICLASS, name="sparse", target=as_numbers, metrics=sparse_class_metrics, soft=False)
"""One softmax unit for each class, class numbers as targets, sparse categorical cross-entropy."""


BINARY = replace(
    MULTICLASS,
    name="binary",
    target=as_numbers,
    head=sigmoid_head,
    read=classification.with_both_classes,
    metrics=binary_metrics,
    classes=2,
)
"""One sigmoid unit for two classes, binary cross-entropy."""

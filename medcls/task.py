"""What a target means: head, loss, metrics, final scores, and what to monitor."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from medcls import losses, metrics
from medcls.data.types import Decoded, Picked
from medcls.evaluation import classification, segmentation, statistics
from medcls.lazy import lazy

keras = lazy("keras")


def no_further_scores(data: Decoded, rows: Any, predictions: Any) -> dict[str, Any]:  # noqa: ARG001
    """Return no scores: those at the study's size are all."""
    return {}


@dataclass(frozen=True)
class Task:
    """A frozen value that the training loop asks instead of knowing the task.

    Attributes:
        name: recorded and hashed.
        truth: (data set, rows) -> what scores are told is right: the class of each image, or its mask.
        target: (data set, rows) -> targets, float32, one row an image, read as they are asked for.
        vary: an augmentation -> what changes a training batch (images, targets, weights, seed).
        head: (features, number of classes) -> output tensor.
        read: what the head puts out -> what is stored and scored: class probabilities of shape (n, classes), or those
            of pixels of shape (n, height, width, 1).
        loss: (targets, predictions) -> one value an image.
        metrics: number of classes -> Keras metrics, whose names appear in the history.
        scores: (truth, predictions, class names) -> the final scores of one part of the data.
        tested: (truth, predictions, class names, patients) -> the scores of the held-out part with their intervals.
        score_names: class names -> the names of the scores that may decide which model is best, the higher the better.
        monitor: the history's name that early stopping and plateaus watch.
        mode: "min" or "max": which way `monitor` gets better.
        measure: the history's name of which training less validation is the gap.
        classes: how many classes it can tell apart, None for any number.
        soft: whether a target may lie between classes, as that of mixed images does.
        own_size: (data set, rows, predictions) -> further scores of each image, at its own size, by name.
        pixels: whether every pixel is told apart, so that features are maps and targets masks.
    """

    name: str
    truth: Callable[..., Any]
    target: Callable[..., Any]
    vary: Callable[..., Any]
    head: Callable[..., Any]
    read: Callable[..., Any]
    loss: Callable[..., Any]
    metrics: Callable[[int], list[Any]]
    scores: Callable[..., dict[str, float]]
    tested: Callable[..., Any]
    score_names: Callable[[tuple[str, ...]], tuple[str, ...]]
    monitor: str
    mode: str
    measure: str = "accuracy"
    classes: int | None = None
    soft: bool = True
    own_size: Callable[..., dict[str, Any]] = no_further_scores
    pixels: bool = False

    def functions(self) -> list[Callable[..., Any]]:
        """Return the functions that define the task, for hashing their sources."""
        return [self.truth, self.target, self.vary, self.head, self.read, self.loss, self.metrics, self.scores]


def labels(data: Decoded, rows: Any) -> Any:
    """Return the classes of some images, of shape (n,)."""
    return data.labels[rows]


def masks(data: Decoded, rows: Any) -> Any:
    """Return the masks of some images, of shape (n, height, width), bool."""
    assert data.masks is not None
    return data.masks[rows][..., 0] > 0


def overlaps_at_own_size(data: Decoded, rows: Any, predictions: Any) -> dict[str, Any]:
    """Return Dice and IoU of each image at its own size, of shape (n,), where its mask is a file."""
    whole = data.whole
    return {} if whole is None else segmentation.at_own_size((whole[row] for row in rows), predictions)


def one_hot(labels: Any, classes: int) -> Any:
    """Return labels of shape (n,) as targets of shape (n, classes), float32."""
    return np.eye(classes, dtype=np.float32)[labels]


def as_columns(data: Decoded, rows: Any) -> Any:
    """Return targets of shape (n, classes), float32, one-hot."""
    return one_hot(data.labels[rows], len(data.classes))


def as_numbers(data: Decoded, rows: Any) -> Any:
    """Return targets of shape (n, 1), float32: the number of the class."""
    return np.asarray(data.labels[rows], np.float32)[:, None]


def as_maps(data: Decoded, rows: Any) -> Any:
    """Return targets of shape (n, height, width, 1), float32, 0 or 1, each read when it is asked for."""
    assert data.masks is not None
    return Picked(data.masks, rows)


def images_alone(augmentation: Any) -> Any:
    """Return what changes images, and targets only where images are mixed."""
    return augmentation.batch


def with_masks(augmentation: Any) -> Any:
    """Return what moves images and masks alike, the masks by nearest neighbour, and recolours images alone."""

    def vary(images: Any, targets: Any, weights: Any, seed: Any) -> tuple[Any, Any, Any]:
        return augmentation(images, seed), augmentation.masks(targets, seed), weights

    return vary


def softmax_head(features: Any, classes: int) -> Any:
    """Return class probabilities of shape (batch, classes)."""
    return keras.layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")(features)


def sigmoid_head(features: Any, classes: int) -> Any:  # noqa: ARG001
    """Return the probability of the second of two classes, of shape (batch, 1)."""
    return keras.layers.Dense(1, activation="sigmoid", dtype="float32", name="probability")(features)


def pixel_head(features: Any, classes: int) -> Any:  # noqa: ARG001
    """Return the probability of every pixel to belong to the target, of shape (batch, height, width, 1)."""
    return keras.layers.Conv2D(1, 1, activation="sigmoid", dtype="float32", name="probability")(features)


def as_they_are(predictions: Any) -> Any:
    """Return probabilities as they are."""
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


def pixel_metrics(classes: int) -> list[Any]:  # noqa: ARG001
    """Return hard Dice and IoU, the means over the images, and the soft Dice of a batch."""
    return [metrics.dice_score(), metrics.iou_score(), metrics.soft_dice()]


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
    tested=statistics.test_scores,
    score_names=classification.score_names,
    monitor="val_loss",
    mode="min",
)
"""One softmax unit a class, categorical cross-entropy."""

SPARSE = replace(MULTICLASS, name="sparse", target=as_numbers, metrics=sparse_class_metrics, soft=False)
"""The same with class numbers for targets: sparse categorical cross-entropy."""

BINARY = replace(
    MULTICLASS,
    name="binary",
    target=as_numbers,
    head=sigmoid_head,
    read=both_classes,
    metrics=binary_metrics,
    classes=2,
)
"""One sigmoid unit, binary cross-entropy: two classes."""

SEGMENTATION = Task(
    name="segmentation",
    truth=masks,
    target=as_maps,
    vary=with_masks,
    head=pixel_head,
    read=as_they_are,
    loss=losses.pixel_cross_entropy,
    metrics=pixel_metrics,
    scores=segmentation.scores,
    tested=segmentation.test_scores,
    score_names=segmentation.score_names,
    monitor="val_loss",
    mode="min",
    measure="dice",
    classes=1,
    soft=False,
    own_size=overlaps_at_own_size,
    pixels=True,
)
"""One sigmoid a pixel, pixel-wise cross-entropy: where the target is, and where not."""

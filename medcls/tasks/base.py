"""What a target means: head, loss, metrics, final scores, and what to monitor."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from medcls.data.dataset import Dataset
from medcls.evaluation import segmentation


def no_further_scores(data: Dataset, rows: Any, predictions: Any) -> dict[str, Any]:  # noqa: ARG001
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


def overlaps_at_own_size(data: Dataset, rows: Any, predictions: Any) -> dict[str, Any]:
    """Return Dice and IoU of each image at its own size, of shape (n,), where its mask is a file."""
    whole = data.whole
    return {} if whole is None else segmentation.at_own_size((whole[row] for row in rows), predictions)


def as_they_are(predictions: Any) -> Any:
    """Return probabilities as they are."""
    return predictions

"""Treatments of class imbalance: counts of the training labels -> class weights, another loss, or another order.

Class weights have a mean of 1 over the training images, so that a learning rate suits a training with and without them.
They also weigh the validation loss, so that early stopping watches what is being optimised.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from medcls import losses
from medcls.spec.constraints import at_least, constrained, for_task, of_classes, rates
from medcls.utils.tensors import Tensor

__all__ = ["balanced", "effective_number", "focal", "none", "oversample"]


@dataclass(frozen=True)
class Imbalance:
    """How a run treats its classes.

    Attributes:
        class_weights: of shape (classes,), float32; their mean over the training images is 1.
        loss: replaces the task's loss; None keeps it.
        oversample: draws every class equally often, with repetition.
    """

    class_weights: NDArray[np.float32]
    loss: Callable[..., Tensor] | None = None
    oversample: bool = False


def none(counts: NDArray[np.int64]) -> Imbalance:
    """Treat every image alike."""
    return Imbalance(np.ones(len(counts), np.float32))


@for_task(of_classes)
def balanced(counts: NDArray[np.int64]) -> Imbalance:
    """Weigh each class by the inverse of its frequency (King and Zeng 2001; scikit-learn's "balanced")."""
    return Imbalance(_normalised(1.0 / np.maximum(counts, 1), counts))


@for_task(of_classes)
@constrained(rates("beta"))
def effective_number(counts: NDArray[np.int64], *, beta: float = 0.999) -> Imbalance:
    """Weigh each class by the inverse of its effective number of images (Cui et al. 2019)."""
    return Imbalance(_normalised((1.0 - beta) / (1.0 - beta ** np.maximum(counts, 1)), counts))


@for_task(of_classes)
@constrained(at_least(0, "gamma"))
def focal(counts: NDArray[np.int64], *, gamma: float = 2.0) -> Imbalance:
    """Replace the loss by the focal loss, which weighs hard images more (Lin et al. 2017)."""
    return Imbalance(np.ones(len(counts), np.float32), loss=partial(losses.focal, gamma=gamma))


@for_task(of_classes)
def oversample(counts: NDArray[np.int64]) -> Imbalance:
    """Draw every class equally often, with repetition."""
    return Imbalance(np.ones(len(counts), np.float32), oversample=True)


def _normalised(weights: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.asarray(weights * counts.sum() / (weights * counts).sum(), np.float32)

"""Losses of masks as plain functions of (targets, predictions); one value an image, whatever its batch holds.

Targets and predictions are of shape (batch, height, width, 1): 1 where the mask is and 0 elsewhere (or a share between
them), and the probability that a pixel belongs to it. Cross-entropy counts every pixel alike, so that a small target
is outvoted by its surroundings; the overlaps count the pixels of the two masks only.
"""

from typing import Any

from medcls.losses.classification import cross_entropy, focal
from medcls.spec.constraints import at_least, constrained, for_task, of_masks, shares
from medcls.utils.lazy import keras

PIXELS = (1, 2)  # the axes of an image
IMAGE = (1, 2, 3)  # the same and its one column


@for_task(of_masks)
def pixel_cross_entropy(targets: Any, predictions: Any) -> Any:
    """Return the binary cross-entropy of each image, of shape (batch,): the mean over its pixels.

    Keras's own, which finds the logits behind a sigmoid and so stays exact where probabilities are 0 or 1.
    """
    return keras.ops.mean(cross_entropy(targets, predictions), axis=PIXELS)


@for_task(of_masks)
@constrained(at_least(0, "gamma"))
def pixel_focal(targets: Any, predictions: Any, *, gamma: float = 2.0) -> Any:
    """Return the focal loss of each image, of shape (batch,): each pixel's cross-entropy times (1 - p)^gamma.

    p is the probability of what the pixel is. Lin et al. 2017 (arXiv:1708.02002), equation 4, without the balance
    weight alpha, as the mean over the pixels.

    Args:
        targets: of shape (batch, height, width, 1).
        predictions: of the same shape.
        gamma: how little pixels count that are right already; 0 is the cross-entropy.
    """
    return keras.ops.mean(focal(targets, predictions, gamma), axis=PIXELS)


@for_task(of_masks)
@constrained(at_least(0, "smooth"))
def dice(targets: Any, predictions: Any, *, smooth: float = 1.0) -> Any:
    """Return 1 - the soft Dice coefficient of each image, of shape (batch,), 0..1.

    Milletari et al. 2016 (arXiv:1606.04797), with plain sums below the fraction as in Drozdzal et al. 2016.

    Args:
        targets: of shape (batch, height, width, 1).
        predictions: of the same shape.
        smooth: added above and below the fraction. Without it an image without a target has no loss (0/0) if nothing
            is predicted, and the full loss with no gradient as soon as the least is; with 1, one pixel's worth,
            the loss there rises with what is wrongly predicted and larger targets hardly notice. But marking nothing
            costs less than marking everything where a target has fewer than the root of smooth x pixels / 2 pixels
            (181 of a 256x256 image), and there training may end: a smaller value leads small targets away from it.
    """
    targets = keras.ops.cast(targets, predictions.dtype)
    common = keras.ops.sum(targets * predictions, axis=IMAGE)
    both = keras.ops.sum(targets, axis=IMAGE) + keras.ops.sum(predictions, axis=IMAGE)
    return 1.0 - _share(2.0 * common, both, smooth)


@for_task(of_masks)
@constrained(shares("weight"), at_least(0, "smooth"))
def cross_entropy_dice(targets: Any, predictions: Any, *, weight: float = 0.5, smooth: float = 1.0) -> Any:
    """Return a mixture of `pixel_cross_entropy` and `dice` of each image, of shape (batch,).

    As Isensee et al. 2021 (nnU-Net, doi:10.1038/s41592-020-01008-z) train, there in equal parts.

    Args:
        targets: of shape (batch, height, width, 1).
        predictions: of the same shape.
        weight: the part of Dice; the rest is cross-entropy.
        smooth: of Dice.
    """
    overlap = dice(targets, predictions, smooth=smooth)
    return (1.0 - weight) * pixel_cross_entropy(targets, predictions) + weight * overlap


@for_task(of_masks)
@constrained(at_least(0, "alpha", "beta", "smooth"))
def tversky(targets: Any, predictions: Any, *, alpha: float = 0.3, beta: float = 0.7, smooth: float = 1.0) -> Any:
    """Return 1 - the Tversky index of each image, of shape (batch,), 0..1.

    Salehi et al. 2017 (arXiv:1706.05721), who found 0.3 and 0.7 best for small lesions. Both 0.5 make `dice`.

    Args:
        targets: of shape (batch, height, width, 1).
        predictions: of the same shape.
        alpha: the cost of what is predicted and is not there.
        beta: the cost of what is there and was missed; more than alpha finds more of a small target.
        smooth: as in `dice`.
    """
    targets = keras.ops.cast(targets, predictions.dtype)
    common = keras.ops.sum(targets * predictions, axis=IMAGE)
    added = keras.ops.sum((1.0 - targets) * predictions, axis=IMAGE)
    missed = keras.ops.sum(targets * (1.0 - predictions), axis=IMAGE)
    return 1.0 - _share(2.0 * common, 2.0 * (common + alpha * added + beta * missed), smooth)


def _share(part: Any, whole: Any, smooth: float) -> Any:
    """Return the smoothed fraction; never 0/0, also with a `smooth` of 0."""
    tiny = keras.config.epsilon()
    return (part + smooth + tiny) / (whole + smooth + tiny)

"""Losses of segmentation: functions of (targets, predictions) that return one value per image.

Targets are masks of shape (batch, height, width, 1): 1 inside, 0 outside, or a share between them. Predictions, of the
same shape, are the probability that a pixel is inside. Cross-entropy gives all pixels the same weight, so that the
background outweighs a small target; overlap losses (Dice, Tversky) count the pixels of the two masks only.
"""

from medcls.losses.classification import cross_entropy, focal
from medcls.spec.constraints import at_least, constrained, for_task, of_masks, shares
from medcls.utils.lazy import keras
from medcls.utils.tensors import Tensor

PIXELS = (1, 2)  # the axes of an image
IMAGE = (1, 2, 3)  # the axes of an image and its channel


@for_task(of_masks)
def pixel_cross_entropy(targets: Tensor, predictions: Tensor) -> Tensor:
    """Return the binary cross-entropy of each image, of shape (batch,), as the mean over its pixels.

    Keras finds the logits behind a sigmoid, so that the loss is exact even where probabilities are 0 or 1.
    """
    return keras.ops.mean(cross_entropy(targets, predictions), axis=PIXELS)


@for_task(of_masks)
@constrained(at_least(0, "gamma"))
def pixel_focal(targets: Tensor, predictions: Tensor, *, gamma: float = 2.0) -> Tensor:
    """Return the focal loss of each image, of shape (batch,), as the mean over its pixels.

    The loss of a pixel is (1 - p)^gamma times its cross-entropy, where p is the probability of the pixel's true class
    (Lin et al. 2017, arXiv:1708.02002, equation 4, without the weight alpha).

    Args:
        targets: of shape (batch, height, width, 1).
        predictions: of shape (batch, height, width, 1).
        gamma: how strongly easy pixels are discounted; 0 gives the cross-entropy.
    """
    return keras.ops.mean(focal(targets, predictions, gamma), axis=PIXELS)


@for_task(of_masks)
@constrained(at_least(0, "smooth"))
def dice(targets: Tensor, predictions: Tensor, *, smooth: float = 1.0) -> Tensor:
    """Return 1 - the soft Dice coefficient of each image, of shape (batch,), 0..1.

    The denominator has plain sums, as in Drozdzal et al. 2016, not the squares of Milletari et al. 2016
    (arXiv:1606.04797).

    Args:
        targets: of shape (batch, height, width, 1).
        predictions: of shape (batch, height, width, 1).
        smooth: is added to numerator and denominator. With 0, an image without a target has no loss (0/0) if nothing
            is predicted, and the full loss without a gradient otherwise. With 1, the size of one pixel, the loss of
            such an image rises with the false positives, and larger targets are hardly affected. However, predicting
            nothing costs less than predicting everything if a target has fewer than sqrt(smooth * pixels / 2) pixels
            (181 of a 256x256 image), and training may get stuck there: use a smaller value for small targets.
    """
    targets = keras.ops.cast(targets, predictions.dtype)
    common = keras.ops.sum(targets * predictions, axis=IMAGE)
    both = keras.ops.sum(targets, axis=IMAGE) + keras.ops.sum(predictions, axis=IMAGE)
    return 1.0 - _share(2.0 * common, both, smooth)


@for_task(of_masks)
@constrained(shares("weight"), at_least(0, "smooth"))
def cross_entropy_dice(targets: Tensor, predictions: Tensor, *, weight: float = 0.5, smooth: float = 1.0) -> Tensor:
    """Return a weighted mean of `pixel_cross_entropy` and `dice` of each image, of shape (batch,).

    nnU-Net trains with their unweighted sum (Isensee et al. 2021, doi:10.1038/s41592-020-01008-z).

    Args:
        targets: of shape (batch, height, width, 1).
        predictions: of shape (batch, height, width, 1).
        weight: of Dice, 0..1; the rest is the weight of cross-entropy.
        smooth: as in `dice`.
    """
    overlap = dice(targets, predictions, smooth=smooth)
    return (1.0 - weight) * pixel_cross_entropy(targets, predictions) + weight * overlap


@for_task(of_masks)
@constrained(at_least(0, "alpha", "beta", "smooth"))
def tversky(
    targets: Tensor, predictions: Tensor, *, alpha: float = 0.3, beta: float = 0.7, smooth: float = 1.0
) -> Tensor:
    """Return 1 - the Tversky index of each image, of shape (batch,), 0..1.

    Salehi et al. 2017 (arXiv:1706.05721) found 0.3 and 0.7 best for small lesions. With both 0.5 it equals `dice`.

    Args:
        targets: of shape (batch, height, width, 1).
        predictions: of shape (batch, height, width, 1).
        alpha: the cost of false positives.
        beta: the cost of false negatives; a value above alpha finds more of a small target.
        smooth: as in `dice`.
    """
    targets = keras.ops.cast(targets, predictions.dtype)
    common = keras.ops.sum(targets * predictions, axis=IMAGE)
    false_positives = keras.ops.sum((1.0 - targets) * predictions, axis=IMAGE)
    false_negatives = keras.ops.sum(targets * (1.0 - predictions), axis=IMAGE)
    return 1.0 - _share(2.0 * common, 2.0 * (common + alpha * false_positives + beta * false_negatives), smooth)


def _share(part: Tensor, whole: Tensor, smooth: float) -> Tensor:
    """Return the smoothed fraction part / whole, which is never 0/0 even if `smooth` is 0."""
    tiny = keras.config.epsilon()
    return (part + smooth + tiny) / (whole + smooth + tiny)

"""MixUp and CutMix: mixtures of two images, with targets and weights to match."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from medcls.augmentation import seeded_random
from medcls.augmentation.base import Augmentation, none
from medcls.augmentation.degradation import rectangles
from medcls.augmentation.intensity import per_image
from medcls.spec.constraints import above, constrained, for_task
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import tensorflow as tf
from medcls.utils.tensors import Tensor


def _mixable(task: Any) -> None:
    if not task.soft:
        raise BadInputError(
            f"mixes labels, which the targets of the task {task.name!r} do not allow: "
            "use a task whose labels are one-hot (MULTICLASS) or one probability (BINARY)."
        )


@for_task(_mixable)
@constrained(above(0, "alpha"))
def mixup(*, alpha: float = 0.2, first: Callable[..., Augmentation] = none) -> Augmentation:
    """Return an augmentation that blends each image with another one of its batch (Zhang et al. 2018).

    Args:
        alpha: the share of the image itself is drawn from Beta(alpha, alpha); small values leave most images almost
            unchanged.
        first: the augmentation of each image before it is mixed.
    """

    def mix(images: Tensor, targets: Tensor, weights: Tensor, seed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        count = tf.shape(images)[0]
        shares, partners = seeded_random.beta(seed, "mixup", count, alpha), _partners(seed, count)
        mixed = images * per_image(shares) + tf.gather(images, partners) * (1.0 - per_image(shares))
        return mixed, *mixed_labels(targets, weights, partners, shares)

    return replace(first(), mix=mix)


@for_task(_mixable)
@constrained(above(0, "alpha"))
def cutmix(*, alpha: float = 1.0, first: Callable[..., Augmentation] = none) -> Augmentation:
    """Return an augmentation that pastes a rectangle of another image of the batch into each image (Yun et al. 2019).

    Args:
        alpha: the share of the image itself is drawn from Beta(alpha, alpha); 1 makes all shares equally likely.
        first: the augmentation of each image before it is mixed.
    """

    def mix(images: Tensor, targets: Tensor, weights: Tensor, seed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        count = tf.shape(images)[0]
        sides = tf.sqrt(1.0 - seeded_random.beta(seed, "cutmix", count, alpha))
        rows = seeded_random.uniform(seed, "cutmix_row", (count,))
        columns = seeded_random.uniform(seed, "cutmix_column", (count,))
        cut, partners = rectangles(tf.shape(images), sides, sides, rows, columns), _partners(seed, count)
        shares = 1.0 - tf.reduce_mean(tf.cast(cut, tf.float32), axis=(1, 2, 3))  # of whole pixels
        mixed = tf.where(cut, tf.gather(images, partners), images)
        return mixed, *mixed_labels(targets, weights, partners, shares)

    return replace(first(), mix=mix)


def mixed_labels(targets: Tensor, weights: Tensor, partners: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """Return the targets and weights of images that are mixed with others.

    The weight is the mixture of both weights, and the target is the mixture of both targets in proportion to their
    weights. So the weighted cross-entropy is exactly the mixture of the weighted cross-entropies of both images.

    Args:
        targets: of shape (n, classes), one-hot, or (n, 1), the probability of the second of two classes.
        weights: of shape (n,).
        partners: of shape (n,): the row of the other image.
        shares: of shape (n,), 0..1: the share of the image itself.
    """
    own, others = shares * weights, (1.0 - shares) * tf.gather(weights, partners)
    total = own + others
    sums = own[:, None] * targets + others[:, None] * tf.gather(targets, partners)
    return tf.math.divide_no_nan(sums, total[:, None]), total


def _partners(seed: Tensor, count: Tensor) -> Tensor:
    """Return a random permutation of the rows of a batch; an image may be its own partner."""
    return tf.argsort(seeded_random.uniform(seed, "partners", (count,)), stable=True)

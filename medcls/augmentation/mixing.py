"""MixUp and CutMix: images that are part of one picture and part of another, with targets and weights to match."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from medcls.augmentation import seeded_random
from medcls.augmentation.base import Augmentation, none
from medcls.augmentation.degradation import rectangles
from medcls.augmentation.intensity import each
from medcls.spec.constraints import above, constrained, for_task
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import tensorflow as tf


def _mixable(task: Any) -> None:
    if not task.soft:
        raise BadInputError(
            f"mixes labels, which between the targets of the task {task.name!r} makes no sense: "
            "use a task whose labels are one-hot (MULTICLASS) or one probability (BINARY)."
        )


@for_task(_mixable)
@constrained(above(0, "alpha"))
def mixup(*, alpha: float = 0.2, first: Callable[..., Augmentation] = none) -> Augmentation:
    """Return every image laid over another of its batch, half transparent (Zhang et al. 2018).

    Args:
        alpha: the share that stays is drawn from Beta(alpha, alpha): small values leave most images nearly alone.
        first: what every image undergoes before.
    """

    def mix(images: Any, targets: Any, weights: Any, seed: Any) -> tuple[Any, Any, Any]:
        count = tf.shape(images)[0]
        shares, partners = seeded_random.beta(seed, "mixup", count, alpha), _partners(seed, count)
        mixed = images * each(shares) + tf.gather(images, partners) * (1.0 - each(shares))
        return mixed, *mixed_labels(targets, weights, partners, shares)

    return replace(first(), mix=mix)


@for_task(_mixable)
@constrained(above(0, "alpha"))
def cutmix(*, alpha: float = 1.0, first: Callable[..., Augmentation] = none) -> Augmentation:
    """Return every image with a rectangle from the same place of another of its batch (Yun et al. 2019).

    Args:
        alpha: the share that stays is drawn from Beta(alpha, alpha); 1 makes all shares equally likely.
        first: what every image undergoes before.
    """

    def mix(images: Any, targets: Any, weights: Any, seed: Any) -> tuple[Any, Any, Any]:
        count = tf.shape(images)[0]
        sides = tf.sqrt(1.0 - seeded_random.beta(seed, "cutmix", count, alpha))
        rows, columns = (seeded_random.uniform(seed, f"cutmix_{name}", (count,)) for name in ("row", "column"))
        cut, partners = rectangles(tf.shape(images), sides, sides, rows, columns), _partners(seed, count)
        shares = 1.0 - tf.reduce_mean(tf.cast(cut, tf.float32), axis=(1, 2, 3))  # as it came out in whole pixels
        mixed = tf.where(cut, tf.gather(images, partners), images)
        return mixed, *mixed_labels(targets, weights, partners, shares)

    return replace(first(), mix=mix)


def mixed_labels(targets: Any, weights: Any, partners: Any, shares: Any) -> tuple[Any, Any]:
    """Return targets and weights of images of which `shares` stay and the rest is their partners'.

    So that a cross-entropy with them is the mixture of both images' own weighted cross-entropies, exactly: a weight is
    the mixture of both weights, a target that of both targets as far as their weights count.

    Args:
        targets: of shape (n, classes), one-hot, or (n, 1), the probability of the second of two classes.
        weights: of shape (n,).
        partners: of shape (n,): the number of the other image.
        shares: of shape (n,), 0..1.
    """
    own, others = shares * weights, (1.0 - shares) * tf.gather(weights, partners)
    total = own + others
    sums = own[:, None] * targets + others[:, None] * tf.gather(targets, partners)
    return tf.math.divide_no_nan(sums, total[:, None]), total


def _partners(seed: Any, count: Any) -> Any:
    """For every image of a batch another, each serving once (now and then it is the same)."""
    return tf.argsort(seeded_random.uniform(seed, "partners", (count,)), stable=True)

"""Contrast and brightness."""

from collections.abc import Callable
from typing import Any

from medcls.augmentation import draws
from medcls.lazy import lazy

tf = lazy("tensorflow")


def random_intensity(*, brightness: float, contrast: float) -> Callable[[Any, Any], Any]:
    """Return (images, seed) -> images, each changed by its own draws from these ranges."""

    def change(images: Any, seed: Any) -> Any:
        count = tf.shape(images)[0]
        factors = 1.0 + draws.symmetric(seed, "contrast", count, contrast)
        offsets = 255.0 * draws.symmetric(seed, "brightness", count, brightness)
        return adjust(images, factors, offsets)

    return change


def adjust(images: Any, factors: Any, offsets: Any) -> Any:
    """Return the images with other contrast and brightness, cut off at 0 and 255.

    Args:
        images: of shape (n, height, width, channels), float32, 0..255.
        factors: of shape (n,): how much further from the channel's mean every pixel is to be.
        offsets: of shape (n,): what is added to every pixel.
    """
    factors, offsets = factors[:, None, None, None], offsets[:, None, None, None]
    means = tf.reduce_mean(images, axis=(1, 2), keepdims=True)
    return tf.clip_by_value(images * factors + (1.0 - factors) * means + offsets, 0.0, 255.0)

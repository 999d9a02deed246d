"""Contrast, brightness and channel shift: other values at the same places."""

from collections.abc import Callable
from typing import Any

from medcls.augmentation import seeded_random
from medcls.utils.lazy import tensorflow as tf


def random_intensity(*, brightness: float, contrast: float) -> Callable[[Any, Any], Any]:
    """Return (images, seed) -> images, each changed by its own draws from these ranges."""

    def change(images: Any, seed: Any) -> Any:
        count = tf.shape(images)[0]
        factors = 1.0 + seeded_random.symmetric(seed, "contrast", count, contrast)
        offsets = 255.0 * seeded_random.symmetric(seed, "brightness", count, brightness)
        return adjust(images, factors, offsets)

    return change


def random_brightness(ends: tuple[float, ...]) -> Callable[[Any, Any], Any]:
    """Return (images, seed) -> images, each multiplied by its own draw between two ends."""

    def change(images: Any, seed: Any) -> Any:
        return multiply(images, seeded_random.between(seed, "brightness_range", tf.shape(images)[0], ends))

    return change


def random_channel_shift(limit: float) -> Callable[[Any, Any], Any]:
    """Return (images, seed) -> images, to each of which its own draw from -limit to limit is added."""

    def change(images: Any, seed: Any) -> Any:
        return shift_channels(images, seeded_random.symmetric(seed, "channel_shift", tf.shape(images)[0], limit))

    return change


def adjust(images: Any, factors: Any, offsets: Any) -> Any:
    """Return the images with other contrast and brightness, cut off at 0 and 255.

    Args:
        images: of shape (n, height, width, channels), float32, 0..255.
        factors: of shape (n,): how much further from the channel's mean every pixel is to be.
        offsets: of shape (n,): what is added to every pixel.
    """
    factors, offsets = each(factors), each(offsets)
    means = tf.reduce_mean(images, axis=(1, 2), keepdims=True)
    return tf.clip_by_value(images * factors + (1.0 - factors) * means + offsets, 0.0, 255.0)


def multiply(images: Any, factors: Any) -> Any:
    """Return the images times factors of shape (n,), cut off at 255: ImageDataGenerator's brightness."""
    return tf.minimum(images * each(factors), 255.0)


def shift_channels(images: Any, offsets: Any) -> Any:
    """Return the images plus offsets of shape (n,), cut off at their own extremes: ImageDataGenerator's channel shift.

    All channels of an image get the same offset, and none gets darker or lighter than the image was.
    """
    least, most = (reduce(images, axis=(1, 2, 3), keepdims=True) for reduce in (tf.reduce_min, tf.reduce_max))
    return tf.clip_by_value(images + each(offsets), least, most)


def each(numbers: Any) -> Any:
    """Return one number an image, of shape (n,), so that it meets all of the image's pixels."""
    return tf.reshape(numbers, (-1, 1, 1, 1))

"""Random changes of contrast and brightness, and channel shift."""

from collections.abc import Callable

from medcls.augmentation import seeded_random
from medcls.utils.lazy import tensorflow as tf
from medcls.utils.tensors import Tensor


def random_intensity(*, brightness: float, contrast: float) -> Callable[[Tensor, Tensor], Tensor]:
    """Return a function (images, seed) -> images that changes brightness and contrast of each image.

    Args:
        brightness: the largest offset, as a fraction of the full scale, 255.
        contrast: the largest change of the contrast, as a fraction.
    """

    def change(images: Tensor, seed: Tensor) -> Tensor:
        count = tf.shape(images)[0]
        factors = 1.0 + seeded_random.symmetric(seed, "contrast", count, contrast)
        offsets = 255.0 * seeded_random.symmetric(seed, "brightness", count, brightness)
        return adjust(images, factors, offsets)

    return change


def random_brightness(ends: tuple[float, ...]) -> Callable[[Tensor, Tensor], Tensor]:
    """Return a function (images, seed) -> images that multiplies each by a random factor between two ends."""

    def change(images: Tensor, seed: Tensor) -> Tensor:
        return multiply(images, seeded_random.between(seed, "brightness_range", tf.shape(images)[0], ends))

    return change


def random_channel_shift(limit: float) -> Callable[[Tensor, Tensor], Tensor]:
    """Return a function (images, seed) -> images that adds a random offset from -limit to limit to each."""

    def change(images: Tensor, seed: Tensor) -> Tensor:
        return shift_channels(images, seeded_random.symmetric(seed, "channel_shift", tf.shape(images)[0], limit))

    return change


def adjust(images: Tensor, factors: Tensor, offsets: Tensor) -> Tensor:
    """Return the images with contrast and brightness changed, clipped to 0..255.

    Args:
        images: of shape (n, height, width, channels), float32, 0..255.
        factors: of shape (n,): multiply each pixel's distance from the mean of its channel.
        offsets: of shape (n,): are added to every pixel.
    """
    factors, offsets = per_image(factors), per_image(offsets)
    means = tf.reduce_mean(images, axis=(1, 2), keepdims=True)
    return tf.clip_by_value(images * factors + (1.0 - factors) * means + offsets, 0.0, 255.0)


def multiply(images: Tensor, factors: Tensor) -> Tensor:
    """Return the images times factors of shape (n,), at most 255, as ImageDataGenerator changes brightness."""
    return tf.minimum(images * per_image(factors), 255.0)


def shift_channels(images: Tensor, offsets: Tensor) -> Tensor:
    """Return the images plus offsets of shape (n,), clipped to their own range, as ImageDataGenerator shifts channels.

    All channels of an image get the same offset. No pixel becomes darker than the image's darkest pixel was, or lighter
    than its lightest.
    """
    least = tf.reduce_min(images, axis=(1, 2, 3), keepdims=True)
    most = tf.reduce_max(images, axis=(1, 2, 3), keepdims=True)
    return tf.clip_by_value(images + per_image(offsets), least, most)


def per_image(numbers: Tensor) -> Tensor:
    """Return one number per image, of shape (n,), reshaped to broadcast over the pixels of each image."""
    return tf.reshape(numbers, (-1, 1, 1, 1))

"""Blur, noise and erased rectangles: random losses of image quality."""

from collections.abc import Callable
from math import log

from medcls.augmentation import seeded_random
from medcls.augmentation.intensity import per_image
from medcls.augmentation.resampling import blur
from medcls.utils.lazy import tensorflow as tf
from medcls.utils.tensors import Tensor

ERASED = (0.02, 0.33)  # of an image's area, as in the paper
ASPECT = (0.3, 1 / 0.3)  # height over width


def random_blur(widest: float) -> Callable[[Tensor, Tensor], Tensor]:
    """Return a function (images, seed) -> images, each blurred by a Gaussian with an SD of 0 to `widest` pixels."""

    def change(images: Tensor, seed: Tensor) -> Tensor:
        return blur(images, seeded_random.uniform(seed, "blur", (tf.shape(images)[0],), 0.0, widest))

    return change


def random_noise(strongest: float) -> Callable[[Tensor, Tensor], Tensor]:
    """Return a function (images, seed) -> images, each with Gaussian noise of SD 0 to 255 * `strongest`."""

    def change(images: Tensor, seed: Tensor) -> Tensor:
        strengths = seeded_random.uniform(seed, "noise", (tf.shape(images)[0],), 0.0, 255.0 * strongest)
        noise = per_image(strengths) * seeded_random.normal(seed, "noise_pixels", tf.shape(images))
        return tf.clip_by_value(images + noise, 0.0, 255.0)

    return change


def random_erasing(probability: float, value: float) -> Callable[[Tensor, Tensor], Tensor]:
    """Return a function (images, seed) -> images that fills one random rectangle of some images (Zhong et al. 2020).

    Args:
        probability: the share of the images that get a rectangle.
        value: the rectangle's gray value, 0..255.
    """

    def change(images: Tensor, seed: Tensor) -> Tensor:
        count = tf.shape(images)[0]
        areas = seeded_random.uniform(seed, "erased_area", (count,), *ERASED)
        aspects = tf.exp(seeded_random.uniform(seed, "erased_aspect", (count,), log(ASPECT[0]), log(ASPECT[1])))
        hit = seeded_random.uniform(seed, "erasing", (count,)) < probability
        inside = rectangles(
            tf.shape(images),
            tf.minimum(tf.sqrt(areas * aspects), 1.0),
            tf.minimum(tf.sqrt(areas / aspects), 1.0),
            seeded_random.uniform(seed, "erased_row", (count,)),
            seeded_random.uniform(seed, "erased_column", (count,)),
        )
        return tf.where(inside & tf.reshape(hit, (-1, 1, 1, 1)), value, images)

    return change


def rectangles(shape: Tensor, heights: Tensor, widths: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return masks of one rectangle per image, of shape (n, height, width, 1), bool.

    Args:
        shape: the shape of the images: n, height, width, channels.
        heights: of shape (n,), fractions of the image's height.
        widths: of shape (n,), fractions of the image's width.
        rows: of shape (n,), 0 (the rectangle touches the top) to 1 (it touches the bottom).
        columns: of shape (n,), 0 (the rectangle touches the left) to 1 (it touches the right).
    """
    down = _within(shape[1], heights, rows)[:, :, None, None]
    return down & _within(shape[2], widths, columns)[:, None, :, None]


def _within(length: Tensor, fractions: Tensor, positions: Tensor) -> Tensor:
    """Return which of `length` pixels lie in each of n intervals, of shape (n, length), bool."""
    span = tf.cast(length, tf.float32)
    sizes = tf.round(fractions * span)[:, None]
    starts = tf.round(positions[:, None] * (span - sizes))
    pixels = tf.range(span)[None]
    return (pixels >= starts) & (pixels < starts + sizes)

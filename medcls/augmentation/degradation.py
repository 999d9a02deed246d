"""Blur, noise and erased rectangles: what a poor image lacks."""

from collections.abc import Callable
from math import log
from typing import Any

from medcls.augmentation import seeded_random
from medcls.augmentation.intensity import each
from medcls.augmentation.resampling import blur
from medcls.utils.lazy import tensorflow as tf

ERASED = (0.02, 0.33)  # of an image's area, as in the paper
ASPECT = (0.3, 1 / 0.3)  # height over width


def random_blur(widest: float) -> Callable[[Any, Any], Any]:
    """Return (images, seed) -> images, each blurred by a Gaussian of 0 to `widest` pixels' standard deviation."""

    def change(images: Any, seed: Any) -> Any:
        return blur(images, seeded_random.uniform(seed, "blur", (tf.shape(images)[0],), 0.0, widest))

    return change


def random_noise(strongest: float) -> Callable[[Any, Any], Any]:
    """Return (images, seed) -> images, each with Gaussian noise of 0 to `strongest` (of 255) standard deviation."""

    def change(images: Any, seed: Any) -> Any:
        strengths = seeded_random.uniform(seed, "noise", (tf.shape(images)[0],), 0.0, 255.0 * strongest)
        noise = each(strengths) * seeded_random.normal(seed, "noise_pixels", tf.shape(images))
        return tf.clip_by_value(images + noise, 0.0, 255.0)

    return change


def random_erasing(probability: float, value: float) -> Callable[[Any, Any], Any]:
    """Return (images, seed) -> images, of which this share has one rectangle of `value` (Zhong et al. 2020)."""

    def change(images: Any, seed: Any) -> Any:
        count = tf.shape(images)[0]
        areas = seeded_random.uniform(seed, "erased_area", (count,), *ERASED)
        aspects = tf.exp(seeded_random.uniform(seed, "erased_aspect", (count,), *map(log, ASPECT)))
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


def rectangles(shape: Any, heights: Any, widths: Any, rows: Any, columns: Any) -> Any:
    """Return whether each pixel lies in its image's rectangle: of shape (n, height, width, 1), bool.

    Args:
        shape: of the images: n, height, width, channels.
        heights: of shape (n,), fractions of the height.
        widths: of shape (n,), fractions of the width.
        rows: of shape (n,), 0..1: how far down it lies, from touching the top to touching the bottom.
        columns: of shape (n,), 0..1: the same from left to right.
    """
    down = _within(shape[1], heights, rows)[:, :, None, None]
    return down & _within(shape[2], widths, columns)[:, None, :, None]


def _within(length: Any, parts: Any, places: Any) -> Any:
    """Which of `length` pixels lie in each stretch: of shape (n, length)."""
    span = tf.cast(length, tf.float32)
    sizes = tf.round(parts * span)[:, None]
    starts = tf.round(places[:, None] * (span - sizes))
    pixels = tf.range(span)[None]
    return (pixels >= starts) & (pixels < starts + sizes)

"""Changes of an image's tones as RandAugment has them, after Pillow's ImageOps and ImageEnhance.

Images are of shape (n, height, width, channels), float32, 0..255; numbers beside them are of shape (n,).
"""

from typing import Any

from medcls.augmentation.intensity import each
from medcls.augmentation.resampling import blur
from medcls.utils.lazy import tensorflow as tf

GREY = (0.299, 0.587, 0.114)  # ITU-R 601: how light red, green and blue look


def stretch(images: Any) -> Any:
    """Return the images with every channel's values spread over 0..255; an even channel stays as it is."""
    least, most = (reduce(images, axis=(1, 2), keepdims=True) for reduce in (tf.reduce_min, tf.reduce_max))
    return tf.where(most > least, tf.math.divide_no_nan(images - least, most - least) * 255.0, images)


def equalize(images: Any) -> Any:
    """Return the images with every channel's values as equally frequent as can be; an even channel stays as it is."""
    count, height, width, channels = tf.unstack(tf.shape(images))
    planes = tf.reshape(tf.transpose(images, (0, 3, 1, 2)), (count * channels, height * width))
    values = tf.cast(tf.clip_by_value(tf.round(planes), 0.0, 255.0), tf.int32)
    numbers = values + 256 * tf.range(count * channels)[:, None]
    histograms = tf.reshape(
        tf.math.bincount(tf.reshape(numbers, [-1]), minlength=256 * count * channels), (count * channels, 256)
    )
    below = tf.cast(tf.cumsum(histograms, axis=1, exclusive=True), tf.float32)
    most = tf.gather(histograms, tf.reduce_max(values, axis=1, keepdims=True), batch_dims=1)
    step = tf.cast(height * width - most, tf.float32) / 255.0  # so that the lightest tone becomes 255
    tones = tf.gather(tf.minimum(tf.round(tf.math.divide_no_nan(below, step)), 255.0), values, batch_dims=1)
    planes = tf.where(step > 0, tones, planes)
    return tf.transpose(tf.reshape(planes, (count, channels, height, width)), (0, 2, 3, 1))


def solarize(images: Any, thresholds: Any) -> Any:
    """Return the images with everything from the thresholds up as its negative."""
    return tf.where(images >= each(thresholds), 255.0 - images, images)


def posterize(images: Any, bits: Any) -> Any:
    """Return the images with so many of a value's eight bits kept."""
    steps = each(tf.pow(2.0, 8.0 - bits))
    return tf.floor(images / steps) * steps


def saturate(images: Any, factors: Any) -> Any:
    """Return the images with colours so many times as strong; grey images stay as they are."""
    if images.shape[-1] != len(GREY):
        return images
    grey = tf.reduce_sum(images * tf.constant(GREY), axis=-1, keepdims=True)
    return tf.clip_by_value(grey + (images - grey) * each(factors), 0.0, 255.0)


def sharpen(images: Any, factors: Any) -> Any:
    """Return the images with detail of the size of a pixel so many times as strong."""
    smooth = blur(images, tf.fill((tf.shape(images)[0],), 0.7))
    return tf.clip_by_value(smooth + (images - smooth) * each(factors), 0.0, 255.0)

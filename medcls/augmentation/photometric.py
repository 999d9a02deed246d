"""RandAugment's changes of pixel values, modelled on Pillow's ImageOps and ImageEnhance.

Images are of shape (n, height, width, channels), float32, 0..255; parameters are of shape (n,).
"""

from medcls.augmentation.intensity import per_image
from medcls.augmentation.resampling import blur
from medcls.utils.lazy import tensorflow as tf
from medcls.utils.tensors import Tensor

GREY = (0.299, 0.587, 0.114)  # ITU-R 601: luma weights of red, green and blue


def stretch(images: Tensor) -> Tensor:
    """Return the images with each channel's values stretched to 0..255; a uniform channel stays as it is."""
    least = tf.reduce_min(images, axis=(1, 2), keepdims=True)
    most = tf.reduce_max(images, axis=(1, 2), keepdims=True)
    return tf.where(most > least, tf.math.divide_no_nan(images - least, most - least) * 255.0, images)


def equalize(images: Tensor) -> Tensor:
    """Return the images with each channel's histogram equalized; a uniform channel stays as it is."""
    count, height, width, channels = tf.unstack(tf.shape(images))
    planes = tf.reshape(tf.transpose(images, (0, 3, 1, 2)), (count * channels, height * width))
    values = tf.cast(tf.clip_by_value(tf.round(planes), 0.0, 255.0), tf.int32)
    numbers = values + 256 * tf.range(count * channels)[:, None]
    histograms = tf.reshape(
        tf.math.bincount(tf.reshape(numbers, [-1]), minlength=256 * count * channels), (count * channels, 256)
    )
    below = tf.cast(tf.cumsum(histograms, axis=1, exclusive=True), tf.float32)
    most = tf.gather(histograms, tf.reduce_max(values, axis=1, keepdims=True), batch_dims=1)
    step = tf.cast(height * width - most, tf.float32) / 255.0  # so that the lightest value becomes 255
    tones = tf.gather(tf.minimum(tf.round(tf.math.divide_no_nan(below, step)), 255.0), values, batch_dims=1)
    planes = tf.where(step > 0, tones, planes)
    return tf.transpose(tf.reshape(planes, (count, channels, height, width)), (0, 2, 3, 1))


def solarize(images: Tensor, thresholds: Tensor) -> Tensor:
    """Return the images with all values from the thresholds up inverted."""
    return tf.where(images >= per_image(thresholds), 255.0 - images, images)


def posterize(images: Tensor, bits: Tensor) -> Tensor:
    """Return the images with only the first `bits` of the eight bits of each value."""
    steps = per_image(tf.pow(2.0, 8.0 - bits))
    return tf.floor(images / steps) * steps


def saturate(images: Tensor, factors: Tensor) -> Tensor:
    """Return the images with their saturation multiplied by the factors; gray images stay as they are."""
    if images.shape[-1] != len(GREY):
        return images
    grey = tf.reduce_sum(images * tf.constant(GREY), axis=-1, keepdims=True)
    return tf.clip_by_value(grey + (images - grey) * per_image(factors), 0.0, 255.0)


def sharpen(images: Tensor, factors: Tensor) -> Tensor:
    """Return the images with detail the size of a pixel multiplied by the factors."""
    smooth = blur(images, tf.fill((tf.shape(images)[0],), 0.7))
    return tf.clip_by_value(smooth + (images - smooth) * per_image(factors), 0.0, 255.0)

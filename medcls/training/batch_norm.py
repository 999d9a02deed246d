"""A fast batch normalization for training on a CPU: Keras's layer keeps its class, its variables and its results.

Keras puts batch normalization together from operations on maps of shape (batch, height, width, channels). TensorFlow
adds and multiplies such maps by a value for each channel, and does it slowly where a row has 8 or 16 channels. Here
neighbouring pixels make up one wide row, of which only the averages over the rows must be averaged once more; sums are
products with a row of equal weights; and the gradient is written out (Ioffe and Szegedy 2015, arXiv:1502.03167).
"""

import math
from collections.abc import Callable, Sequence

from medcls.utils.lazy import keras
from medcls.utils.lazy import tensorflow as tf
from medcls.utils.tensors import KerasLayer, KerasModel, Tensor

# Values in a row. Forward and backward over (16, 32, 32, 8) took 0.58 of Keras's time with 64 values, 0.52 with 128 to
# 256, 0.56 from 512 on; over (8, 64, 64, 16), 0.44, 0.40 and 0.58; over maps of 128 channels all are within 0.05.
# TensorFlow's fused kernel took 1.08, 0.87 and 0.79. Fewer rows also mean smaller rounding errors than Keras's.
WIDTH = 256
WIDEST = 1024

POLICIES = ("float32", "mixed_bfloat16", "mixed_float16")  # the statistics are in float32


def speed_up(network: KerasModel) -> None:
    """Let the batch normalization layers of a network, nested ones too, compute as this module does.

    Whatever is saved or exported from the network's file has Keras's own layers. Layers of another class, and
    those that normalize another axis than the last, across replicas or with renormalization, stay as they are. So does
    everything where TensorFlow sees a GPU, whose matrix products may round to fewer bits.
    """
    if tf.config.get_visible_devices("GPU"):
        return
    for layer in network._flatten_layers():
        if _is_plain(layer):
            layer.call = _call_of(layer)


def _is_plain(layer: KerasLayer) -> bool:
    if type(layer) is not keras.layers.BatchNormalization or not layer.built:
        return False
    is_last_axis = layer.axis in (-1, layer.input_spec.ndim - 1)
    return is_last_axis and not layer.renorm and not layer.synchronized and layer.dtype_policy.name in POLICIES


def _call_of(layer: KerasLayer) -> Callable[..., Tensor]:
    """Return what the layer is to do with its inputs instead of `keras.layers.BatchNormalization.call`."""

    def call(inputs: Tensor, training: bool | None = None, mask: object = None) -> Tensor:
        if mask is not None:
            return type(layer).call(layer, inputs, training=training, mask=mask)
        values = tf.cast(inputs, tf.float32)
        gamma = tf.convert_to_tensor(layer.gamma) if layer.scale else tf.ones(values.shape[-1:])
        beta = tf.convert_to_tensor(layer.beta) if layer.center else tf.zeros(values.shape[-1:])
        if training and layer.trainable:
            outputs, mean, variance = normalize(values, gamma, beta, layer.epsilon)
            for moving, batch in ((layer.moving_mean, mean), (layer.moving_variance, variance)):
                moving.assign(moving * layer.momentum + batch * (1.0 - layer.momentum))
        else:
            scale = tf.math.rsqrt(layer.moving_variance + layer.epsilon) * gamma
            outputs = _scaled(values, scale, beta - layer.moving_mean * scale)
        return tf.cast(outputs, layer.compute_dtype)

    return call


def _scaled(values: Tensor, scale: Tensor, offset: Tensor) -> Tensor:
    """Return values * scale + offset, with the bits that Keras returns.

    Args:
        values: of shape (batch, ..., channels).
        scale: of shape (channels,).
        offset: of shape (channels,).
    """
    pixels = pixels_in_a_row(values.shape)
    rows = tf.reshape(values, (-1, pixels * values.shape[-1]))
    scaled = rows * tf.tile(scale, (pixels,)) + tf.tile(offset, (pixels,))
    return tf.reshape(scaled, tf.shape(values))


def normalize(values: Tensor, gamma: Tensor, beta: Tensor, epsilon: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return the values normalized by the statistics of their batch, its means, and its biased variances.

    Means and variances are for the moving averages and have no gradient.

    Args:
        values: of shape (batch, ..., channels), float32.
        gamma: the standard deviations of the outputs, of shape (channels,).
        beta: the means of the outputs, of shape (channels,).
        epsilon: is added to the variances.
    """
    channels = values.shape[-1]
    pixels = pixels_in_a_row(values.shape)

    def wide(tensor: Tensor) -> Tensor:
        return tf.reshape(tensor, (-1, pixels * channels))

    def normalized(values: Tensor, gamma: Tensor, beta: Tensor) -> tuple[tuple[Tensor, ...], Callable[..., object]]:
        rows = wide(values)
        number = tf.cast(tf.shape(rows)[0], tf.float32)
        weights = tf.fill((1, tf.shape(rows)[0]), 1.0 / number)

        def average(rows: Tensor) -> Tensor:
            """Return the averages of the channels, once for each pixel of a row: of shape (pixels, channels)."""
            averages = tf.matmul(weights, rows)
            if pixels == 1:
                return averages
            return tf.matmul(tf.fill((pixels, pixels), 1.0 / pixels), tf.reshape(averages, (pixels, channels)))

        mean = average(rows)
        centered = rows - wide(mean)
        variance = average(tf.square(centered))
        inverse = tf.math.rsqrt(variance + epsilon)
        scale = inverse * gamma
        outputs = tf.reshape(centered * wide(scale) + tf.tile(beta, (pixels,)), tf.shape(values))

        def gradients(upstream: Tensor, *_: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            slopes = wide(upstream)
            mean_slope = average(slopes)
            covariance = average(slopes * centered)
            correction = centered * wide(scale * tf.square(inverse) * covariance) + wide(scale * mean_slope)
            inputs = tf.reshape(slopes * wide(scale) - correction, tf.shape(values))
            examples = number * pixels
            return inputs, examples * (covariance * inverse)[0], examples * mean_slope[0]

        return (outputs, mean[0], variance[0]), gradients

    outputs, mean, variance = tf.custom_gradient(normalized)(values, gamma, beta)
    return outputs, tf.stop_gradient(mean), tf.stop_gradient(variance)


def pixels_in_a_row(shape: Sequence[int | None]) -> int:
    """Return how many neighbouring pixels make up one row: the least number that gives `WIDTH` values.

    It divides the number of pixels, so that the rows are full for every batch size; it is 1 where the number of pixels
    is unknown or no larger number fits into `WIDEST` values.

    Args:
        shape: (batch, ..., channels).
    """
    sizes = [size for size in shape[1:] if size is not None]
    if len(sizes) < len(shape) - 1:
        return 1
    *spatial, channels = sizes
    number = math.prod(spatial)
    chosen = 1
    for pixels in range(1, min(number, WIDEST // channels) + 1):
        if number % pixels == 0:
            chosen = pixels
        if chosen * channels >= WIDTH:
            break
    return chosen

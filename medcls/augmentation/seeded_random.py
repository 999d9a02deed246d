"""Random numbers that depend on a seed and a name alone, whatever else is drawn and in whatever thread."""

import zlib
from typing import Any

from medcls.utils.lazy import tensorflow as tf


def named(seed: Any, name: str) -> Any:
    """Return the seed of a name's own stream: of shape (2,), as the seed."""
    # Philox by name, since what "auto_select" picks depends on the device.
    return tf.random.experimental.stateless_fold_in(seed, zlib.crc32(name.encode()) >> 1, alg="philox")


def uniform(seed: Any, name: str, shape: Any, low: float = 0.0, high: float = 1.0) -> Any:
    """Return numbers of this shape, each as likely between `low` and `high`, float32.

    Args:
        seed: of shape (2,), int32 or int64.
        name: what is drawn: every name has its own stream.
        shape: a tuple, whose members may be tensors.
        low: the least.
        high: not reached.
    """
    return low + (high - low) * tf.random.stateless_uniform(shape, named(seed, name), alg="philox")


def symmetric(seed: Any, name: str, count: Any, limit: float) -> Any:
    """Return `count` numbers from -limit to limit, float32; a limit of 0 gives exact zeros."""
    if limit == 0:
        return tf.zeros((count,))
    return limit * tf.random.stateless_uniform((count,), named(seed, name), -1.0, 1.0, alg="philox")


def between(seed: Any, name: str, count: Any, ends: tuple[float, ...]) -> Any:
    """Return `count` numbers between two ends, float32; equal ends give that number exactly."""
    low, high = ends
    return tf.fill((count,), tf.constant(low, tf.float32)) if low == high else uniform(seed, name, (count,), low, high)


def signs(seed: Any, name: str, count: Any, drawn: bool) -> Any:
    """Return `count` times -1 or 1, each as likely, float32; only ones unless `drawn`."""
    numbers = symmetric(seed, name, count, float(drawn))
    return tf.where(numbers < 0.0, -1.0, 1.0)


def normal(seed: Any, name: str, shape: Any) -> Any:
    """Return numbers of this shape from the standard normal distribution, float32."""
    return tf.random.stateless_normal(shape, named(seed, name), alg="philox")


def beta(seed: Any, name: str, count: Any, alpha: float) -> Any:
    """Return `count` numbers from Beta(alpha, alpha), float32."""
    shape = (2, count)  # as gamma variates, in float64 since those of a small alpha are tiny
    ones, others = tf.unstack(tf.random.stateless_gamma(shape, named(seed, name), alpha, dtype=tf.float64))
    return tf.cast(tf.math.divide_no_nan(ones, ones + others), tf.float32)

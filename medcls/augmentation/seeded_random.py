"""Random numbers that depend only on a seed and a name, not on other draws or threads."""

import zlib

from medcls.utils.lazy import tensorflow as tf
from medcls.utils.tensors import Tensor


def named(seed: Tensor, name: str) -> Tensor:
    """Return the seed, of shape (2,), of the random stream with this name."""
    # Philox by name, since what "auto_select" picks depends on the device.
    return tf.random.experimental.stateless_fold_in(seed, zlib.crc32(name.encode()) >> 1, alg="philox")


def uniform(seed: Tensor, name: str, shape: Tensor, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Return uniformly distributed numbers, float32.

    Args:
        seed: of shape (2,), int32 or int64.
        name: of the random stream.
        shape: a tuple, whose members may be tensors.
        low: the smallest possible value.
        high: is above every value.
    """
    return low + (high - low) * tf.random.stateless_uniform(shape, named(seed, name), alg="philox")


def symmetric(seed: Tensor, name: str, count: Tensor, limit: float) -> Tensor:
    """Return `count` uniform numbers from -limit to limit, float32; a limit of 0 gives exact zeros."""
    if limit == 0:
        return tf.zeros((count,))
    return limit * tf.random.stateless_uniform((count,), named(seed, name), -1.0, 1.0, alg="philox")


def between(seed: Tensor, name: str, count: Tensor, ends: tuple[float, ...]) -> Tensor:
    """Return `count` uniform numbers between two ends, float32; equal ends give exactly that number."""
    low, high = ends
    return tf.fill((count,), tf.constant(low, tf.float32)) if low == high else uniform(seed, name, (count,), low, high)


def signs(seed: Tensor, name: str, count: Tensor, drawn: bool) -> Tensor:
    """Return `count` numbers, -1 or 1 with equal probability, float32; all are 1 unless `drawn`."""
    numbers = symmetric(seed, name, count, float(drawn))
    return tf.where(numbers < 0.0, -1.0, 1.0)


def normal(seed: Tensor, name: str, shape: Tensor) -> Tensor:
    """Return numbers of this shape from the standard normal distribution, float32."""
    return tf.random.stateless_normal(shape, named(seed, name), alg="philox")


def beta(seed: Tensor, name: str, count: Tensor, alpha: float) -> Tensor:
    """Return `count` numbers from Beta(alpha, alpha), float32."""
    shape = (2, count)  # from gamma variates, in float64 because they are tiny if alpha is small
    ones, others = tf.unstack(tf.random.stateless_gamma(shape, named(seed, name), alpha, dtype=tf.float64))
    return tf.cast(tf.math.divide_no_nan(ones, ones + others), tf.float32)

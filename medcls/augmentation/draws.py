"""Random numbers that depend on a seed and a name alone, whatever else is drawn and in whatever thread."""

import zlib
from typing import Any

from medcls.lazy import lazy

tf = lazy("tensorflow")


def symmetric(seed: Any, name: str, count: Any, limit: float) -> Any:
    """Return `count` numbers from -limit to limit, float32; a limit of 0 gives exact zeros.

    Args:
        seed: of shape (2,), int32 or int64.
        name: what is drawn: every name has its own stream.
        count: how many, a scalar tensor.
        limit: the largest magnitude.
    """
    if limit == 0:
        return tf.zeros((count,))
    # Philox by name, since what "auto_select" picks depends on the device.
    own = tf.random.experimental.stateless_fold_in(seed, zlib.crc32(name.encode()) >> 1, alg="philox")
    return limit * tf.random.stateless_uniform((count,), own, -1.0, 1.0, alg="philox")


def signs(seed: Any, name: str, count: Any, drawn: bool) -> Any:
    """Return `count` times -1 or 1, each as likely, float32; only ones unless `drawn`."""
    numbers = symmetric(seed, name, count, float(drawn))
    return tf.where(numbers < 0.0, -1.0, 1.0)

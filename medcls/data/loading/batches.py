"""Batches for training: a stream in which everything random depends only on (seed, epoch, step)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from medcls.data import dataset
from medcls.data.memmap_reader import Reader
from medcls.utils.lazy import tensorflow as tf
from medcls.utils.tensors import Tensor

Rows = NDArray[np.int64]
Number = TypeVar("Number", bound=np.generic)
Drawn = tuple[dataset.Examples, NDArray[np.float32], NDArray[np.float32]]  # images, targets and weights of a batch

Batch = tuple[Tensor, Tensor, Tensor]
"""Images, targets and weights, as tensors."""

Augment = Callable[[Tensor, Tensor, Tensor, Tensor], Batch]
"""A function (images, targets, weights, seed) -> the changed images, targets and weights of a batch."""

Batches: TypeAlias = "tf.data.Dataset"
"""A stream of batches."""


@dataclass(frozen=True)
class Examples:
    """The examples from which a stream draws its batches.

    Attributes:
        images: of shape (n, height, width, channels), uint8, or points of shape (n, coordinates) or features of any
            shape, float32; may be a memory map larger than memory.
        rows: the rows of `images` to use, of shape (m,).
        targets: of shape (m, classes) or (m, height, width, 1), float32, beside `rows`.
        weights: of shape (m,), float32, beside `rows`.
        mirrored: a mirrored copy of each image, and of its target if that is a map, follows after the last.
    """

    images: dataset.Examples
    rows: Rows
    targets: dataset.Targets
    weights: NDArray[np.float32]
    mirrored: bool = False


def shuffled(labels: NDArray[np.int64], seed: int) -> Callable[[int], Rows]:
    """Return epoch -> every position once, in random order."""
    return lambda epoch: np.random.default_rng([seed, epoch]).permutation(len(labels))


def evenly(labels: NDArray[np.int64], seed: int) -> Callable[[int], Rows]:
    """Return epoch -> as many positions as there are labels, every class equally often (but for the remainder)."""
    groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]

    def order(epoch: int) -> Rows:
        generator = np.random.default_rng([seed, epoch])
        share, rest = divmod(len(labels), len(groups))
        one_more = generator.permutation(len(groups)) < rest
        drawn = []
        for group, more in zip(groups, one_more, strict=True):
            drawn.append(np.resize(generator.permutation(group), share + more))
        return generator.permutation(np.concatenate(drawn))

    return order


def in_parts(order: Callable[[int], Rows], share: float) -> Callable[[int], Rows]:
    """Return a function of the epoch that gives the next `share` of the positions, order after order.

    With a share of a half every two epochs use every position once. The positions of an epoch depend on the seed and
    its number alone. A share of 1 is the order itself.
    """
    if share == 1:
        return order
    count = len(order(0))
    length = max(1, round(share * count))

    def next_share(epoch: int) -> Rows:
        first, start = divmod(epoch * length, count)
        return np.concatenate([order(first), order(first + 1)])[start : start + length]

    return next_share


def training(
    examples: Examples,
    order: Callable[[int], Rows],
    augment: Augment,
    seed: int,
    batch_size: int,
    epochs: range,
) -> Batches:
    """Return a tf.data stream of (images float32 0..255, targets, weights) over whole epochs, one after another.

    Args:
        examples: what to draw from.
        order: epoch -> positions among the examples' rows, in the order in which they are drawn.
        augment: (images as they are stored, targets, weights, seed) -> images, targets and weights, all float32.
        seed: of the augmentation.
        batch_size: examples in a batch; the last one of an epoch may be smaller.
        epochs: the numbers of the epochs to stream.
    """
    order, read = lru_cache(maxsize=2)(order), Reader(examples.images)
    steps = steps_of(len(order(epochs.start)), batch_size)

    def draw(number: int) -> Drawn:
        epoch, step = divmod(int(number), steps)
        return _take(examples, read, order(epoch)[step * batch_size : (step + 1) * batch_size])

    def batch(number: Tensor) -> Batch:
        images, targets, weights = _as_tensors(examples, draw, number)
        return augment(images, targets, weights, tf.stack([tf.constant(seed, tf.int64), number]))

    numbers = tf.data.Dataset.range(epochs.start * steps, epochs.stop * steps)
    return _finished(numbers.map(_as_it_is(batch), num_parallel_calls=2))


def evaluation(examples: Examples, batch_size: int) -> Batches:
    """Return a tf.data stream of (images, targets, weights) in the order of the rows, once."""
    positions, read = np.arange(len(examples.rows)), Reader(examples.images)

    def draw(number: int) -> Drawn:
        return _take(examples, read, positions[int(number) * batch_size : (int(number) + 1) * batch_size])

    def batch(number: Tensor) -> Batch:
        images, targets, weights = _as_tensors(examples, draw, number)
        return tf.cast(images, tf.float32), targets, weights

    steps = steps_of(len(positions), batch_size)
    return _finished(tf.data.Dataset.range(steps).map(_as_it_is(batch)))


def steps_of(count: int, batch_size: int) -> int:
    """Return the number of batches in an epoch, the last one possibly smaller."""
    return -(-count // batch_size)


def _take(examples: Examples, read: Reader, positions: Rows) -> Drawn:
    if examples.mirrored:
        count = len(examples.rows)
        flip, positions = positions >= count, positions % count
    images = read(examples.rows[positions])
    targets = examples.targets[positions]
    if examples.mirrored:
        images, targets = _mirrored(images, flip), _mirrored(targets, flip)
    return images, targets, examples.weights[positions]


def _mirrored(maps: NDArray[Number], which: NDArray[np.bool_]) -> NDArray[Number]:
    """Return maps of shape (n, height, width, ...), some of them with left and right exchanged; others as they are."""
    if maps.ndim < 4:
        return maps
    return np.where(which[:, None, None, None], maps[:, :, ::-1], maps)


def _as_tensors(examples: Examples, draw: Callable[[int], Drawn], number: Tensor) -> Batch:
    images, targets, weights = tf.numpy_function(draw, [number], [examples.images.dtype, tf.float32, tf.float32])
    images.set_shape((None, *examples.images.shape[1:]))
    targets.set_shape((None, *examples.targets.shape[1:]))
    weights.set_shape((None,))
    return images, targets, weights


def _as_it_is(function: Callable[[Tensor], Batch]) -> Callable[[Tensor], Batch]:
    """Return a function that is traced without AutoGraph, whose rewriting of its source takes half a second."""
    plain: Callable[[Tensor], Batch] = tf.autograph.experimental.do_not_convert(function)
    return plain


def _finished(stream: Batches) -> Batches:
    options = tf.data.Options()
    options.deterministic = True
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    options.threading.private_threadpool_size = 2
    # Nothing here is left to be tuned, and the thread that tunes can miss that the stream has ended: whoever drops the
    # stream then waits up to a minute for it (its pauses double from 10 ms to 60 s).
    options.autotune.enabled = False
    return stream.with_options(options).prefetch(2)

"""The type of an augmentation: functions that change a training batch at random, from a seed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from medcls.utils.lazy import tensorflow as tf
from medcls.utils.tensors import Tensor


def unchanged(images: Tensor, *_: Tensor) -> Tensor:
    """Return the images as they are."""
    return images


def unmixed(images: Tensor, targets: Tensor, weights: Tensor, _: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return images, targets and weights as they are."""
    return images, targets, weights


def in_turn(changes: Iterable[Callable[[Tensor, Tensor], Tensor]]) -> Callable[[Tensor, Tensor], Tensor]:
    """Return a function (images, seed) -> images that applies these changes one after another."""
    steps = tuple(changes)

    def change(images: Tensor, seed: Tensor) -> Tensor:
        for step in steps:
            images = step(images, seed)
        return images

    return change


@dataclass(frozen=True)
class Augmentation:
    """Random changes of a batch, for use inside tf.data: a seed gives the same bits in any thread.

    Images are of shape (batch, height, width, channels), 0..255: float32 or uint8 as input, float32 as output. A seed
    is of shape (2,), int32 or int64.

    Attributes:
        warp: (images, seed[, interpolation]) -> images whose contents are moved; uint8 input costs less memory.
        recolour: (images, seed) -> images whose values are changed and whose contents stay where they are.
        mix: (images, targets, weights, seed) -> images, targets and weights, each image mixed with another.
    """

    warp: Callable[..., Tensor] = unchanged
    recolour: Callable[[Tensor, Tensor], Tensor] = unchanged
    mix: Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor, Tensor]] = unmixed

    def __call__(self, images: Tensor, seed: Tensor) -> Tensor:
        """Return the images, each warped and recoloured by its own random draws, and none mixed with another."""
        return self.recolour(tf.cast(self.warp(images, seed), tf.float32), seed)

    def batch(self, images: Tensor, targets: Tensor, weights: Tensor, seed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return a training batch: images changed and mixed, with targets and weights to match.

        Args:
            images: of shape (batch, height, width, channels), 0..255.
            targets: of shape (batch, classes) or (batch, 1).
            weights: of shape (batch,).
            seed: of shape (2,).
        """
        return self.mix(self(images, seed), targets, weights, seed)

    def masks(self, masks: Tensor, seed: Tensor) -> Tensor:
        """Return masks, warped as the images with this seed are, without interpolated values."""
        return self.warp(masks, seed, "nearest")


def none() -> Augmentation:
    """Return the images as they are."""
    return Augmentation()

"""What an augmentation is: functions of batches that draw from a seed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from medcls.utils.lazy import tensorflow as tf


def unchanged(images: Any, *_: Any) -> Any:
    """Return the images as they are."""
    return images


def unmixed(images: Any, targets: Any, weights: Any, _: Any) -> tuple[Any, Any, Any]:
    """Return images, targets and weights as they are."""
    return images, targets, weights


def in_turn(changes: Iterable[Callable[[Any, Any], Any]]) -> Callable[[Any, Any], Any]:
    """Return (images, seed) -> images, changed by one after another."""
    steps = tuple(changes)

    def change(images: Any, seed: Any) -> Any:
        for step in steps:
            images = step(images, seed)
        return images

    return change


@dataclass(frozen=True)
class Augmentation:
    """Random changes of a batch, usable inside tf.data: the same seed gives the same bits in any thread.

    Images are of shape (batch, height, width, channels), float32 or uint8, 0..255, and float32 when they come out; a
    seed is of shape (2,), int32 or int64.

    Attributes:
        warp: (images, seed[, interpolation]) -> images with everything elsewhere; uint8 costs less on the way in.
        recolour: (images, seed) -> images with other values at the same places.
        mix: (images, targets, weights, seed) -> the same, every image with its target and weight mixed with another.
    """

    warp: Callable[..., Any] = unchanged
    recolour: Callable[[Any, Any], Any] = unchanged
    mix: Callable[[Any, Any, Any, Any], tuple[Any, Any, Any]] = unmixed

    def __call__(self, images: Any, seed: Any) -> Any:
        """Return the images, each changed by its own draws; none is mixed with another."""
        return self.recolour(tf.cast(self.warp(images, seed), tf.float32), seed)

    def batch(self, images: Any, targets: Any, weights: Any, seed: Any) -> tuple[Any, Any, Any]:
        """Return a training batch: images changed and mixed, targets and weights to match."""
        return self.mix(self(images, seed), targets, weights, seed)

    def masks(self, masks: Any, seed: Any) -> Any:
        """Return the masks of the images that got the same seed: moved like them, with no new values."""
        return self.warp(masks, seed, "nearest")


def none() -> Augmentation:
    """Return the images as they are."""
    return Augmentation()

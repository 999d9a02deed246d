"""Losses as plain functions of (targets, predictions), both of shape (batch, classes); one value per image."""

from typing import Any

from medcls.lazy import lazy

keras = lazy("keras")


def cross_entropy(targets: Any, predictions: Any) -> Any:
    """Return the categorical cross-entropy of each image, of shape (batch,)."""
    return keras.losses.categorical_crossentropy(targets, predictions)


def focal(targets: Any, predictions: Any, gamma: float = 2.0) -> Any:
    """Return the focal loss of each image, of shape (batch,): cross-entropy times (1 - p of the true class)^gamma.

    Lin et al. 2017, equation 4, without the balance weight alpha; gamma 0 is the cross-entropy.
    """
    true_class = keras.ops.sum(targets * predictions, axis=-1)
    return keras.ops.power(1.0 - true_class, gamma) * cross_entropy(targets, predictions)

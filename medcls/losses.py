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
    missing = 1.0 - keras.ops.sum(targets * predictions, axis=-1)
    # Never 0 or, by rounding, below: there the power's gradient is infinite (gamma < 1) or no number.
    missing = keras.ops.clip(missing, keras.config.epsilon(), 1.0)
    return keras.ops.power(missing, gamma) * cross_entropy(targets, predictions)

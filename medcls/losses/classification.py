"""Losses as plain functions of (targets, predictions); one value per image.

Targets and predictions are of shape (batch, classes). Predictions may be one column, the probability of the second of
two classes; targets may be one column, the number of the class.
"""

from typing import Any

from medcls.spec.constraints import for_task, of_classes
from medcls.utils.lazy import keras


@for_task(of_classes)
def cross_entropy(targets: Any, predictions: Any) -> Any:
    """Return the cross-entropy of each image, of shape (batch,): binary, sparse or categorical, by the columns.

    Each is Keras's own, which finds the logits behind a sigmoid or softmax and so stays exact where probabilities
    are 0 or 1.
    """
    if predictions.shape[-1] == 1:
        return keras.losses.binary_crossentropy(targets, predictions)
    if targets.shape[-1] == 1:
        return keras.losses.sparse_categorical_crossentropy(targets, predictions)
    return keras.losses.categorical_crossentropy(targets, predictions)


def of_the_task(targets: Any, predictions: Any) -> Any:
    """Stand where a learner is to use the loss that its task has; never called."""
    raise NotImplementedError("the learner takes the task's own loss")


@for_task(of_classes)
def focal(targets: Any, predictions: Any, gamma: float = 2.0) -> Any:
    """Return the focal loss of each image, of shape (batch,): cross-entropy times (1 - p of the true class)^gamma.

    Lin et al. 2017, equation 4, without the balance weight alpha; gamma 0 is the cross-entropy.
    """
    true, probabilities = by_class(targets, predictions)
    missing = 1.0 - keras.ops.sum(true * probabilities, axis=-1)
    # Never 0 or, by rounding, below: there the power's gradient is infinite (gamma < 1) or no number.
    missing = keras.ops.clip(missing, keras.config.epsilon(), 1.0)
    return keras.ops.power(missing, gamma) * cross_entropy(targets, predictions)


def by_class(targets: Any, predictions: Any) -> tuple[Any, Any]:
    """Return targets and predictions of shape (batch, classes), one-hot and probabilities, whatever their columns."""
    if targets.shape[-1] == predictions.shape[-1] == 1:  # a target between 0 and 1 is one of mixed images
        targets, predictions = (keras.ops.concatenate([1.0 - each, each], axis=-1) for each in (targets, predictions))
    elif predictions.shape[-1] == 1:
        predictions = keras.ops.concatenate([1.0 - predictions, predictions], axis=-1)
    elif targets.shape[-1] == 1:
        numbers = keras.ops.cast(targets[..., 0], "int32")
        targets = keras.ops.one_hot(numbers, predictions.shape[-1], dtype=predictions.dtype)
    return targets, predictions

"""Losses of classifiers: functions of (targets, predictions) that return one value per image.

Targets and predictions are of shape (batch, classes). Predictions may have a single column, the probability of the
second of two classes. Targets may have a single column, the class number.
"""

from medcls.spec.constraints import for_task, of_classes
from medcls.utils.lazy import keras
from medcls.utils.tensors import Tensor


@for_task(of_classes)
def cross_entropy(targets: Tensor, predictions: Tensor) -> Tensor:
    """Return the cross-entropy of each image, of shape (batch,).

    It is Keras's binary, sparse or categorical cross-entropy, depending on the columns. Keras finds the logits behind a
    sigmoid or softmax, so that the loss is exact even where probabilities are 0 or 1.
    """
    if predictions.shape[-1] == 1:
        return keras.losses.binary_crossentropy(targets, predictions)
    if targets.shape[-1] == 1:
        return keras.losses.sparse_categorical_crossentropy(targets, predictions)
    return keras.losses.categorical_crossentropy(targets, predictions)


def of_the_task(targets: Tensor, predictions: Tensor) -> Tensor:
    """Tell a learner to use the loss of its task; this function is never called."""
    raise NotImplementedError("the learner takes the task's own loss")


@for_task(of_classes)
def focal(targets: Tensor, predictions: Tensor, gamma: float = 2.0) -> Tensor:
    """Return the focal loss of each image, of shape (batch,): (1 - p)^gamma times the cross-entropy.

    Here p is the probability of the true class (Lin et al. 2017, arXiv:1708.02002, equation 4, without the weight
    alpha).

    Args:
        targets: of shape (batch, classes) or (batch, 1).
        predictions: of shape (batch, classes) or (batch, 1).
        gamma: how strongly easy images are discounted; 0 gives the cross-entropy.
    """
    true, probabilities = by_class(targets, predictions)
    missing = 1.0 - keras.ops.sum(true * probabilities, axis=-1)
    # Never 0 or, by rounding, negative: the gradient of the power would be infinite (gamma < 1) or NaN there.
    missing = keras.ops.clip(missing, keras.config.epsilon(), 1.0)
    return keras.ops.power(missing, gamma) * cross_entropy(targets, predictions)


def by_class(targets: Tensor, predictions: Tensor) -> tuple[Tensor, Tensor]:
    """Return targets as one-hot rows and predictions as class probabilities, both of shape (batch, classes)."""
    if targets.shape[-1] == predictions.shape[-1] == 1:  # targets of mixed images lie between 0 and 1
        targets = keras.ops.concatenate([1.0 - targets, targets], axis=-1)
        predictions = keras.ops.concatenate([1.0 - predictions, predictions], axis=-1)
    elif predictions.shape[-1] == 1:
        predictions = keras.ops.concatenate([1.0 - predictions, predictions], axis=-1)
    elif targets.shape[-1] == 1:
        numbers = keras.ops.cast(targets[..., 0], "int32")
        targets = keras.ops.one_hot(numbers, predictions.shape[-1], dtype=predictions.dtype)
    return targets, predictions

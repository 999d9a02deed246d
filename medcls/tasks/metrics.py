"""Keras metrics that are not part of Keras."""

from medcls.losses.classification import by_class
from medcls.utils.lazy import keras
from medcls.utils.tensors import Metric, Tensor


def binary_accuracy() -> Metric:
    """Return a streaming metric of probabilities of shape (n, 1): how often the likelier class is the target's.

    Unlike `keras.metrics.BinaryAccuracy`, it takes targets between 0 and 1, which mixed images have.
    """

    def same_side(targets: Tensor, predictions: Tensor) -> Tensor:
        return keras.ops.mean(keras.ops.cast((targets > 0.5) == (predictions > 0.5), "float32"), axis=-1)

    return keras.metrics.MeanMetricWrapper(same_side, name="accuracy")


def balanced_accuracy(classes: int) -> Metric:
    """Return a streaming metric: the mean recall over the classes that occur.

    Targets and predictions may have one column, or one for each class.
    """

    class BalancedAccuracy(keras.metrics.Metric):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name="balanced_accuracy")
            self.hits = self.add_weight(shape=(classes,), initializer="zeros", name="hits")
            self.totals = self.add_weight(shape=(classes,), initializer="zeros", name="totals")

        def update_state(self, targets: Tensor, predictions: Tensor, sample_weight: Tensor = None) -> None:  # noqa: ARG002
            targets, predictions = by_class(targets, predictions)
            predicted = keras.ops.one_hot(keras.ops.argmax(predictions, axis=-1), classes)
            self.hits.assign_add(keras.ops.sum(targets * predicted, axis=0))
            self.totals.assign_add(keras.ops.sum(targets, axis=0))

        def result(self) -> Tensor:
            occurring = keras.ops.cast(self.totals > 0, "float32")
            recalls = self.hits / keras.ops.maximum(self.totals, 1.0)
            return keras.ops.sum(recalls * occurring) / keras.ops.maximum(keras.ops.sum(occurring), 1.0)

    return BalancedAccuracy()


def dice_score() -> Metric:
    """Return a streaming metric of masks: the mean over images of the Dice coefficient of the pixels above 0.5.

    Targets and predictions are of shape (batch, height, width, 1). Two empty masks agree: 1.
    """

    def dice(targets: Tensor, predictions: Tensor) -> Tensor:
        true, predicted = _above_half(targets), _above_half(predictions)
        return _overlap(2.0 * _pixels(true * predicted), _pixels(true) + _pixels(predicted))

    return keras.metrics.MeanMetricWrapper(dice, name="dice")


def iou_score() -> Metric:
    """Return a streaming metric of masks: the mean over images of the IoU (Jaccard index) of the pixels above 0.5.

    Targets and predictions are of shape (batch, height, width, 1). Two empty masks agree: 1.
    """

    def iou(targets: Tensor, predictions: Tensor) -> Tensor:
        true, predicted = _above_half(targets), _above_half(predictions)
        return _overlap(_pixels(true * predicted), _pixels(keras.ops.maximum(true, predicted)))

    return keras.metrics.MeanMetricWrapper(iou, name="iou")


def soft_dice() -> Metric:
    """Return a streaming metric of masks: the mean over batches of the Dice of the probabilities of a batch's pixels.

    The value depends on the batch size; it is for comparison with published values.
    """

    def over_batch(targets: Tensor, predictions: Tensor) -> Tensor:
        targets = keras.ops.cast(targets, predictions.dtype)
        both = keras.ops.sum(targets) + keras.ops.sum(predictions)
        return _overlap(2.0 * keras.ops.sum(targets * predictions), both)

    return keras.metrics.MeanMetricWrapper(over_batch, name="soft_dice")


def _above_half(values: Tensor) -> Tensor:
    return keras.ops.cast(values > 0.5, "float32")


def _pixels(mask: Tensor) -> Tensor:
    """Return the number of pixels of each image's mask, of shape (batch,)."""
    return keras.ops.sum(mask, axis=(1, 2, 3))


def _overlap(common: Tensor, whole: Tensor) -> Tensor:
    """Return `common / whole`, and 1 where `whole` is 0."""
    return keras.ops.where(whole > 0, common / keras.ops.maximum(whole, keras.config.epsilon()), 1.0)

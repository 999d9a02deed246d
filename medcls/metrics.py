"""Keras metrics that Keras has not."""

from typing import Any

from medcls.lazy import lazy
from medcls.losses import by_class

keras = lazy("keras")


def binary_accuracy() -> Any:
    """Return a streaming metric of (n, 1) probabilities: how often the likelier class is that of the target.

    As Keras's own, but a target may lie between 0 and 1, as that of mixed images does.
    """

    def same_side(targets: Any, predictions: Any) -> Any:
        return keras.ops.mean(keras.ops.cast((targets > 0.5) == (predictions > 0.5), "float32"), axis=-1)

    return keras.metrics.MeanMetricWrapper(same_side, name="accuracy")


def balanced_accuracy(classes: int) -> Any:
    """Return a streaming metric: the mean recall over the classes that occur.

    Targets and predictions have the columns that losses take.
    """

    class BalancedAccuracy(keras.metrics.Metric):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__(name="balanced_accuracy")
            self.hits = self.add_weight(shape=(classes,), initializer="zeros", name="hits")
            self.totals = self.add_weight(shape=(classes,), initializer="zeros", name="totals")

        def update_state(self, targets: Any, predictions: Any, sample_weight: Any = None) -> None:  # noqa: ARG002
            targets, predictions = by_class(targets, predictions)
            predicted = keras.ops.one_hot(keras.ops.argmax(predictions, axis=-1), classes)
            self.hits.assign_add(keras.ops.sum(targets * predicted, axis=0))
            self.totals.assign_add(keras.ops.sum(targets, axis=0))

        def result(self) -> Any:
            occurring = keras.ops.cast(self.totals > 0, "float32")
            recalls = self.hits / keras.ops.maximum(self.totals, 1.0)
            return keras.ops.sum(recalls * occurring) / keras.ops.maximum(keras.ops.sum(occurring), 1.0)

    return BalancedAccuracy()

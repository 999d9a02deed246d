"""Type aliases for tensors, networks and other objects of Keras and TensorFlow, for signatures that load neither.

Each alias is a forward reference, which editors follow and Python does not evaluate. To mypy they are `Any`, because
neither library ships types.
"""

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

KerasTensor: TypeAlias = "keras.KerasTensor"
"""A symbolic tensor, from which a network is built."""

KerasModel: TypeAlias = "keras.Model"
"""A network."""

KerasLayer: TypeAlias = "keras.Layer"
"""A layer of a network."""

Tensor: TypeAlias = "tf.Tensor"
"""A tensor of numbers, as in `tf.data` and in losses."""

Callback: TypeAlias = "keras.callbacks.Callback"
"""Something that Keras calls during training."""

Optimizer: TypeAlias = "keras.optimizers.Optimizer"
"""An optimizer, compiled into a network."""

Metric: TypeAlias = "keras.metrics.Metric"
"""A metric that Keras computes batch by batch."""

"""The hidden dense layers between the convolutions and the head."""

from collections.abc import Sequence

from medcls.utils.lazy import keras
from medcls.utils.tensors import KerasTensor


def hidden_layers(
    x: KerasTensor,
    units: Sequence[int],
    dropout: float,
    dropped: int,
    *,
    activation: str = "relu",
    batch_norm: bool = False,
    initializer: str = "glorot_uniform",
) -> KerasTensor:
    """Return the output of dense layers on the flattened input.

    Args:
        x: Keras tensor of shape (batch, height, width, channels) or (batch, features).
        units: the number of units of each layer.
        dropout: the dropout rate; 0 adds no dropout layer.
        dropped: the number of layers, from the first on, that are followed by dropout.
        activation: the activation of each layer.
        batch_norm: whether to add batch normalization between each layer and its activation.
        initializer: the initializer of the kernels.

    Returns:
        Keras tensor of shape (batch, features).
    """
    if len(x.shape) > 2:
        x = keras.layers.Flatten()(x)
    for number, width in enumerate(units, start=1):
        inside = None if batch_norm else activation
        x = keras.layers.Dense(width, activation=inside, kernel_initializer=initializer, name=f"dense{number}")(x)
        if batch_norm:
            x = keras.layers.BatchNormalization()(x)
            x = keras.layers.Activation(activation)(x)
        if dropout and number <= dropped:
            x = keras.layers.Dropout(dropout)(x)
    return x

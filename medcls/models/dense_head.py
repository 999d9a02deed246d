"""The hidden dense layers before the head, as the course's networks have them."""

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
    """Return the features of flattening and dense layers, dropout after the first `dropped` of them.

    Args:
        x: Keras tensor of shape (batch, height, width, channels) or (batch, features).
        units: of each layer.
        dropout: rate; 0 builds no dropout layer.
        dropped: how many layers, from the first on, have dropout behind them.
        activation: of each layer.
        batch_norm: between each layer and its activation.
        initializer: of the kernels.
    """
    x = keras.layers.Flatten()(x) if len(x.shape) > 2 else x
    for number, width in enumerate(units):
        name, inside = f"dense{number + 1}", None if batch_norm else activation
        x = keras.layers.Dense(width, activation=inside, kernel_initializer=initializer, name=name)(x)
        if batch_norm:
            x = keras.layers.BatchNormalization()(x)
            x = keras.layers.Activation(activation)(x)
        if dropout and number < dropped:
            x = keras.layers.Dropout(dropout)(x)
    return x

"""The hidden dense layers between the last convolution and the head, as the course's networks have them."""

from collections.abc import Sequence
from typing import Any

from medcls.lazy import lazy

keras = lazy("keras")


def hidden_layers(x: Any, units: Sequence[int], dropout: float, dropped: int) -> Any:
    """Return the features of flattening and dense ReLU layers, dropout after the first `dropped` of them.

    Args:
        x: Keras tensor of shape (batch, height, width, channels).
        units: of each layer.
        dropout: rate; 0 builds no dropout layer.
        dropped: how many layers, from the first on, have dropout behind them.
    """
    x = keras.layers.Flatten()(x)
    for number, width in enumerate(units):
        x = keras.layers.Dense(width, activation="relu", name=f"dense{number + 1}")(x)
        if dropout and number < dropped:
            x = keras.layers.Dropout(dropout)(x)
    return x

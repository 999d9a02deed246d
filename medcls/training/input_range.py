"""The range of values that reaches a network's first trained layer: some networks scale 0..255 themselves."""

from collections.abc import Iterator

import numpy as np

from medcls.utils.lazy import keras
from medcls.utils.tensors import KerasLayer, KerasModel

LEAST = 0.05  # between black and white: networks are made for a range of 1 or more


def first_range(network: KerasModel) -> tuple[str, float] | None:
    """Return the layer that scales the images last, and how far apart it leaves black (0) and white (255).

    Layers are followed as far as they scale every pixel alike, or only copy or move pixels; None if none scales.
    """
    last, width = "", 255.0
    for layer in _first_layers(network):
        scale = _scale(layer)
        if scale is not None:
            last, width = layer.name, width * scale
    return (last, width) if last else None


def _first_layers(network: KerasModel) -> Iterator[KerasLayer]:
    """Yield the layers of a network, and of networks within it, up to the first that does more than scale or move."""
    scaling_or_moving = (
        keras.layers.InputLayer,
        keras.layers.Rescaling,
        keras.layers.Normalization,
        keras.layers.Concatenate,
        keras.layers.Identity,
        keras.layers.ZeroPadding2D,
        keras.layers.Resizing,
    )
    for operation in getattr(network, "operations", network.layers):  # a Sequential has layers alone
        if isinstance(operation, keras.Model):
            yield from _first_layers(operation)
            return
        if not isinstance(operation, scaling_or_moving):
            return
        yield operation


def _scale(layer: KerasLayer) -> float | None:
    """Return the largest factor by which a layer stretches a channel; None if it does not scale."""
    if isinstance(layer, keras.layers.Rescaling):
        return float(np.max(np.abs(layer.scale)))
    if isinstance(layer, keras.layers.Normalization):
        variance = layer.get_config()["variance"]
        deviation = 1.0 if variance is None else float(np.sqrt(np.min(variance)))
        return deviation if layer.invert else 1 / deviation
    return None

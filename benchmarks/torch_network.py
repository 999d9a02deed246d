"""A Keras network in PyTorch: layer for layer the same work, for benchmarks of a step."""

from typing import Any

import keras
import torch
from torch import nn

from medcls.utils.tensors import KerasLayer, KerasModel


class TorchNetwork(nn.Module):
    """A network from images of shape (batch, channels, height, width), 0..255, to logits.

    Attributes:
        places: of each layer: the positions of its inputs among the values computed so far.
    """

    def __init__(self, network: KerasModel) -> None:
        super().__init__()
        positions = {id(network.input): 0}
        self.parts = nn.ModuleList()
        self.places: list[list[int]] = []
        for layer in network.layers:
            if isinstance(layer, keras.layers.InputLayer):
                continue
            inputs = layer.input if isinstance(layer.input, list) else [layer.input]
            self.places.append([positions[id(tensor)] for tensor in inputs])
            self.parts.append(module(layer, is_head=layer is network.layers[-1]))
            positions[id(layer.output)] = len(self.parts)

    def forward(self, images: Any) -> Any:
        """Return the logits."""
        values = [images]
        for part, places in zip(self.parts, self.places, strict=True):
            values.append(part(*[values[place] for place in places]))
        return values[-1]


class Scale(nn.Module):
    """Multiplies by a number."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, values: Any) -> Any:
        """Return values * factor."""
        return values * self.factor


class Add(nn.Module):
    """Adds two tensors."""

    def forward(self, one: Any, other: Any) -> Any:
        """Return their sum."""
        return one + other


class Concatenate(nn.Module):
    """Puts the channels of two tensors side by side."""

    def forward(self, one: Any, other: Any) -> Any:
        """Return a tensor with the channels of both."""
        return torch.cat([one, other], dim=1)


def module(layer: KerasLayer, *, is_head: bool) -> nn.Module:
    """Return what does a Keras layer's work; a head is returned without its activation.

    Raises:
        NotImplementedError: no kind of layer for which this is known.
    """
    main = _weighted(layer) or _plain(layer)
    if main is None:
        raise NotImplementedError(f"{type(layer).__name__} has no counterpart here: add it to {__name__}.")
    activation = getattr(layer, "activation", None)
    if activation is keras.activations.relu and main is not None and not isinstance(main, nn.ReLU) and not is_head:
        return nn.Sequential(main, nn.ReLU())
    return main


def _weighted(layer: KerasLayer) -> nn.Module | None:
    kinds = keras.layers
    if isinstance(layer, kinds.Conv2DTranspose):
        inputs, outputs = layer.input.shape[-1], layer.filters
        return nn.ConvTranspose2d(inputs, outputs, layer.kernel_size, layer.strides, padding=1, output_padding=1)
    if isinstance(layer, kinds.Conv2D):
        inputs, outputs, padding = layer.input.shape[-1], layer.filters, layer.kernel_size[0] // 2
        return nn.Conv2d(inputs, outputs, layer.kernel_size, layer.strides, padding, bias=layer.use_bias)
    if isinstance(layer, kinds.Dense):
        return nn.Linear(layer.input.shape[-1], layer.units)
    if isinstance(layer, kinds.BatchNormalization):
        return nn.BatchNorm2d(layer.input.shape[-1], eps=layer.epsilon, momentum=1 - layer.momentum)
    return None


def _plain(layer: KerasLayer) -> nn.Module | None:
    kinds = keras.layers
    if isinstance(layer, kinds.MaxPooling2D):
        return nn.MaxPool2d(layer.pool_size, layer.strides)
    if isinstance(layer, kinds.AveragePooling2D):
        return nn.AvgPool2d(layer.pool_size, layer.strides)
    if isinstance(layer, kinds.GlobalAveragePooling2D):
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    if isinstance(layer, kinds.Rescaling):
        return Scale(layer.scale)
    for kind, made in ((kinds.ReLU, nn.ReLU), (kinds.Flatten, nn.Flatten), (kinds.Add, Add)):
        if isinstance(layer, kind):
            return made()
    return Concatenate() if isinstance(layer, kinds.Concatenate) else None

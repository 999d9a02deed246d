"""How many multiply-adds a network takes, counted without TensorFlow, which takes seconds to import.

While a model function is called, the proxy of Keras answers with layers that only follow the shapes of their inputs. A
network with a layer that is not known here is not counted; `training.network.operations` counts any network that has
been built.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace
from typing import Any

from medcls.spec.parameters import arguments_of
from medcls.spec.variant import Variant
from medcls.utils.lazy import keras, stand_in

Shape = tuple[int | None, ...]
"""The shape of a layer's input or output, None for the number of images."""


@dataclass(frozen=True)
class Followed:
    """What stands for a Keras tensor: its shape alone."""

    shape: Shape

    def _unchanged(self, other: object) -> "Followed":
        wider = isinstance(other, Followed) and len(other.shape) > len(self.shape)
        return other if wider and isinstance(other, Followed) else self

    __add__ = __radd__ = __mul__ = __rmul__ = __sub__ = __rsub__ = __truediv__ = _unchanged


class UnknownLayerError(Exception):
    """A layer whose output has a shape that is not known here."""


@dataclass
class Layers:
    """What stands for `keras.layers` while a network is counted.

    Attributes:
        operations: the multiply-adds of the layers that have been called so far.
    """

    operations: int = 0

    def __getattr__(self, name: str) -> Callable[..., Callable[..., Followed]]:
        """Return what stands for the class of a layer.

        Raises:
            UnknownLayerError: no such layer is known.
        """
        kind: Callable[..., Counted] = KINDS.get(name, _same)
        if name not in KINDS and not name.startswith(SAME):
            raise UnknownLayerError(name)

        def layer(*given: Any, **settings: Any) -> Callable[..., Followed]:
            def call(inputs: Any, **_: Any) -> Followed:
                output, operations = kind(inputs, *given, **settings)
                self.operations += operations
                return output

            return call

        return layer


Counted = tuple[Followed, int]
"""The output of a layer, and its multiply-adds for one image."""


def counted_operations(variant: Variant, shape: tuple[int, ...], classes: int) -> int | None:
    """Return the multiply-adds that a variant's network takes for one image; None where they cannot be counted.

    Args:
        variant: it has the model and the task.
        shape: of an image (height, width, channels), or of a point (coordinates,).
        classes: the number of classes.
    """
    model = arguments_of(variant.learner).get("model")
    if not callable(model):
        return None
    layers = Layers()
    unimportant = SimpleNamespace(L1=_nothing, L2=_nothing, L1L2=_nothing, HeNormal=_nothing, GlorotUniform=_nothing)
    package = SimpleNamespace(layers=layers, regularizers=unimportant, initializers=unimportant)
    try:
        with stand_in(keras, package):
            variant.task.head(model(Followed((None, *shape))), classes)
    except Exception:  # noqa: BLE001 - whatever a model of the user's does with what is no tensor
        return None
    return layers.operations


def _nothing(*_: object, **__: object) -> None:
    return None


def _same(inputs: Any, *_: object, **__: object) -> Counted:
    """Follow a layer that changes values, not shapes; of several inputs the first tells the shape."""
    return (inputs[0] if isinstance(inputs, list | tuple) else inputs), 0


def _pair(size: Any) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))


def _slid(inputs: Followed, window: Any, strides: Any, padding: str) -> tuple[int, int]:
    """Return height and width of what a window gives that slides over images.

    Args:
        inputs: the images.
        window: its size.
        strides: its steps.
        padding: "same" or "valid".
    """
    sides = []
    for side, size, step in zip(inputs.shape[1:3], _pair(window), _pair(strides), strict=True):
        assert side is not None
        sides.append(math.ceil(side / step) if padding == "same" else (side - size) // step + 1)
    return sides[0], sides[1]


def _convolution(
    inputs: Followed, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid", **_: Any
) -> Counted:
    height, width = _slid(inputs, kernel_size, strides, padding)
    weights = math.prod(_pair(kernel_size)) * _depth(inputs) * filters
    return Followed((None, height, width, filters)), weights * height * width


def _transposed(
    inputs: Followed, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid", **_: Any
) -> Counted:
    (height, width), (down, right), (tall, wide) = _sides(inputs), _pair(strides), _pair(kernel_size)
    more = (max(tall - down, 0), max(wide - right, 0)) if padding == "valid" else (0, 0)
    output = Followed((None, height * down + more[0], width * right + more[1], filters))
    return output, tall * wide * _depth(inputs) * filters * height * width


def _depthwise(
    inputs: Followed, kernel_size: Any, strides: Any = 1, padding: str = "valid", depth_multiplier: int = 1, **_: Any
) -> Counted:
    height, width = _slid(inputs, kernel_size, strides, padding)
    depth = _depth(inputs) * depth_multiplier
    return Followed((None, height, width, depth)), math.prod(_pair(kernel_size)) * depth * height * width


def _separable(inputs: Followed, filters: int, kernel_size: Any, **settings: Any) -> Counted:
    middle, first = _depthwise(inputs, kernel_size, **settings)
    output, second = _convolution(middle, filters, 1)
    return output, first + second


def _dense(inputs: Followed, units: int, *_: object, **__: object) -> Counted:
    places = math.prod(side or 1 for side in inputs.shape[1:-1])
    return Followed((*inputs.shape[:-1], units)), _depth(inputs) * units * places


def _pooling(inputs: Followed, pool_size: Any = 2, strides: Any = None, padding: str = "valid", **_: Any) -> Counted:
    height, width = _slid(inputs, pool_size, pool_size if strides is None else strides, padding)
    return Followed((None, height, width, _depth(inputs))), 0


def _enlarged(inputs: Followed, size: Any = 2, **_: Any) -> Counted:
    (height, width), (down, right) = _sides(inputs), _pair(size)
    return Followed((None, height * down, width * right, _depth(inputs))), 0


def _padded(inputs: Followed, padding: int = 1, **_: Any) -> Counted:
    height, width = _sides(inputs)
    return Followed((None, height + 2 * padding, width + 2 * padding, _depth(inputs))), 0


def _averaged(inputs: Followed, **_: Any) -> Counted:
    return Followed((None, _depth(inputs))), 0


def _flattened(inputs: Followed, **_: Any) -> Counted:
    return Followed((None, math.prod(side or 1 for side in inputs.shape[1:]))), 0


def _joined(inputs: Sequence[Followed], **_: Any) -> Counted:
    return Followed((*inputs[0].shape[:-1], sum(_depth(features) for features in inputs))), 0


def _depth(inputs: Followed) -> int:
    depth = inputs.shape[-1]
    assert depth is not None
    return depth


def _sides(inputs: Followed) -> tuple[int, int]:
    height, width = inputs.shape[1:3]
    assert height is not None
    assert width is not None
    return height, width


SAME = (
    *("Activation", "Add", "Average", "BatchNormalization", "Dropout", "ELU", "Gaussian", "GroupNormalization"),
    *("Identity", "LayerNormalization", "LeakyReLU", "Maximum", "Multiply", "Normalization", "PReLU", "ReLU"),
    *("Rescaling", "Softmax", "SpatialDropout", "Subtract", "UnitNormalization"),
)
"""Beginnings of the names of layers whose output has the shape of their input."""

KINDS: MappingProxyType[str, Callable[..., Counted]] = MappingProxyType(
    {
        "Conv2D": _convolution,
        "Conv2DTranspose": _transposed,
        "DepthwiseConv2D": _depthwise,
        "SeparableConv2D": _separable,
        "Dense": _dense,
        "MaxPooling2D": _pooling,
        "AveragePooling2D": _pooling,
        "UpSampling2D": _enlarged,
        "ZeroPadding2D": _padded,
        "GlobalAveragePooling2D": _averaged,
        "GlobalMaxPooling2D": _averaged,
        "Flatten": _flattened,
        "Concatenate": _joined,
    }
)

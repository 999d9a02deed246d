"""From a model function and a task to a Keras network: pixels 0..255 -> features -> head."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from medcls.errors import BadInputError
from medcls.files import write_atomically
from medcls.lazy import lazy
from medcls.task import Task
from medcls.values import name_of

keras = lazy("keras")


def network(model: Callable[..., Any], task: Task, shape: tuple[int, ...], classes: int) -> Any:
    """Return the network for images of `shape` (height, width, channels), values 0..255, any batch size.

    Points, of shape (coordinates,), go in as they are.

    Raises:
        BadInputError: the model makes a row of features where the task needs a map of them, or the reverse.
    """
    if len(shape) == 1:
        points = keras.Input(shape, name="point")
        return keras.Model(points, task.head(_features(model, points, task), classes))
    images = keras.Input(shape, name="image")
    scaled = keras.layers.Rescaling(1 / 255, name="rescale")(images)
    return keras.Model(images, task.head(_features(model, scaled, task), classes))


def _features(model: Callable[..., Any], examples: Any, task: Task) -> Any:
    features = model(examples)
    if (len(features.shape) == 4) != task.pixels:
        wanted = "tells pixels apart: use models.unet" if task.pixels else "tells images apart: use models.resnet"
        raise BadInputError(f"learner.model={name_of(model)} does not suit the task {task.name!r}, which {wanted}.")
    return features


def save(network: Any, path: Path) -> None:
    """Write a network whole as a Keras file; without loss and metrics, so that it loads where medcls is not."""
    write_atomically(path, lambda file: bare(network).save(file.name))


def bare(network: Any) -> Any:
    """Return a network without loss and metrics, whose code a file could ask for."""
    return keras.Model(network.input, network.output, name=network.name)


def operations(network: Any) -> int:
    """Return the multiply-adds of one image's way through the convolutions and dense layers."""
    total = 0
    for layer in network.layers:
        kernels = [getattr(layer, name, None) for name in ("kernel", "depthwise_kernel", "pointwise_kernel")]
        weights = sum(math.prod(kernel.shape) for kernel in kernels if kernel is not None)
        if weights:
            spread = isinstance(layer, keras.layers.Conv2DTranspose)  # each input position meets the whole kernel
            total += weights * math.prod((layer.input if spread else layer.output).shape[1:-1])
    return total

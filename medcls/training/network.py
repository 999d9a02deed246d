"""From a model function and a task to a Keras network: pixels 0..255 -> features -> head."""

from collections.abc import Callable
from typing import Any

from medcls.lazy import lazy
from medcls.task import Task

keras = lazy("keras")


def network(model: Callable[..., Any], task: Task, shape: tuple[int, ...], classes: int) -> Any:
    """Return the network for images of `shape` (height, width, channels), values 0..255, any batch size."""
    images = keras.Input(shape, name="image")
    scaled = keras.layers.Rescaling(1 / 255, name="rescale")(images)
    return keras.Model(images, task.head(model(scaled), classes))


def operations(network: Any) -> int:
    """Return the multiply-adds of one image's way through the convolutions and dense layers."""
    total = 0
    for layer in network.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is None:
            continue
        positions = 1
        for extent in layer.output.shape[1:-1]:
            positions *= extent
        weights = 1
        for extent in kernel.shape:
            weights *= extent
        total += positions * weights
    return total

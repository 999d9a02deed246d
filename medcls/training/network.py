"""A Keras network from a model function and a task: pixels 0..255 -> features -> head."""

import math
from collections.abc import Callable
from pathlib import Path

from medcls.spec.parameters import name_of
from medcls.spec.variant import Variant
from medcls.tasks.base import Task
from medcls.training.input_range import LEAST, first_range
from medcls.utils.errors import BadInputError
from medcls.utils.files import write_atomically
from medcls.utils.lazy import keras
from medcls.utils.tensors import KerasModel, KerasTensor


def network(model: Callable[..., KerasTensor], task: Task, shape: tuple[int, ...], classes: int) -> KerasModel:
    """Return the Keras network from images, or points, to predictions.

    Args:
        model: images of 0..1, or points -> features, as a graph of Keras layers.
        task: what a target means; it has the head.
        shape: of an image (height, width, channels), values 0..255, or of a point (coordinates,).
        classes: the number of classes.

    Raises:
        BadInputError: the model returns a row of features where the task needs a map of them, or the reverse; or its
            first layer was made for images of another range.
    """
    if len(shape) == 1:
        points = keras.Input(shape, name="point")
        return keras.Model(points, task.head(_features(model, points, task), classes))
    images = keras.Input(shape, name="image")
    scaled = keras.layers.Rescaling(1 / 255, name="rescale")(images)
    built = keras.Model(images, task.head(_features(model, scaled, task), classes))
    _check_range(model, built)
    return built


def _check_range(model: Callable[..., KerasTensor], built: KerasModel) -> None:
    """Refuse a network that scales 0..1 as if it were 0..255, to which all images would look black."""
    scaling = first_range(built)
    if scaling is None:
        return
    layer, width = scaling
    if width < LEAST:
        raise BadInputError(
            f"learner.model={name_of(model)}: its layer {layer} was made for images of 0..255 and is given 0..1, so "
            f"that black and white would be {width:.2g} apart: leave that layer out (include_preprocessing=False in "
            "keras.applications), or put keras.layers.Rescaling(255.0) before the network."
        )


def _features(model: Callable[..., KerasTensor], examples: KerasTensor, task: Task) -> KerasTensor:
    features = model(examples)
    if (len(features.shape) == 4) != task.pixels:
        wanted = "tells pixels apart: use models.unet" if task.pixels else "tells images apart: use models.resnet"
        raise BadInputError(f"learner.model={name_of(model)} does not suit the task {task.name!r}, which {wanted}.")
    return features


def save(network: KerasModel, path: Path) -> None:
    """Write a network as a Keras file, without loss and metrics, so that it loads where medcls is not installed."""
    write_atomically(path, lambda file: bare(network).save(file.name))


def bare(network: KerasModel) -> KerasModel:
    """Return a network without loss and metrics, whose code a file would refer to."""
    return keras.Model(network.input, network.output, name=network.name)


def operations(network: KerasModel) -> int:
    """Return the number of multiply-adds that the convolutions and dense layers take for one image."""
    total = 0
    for layer in network.layers:
        kernels = [getattr(layer, name, None) for name in ("kernel", "depthwise_kernel", "pointwise_kernel")]
        weights = sum(math.prod(kernel.shape) for kernel in kernels if kernel is not None)
        if weights:
            spread = isinstance(layer, keras.layers.Conv2DTranspose)  # the whole kernel is used at each input position
            total += weights * math.prod((layer.input if spread else layer.output).shape[1:-1])
    return total


def measure(variant: Variant, shape: tuple[int, ...], classes: int) -> dict[str, int]:
    """Build a variant's network and return its multiply-adds an image and its number of parameters.

    Args:
        variant: it has the model and the task.
        shape: of an image (height, width, channels), or of a point (coordinates,).
        classes: the number of classes.
    """
    built = network(variant.get("learner.model"), variant.task, shape, classes)
    return {"operations": operations(built), "parameters": int(built.count_params())}

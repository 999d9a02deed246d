"""Networks to be looked into: small ones of every kind, never trained, with weights that do not depend on the day."""

from functools import partial
from typing import Any

import keras
import numpy as np

from medcls import models
from medcls.tasks import BINARY, MULTICLASS
from medcls.training.network import network

KINDS = {
    "AlexNet, sigmoid": (partial(models.alexnet, base=2, dense=(8,), dropout=0.4, batch_norm=True), BINARY, 1),
    "VGG, softmax": (partial(models.vgg, depth=11, base=2, dense=(8,)), MULTICLASS, 3),
    "residual": (partial(models.resnet, depth=8, base=4, preactivation=True), MULTICLASS, 1),
    "borrowed MobileNetV2": (
        partial(models.pretrained, backbone="mobilenet_v2", alpha=0.35, dense=(8,)),
        MULTICLASS,
        3,
    ),
}
FEWER = {"borrowed MobileNetV2": "block_16_project"}  # a layer of fewer maps than the last, for Score-CAM's sake


def built(kind: str, size: int = 48) -> Any:
    """Return a network of a kind: images of 48 pixels, three classes, or two of a sigmoid."""
    keras.utils.set_random_seed(0)
    model, task, channels = KINDS[kind]
    found = network(model, task, (size, size, channels), 3 if task is MULTICLASS else 2)
    head = found.layers[-1]
    head.set_weights([5 * np.asarray(weight) for weight in head.get_weights()])  # or all classes would be as likely
    return found


def pictures(count: int, size: int = 48, channels: int = 1) -> Any:
    """Return images with some structure, of shape (count, size, size, channels), uint8."""
    generator = np.random.default_rng(1)
    coarse = generator.integers(0, 256, (count, 4, 4, channels))
    fine = generator.integers(-30, 30, (count, size, size, channels))
    return np.clip(coarse.repeat(size // 4, axis=1).repeat(size // 4, axis=2) + fine, 0, 255).astype(np.uint8)


def by_hand(last: str = "average", units: int = 2, pooled: int = 1) -> Any:
    """Return a network of one convolution, ReLU inside, and a head: after an average of its maps, or of all places."""
    keras.utils.set_random_seed(3)
    images = keras.Input((12, 12, 1))
    x = keras.layers.Rescaling(1 / 255, name="pixels")(images)
    x = keras.layers.Conv2D(5, 3, padding="same", activation="relu", name="Last_ConvLayer")(x)
    x = keras.layers.MaxPooling2D(pooled)(x) if pooled > 1 else x
    x = keras.layers.GlobalAveragePooling2D()(x) if last == "average" else keras.layers.Flatten()(x)
    activation = "sigmoid" if units == 1 else "softmax"
    network = keras.Model(images, keras.layers.Dense(units, activation=activation)(x))
    kernel, bias = network.layers[-1].get_weights()
    network.layers[-1].set_weights([kernel, bias + np.linspace(0.1, 0.3, units)])
    return network

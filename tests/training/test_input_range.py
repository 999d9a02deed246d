"""Networks that scale 0..255 themselves, given 0..1: refused before they train on black."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from medcls import BadInputError, models
from medcls.tasks import BINARY
from medcls.training.network import network

SHAPE = (32, 32, 3)
SCALING = ["EfficientNetB0", "EfficientNetV2B0", "EfficientNetV2S", "MobileNetV3Small", "ConvNeXtTiny"]
PLAIN = ["MobileNetV2", "ResNet50V2", "DenseNet121"]


def inlaid(name: str, factor: float = 1, **more: Any) -> Callable[[Any], Any]:
    """Return a model function that puts a network of keras.applications on the images' own tensor."""

    def model(images: Any) -> Any:
        given = images if factor == 1 else keras.layers.Rescaling(factor)(images)
        built = getattr(keras.applications, name)(include_top=False, weights=None, input_tensor=given, **more)
        return keras.layers.GlobalAveragePooling2D()(built.output)

    return model


def nested(name: str, factor: float = 1) -> Callable[[Any], Any]:
    """Return a model function that calls a network of keras.applications as a layer."""

    def model(images: Any) -> Any:
        given = images if factor == 1 else images * factor
        build = getattr(keras.applications, name)
        return build(include_top=False, weights=None, input_shape=SHAPE, pooling="avg")(given)

    return model


@pytest.mark.parametrize("name", SCALING)
def test_a_network_that_would_see_black_is_refused(name: str):
    with pytest.raises(BadInputError, match=r"made for images of 0\.\.255.*Rescaling\(255\.0\) before"):
        network(inlaid(name), BINARY, SHAPE, 2)


def test_it_is_refused_as_a_layer_and_on_grey_images_too():
    with pytest.raises(BadInputError, match=r"made for images of 0\.\.255"):
        network(nested("MobileNetV3Small"), BINARY, SHAPE, 2)

    def three_channels(images: Any) -> Any:
        return inlaid("MobileNetV3Small")(keras.layers.Concatenate()([images] * 3))

    with pytest.raises(BadInputError, match=r"made for images of 0\.\.255"):
        network(three_channels, BINARY, (32, 32, 1), 2)


def test_two_scalings_of_ones_own_are_refused_too():
    def twice(images: Any) -> Any:
        return keras.layers.Flatten()(keras.layers.Conv2D(2, 3)(keras.layers.Rescaling(1 / 255)(images)))

    with pytest.raises(BadInputError, match=r"0\.0039 apart"):
        network(twice, BINARY, SHAPE, 2)


@pytest.mark.parametrize("name", PLAIN)
def test_what_scales_nothing_is_taken(name: str):
    assert network(inlaid(name), BINARY, SHAPE, 2).output_shape == (None, 1)


def test_given_0_to_255_it_is_taken_and_sees_black_and_white_apart():
    mended = network(inlaid("MobileNetV3Small", 255), BINARY, SHAPE, 2)
    stem = keras.Model(mended.input, mended.get_layer("conv").input)
    seen = stem.predict(np.stack([np.zeros(SHAPE), np.full(SHAPE, 255.0)]).astype(np.float32), verbose=0)
    assert (float(seen[0].max()), float(seen[1].min())) == (-1, 1)
    network(inlaid("MobileNetV3Small", include_preprocessing=False), BINARY, SHAPE, 2)
    network(nested("MobileNetV3Small", 255), BINARY, SHAPE, 2)


@pytest.mark.parametrize("backbone", ["efficientnet_v2_b0", "mobilenet_v2"])
def test_borrowed_networks_with_their_own_preprocessing_are_taken(backbone: str):
    def model(images: Any) -> Any:
        return models.pretrained(images, backbone=backbone, preprocessing="own", pooling="average", dense=())

    network(model, BINARY, (32, 32, 1), 2)

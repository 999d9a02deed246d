"""What every network of the package does, with its defaults."""

import inspect

import keras
import numpy as np
import pytest

from medcls import models

OF_MASKS = ("encoder_decoder", "unet")


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", models.__all__)
def test_defaults_build_one_row_of_finite_features_an_image_or_a_pixel(name: str, channels: int) -> None:
    images = keras.Input((32, 32, channels))
    network = keras.Model(images, getattr(models, name)(images))

    features = network(np.random.default_rng(0).random((3, 32, 32, channels), np.float32)).numpy()

    assert features.shape[:-1] == ((3, 32, 32) if name in OF_MASKS else (3,))
    assert np.isfinite(features).all()


@pytest.mark.parametrize("name", models.__all__)
def test_the_graph_is_flat(name: str) -> None:
    images = keras.Input((32, 32, 1))
    layers = keras.Model(images, getattr(models, name)(images)).layers

    assert not [layer.name for layer in layers if isinstance(layer, keras.Model | keras.layers.Lambda)]


@pytest.mark.parametrize("name", models.__all__)
def test_hyper_parameters_are_keyword_only_with_defaults(name: str) -> None:
    images, *hyper = inspect.signature(getattr(models, name)).parameters.values()

    assert images.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert all(one.kind is inspect.Parameter.KEYWORD_ONLY for one in hyper)
    assert all(one.default is not inspect.Parameter.empty for one in hyper)

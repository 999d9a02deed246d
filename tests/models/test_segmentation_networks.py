"""The networks of masks: exact numbers of parameters, what they are made of, and sizes that do not fit."""

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import numpy as np
import pytest

from medcls import BadInputError, models


def built(model: Callable[..., Any], shape: tuple[int, int, int]) -> Any:
    images = keras.Input(shape)
    head = keras.layers.Conv2D(1, 1, activation="sigmoid")
    return keras.Model(images, head(model(images)))


def parameters(network: Any) -> tuple[int, int]:
    return network.count_params(), sum(int(np.prod(each.shape)) for each in network.trainable_weights)


@pytest.mark.parametrize(
    ("model", "shape", "total", "trainable"),
    [
        (models.unet, (256, 256, 1), 540_073, 540_073),
        (partial(models.unet, base=32), (256, 256, 1), 8_629_921, 8_629_921),
        (partial(models.unet, base=16, batch_norm=True), (256, 256, 1), 2_164_305, 2_161_361),
        (partial(models.unet, dropout=0.2), (256, 256, 1), 540_073, 540_073),
        (models.encoder_decoder, (128, 128, 3), 8_625, 8_625),
        (partial(models.encoder_decoder, dropout=0.3, l2=1e-4), (128, 128, 3), 8_625, 8_625),
    ],
)
def test_parameters(model: Callable[..., Any], shape: tuple[int, int, int], total: int, trainable: int) -> None:
    network = built(model, shape)
    assert parameters(network) == (total, trainable)
    assert network.output_shape == (None, *shape[:2], 1)
    assert isinstance(network.get_layer("Last_ConvLayer"), keras.layers.Conv2D)


def test_a_unet_drops_maps_after_each_pooling_and_each_joining() -> None:
    kinds = [type(each).__name__ for each in built(partial(models.unet, dropout=0.2), (32, 32, 1)).layers]
    for kind, before in zip(kinds[1:], kinds, strict=False):
        assert (kind == "SpatialDropout2D") == (before in ("MaxPooling2D", "Concatenate"))
    assert kinds.count("SpatialDropout2D") == 8


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_unet_joins_as_many_levels_as_it_is_deep(depth: int) -> None:
    layers = built(partial(models.unet, base=2, depth=depth), (16, 16, 1)).layers
    joined = [
        [each.shape[1] for each in layer.input] for layer in layers if isinstance(layer, keras.layers.Concatenate)
    ]
    assert joined == [[16 >> level] * 2 for level in reversed(range(depth))]


def test_an_encoder_decoder_has_dropout_per_convolution_and_decay_per_kernel() -> None:
    network = built(partial(models.encoder_decoder, dropout=0.3, l2=1e-2), (16, 16, 3))
    kinds = [type(each).__name__ for each in network.layers]
    assert kinds.count("Dropout") == 5
    squares = sum(float(np.square(each.numpy()).sum()) for each in network.weights[:-2] if each.name == "kernel")
    assert float(keras.ops.sum(network.losses)) == pytest.approx(1e-2 * squares, rel=1e-5)


@pytest.mark.parametrize(
    ("model", "shape", "sentence"),
    [
        (
            models.unet,
            (250, 250, 1),
            "unet halves its images 4 times, but 250x250 .*data.size to a multiple of 16, e.g. 256",
        ),
        (models.unet, (8, 8, 1), "multiple of 16, e.g. 16"),
        (models.encoder_decoder, (130, 130, 3), "halves its images 2 times.* multiple of 4, e.g. 128"),
    ],
)
def test_sizes_that_cannot_be_halved_are_refused(model: Callable[..., Any], shape: tuple, sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        built(model, shape)

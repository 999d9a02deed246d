"""The multiply-adds that --plan counts without TensorFlow are those of the networks that Keras builds."""

from functools import partial
from typing import Any

import pytest

from medcls import Variant, data, models, training
from medcls.execution.planning.network_size import counted_operations
from medcls.tasks import BINARY, MULTICLASS, SEGMENTATION
from medcls.training.network import measure
from medcls.utils.lazy import keras


def odd(images: Any) -> Any:
    """Return features of layers that no network of medcls has."""
    layers = keras.layers
    x = layers.SeparableConv2D(6, 3, strides=2, padding="same", activation="relu")(layers.ZeroPadding2D(2)(images))
    x = layers.DepthwiseConv2D((3, 5), depth_multiplier=2)(layers.UpSampling2D()(x))
    y = layers.LayerNormalization()(layers.Conv2D(12, kernel_size=(1, 3), strides=(2, 1), padding="same")(x))
    y = layers.Conv2DTranspose(12, 3, strides=2)(y)
    x = layers.AveragePooling2D(3, strides=1, padding="same")(y) * 0.5 + 1
    return layers.Concatenate()([layers.GlobalMaxPooling2D()(x), layers.GlobalAveragePooling2D()(y)])


def variant(model: Any, task: Any) -> Variant:
    learner = partial(training.gradient, model=model, batch_size=8, epochs=1)
    return Variant(partial(data.folder, source="xray", size=64, channels=3), learner, task)


@pytest.mark.parametrize(
    ("model", "task"),
    [
        (partial(models.alexnet, base=4, dense=(16, 8), batch_norm=True, spatial_dropout=0.1), MULTICLASS),
        (partial(models.vgg, base=4, dense=(16,)), BINARY),
        (partial(models.resnet, depth=14, base=4), MULTICLASS),
        (partial(models.resnet, depth=50, base=4, preactivation=True, stem="large"), MULTICLASS),
        (partial(models.unet, base=4, dropout=0.1), SEGMENTATION),
        (odd, MULTICLASS),
    ],
)
def test_they_are_those_of_the_network_that_is_built(model: Any, task: Any) -> None:
    counted = counted_operations(variant(model, task), (64, 64, 3), 3)
    assert counted is not None
    assert counted == measure(variant(model, task), (64, 64, 3), 3)["operations"]


def test_a_network_of_unknown_layers_is_not_counted_and_keras_is_as_before() -> None:
    def unknown(images: Any) -> Any:
        return keras.layers.Permute((2, 1, 3))(images)

    assert counted_operations(variant(unknown, MULTICLASS), (64, 64, 3), 3) is None
    assert counted_operations(variant(partial(models.pretrained), MULTICLASS), (64, 64, 3), 3) is None
    assert keras.layers.Permute.__module__.startswith("keras.")

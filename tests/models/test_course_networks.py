"""AlexNet and VGG as the course draws them: exact parameter counts, order of layers, where dropout stands."""

from functools import partial
from typing import Any

import keras
import numpy as np
import pytest

from medcls import BadInputError, Variant
from medcls.models import alexnet, vgg
from medcls.tasks import MULTICLASS
from medcls.training import gradient


def network(model: Any, channels: int, units: int, **hyper: Any) -> keras.Model:
    images = keras.Input((128, 128, channels))
    return keras.Model(images, keras.layers.Dense(units)(model(images, **hyper)))


def trainable(model: keras.Model) -> int:
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


@pytest.mark.parametrize(
    ("model", "channels", "units", "hyper", "total", "trained"),
    [
        (alexnet, 1, 1, {"base": 8}, 286_193, 286_193),
        (alexnet, 1, 1, {"base": 8, "batch_norm": True}, 286_609, 286_401),
        (alexnet, 1, 1, {"base": 32}, 1_366_913, 1_366_913),
        (alexnet, 1, 1, {"base": 32, "spatial_dropout": 0.1, "dropout": 0.4}, 1_366_913, 1_366_913),
        (alexnet, 1, 1, {"base": 64}, 3_356_225, 3_356_225),
        (alexnet, 1, 1, {"base": 64, "dense": (128, 64), "batch_norm": True}, 5_460_865, 5_459_201),
        (alexnet, 3, 1, {"base": 64, "dense": (128, 64), "batch_norm": True}, 5_462_017, 5_460_353),
        (vgg, 1, 1, {"base": 64}, 15_246_273, 15_246_273),
        (vgg, 1, 2, {"base": 8, "dropout": 0.4, "dropped": 3}, 304_474, 304_474),
    ],
)
def test_parameter_counts_are_the_course_solutions(
    model: Any, channels: int, units: int, hyper: dict[str, Any], total: int, trained: int
) -> None:
    built = network(model, channels, units, **hyper)
    assert (built.count_params(), trainable(built)) == (total, trained)


def test_vgg19_has_the_papers_convolutions() -> None:
    """The paper's VGG-19 without its dense layers has 20,024,384 parameters (keras.applications says the same)."""
    dense = network(vgg, 3, 1, depth=19, dense=()).layers[-1].count_params()
    assert network(vgg, 3, 1, depth=19, dense=()).count_params() - dense == 20_024_384


def test_a_block_is_convolution_norm_activation_spatial_dropout_pooling() -> None:
    layers = network(alexnet, 1, 1, batch_norm=True, spatial_dropout=0.1).layers[1:6]
    kinds = ["Conv2D", "BatchNormalization", "ReLU", "SpatialDropout2D", "MaxPooling2D"]
    assert [type(layer).__name__ for layer in layers] == kinds


@pytest.mark.parametrize("model", [alexnet, vgg])
def test_dropout_stands_after_the_first_dense_layers_alone(model: Any) -> None:
    layers = [layer for layer in network(model, 1, 1, dense=(4, 4, 4), dropout=0.4).layers if "conv" not in layer.name]
    tail = [type(layer).__name__ for layer in layers[-6:]]
    assert tail == ["Dense", "Dropout", "Dense", "Dropout", "Dense", "Dense"]


@pytest.mark.parametrize(("model", "pools"), [(alexnet, 3), (vgg, 5)])
def test_poolings_and_the_name_of_the_last_convolution(model: Any, pools: int) -> None:
    built = network(model, 1, 1, base=2)
    assert sum(isinstance(layer, keras.layers.MaxPooling2D) for layer in built.layers) == pools
    last = [layer for layer in built.layers if isinstance(layer, keras.layers.Conv2D)][-1]
    assert last.name == "Last_ConvLayer"


@pytest.mark.parametrize(
    ("model", "hyper", "words"),
    [
        (vgg, {"depth": 17}, "use 11, 13, 16, 19"),
        (vgg, {"dense": (0,)}, "units"),
        (alexnet, {"dense": ("a",)}, "units"),
        (alexnet, {"dropout": 1.0}, "below 1"),
        (alexnet, {"base": 0}, "at least 1"),
    ],
)
def test_values_that_make_no_network_are_refused_by_their_path(model: Any, hyper: dict[str, Any], words: str) -> None:
    learner = partial(gradient, model=partial(model, **hyper))
    with pytest.raises(BadInputError, match=rf"learner\.model\.{next(iter(hyper))}.*{words}"):
        Variant(data=partial(network_data), learner=learner, task=MULTICLASS).check()


def network_data(hashes: Any) -> None:
    """Stand for a data set: only the network is looked at."""

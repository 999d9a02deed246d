"""The homework's and the report's networks: exact parameter counts, order of layers, what stands before what."""

from functools import partial
from typing import Any

import keras
import numpy as np
import pytest

from medcls import BadInputError, Variant
from medcls.models import cnn, mlp
from medcls.tasks import MULTICLASS
from medcls.training import gradient
from medcls.training.network import network

HOMEWORK = partial(cnn, initializer="random_normal")
REPORT = partial(
    cnn, filters=(32, 32, 64, 64), pooled=(2, 4), padding="valid", batch_norm=True, dense=(512, 256), dropout=0.5
)
IMAGE = (28, 28, 1)


@pytest.mark.parametrize(
    ("model", "shape", "classes", "total", "trained"),
    [
        (mlp, IMAGE, 10, 79_510, 79_510),
        (partial(mlp, hidden=(3, 5), activation="relu"), (2,), 2, 41, 41),
        (partial(mlp, hidden=(5, 15, 10), activation="relu"), (2,), 2, 287, 287),
        (HOMEWORK, IMAGE, 10, 21_578, 21_578),
        (partial(HOMEWORK, activation="tanh", pooling_first=True, dropout=0.5), IMAGE, 10, 21_578, 21_578),
        (REPORT, IMAGE, 10, 727_530, 725_610),
    ],
)
def test_parameter_counts_are_the_seeds(
    model: Any, shape: tuple[int, ...], classes: int, total: int, trained: int
) -> None:
    built = network(model, MULTICLASS, shape, classes)
    trainable = sum(int(np.prod(weight.shape)) for weight in built.trainable_weights)
    assert (built.count_params(), trainable) == (total, trained)


def kinds(model: Any) -> list[str]:
    built = network(model, MULTICLASS, IMAGE, 10)
    return [type(layer).__name__.removesuffix("2D") for layer in built.layers[2:]]


def test_the_activation_stands_before_or_after_the_pooling() -> None:
    first = ["Conv", "Activation", "MaxPooling"]
    assert kinds(HOMEWORK)[:7] == [*first, *first, "Conv"]
    assert kinds(partial(HOMEWORK, pooling_first=True))[:7] == [*["Conv", "MaxPooling", "Activation"] * 2, "Conv"]


def test_dropout_stands_after_the_dense_layers_or_else_after_flattening() -> None:
    assert kinds(partial(HOMEWORK, dropout=0.5))[-3:] == ["Flatten", "Dropout", "Dense"]
    assert kinds(REPORT)[-9:] == [*["Dense", "BatchNormalization", "Activation", "Dropout"] * 2, "Dense"]


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_pooling_before_or_after_the_activation_gives_the_same_features(activation: str) -> None:
    before, after = (
        network(partial(HOMEWORK, activation=activation, pooling_first=each), MULTICLASS, IMAGE, 10)
        for each in (False, True)
    )
    after.set_weights(before.get_weights())
    images = np.random.default_rng(0).integers(0, 256, (4, *IMAGE))
    assert np.allclose(before(images), after(images), atol=1e-6)


def test_random_normal_kernels_have_a_deviation_of_a_twentieth() -> None:
    keras.utils.set_random_seed(0)
    kernel = network(HOMEWORK, MULTICLASS, IMAGE, 10).get_layer("Last_ConvLayer").kernel.numpy()
    assert kernel.std() == pytest.approx(0.05, rel=0.05)


def test_points_go_in_as_they_are() -> None:
    seen = network(partial(mlp, hidden=()), MULTICLASS, (2,), 2)
    head, points = seen.get_layer("probabilities"), np.array([[-3.0, 250.0]], np.float32)
    assert np.allclose(seen(points), keras.ops.softmax(points @ head.kernel + head.bias), atol=1e-6)


@pytest.mark.parametrize(
    ("model", "hyper", "words"),
    [
        (mlp, {"hidden": (0,)}, "units"),
        (mlp, {"activation": "step"}, "sigmoid or relu or tanh"),
        (cnn, {"filters": ()}, "units"),
        (cnn, {"padding": "full"}, "same or valid"),
        (cnn, {"activation": "sigmoid"}, "relu or tanh"),
        (cnn, {"initializer": "zeros"}, "random_normal"),
        (cnn, {"dropout": 1.0}, "below 1"),
    ],
)
def test_values_that_make_no_network_are_refused_by_their_path(model: Any, hyper: dict[str, Any], words: str) -> None:
    learner = partial(gradient, model=partial(model, **hyper))
    with pytest.raises(BadInputError, match=rf"learner\.model\.{next(iter(hyper))}.*{words}"):
        Variant(data=partial(no_data), learner=learner, task=MULTICLASS).check()


def no_data(hashes: Any) -> None:
    """Stand for a data set: only the network is looked at."""

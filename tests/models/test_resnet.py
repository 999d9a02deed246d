"""Residual networks: parameters, depths, shapes and gradients."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from medcls import BadInputError
from medcls.models.resnet import layout, resnet


def network(shape: tuple[int, int, int], classes: int, **hyper: Any) -> keras.Model:
    images = keras.Input(shape)
    return keras.Model(images, keras.layers.Dense(classes, activation="softmax")(resnet(images, **hyper)))


def trainable(model: keras.Model) -> int:
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def convolutions(model: keras.Model) -> list[keras.layers.Conv2D]:
    return [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]


def images(count: int, *shape: int) -> Any:
    return np.random.default_rng(0).random((count, *shape), np.float32)


def three_stages(n: int, base: int, channels: int, classes: int) -> int:
    """The paper's basic network by hand: a batch norm has two parameters a filter, convolutions no biases."""
    total = 9 * channels * base + 2 * base
    width = base
    for stage in range(3):
        if stage:
            # The first convolution doubles the filters, and so does the projection with its batch norm.
            total += 9 * width * 2 * width + 2 * 2 * width
            total += width * 2 * width + 2 * 2 * width
            width *= 2
        else:
            total += 9 * width * width + 2 * width
        total += (2 * n - 1) * (9 * width * width + 2 * width)
    return total + width * classes + classes


def preactivated_bottlenecks(n: int, base: int, channels: int, classes: int) -> int:
    """He et al. 2016b by hand: batch norms as wide as what they read, projections without one."""
    total = 9 * channels * base
    entering = base
    for width in (base, 2 * base, 4 * base):
        for block in range(n):
            total += 2 * entering + entering * width
            total += 2 * width + 9 * width * width
            total += 2 * width + width * 4 * width
            if block == 0:
                total += entering * 4 * width
            entering = 4 * width
    return total + 2 * entering + entering * classes + classes


def test_resnet_20_on_cifar_has_the_parameters_of_the_paper() -> None:
    model = network((32, 32, 3), 10)

    assert trainable(model) == 272_474
    # Two moving statistics a filter: the stem, six convolutions a stage and two projections.
    assert model.count_params() == 272_474 + 2 * (16 + 6 * (16 + 32 + 64) + 32 + 64)


@pytest.mark.parametrize(("n", "base", "channels", "classes"), [(1, 8, 1, 2), (3, 16, 3, 10), (5, 4, 1, 9)])
def test_basic_networks_have_the_parameters_counted_by_hand(n: int, base: int, channels: int, classes: int) -> None:
    model = network((32, 32, channels), classes, depth=6 * n + 2, base=base)

    assert trainable(model) == three_stages(n, base, channels, classes)


@pytest.mark.parametrize(("n", "base"), [(1, 8), (6, 4)])
def test_preactivated_bottlenecks_have_the_parameters_counted_by_hand(n: int, base: int) -> None:
    model = network((32, 32, 3), 10, depth=9 * n + 2, base=base, block="bottleneck", preactivation=True)

    assert trainable(model) == preactivated_bottlenecks(n, base, 3, 10)


@pytest.mark.parametrize(("depth", "expected"), [(18, 11_689_512), (50, 25_557_032)])
def test_four_stages_have_the_parameters_of_torchvision(depth: int, expected: int) -> None:
    assert trainable(network((224, 224, 3), 1000, depth=depth, base=64, stem="large")) == expected


def test_without_batch_norm_every_convolution_has_a_bias_in_its_place() -> None:
    plain, normalised = (network((32, 32, 1), 2, depth=8, batch_norm=on) for on in (False, True))
    filters = sum(layer.filters for layer in convolutions(plain))

    assert all(layer.use_bias for layer in convolutions(plain))
    assert trainable(normalised) - trainable(plain) == filters
    assert not [layer for layer in plain.layers if isinstance(layer, keras.layers.BatchNormalization)]


@pytest.mark.parametrize("preactivation", [False, True])
@pytest.mark.parametrize(
    ("depth", "block"), [(8, "auto"), (20, "auto"), (20, "bottleneck"), (34, "auto"), (50, "auto")]
)
def test_depth_is_the_number_of_weighted_layers_on_the_main_path(depth: int, block: str, preactivation: bool) -> None:
    model = network((32, 32, 1), 2, depth=depth, block=block, base=4, preactivation=preactivation)
    main = [layer for layer in convolutions(model) if not layer.name.endswith("_shortcut")]

    assert len(main) + 1 == depth
    assert [layer.name for layer in main].count("Last_ConvLayer") == 1
    assert main[-1].name == "Last_ConvLayer"


@pytest.mark.parametrize(
    ("depth", "block", "expected"),
    [
        (20, "auto", ("basic", (3, 3, 3))),
        (110, "auto", ("basic", (18, 18, 18))),
        (47, "bottleneck", ("bottleneck", (5, 5, 5))),
        (50, "auto", ("bottleneck", (3, 4, 6, 3))),
        (50, "basic", ("basic", (8, 8, 8))),
        (152, "auto", ("bottleneck", (3, 8, 36, 3))),
        (164, "auto", ("bottleneck", (18, 18, 18))),
        (1001, "auto", ("bottleneck", (111, 111, 111))),
        (1202, "auto", ("basic", (200, 200, 200))),
    ],
)
def test_depths_of_the_papers(depth: int, block: str, expected: tuple[str, tuple[int, ...]]) -> None:
    assert layout(depth, block) == expected


@pytest.mark.parametrize(
    ("depth", "block", "nearest"),
    [(21, "auto", "20 or 26"), (3, "auto", "8"), (48, "auto", "44 or 50"), (18, "bottleneck", "11 or 20")],
)
def test_a_depth_that_fits_nothing_names_the_nearest(depth: int, block: str, nearest: str) -> None:
    with pytest.raises(BadInputError, match=rf"depth={depth} .* the nearest is {nearest}\."):
        layout(depth, block)


@pytest.mark.parametrize(
    "wrong", [{"block": "wide"}, {"stem": "huge"}, {"base": 0}, {"dropout": 1.0}, {"spatial_dropout": -0.1}]
)
def test_a_wrong_parameter_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInputError, match=next(iter(wrong))):
        resnet(keras.Input((32, 32, 1)), **wrong)


@pytest.mark.parametrize(
    ("hyper", "expected"),
    [
        ({}, (17, 16)),  # two halvings, rounded up
        ({"depth": 50}, (9, 8)),  # three: the small stem
        ({"depth": 50, "stem": "large"}, (3, 2)),  # and two more in the large stem
        ({"preactivation": True}, (17, 16)),
    ],
)
def test_odd_image_sizes(hyper: dict[str, Any], expected: tuple[int, int]) -> None:
    model = network((65, 63, 1), 2, base=4, **hyper)

    assert model.get_layer("Last_ConvLayer").output.shape[1:3] == expected
    assert model(images(2, 65, 63, 1)).shape == (2, 2)


def test_only_large_images_meet_a_large_stem_unasked() -> None:
    def kernel(pixels: int, depth: int) -> tuple[int, ...]:
        return tuple(network((pixels, pixels, 1), 2, depth=depth, base=4).get_layer("stem").kernel_size)

    assert [kernel(64, 18), kernel(128, 18), kernel(128, 20)] == [(3, 3), (7, 7), (3, 3)]


@pytest.mark.parametrize(
    "hyper", [{}, {"preactivation": True}, {"batch_norm": False}, {"depth": 11, "block": "bottleneck"}]
)
def test_gradients_reach_every_weight(hyper: dict[str, Any]) -> None:
    keras.utils.set_random_seed(0)
    model = network((16, 16, 1), 2, **{"depth": 8, "base": 4, **hyper})
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(tf.math.log(model(images(8, 16, 16, 1), training=True)[:, 0]))

    gradients = tape.gradient(loss, model.trainable_weights)

    assert all(np.abs(gradient.numpy()).max() > 0 for gradient in gradients)


def test_a_block_adds_its_input_to_what_it_learned() -> None:
    model = network((16, 16, 1), 2, depth=8, base=4, preactivation=True)
    for layer in convolutions(model):
        if "_conv" in layer.name or layer.name == "Last_ConvLayer":
            layer.kernel.assign(tf.zeros_like(layer.kernel))
    stem = keras.Model(model.input, model.get_layer("stem").output)
    first = keras.Model(
        model.input, next(layer for layer in model.layers if isinstance(layer, keras.layers.Add)).output
    )

    np.testing.assert_array_equal(first(images(2, 16, 16, 1)), stem(images(2, 16, 16, 1)))


def test_dropout_works_in_training_alone() -> None:
    pixels = keras.Input((16, 16, 1))
    dropping = keras.Model(pixels, resnet(pixels, depth=8, base=4, dropout=0.5))
    batch = images(16, 16, 16, 1)

    assert 0.3 < (dropping(batch, training=True).numpy() == 0).mean() < 0.7
    np.testing.assert_array_equal(dropping(batch), dropping(batch))


@pytest.mark.parametrize("preactivation", [False, True])
@pytest.mark.parametrize(("depth", "block", "blocks"), [(8, "basic", 3), (11, "bottleneck", 3), (20, "basic", 9)])
def test_spatial_dropout_stands_once_in_each_block(depth: int, block: str, blocks: int, preactivation: bool) -> None:
    model = network((16, 16, 1), 2, depth=depth, block=block, base=4, spatial_dropout=0.25, preactivation=preactivation)
    drops = [layer for layer in model.layers if isinstance(layer, keras.layers.SpatialDropout2D)]

    assert [layer.rate for layer in drops] == [0.25] * blocks


# TensorFlow's variables under the newest numpy.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
def test_a_saved_network_predicts_the_same(tmp_path: Path) -> None:
    model = network((16, 16, 1), 3, depth=11, base=4, block="bottleneck", dropout=0.2, spatial_dropout=0.2)
    model.save(tmp_path / "network.keras")

    loaded = keras.saving.load_model(tmp_path / "network.keras")

    np.testing.assert_array_equal(loaded(images(4, 16, 16, 1)), model(images(4, 16, 16, 1)))


def test_it_learns_to_tell_bright_from_dark() -> None:
    keras.utils.set_random_seed(0)
    labels = np.arange(32) % 2
    pictures = images(32, 16, 16, 1) * 0.5 + labels[:, None, None, None] * 0.5
    model = network((16, 16, 1), 2, depth=8, base=4)
    model.compile(
        keras.optimizers.Adam(0.01),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,
    )

    model.fit(pictures, labels, batch_size=8, epochs=15, verbose=0)

    assert model.evaluate(pictures, labels, verbose=0)[1] == 1.0

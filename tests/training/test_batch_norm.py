"""The fast batch normalization against Keras's own, and against 64-bit arithmetic."""

import json
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_network import Fit

from medcls import models
from medcls.tasks import MULTICLASS
from medcls.training import batch_norm
from medcls.training.network import network, save

NORM = keras.layers.BatchNormalization


def pair(shape: tuple[int, ...], seed: int = 0, **parameters: Any) -> tuple[keras.Model, keras.Model]:
    """Return two networks of one layer each with equal random weights: Keras's own and the fast one."""
    draw = np.random.default_rng(seed)
    built = []
    for _ in range(2):
        inputs = keras.Input(shape)
        built.append(keras.Model(inputs, NORM(**parameters)(inputs)))
    values = [draw.uniform(0.5, 2, weight.shape).astype(np.float32) for weight in built[0].weights]
    for model in built:
        model.set_weights(values)
    batch_norm.speed_up(built[1])
    assert "call" in vars(built[1].layers[-1])
    return built[0], built[1]


def gradients(model: keras.Model, inputs: np.ndarray, slopes: np.ndarray) -> list[np.ndarray]:
    """Return the outputs in training, then the gradients of the inputs and of the weights that learn."""

    @tf.function
    def step(inputs: Any, slopes: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = model(inputs, training=True)
        learning = [weight.value for weight in model.trainable_weights]
        return [outputs, *tape.gradient(outputs, [inputs, *learning], output_gradients=slopes)]

    return [np.asarray(value) for value in step(tf.constant(inputs), tf.constant(slopes))]


def close(ours: np.ndarray, theirs: np.ndarray, scale: float = 1.0) -> bool:
    return bool(np.allclose(ours, theirs, rtol=1e-5, atol=1e-5 * max(scale, 1.0)))


sizes = st.one_of(
    st.tuples(st.integers(1, 20)),
    st.tuples(st.integers(1, 12), st.integers(1, 12), st.sampled_from([1, 3, 8, 16, 40])),
    st.tuples(st.sampled_from([1, 7, 16, 31]), st.sampled_from([1, 8, 13]), st.sampled_from([1, 2, 8, 300, 1100])),
)


@settings(max_examples=15, deadline=None)
@given(sizes, st.integers(1, 5), st.booleans(), st.booleans(), st.sampled_from([1e-5, 1e-3]), st.integers(0, 99))
def test_outputs_gradients_and_moving_averages_are_keras_s(shape, batch, center, scale, epsilon, seed):
    theirs, ours = pair(shape, seed, center=center, scale=scale, epsilon=epsilon, momentum=0.9)
    draw = np.random.default_rng(seed)
    inputs = draw.normal(1, 2, (batch, *shape)).astype(np.float32)
    slopes = draw.normal(0, 1, inputs.shape).astype(np.float32)
    channels = tuple(range(inputs.ndim - 1))
    # Where a channel hardly varies, 1 / standard deviation makes every rounding error larger.
    steepest = float((1 / np.sqrt(inputs.astype(np.float64).var(channels) + epsilon)).max())
    expected, found = gradients(theirs, inputs, slopes), gradients(ours, inputs, slopes)
    for number, (wanted, value) in enumerate(zip(expected, found, strict=True)):
        summed = np.abs(slopes).sum(channels).max() if number > 1 else 1.0
        assert close(value, wanted, steepest**2 * summed)
    for wanted, value in zip(theirs.weights, ours.weights, strict=True):
        assert close(value, wanted)


@pytest.mark.parametrize("shape", [(8, 8, 8), (7, 9, 3), (5,), (4, 4, 300)])
def test_in_prediction_not_a_bit_differs_from_keras(shape):
    theirs, ours = pair(shape)
    inputs = np.random.default_rng(0).normal(0, 3, (5, *shape)).astype(np.float32)
    before = ours.get_weights()
    assert np.array_equal(ours.predict(inputs, verbose=0), theirs.predict(inputs, verbose=0))
    assert np.array_equal(ours(inputs, training=False), theirs(inputs, training=False))
    assert np.array_equal(ours(inputs), theirs(inputs))
    for earlier, later in zip(before, ours.get_weights(), strict=True):
        assert np.array_equal(earlier, later)


def test_a_frozen_layer_predicts_while_others_learn():
    theirs, ours = pair((6, 6, 8))
    inputs = np.random.default_rng(0).normal(0, 3, (5, 6, 6, 8)).astype(np.float32)
    for model in (theirs, ours):
        model.layers[-1].trainable = False
    before = ours.get_weights()
    expected, found = gradients(theirs, inputs, np.ones_like(inputs)), gradients(ours, inputs, np.ones_like(inputs))
    assert len(found) == 2  # outputs, and the gradient of the inputs
    assert all(map(close, found, expected))
    assert all(map(np.array_equal, before, ours.get_weights()))


@pytest.mark.parametrize("shape", [(32, 32, 8), (128, 128, 8), (64, 64, 32)])
def test_a_mean_far_above_the_spread_cancels_no_digits(shape):
    inputs = np.random.default_rng(0).normal(1e3, 0.1, (8, *shape)).astype(np.float32)
    exact = inputs.astype(np.float64)
    channels = tuple(range(exact.ndim - 1))
    ones = tf.ones(shape[-1:])
    outputs, mean, variance = batch_norm.normalize(tf.constant(inputs), ones, 0 * ones, 1e-5)
    assert np.allclose(mean, exact.mean(channels), rtol=1e-6)
    assert np.allclose(variance, exact.var(channels), rtol=1e-4)
    wanted = (exact - exact.mean(channels)) / np.sqrt(exact.var(channels) + 1e-5)
    assert np.abs(outputs - wanted).max() < 0.01  # one bit of the inputs is 0.0006 standard deviations


def test_a_layer_used_twice_and_one_in_a_nested_network_learn_as_in_keras():
    inner = keras.Sequential([keras.Input((8, 8, 4)), keras.layers.ReLU(), NORM()])
    shared, inputs = NORM(), keras.Input((8, 8, 4))
    theirs = keras.Model(inputs, inner(shared(keras.layers.ReLU()(shared(inputs)))))
    ours = keras.models.clone_model(theirs)
    batch_norm.speed_up(ours)
    values = np.random.default_rng(0).normal(0, 3, (5, 8, 8, 4)).astype(np.float32)
    slopes = np.random.default_rng(1).normal(0, 1, values.shape).astype(np.float32)
    expected, found = gradients(theirs, values, slopes), gradients(ours, values, slopes)
    assert len(expected) == len(found) == 6
    for wanted, value in zip(expected + theirs.get_weights(), found + ours.get_weights(), strict=True):
        assert np.allclose(value, wanted, rtol=1e-4, atol=1e-4)


def test_bfloat16_keeps_its_statistics_in_float32():
    theirs, ours = pair((8, 8, 8), dtype="mixed_bfloat16")
    inputs = np.random.default_rng(0).normal(1, 2, (6, 8, 8, 8)).astype(np.float32)
    expected, found = theirs(inputs, training=True), ours(inputs, training=True)
    assert found.dtype == expected.dtype == tf.bfloat16
    assert np.allclose(tf.cast(found, tf.float32), tf.cast(expected, tf.float32), atol=0.05)
    for wanted, value in zip(theirs.weights, ours.weights, strict=True):
        assert value.dtype == "float32"
        assert close(value, wanted)


class Louder(NORM):
    """A user's own kind of batch normalization."""


@pytest.mark.parametrize(
    "layer",
    [NORM(axis=1), NORM(renorm=True), NORM(synchronized=True), Louder(), keras.layers.LayerNormalization()],
    ids=["another axis", "renormalization", "synchronized", "a class of its own", "another layer"],
)
def test_other_layers_are_left_alone(layer):
    inputs = keras.Input((4, 4, 3))
    batch_norm.speed_up(keras.Model(inputs, layer(inputs)))
    assert "call" not in vars(layer)


def test_rows_are_full_for_every_batch_size():
    assert batch_norm.pixels_in_a_row((None, 32, 32, 8)) == 32
    assert batch_norm.pixels_in_a_row((None, 4, 4, 8)) == 16
    assert batch_norm.pixels_in_a_row((None, 127, 127, 8)) == 127
    assert batch_norm.pixels_in_a_row((None, 1009, 1, 8)) == 1
    assert batch_norm.pixels_in_a_row((None, None, 32, 8)) == 1
    assert batch_norm.pixels_in_a_row((None, 8, 8, 256)) == 1
    assert batch_norm.pixels_in_a_row((None, 20)) == 1


def normed(images: Any) -> Any:
    values = NORM()(keras.layers.Conv2D(8, 3, padding="same")(images))
    return keras.layers.GlobalAveragePooling2D()(keras.layers.ReLU()(values))


def test_the_parameter_of_the_learner_turns_it_off(fit: Fit):
    fast, _ = fit("fast", model=normed)
    slow, _ = fit("slow", model=normed, fast_batch_norm=False)
    for model, expected in ((fast.model, True), (slow.model, False)):
        (layer,) = [layer for layer in model.layers if isinstance(layer, NORM)]
        assert ("call" in vars(layer)) == expected
    for ours, theirs in zip(fast.model.get_weights(), slow.model.get_weights(), strict=True):
        assert np.allclose(ours, theirs, atol=1e-3)


LOADS = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "medcls":
            raise ImportError("medcls is not installed")
sys.meta_path.insert(0, Absent())
import keras, numpy as np
model = keras.saving.load_model(sys.argv[1])
kinds = {type(layer) for layer in model.layers if "normalization" in layer.name}
assert kinds == {keras.layers.BatchNormalization}, kinds
np.save(sys.argv[2], model.predict(np.load(sys.argv[3]), verbose=0))
"""


def test_the_saved_network_is_keras_s_own_and_loads_without_medcls(fit: Fit, tmp_path: Path):
    trained, _ = fit("run", model=normed)
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1)).astype(np.float32)
    save(trained.model, tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as file:
        config = file.read("config.json").decode()
    assert "medcls" not in config
    classes = {layer["class_name"] for layer in json.loads(config)["config"]["layers"]}
    assert "BatchNormalization" in classes
    np.save(tmp_path / "images.npy", images)
    files = [str(tmp_path / name) for name in ("model.keras", "found.npy", "images.npy")]
    subprocess.run([sys.executable, "-c", LOADS, *files], check=True, cwd=tmp_path, capture_output=True)
    assert np.allclose(np.load(files[1]), trained.model.predict(images, verbose=0), atol=1e-6)


TRAINS = """
import sys, hashlib
import keras, numpy as np, tensorflow as tf
from functools import partial
tf.config.threading.set_intra_op_parallelism_threads(int(sys.argv[1]))
tf.config.threading.set_inter_op_parallelism_threads(1)
from medcls import models
from medcls.tasks import MULTICLASS
from medcls.training import batch_norm
from medcls.training.network import network
for turn in range(2):
    keras.utils.set_random_seed(0)
    model = network(partial(models.resnet, depth=8, base=8), MULTICLASS, (64, 64, 3), 3)
    batch_norm.speed_up(model)
    model.compile("adam", "categorical_crossentropy", jit_compile=False)
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (20, 64, 64, 3)).astype(np.float32)
    model.fit(images, np.eye(3)[draw.integers(0, 3, 20)], batch_size=8, epochs=2, shuffle=False, verbose=0)
    print(hashlib.sha256(b"".join(weight.tobytes() for weight in model.get_weights())).hexdigest())
"""


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
def test_equal_threads_give_equal_bits_in_one_process_and_in_another(threads):
    digests = []
    for _ in range(2):
        command = [sys.executable, "-c", TRAINS, str(threads)]
        digests += subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert len(digests) == 4
    assert len(set(digests)) == 1


@pytest.mark.parametrize("model", [partial(models.resnet, depth=8, base=4), partial(models.alexnet, batch_norm=True)])
def test_our_networks_learn_as_with_keras_s_layer(model):
    histories = []
    draw = np.random.default_rng(0)
    images, targets = draw.integers(0, 256, (16, 16, 16, 1)), np.eye(3)[draw.integers(0, 3, 16)]
    for fast in (True, False):
        keras.utils.set_random_seed(0)
        built = network(model, MULTICLASS, (16, 16, 1), 3)
        if fast:
            batch_norm.speed_up(built)
        built.compile(keras.optimizers.SGD(0.01), "categorical_crossentropy", jit_compile=False)
        history = built.fit(images, targets, batch_size=8, epochs=2, shuffle=False, verbose=0).history
        histories.append(history["loss"])
    assert histories[0] == pytest.approx(histories[1], abs=1e-4)

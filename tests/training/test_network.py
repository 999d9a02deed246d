"""A network takes pixels 0..255 and gives what its task's head gives."""

import keras
import numpy as np

from medcls.data.dataset import Dataset
from medcls.tasks.classification import MULTICLASS, one_hot
from medcls.training.network import network, operations


def small(images):
    values = keras.layers.Conv2D(4, 3, padding="same")(images)
    values = keras.layers.Conv2D(5, 3, strides=2, padding="same", groups=1)(values)
    values = keras.layers.DepthwiseConv2D(3, padding="same")(values)
    values = keras.layers.SeparableConv2D(6, 3, padding="same")(values)
    values = keras.layers.Conv2DTranspose(2, 2, strides=2)(values)
    return keras.layers.Dense(7)(keras.layers.Flatten()(keras.layers.BatchNormalization()(values)))


def test_multiply_adds_by_hand():
    convolutions = 8 * 8 * 9 * 1 * 4 + 4 * 4 * 9 * 4 * 5
    separable = 4 * 4 * 9 * 5 + 4 * 4 * (9 * 5 + 5 * 6)
    transposed = 4 * 4 * 2 * 2 * 6 * 2
    dense = 8 * 8 * 2 * 7 + 7 * 3
    built = network(small, MULTICLASS, (8, 8, 1), 3)
    assert operations(built) == convolutions + separable + transposed + dense


def test_pixels_are_scaled_inside():
    seen = network(keras.layers.Flatten(), MULTICLASS, (2, 2, 1), 3)
    head = seen.get_layer("probabilities")
    pixels = np.array([0, 51, 102, 255], np.float32).reshape(1, 2, 2, 1)
    expected = keras.ops.softmax(np.array([[0, 0.2, 0.4, 1]], np.float32) @ head.kernel + head.bias)
    assert np.allclose(seen(pixels), expected, atol=1e-6)


def test_the_head_gives_a_probability_for_every_class_at_any_batch_size():
    built = network(small, MULTICLASS, (8, 8, 3), 5)
    for count in (1, 4):
        probabilities = built(np.random.default_rng(0).integers(0, 256, (count, 8, 8, 3))).numpy()
        assert probabilities.shape == (count, 5)
        assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-6)
        assert (probabilities >= 0).all()


def test_targets_and_metrics_of_the_task():
    labels, names = np.array([1, 2, 0]), ("a", "b", "c")
    data = Dataset(np.zeros((3, 2, 2, 1), np.uint8), labels, np.full(3, ""), None, names, names)
    targets = MULTICLASS.target(data, np.array([1, 2]))
    assert targets.dtype == np.float32
    assert targets.tolist() == one_hot(np.array([2, 0]), 3).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert [metric.name for metric in MULTICLASS.metrics(3)] == ["accuracy", "balanced_accuracy"]

"""Losses and metrics obey their laws, also where probabilities are exactly 0 or 1."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score

from medcls import losses
from medcls.tasks import metrics
from medcls.tasks.classification import one_hot

LOGITS = arrays.arrays(np.float32, (5, 3), elements=st.floats(-8, 8, width=32))
LABELS = arrays.arrays(np.int64, 5, elements=st.integers(0, 2))
CERTAIN = np.array([[0, 1], [1, 0], [0.5, 0.5], [1 + 1e-7, 0]], np.float32)


def probabilities(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    return keras.ops.softmax(logits).numpy()


@given(LOGITS, LABELS)
def test_cross_entropy_is_minus_the_logarithm_of_the_true_class(logits: NDArray[np.float32], labels: NDArray[np.int64]):
    predicted = probabilities(logits)
    loss = losses.cross_entropy(one_hot(labels, 3), predicted).numpy()
    assert loss == pytest.approx(-np.log(predicted[np.arange(5), labels]), rel=1e-4, abs=1e-5)


@given(LOGITS, LABELS)
def test_focal_with_gamma_0_is_the_cross_entropy(logits: NDArray[np.float32], labels: NDArray[np.int64]):
    targets, predicted = one_hot(labels, 3), probabilities(logits)
    assert np.array_equal(losses.focal(targets, predicted, gamma=0.0), losses.cross_entropy(targets, predicted))


@given(LOGITS, LABELS, st.floats(0.1, 3), st.floats(0.1, 3))
def test_focal_lies_between_0_and_cross_entropy_and_falls_with_gamma(
    logits: NDArray[np.float32], labels: NDArray[np.int64], gamma: float, more: float
):
    targets, predicted = one_hot(labels, 3), probabilities(logits)
    small, large = (losses.focal(targets, predicted, gamma=each).numpy() for each in (gamma + more, gamma))
    assert (small >= 0).all()
    assert (small <= large).all()
    assert (large <= losses.cross_entropy(targets, predicted).numpy()).all()


def test_focal_by_hand():
    loss = losses.focal(np.array([[1, 0]], np.float32), np.array([[0.75, 0.25]], np.float32), gamma=2.0)
    assert float(loss[0]) == pytest.approx(0.25**2 * -np.log(0.75), rel=1e-5)


@pytest.mark.parametrize("gamma", [None, 0.0, 0.5, 1.0, 2.0])
def test_losses_and_gradients_are_finite_at_certainty(gamma: float | None):
    targets, predicted = one_hot(np.zeros(4, int), 2), tf.constant(CERTAIN)
    with tf.GradientTape() as tape:
        tape.watch(predicted)
        loss = losses.cross_entropy(targets, predicted) if gamma is None else losses.focal(targets, predicted, gamma)
    assert loss.shape == (4,)
    assert np.isfinite(loss).all()
    assert np.isfinite(tape.gradient(loss, predicted)).all()


@pytest.mark.parametrize("loss", [losses.cross_entropy, losses.focal])
def test_a_network_that_is_certain_and_wrong_still_learns(loss):
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, "softmax", use_bias=False)])
    network.set_weights([np.array([[0, 200], [0, 0]], np.float32)])
    network.compile(keras.optimizers.SGD(1.0), loss)
    network.fit(np.array([[1, 0]], np.float32), one_hot(np.array([0]), 2), verbose=0)
    assert network.get_weights()[0][0, 0] > 0.5


@given(
    arrays.arrays(np.int64, 23, elements=st.integers(0, 4)),
    arrays.arrays(np.int64, 23, elements=st.integers(0, 4)),
    st.integers(1, 23),
)
def test_balanced_accuracy_over_batches_is_the_mean_recall_of_the_classes_that_occur(
    labels: NDArray[np.int64], predicted: NDArray[np.int64], batch_size: int
):
    labels[:2] = 1, 3  # scikit-learn warns where only one class occurs
    predicted = np.where(np.isin(predicted, labels), predicted, 1)  # and where a class is predicted that does not
    metric = metrics.balanced_accuracy(5)
    for _ in range(2):  # the second time after a reset: as in the next epoch
        metric.reset_state()
        for start in range(0, 23, batch_size):
            rows = slice(start, start + batch_size)
            weights = np.arange(1.0, len(labels[rows]) + 1)  # weigh the loss, not the score
            metric.update_state(one_hot(labels[rows], 5), one_hot(predicted[rows], 5) * 0.8, weights)
        assert float(metric.result()) == pytest.approx(balanced_accuracy_score(labels, predicted), abs=1e-6)


def test_balanced_accuracy_counts_a_prediction_of_an_absent_class_as_a_miss():
    metric = metrics.balanced_accuracy(3)
    metric.update_state(one_hot(np.array([0, 0, 1, 1]), 3), one_hot(np.array([0, 2, 1, 1]), 3))
    assert float(metric.result()) == 0.75

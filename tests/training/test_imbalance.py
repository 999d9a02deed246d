"""Class weights follow their formulas and average 1."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from medcls import losses, training
from medcls.tasks.classification import one_hot

COUNTS = st.lists(st.integers(1, 500), min_size=1, max_size=9).map(np.array)


@given(COUNTS)
def test_balanced_is_scikit_learns(counts):
    labels = np.repeat(np.arange(len(counts)), counts)
    expected = compute_class_weight("balanced", classes=np.arange(len(counts)), y=labels)
    assert training.balanced(counts).class_weights == pytest.approx(expected, rel=1e-5)


@given(COUNTS, st.sampled_from([training.none, training.balanced, training.effective_number, training.focal]))
def test_the_mean_weight_over_the_images_is_1(counts, imbalance):
    weights = imbalance(counts).class_weights
    assert (weights * counts).sum() / counts.sum() == pytest.approx(1, rel=1e-4)


def test_effective_number_by_hand():
    # 1, 2 and 3 images with beta 1/2 count as 1, 1.5 and 1.75 (Cui et al. 2019, equation 2).
    raw = np.array([1, 1 / 1.5, 1 / 1.75])
    expected = raw * 6 / (raw @ [1, 2, 3])
    weights = training.effective_number(np.array([1, 2, 3]), beta=0.5).class_weights
    assert weights == pytest.approx(expected, rel=1e-6)


def test_effective_number_lies_between_none_and_balanced():
    counts = np.array([10, 100, 1000])
    assert training.effective_number(counts, beta=0.0).class_weights == pytest.approx([1, 1, 1])
    nearly_balanced = training.effective_number(counts, beta=1 - 1e-7).class_weights
    assert nearly_balanced == pytest.approx(training.balanced(counts).class_weights, rel=1e-3)


@pytest.mark.parametrize("imbalance", [training.balanced, training.effective_number])
def test_a_class_without_images_leaves_the_other_weights_as_they_are(imbalance):
    weights = imbalance(np.array([30, 0, 10])).class_weights
    assert np.isfinite(weights).all()
    assert weights[[0, 2]] * [30, 10] == pytest.approx(imbalance(np.array([30, 10])).class_weights * [30, 10])


def test_focal_replaces_the_loss_and_oversampling_the_order():
    counts, targets, predicted = np.array([3, 1]), one_hot(np.array([0]), 2), np.array([[0.6, 0.4]], np.float32)
    treatment = training.focal(counts, gamma=1.5)
    assert np.array_equal(treatment.loss(targets, predicted), losses.focal(targets, predicted, gamma=1.5))
    assert training.oversample(counts).oversample
    assert [training.none(counts).loss, training.none(counts).oversample] == [None, False]

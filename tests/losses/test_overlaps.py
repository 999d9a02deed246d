"""Losses and metrics of masks obey their laws, also where probabilities are 0 or 1 and masks empty."""

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from sklearn.metrics import f1_score, jaccard_score

from medcls import BadInputError, Variant, losses, models
from medcls.tasks import BINARY, metrics
from medcls.training import gradient

Floats = NDArray[np.float32]

SHAPE = (3, 5, 4, 1)
MASKS = arrays.arrays(np.float32, SHAPE, elements=st.sampled_from([0.0, 1.0]))
PROBABILITIES = arrays.arrays(np.float32, SHAPE, elements=st.floats(0, 1, width=32))
LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "pixel_cross_entropy": losses.pixel_cross_entropy,
    "pixel_focal": losses.pixel_focal,
    "dice": losses.dice,
    "dice, not smooth": partial(losses.dice, smooth=0.0),
    "cross_entropy_dice": losses.cross_entropy_dice,
    "tversky": losses.tversky,
}
OVERLAPS = [name for name in LOSSES if name.startswith(("dice", "tversky"))]
each_loss = pytest.mark.parametrize("name", LOSSES)


def value(name: str, targets: Any, predictions: Any) -> Floats:
    return np.asarray(LOSSES[name](tf.constant(targets), tf.constant(predictions)))


@each_loss
@given(MASKS, PROBABILITIES)
@settings(max_examples=20)
def test_a_loss_is_one_value_an_image_from_0_up_whatever_stands_beside_it(name: str, masks: Floats, guess: Floats):
    together = value(name, masks, guess)
    assert together.shape == (3,)
    assert (together >= 0).all()
    if name in OVERLAPS:
        assert (together <= 1).all()
    alone = [value(name, masks[row : row + 1], guess[row : row + 1])[0] for row in range(3)]
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-6)


@each_loss
@given(MASKS, PROBABILITIES)
@settings(max_examples=20)
def test_a_flip_of_both_leaves_a_loss_as_it_was(name: str, masks: Floats, guess: Floats):
    for axis in (1, 2):
        flipped = value(name, np.flip(masks, axis), np.flip(guess, axis))
        np.testing.assert_allclose(flipped, value(name, masks, guess), rtol=1e-5, atol=1e-6)


@each_loss
@given(MASKS)
@settings(max_examples=20)
def test_a_perfect_prediction_costs_nothing_and_its_contrary_most(name: str, masks: Floats):
    right, wrong = value(name, masks, masks), value(name, masks, 1 - masks)
    np.testing.assert_allclose(right, 0, atol=1e-6)
    assert (wrong > 0.5).all()


@given(MASKS, arrays.arrays(np.float32, SHAPE, elements=st.floats(0.0078125, 0.9921875, width=32)))
@settings(max_examples=20)
def test_cross_entropy_is_that_of_numpy(masks: Floats, guess: Floats):
    sure = guess.astype(float)
    expected = -np.where(masks > 0, np.log(sure), np.log1p(-sure)).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(value("pixel_cross_entropy", masks, guess), expected, rtol=1e-4)


@given(MASKS, PROBABILITIES, st.floats(0.1, 3), st.floats(0.1, 3))
@settings(max_examples=20)
def test_focal_with_gamma_0_is_cross_entropy_and_falls_with_gamma(masks: Floats, guess: Floats, gamma, more):
    plain = value("pixel_cross_entropy", masks, guess)
    none, less, least = (
        np.asarray(losses.pixel_focal(tf.constant(masks), tf.constant(guess), gamma=each))
        for each in (0.0, gamma, gamma + more)
    )
    np.testing.assert_array_equal(none, plain)
    assert (less <= plain + 1e-6).all()
    assert (least <= less + 1e-6).all()


@given(PROBABILITIES, PROBABILITIES, st.floats(0, 2))
@settings(max_examples=20)
def test_dice_is_symmetric_and_what_its_formula_says(one: Floats, other: Floats, smooth: float):
    there, back = (
        np.asarray(losses.dice(tf.constant(a), tf.constant(b), smooth=smooth)) for a, b in ((one, other), (other, one))
    )
    np.testing.assert_allclose(there, back, rtol=1e-5, atol=1e-6)
    a, b = one.astype(float), other.astype(float)
    common, both = ((a * b).sum(axis=(1, 2, 3)), (a + b).sum(axis=(1, 2, 3)))
    np.testing.assert_allclose(there, 1 - (2 * common + smooth + 1e-7) / (both + smooth + 1e-7), rtol=1e-3, atol=1e-4)


@given(PROBABILITIES, PROBABILITIES, st.floats(0, 2))
@settings(max_examples=20)
def test_tversky_of_two_halves_is_dice(one: Floats, other: Floats, smooth: float):
    of_halves = losses.tversky(tf.constant(one), tf.constant(other), alpha=0.5, beta=0.5, smooth=smooth)
    dice = losses.dice(tf.constant(one), tf.constant(other), smooth=smooth)
    np.testing.assert_allclose(of_halves, dice, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("smooth", "bound"), [(1.0, 181), (0.04, 36)])
def test_smoothing_makes_marking_nothing_cheap_where_targets_are_small(smooth: float, bound: int):
    for pixels, nothing_is_cheaper in ((bound - 8, True), (bound + 8, False)):
        mask = (np.arange(256 * 256) < pixels).astype(np.float32).reshape(1, 256, 256, 1)
        nothing, everything = (
            float(losses.dice(tf.constant(mask), tf.fill(mask.shape, share), smooth=smooth)[0]) for share in (0.0, 1.0)
        )
        assert (nothing < everything) == nothing_is_cheaper


def test_tversky_by_hand():
    mask = np.array([1, 1, 1, 0, 0], np.float32).reshape(1, 5, 1, 1)
    guess = np.array([1, 1, 0, 1, 0], np.float32).reshape(1, 5, 1, 1)  # 2 found, 1 missed, 1 too many
    loss = losses.tversky(tf.constant(mask), tf.constant(guess), alpha=0.2, beta=0.6, smooth=0.0)
    assert float(loss[0]) == pytest.approx(1 - 2 / (2 + 0.2 + 0.6), rel=1e-5)


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_cross_entropy_dice_is_the_mixture(weight: float):
    rng = np.random.default_rng(0)
    masks, guess = tf.constant((rng.random(SHAPE) > 0.5).astype("f4")), tf.constant(rng.random(SHAPE, np.float32))
    mixed = losses.cross_entropy_dice(masks, guess, weight=weight)
    expected = (1 - weight) * losses.pixel_cross_entropy(masks, guess) + weight * losses.dice(masks, guess)
    np.testing.assert_allclose(mixed, expected, rtol=1e-5)


@each_loss
@pytest.mark.parametrize("target", [0.0, 1.0])
@pytest.mark.parametrize("guess", [0.0, 0.5, 1.0])
def test_gradients_are_finite_at_certainty_and_for_empty_masks(name: str, target: float, guess: float):
    masks, predictions = tf.fill(SHAPE, target), tf.fill(SHAPE, guess)
    with tf.GradientTape() as tape:
        tape.watch(predictions)
        loss = LOSSES[name](masks, predictions)
    assert np.isfinite(loss).all()
    assert np.isfinite(tape.gradient(loss, predictions)).all()


@pytest.mark.parametrize("loss", [losses.pixel_cross_entropy, losses.cross_entropy_dice])
def test_a_network_that_is_certain_and_wrong_still_learns(loss: Callable[..., Any]):
    network = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Conv2D(1, 1, activation="sigmoid")])
    network.set_weights([np.full((1, 1, 1, 1), -200, np.float32), np.zeros(1, np.float32)])
    network.compile(keras.optimizers.SGD(1.0), loss)
    ones = np.ones((1, 2, 2, 1), np.float32)
    network.fit(ones, ones, verbose=0)
    assert network.get_weights()[0].item() > -199.6


@pytest.mark.parametrize(
    ("loss", "named"),
    [
        (partial(losses.pixel_focal, gamma=-1.0), "gamma"),
        (partial(losses.dice, smooth=-0.1), "smooth"),
        (partial(losses.cross_entropy_dice, weight=1.2), "weight"),
        (partial(losses.tversky, alpha=-0.3), "alpha"),
        (partial(losses.tversky, beta=-0.3), "beta"),
    ],
)
def test_hyper_parameters_have_limits(loss: Any, named: str):
    from medcls.spec.parameters import check_limits

    with pytest.raises(BadInputError, match=f"loss.{named}=.* must be at least 0"):
        check_limits("loss", loss)


@pytest.mark.parametrize("model", [models.unet, models.encoder_decoder])
def test_a_model_of_masks_is_refused_for_classification(model: Callable[..., Any]):
    def data(store: Any) -> Any: ...

    variant = Variant(data=data, learner=partial(gradient, model=model), task=BINARY)
    with pytest.raises(BadInputError, match=f"{model.__name__} is for tasks with masks, and the task 'binary'"):
        variant.check()


@given(
    arrays.arrays(np.bool_, (7, 4, 3, 1)),
    arrays.arrays(np.float32, (7, 4, 3, 1), elements=st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])),
    st.integers(1, 7),
)
@settings(max_examples=20)
def test_hard_metrics_are_means_over_images_however_they_are_batched(masks: Any, guess: Floats, batch_size: int):
    masks[0], guess[0] = False, 0.0  # both empty
    for metric, judge in ((metrics.dice_score(), f1_score), (metrics.iou_score(), jaccard_score)):
        for _ in range(2):  # the second time after a reset: as in the next epoch
            metric.reset_state()
            for start in range(0, 7, batch_size):
                rows = slice(start, start + batch_size)
                metric.update_state(masks[rows].astype(np.float32), guess[rows])
        pairs = zip(masks.reshape(7, -1), guess.reshape(7, -1) > 0.5, strict=True)
        expected = np.mean([judge(true, told, zero_division=1.0) for true, told in pairs])
        assert float(metric.result()) == pytest.approx(expected, abs=1e-6)


def test_metrics_by_hand_and_by_name():
    masks = np.array([[1, 1, 0, 0], [0, 0, 0, 1]], np.float32).reshape(2, 2, 2, 1)
    guess = np.array([[0.9, 0.4, 0.6, 0.1], [0, 0, 0.2, 0.8]], np.float32).reshape(2, 2, 2, 1)
    found = {}
    for metric in (metrics.dice_score(), metrics.iou_score(), metrics.soft_dice()):
        metric.update_state(masks, guess)
        found[metric.name] = float(metric.result())
    assert found == pytest.approx({"dice": 0.75, "iou": (1 / 3 + 1) / 2, "soft_dice": 2 * 2.1 / (3 + 3)}, abs=1e-6)


def test_soft_dice_is_over_the_pixels_of_a_batch_and_then_the_mean_of_the_batches():
    rng = np.random.default_rng(1)
    masks, guess = (rng.random((5, 4, 4, 1)) > 0.6).astype("f4"), rng.random((5, 4, 4, 1), np.float32)
    metric = metrics.soft_dice()
    expected = []
    for rows in (slice(0, 3), slice(3, 5)):
        metric.update_state(masks[rows], guess[rows])
        expected.append(2 * (masks[rows] * guess[rows]).sum() / (masks[rows].sum() + guess[rows].sum()))
    assert float(metric.result()) == pytest.approx(np.mean(expected), abs=1e-6)
    metric.reset_state()
    metric.update_state(0 * masks, 0 * guess)
    assert float(metric.result()) == 1.0

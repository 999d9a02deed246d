"""MixUp and CutMix: every pixel from one of two images, and a loss that is the mixture of both images' losses."""

from functools import partial
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from medcls import BadInputError, Variant, augmentation, losses
from medcls.augmentation import seeded_random
from medcls.augmentation.mixing import mixed_labels
from medcls.data.loading import batches
from medcls.tasks import BINARY, MULTICLASS, SPARSE, metrics
from medcls.training import gradient

COUNT = 64
KINDS = [augmentation.mixup, augmentation.cutmix]
Numbers = NDArray[np.float32]


def numbered(count: int = COUNT) -> tuple[Numbers, Numbers, Numbers]:
    """Images whose every pixel is their number; one-hot targets; weights."""
    numbers = np.arange(count, dtype=np.float32)
    images = np.broadcast_to(numbers[:, None, None, None], (count, 12, 10, 2)).copy()
    return images, np.eye(4, dtype=np.float32)[numbers.astype(int) % 4], 0.5 + numbers / count


def mixed(augment: Any, seed: tuple[int, int] = (1, 2), count: int = COUNT) -> list[Numbers]:
    return [np.asarray(each) for each in augment.batch(*numbered(count), tf.constant(seed))]


def test_mixup_lays_two_images_over_each_other_and_mixes_their_labels_alike() -> None:
    images, targets, weights = mixed(augmentation.mixup(alpha=1.0))
    _, before, weights_before = numbered()
    flat = images[:, 0, 0, 0]
    assert (images == flat[:, None, None, None]).all()
    np.testing.assert_allclose(targets.sum(axis=1), 1.0, atol=1e-5)
    for number in range(COUNT):  # some partner explains image, target and weight at once
        partners = np.array([other for other in range(COUNT) if other != number])
        shares = (flat[number] - partners) / (number - partners)
        own, others = shares * weights_before[number], (1 - shares) * weights_before[partners]
        expected = (own[:, None] * before[number] + others[:, None] * before[partners]) / (own + others)[:, None]
        fits = (shares > -1e-4) & (np.abs(expected - targets[number]).max(axis=1) < 1e-3)
        assert (fits & (np.abs(own + others - weights[number]) < 1e-4)).any() or flat[number] == number


def test_cutmix_sets_one_rectangle_and_mixes_labels_by_its_area() -> None:
    images, targets, weights = mixed(augmentation.cutmix())
    _, before, weights_before = numbered()
    cut = 0
    for number in range(COUNT):
        found = np.unique(images[number])
        inside = images[number][..., 0] != number
        assert len(found) <= 2
        if len(found) == 2 and number in found:
            other = int(found[found != number][0])
            np.testing.assert_array_equal(inside, inside.any(axis=1)[:, None] & inside.any(axis=0)[None])
            share = 1 - inside.mean()
            own, others = share * weights_before[number], (1 - share) * weights_before[other]
            np.testing.assert_allclose(weights[number], own + others, rtol=1e-5)
            np.testing.assert_allclose(
                targets[number], (own * before[number] + others * before[other]) / (own + others), atol=1e-5
            )
            cut += 1
    assert cut > COUNT / 2


@settings(max_examples=30, deadline=None)
@given(share=st.floats(0, 1, width=32), weights=st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)))
@pytest.mark.parametrize("classes", [1, 3])
def test_a_mixed_loss_is_the_mixture_of_both_weighted_losses(
    classes: int, share: float, weights: tuple[float, float]
) -> None:
    targets = np.array([[1.0], [0.0]] if classes == 1 else [[0, 1, 0], [0, 0, 1]], np.float32)
    predictions = np.array([[0.3]] if classes == 1 else [[0.2, 0.5, 0.3]], np.float32).repeat(2, axis=0)
    both = np.asarray(losses.cross_entropy(targets, predictions)) * weights

    new_targets, new_weights = mixed_labels(targets, tf.constant(weights, tf.float32), [1, 0], tf.fill((2,), share))

    answer = np.asarray(losses.cross_entropy(new_targets, predictions)) * new_weights
    np.testing.assert_allclose(answer[0], share * both[0] + (1 - share) * both[1], rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_batches_in_a_stream_depend_on_the_seed_alone(kind: Any) -> None:
    images = np.random.default_rng(0).integers(0, 256, (10, 8, 8, 1), np.uint8)
    examples = batches.Examples(images, np.arange(10), np.eye(2, dtype=np.float32)[[0, 1] * 5], np.ones(10, np.float32))
    augment = kind(first=partial(augmentation.standard, rotation=20.0)).batch
    order = batches.shuffled(np.zeros(10, np.int64), 0)

    def drawn(epochs: range, seed: int = 0) -> list[Numbers]:
        return [np.asarray(each[0]) for each in batches.training(examples, order, augment, seed, 4, epochs)]

    whole = drawn(range(2))
    np.testing.assert_array_equal(np.concatenate(whole[3:]), np.concatenate(drawn(range(1, 2))))
    assert not np.array_equal(whole[0], drawn(range(1), seed=1)[0])
    assert [len(batch) for batch in whole] == [4, 4, 2] * 2


def test_what_comes_first_changes_the_images_before_they_are_mixed() -> None:
    first = partial(augmentation.standard, channel_shift=0.0, brightness_range=(0.5, 0.5))

    halved = mixed(augmentation.mixup(first=first))[0]

    np.testing.assert_allclose(halved, mixed(augmentation.mixup())[0] / 2, rtol=1e-4)


@pytest.mark.parametrize("alpha", [0.05, 0.2, 1.0, 4.0])
def test_shares_are_from_the_beta_distribution(alpha: float) -> None:
    shares = np.asarray(seeded_random.beta((3, 4), "shares", 20_000, alpha))

    assert shares.min() >= 0
    assert shares.max() <= 1
    np.testing.assert_allclose(shares.mean(), 0.5, atol=0.02)
    np.testing.assert_allclose(shares.var(), 1 / (4 * (2 * alpha + 1)), rtol=0.05)


def learner(kind: Any, task: Any) -> Variant:
    return Variant(data=partial(data_set), learner=partial(gradient, augment=partial(kind)), task=task)


def data_set(hashes: Any) -> None:
    """Stand for a data set: only the learner is looked at."""


@pytest.mark.parametrize("kind", KINDS)
def test_class_numbers_cannot_be_mixed(kind: Any) -> None:
    with pytest.raises(BadInputError, match=rf"{kind.__name__} mixes labels.*'sparse'.*MULTICLASS"):
        learner(kind, SPARSE).check()
    for task in (BINARY, MULTICLASS):
        learner(kind, task).check()


@pytest.mark.parametrize("kind", KINDS)
def test_an_impossible_alpha_is_named(kind: Any) -> None:
    with pytest.raises(BadInputError, match=r"learner\.augment\.alpha=0.0 must be above 0"):
        learner(partial(kind, alpha=0), MULTICLASS).check()


def test_accuracies_of_one_probability_understand_mixed_targets() -> None:
    targets, predictions = np.array([[0.8], [0.3], [1.0], [0.0]], np.float32), np.array([[0.9], [0.6], [0.7], [0.1]])
    plain = keras.metrics.BinaryAccuracy()

    own, balanced = metrics.binary_accuracy(), metrics.balanced_accuracy(2)
    for each in (own, balanced):
        each.update_state(targets, predictions)
    np.testing.assert_allclose(own.result(), 0.75)
    np.testing.assert_allclose(balanced.result(), ((0.2 * 0 + 0.7 * 0 + 1.0) / 1.9 + (0.8 + 0.3 + 1.0) / 2.1) / 2)
    own.reset_state()
    own.update_state(targets.round(), predictions)
    plain.update_state(targets.round(), predictions)
    np.testing.assert_allclose(own.result(), plain.result())

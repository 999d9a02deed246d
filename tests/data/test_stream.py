"""Batches depend on (seed, epoch, step) alone; each image keeps its target and weight."""

from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from medcls import augmentation
from medcls.data.loading import batches as stream

STANDARD = partial(augmentation.standard, rotation=20.0, zoom=0.2, contrast=0.3, horizontal_flip=True)
Batches = list[list[NDArray[np.float32]]]


def examples(count: int = 10, images: NDArray[np.uint8] | None = None) -> stream.Examples:
    """Return examples whose images, targets and weights say their row, rows in a mixed order."""
    rows = np.random.default_rng(3).permutation(count + 5)[:count]
    if images is None:
        images = np.arange(count + 5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 6, 6, 1), np.uint8)
    numbers = rows.astype(np.float32)
    return stream.Examples(images, rows, numbers[:, None] * np.array([1, 2], np.float32), numbers + 0.5)


def batches(epochs: range, *, augment=augmentation.none, seed: int = 7, batch_size: int = 4) -> Batches:
    each = examples()
    order = stream.shuffled(np.zeros(10, np.int64), seed)
    drawn = stream.training(each, order, augment().batch, seed, batch_size, epochs)
    return [[tensor.numpy() for tensor in batch] for batch in drawn]


def same(a: Batches, b: Batches) -> bool:
    return len(a) == len(b) and all(
        np.array_equal(x, y) for one, two in zip(a, b, strict=True) for x, y in zip(one, two, strict=True)
    )


def test_every_image_comes_once_an_epoch_with_its_own_target_and_weight():
    drawn = batches(range(2))
    assert [len(images) for images, _, _ in drawn] == [4, 4, 2] * 2
    for epoch in (drawn[:3], drawn[3:]):
        seen = [row for images, _, _ in epoch for row in images[:, 0, 0, 0]]
        assert sorted(seen) == sorted(examples().rows)
    for images, targets, weights in drawn:
        numbers = images[:, 0, 0, 0]
        assert np.array_equal(targets, numbers[:, None] * [1, 2])
        assert np.array_equal(weights, numbers + 0.5)
        assert images.dtype == targets.dtype == weights.dtype == np.float32


def test_the_order_changes_from_epoch_to_epoch_and_with_the_seed():
    drawn = batches(range(2), batch_size=10)
    assert not np.array_equal(drawn[0][1], drawn[1][1])
    assert not np.array_equal(drawn[0][1], batches(range(1), batch_size=10, seed=8)[0][1])


@pytest.mark.parametrize("augment", [augmentation.none, STANDARD])
def test_a_stream_from_epoch_k_gives_the_bits_of_one_from_the_start(augment):
    whole = batches(range(4), augment=augment)
    assert same(whole, batches(range(4), augment=augment))
    for first in (1, 3):
        assert same(whole[3 * first :], batches(range(first, 4), augment=augment))


@pytest.mark.parametrize("augment", [augmentation.none, STANDARD, partial(STANDARD, elastic=0.1, blur=2.0)])
def test_stored_bytes_give_the_bits_that_the_same_numbers_give(augment):
    images = np.random.default_rng(0).integers(0, 256, (15, 12, 10, 1), np.uint8)
    order = stream.shuffled(np.zeros(10, np.int64), 0)
    drawn = []
    for stored in (images, images.astype(np.float32)):
        parts = stream.training(examples(images=stored), order, augment().batch, 0, 4, range(1))
        drawn.append([[tensor.numpy() for tensor in batch] for batch in parts])
    assert same(*drawn)
    assert {tensor.dtype for batch in drawn[0] for tensor in batch} == {np.dtype(np.float32)}


def test_augmentation_differs_between_epochs_steps_and_seeds():
    image = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 1), np.uint8)
    one = stream.Examples(image, np.zeros(2, np.int64), np.zeros((2, 2), np.float32), np.ones(2, np.float32))
    order = stream.shuffled(np.zeros(2, np.int64), 0)
    drawn = [
        images.numpy().tobytes()
        for seed in (0, 1)
        for images, _, _ in stream.training(one, order, STANDARD().batch, seed, 1, range(3))
    ]
    assert len(set(drawn)) == 2 * 3 * 2


def test_evaluation_keeps_the_order_of_the_rows_and_changes_nothing():
    each = examples()
    parts = list(stream.evaluation(each, 4))
    assert [len(images) for images, _, _ in parts] == [4, 4, 2]
    assert np.array_equal(np.concatenate([images[:, 0, 0, 0] for images, _, _ in parts]), each.rows)
    assert np.array_equal(np.concatenate([weights for _, _, weights in parts]), each.weights)


def test_a_memory_map_gives_what_an_array_gives(tmp_path: Path):
    np.save(tmp_path / "images.npy", examples().images)
    mapped = examples(images=np.load(tmp_path / "images.npy", mmap_mode="r"))
    for one, two in zip(stream.evaluation(mapped, 3), stream.evaluation(examples(), 3), strict=True):
        assert np.array_equal(one[0], two[0])


@settings(max_examples=50)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=40), st.integers(0, 5), st.integers(0, 3))
def test_drawing_evenly_meets_every_class_equally_often(labels: list[int], seed: int, epoch: int):
    order = stream.evenly(np.array(labels), seed)(epoch)
    assert len(order) == len(labels)
    met = Counter(np.array(labels)[order].tolist())
    assert set(met) == set(labels)
    assert max(met.values()) - min(met.values()) <= 1
    for label in met:  # and, within a class, its images equally often
        times = Counter(order[np.array(labels)[order] == label].tolist())
        held = [times[row] for row in np.flatnonzero(np.array(labels) == label).tolist()]
        assert max(held) - min(held) <= 1


def test_drawing_evenly_depends_on_seed_and_epoch():
    labels = np.array([0] * 9 + [1] * 3)
    orders = {(seed, epoch): stream.evenly(labels, seed)(epoch).tolist() for seed in (0, 1) for epoch in (0, 1)}
    assert len({tuple(order) for order in orders.values()}) == 4
    assert orders[0, 1] == stream.evenly(labels, 0)(1).tolist()


@settings(max_examples=50)
@given(st.integers(1, 40), st.sampled_from([0.1, 0.3, 0.5, 0.75, 1.0]), st.integers(0, 3))
def test_epochs_that_see_a_part_each_meet_everything_equally_often(count: int, share: float, seed: int):
    order = stream.in_parts(stream.shuffled(np.zeros(count, np.int64), seed), share)
    drawn = [order(epoch) for epoch in range(40)]
    assert {len(epoch) for epoch in drawn} == {max(1, round(share * count))}
    met = Counter(np.concatenate(drawn).tolist())
    times = [met[position] for position in range(count)]
    assert max(times) - min(times) <= 1
    assert all(len(set(epoch)) == len(epoch) for epoch in drawn if 2 * len(epoch) <= count and count % len(epoch) == 0)


def test_half_epochs_complement_each_other_and_depend_on_seed_and_epoch():
    whole = stream.shuffled(np.zeros(10, np.int64), 7)
    halves = stream.in_parts(whole, 0.5)
    for epoch in (0, 1, 4):
        assert np.array_equal(np.concatenate([halves(2 * epoch), halves(2 * epoch + 1)]), whole(epoch))
    assert stream.in_parts(whole, 1.0) is whole


def test_points_are_streamed_as_they_are():
    points = np.random.default_rng(0).normal(size=(15, 2)).astype(np.float32)
    each = examples(images=points)
    ((drawn, _, _),) = stream.evaluation(each, 20)
    assert np.array_equal(drawn, points[each.rows])

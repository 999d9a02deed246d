"""RandAugment's tones against Pillow, its draws, and what it leaves alone."""

from functools import partial
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps

from medcls import BadInputError, augmentation
from medcls.augmentation import photometric
from medcls.augmentation.randaugment import OPERATIONS, _drawn
from medcls.spec.parameters import check_limits

Pixels = NDArray[np.float32]


def pictures(count: int = 3, channels: int = 3) -> Pixels:
    generator = np.random.default_rng(0)
    ends = generator.integers(20, 230, (count, 1, 1, channels))
    noise = generator.normal(size=(count, 24, 30, channels))
    return np.clip(np.rint(ends + 25 * noise), 0, 255).astype(np.float32)


def by_pillow(images: Pixels, change: Any) -> Pixels:
    return np.stack([np.asarray(change(Image.fromarray(image.astype(np.uint8))), np.float32) for image in images])


def ones(number: float) -> Any:
    return tf.fill((3,), number)


@pytest.mark.parametrize(
    ("ours", "pillow", "apart"),
    [
        (photometric.stretch, ImageOps.autocontrast, 1.0),
        (lambda images: photometric.solarize(images, ones(100.0)), lambda image: ImageOps.solarize(image, 100), 0.0),
        (lambda images: photometric.posterize(images, ones(5.0)), lambda image: ImageOps.posterize(image, 5), 0.0),
        (
            lambda images: photometric.saturate(images, ones(1.7)),
            lambda image: ImageEnhance.Color(image).enhance(1.7),
            2.0,
        ),
        (
            lambda images: photometric.saturate(images, ones(0.2)),
            lambda image: ImageEnhance.Color(image).enhance(0.2),
            2.0,
        ),
    ],
    ids=["autocontrast", "solarize", "posterize", "more colour", "less colour"],
)
def test_tones_are_pillows(ours: Any, pillow: Any, apart: float) -> None:
    np.testing.assert_allclose(ours(pictures()), by_pillow(pictures(), pillow), atol=apart)


def test_equal_tones_are_pillows_but_for_its_whole_steps() -> None:
    images = np.tile(pictures(), (1, 10, 10, 1))  # of so many pixels that a step is hardly cut off
    np.testing.assert_allclose(photometric.equalize(images), by_pillow(images, ImageOps.equalize), atol=2)


@pytest.mark.parametrize("change", [photometric.stretch, photometric.equalize])
def test_an_even_image_stays_as_it_is(change: Any) -> None:
    even = np.full((2, 5, 5, 1), 90.0, np.float32)
    np.testing.assert_array_equal(change(even), even)


def test_sharpening_makes_detail_as_many_times_as_strong() -> None:
    images = pictures() * 0.3 + 80  # far from 0 and 255

    soft, sharp = (np.asarray(photometric.sharpen(images, ones(factor))) for factor in (0.0, 2.0))

    np.testing.assert_allclose(images - soft, sharp - images, atol=0.01)
    assert soft.std() < images.std() < sharp.std()


@pytest.mark.parametrize("channels", [1, 3])
def test_a_magnitude_of_0_leaves_all_but_autocontrast_and_equalize_alone(channels: int) -> None:
    images, seed = np.repeat(pictures(1, channels), 300, axis=0), tf.constant((2, 3))
    times, _ = _drawn(seed, 300, 2)
    spread = np.asarray(times["autocontrast"] + times["equalize"]) > 0

    answer = np.asarray(augmentation.randaugment(magnitude=0.0)(images, seed))

    same = np.abs(answer - images).max(axis=(1, 2, 3)) < 1e-3
    np.testing.assert_array_equal(same, ~spread)


def test_every_operation_is_drawn_as_often() -> None:
    times, signs = _drawn(tf.constant((0, 1)), 13_000, 2)

    assert [int(sum(each[row] for each in times.values())) for row in range(5)] == [2] * 5
    shares = [float(tf.reduce_sum(times[name])) / 26_000 for name in OPERATIONS]
    np.testing.assert_allclose(shares, 1 / len(OPERATIONS), rtol=0.1)
    assert all(set(np.unique(each)) == {-1.0, 1.0} for each in signs.values())


def test_a_larger_magnitude_changes_more_and_values_stay_in_the_scale() -> None:
    images = np.repeat(pictures(), 30, axis=0)

    changes = []
    for magnitude in (3.0, 15.0, 30.0):
        answer = np.asarray(augmentation.randaugment(magnitude=magnitude)(images, tf.constant((4, 5))))
        assert answer.min() >= 0
        assert answer.max() <= 255
        changes.append(np.abs(answer - images).mean())
    assert changes == sorted(changes)


def test_masks_move_with_their_images() -> None:
    masks = np.kron(np.random.default_rng(1).integers(0, 2, (20, 5, 6, 1)), np.ones((1, 8, 8, 1))).astype(np.float32)
    augment, seed = augmentation.randaugment(magnitude=20.0), tf.constant((7, 8))

    moved = np.asarray(augment.masks(masks, seed))

    assert set(np.unique(moved)) == {0.0, 1.0}
    assert ((np.asarray(augment.warp(masks, seed)) > 0.5) == (moved > 0.5)).mean() > 0.95


@pytest.mark.parametrize("wrong", [{"magnitude": 31.0}, {"count": 0}, {"fill_mode": "mirror"}, {"fill_value": -1.0}])
def test_impossible_values_are_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInputError, match=next(iter(wrong))):
        check_limits("learner.augment", partial(augmentation.randaugment, **wrong))

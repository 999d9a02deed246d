"""Elastic deformation, blur, noise and erasing: against scipy, and by what they must leave alone."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from scipy import ndimage

from medcls import augmentation
from medcls.augmentation import geometric, resampling

Pixels = NDArray[np.float32]
MODES = {"nearest": "nearest", "constant": "grid-constant", "reflect": "reflect", "wrap": "grid-wrap"}


def pictures(count: int = 3, height: int = 20, width: int = 26, channels: int = 3) -> Pixels:
    noise = np.random.default_rng(0).normal(size=(count, height, width, channels))
    smooth = ndimage.gaussian_filter(noise, (0, 1.5, 1.5, 0))
    return np.asarray(255 * (smooth - smooth.min()) / np.ptp(smooth), np.float32)


def changed(images: Pixels, seed: int = 0, **ranges: Any) -> Pixels:
    return np.asarray(augmentation.standard(**ranges)(tf.constant(images), tf.constant((seed, 0))))


def deformed(images: Pixels, moves: Any, grids: Any, **fill: Any) -> Pixels:
    places = geometric.displaced(*images.shape[1:3], moves, grids)
    return np.asarray(resampling.deform(images, places, **fill))


def moves(images: Pixels, **parameters: Any) -> Any:
    rotation = tf.fill((len(images),), parameters.pop("rotation", 0.0))
    return geometric.transforms(*map(float, images.shape[1:3]), rotation, **parameters)


@pytest.mark.parametrize("fill_mode", MODES)
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
def test_without_displacement_a_deformation_is_the_affine_transform(fill_mode: str, interpolation: str) -> None:
    images = pictures()
    chosen = moves(images, rotation=17.0, zoom_x=1.2, right=3.3)
    fill: dict[str, Any] = {"fill_mode": fill_mode, "fill_value": 60.0, "interpolation": interpolation}

    answer = deformed(images, chosen, tf.zeros((3, 3, 3, 2)), **fill)

    apart = np.abs(answer - resampling.warp(images, chosen, **fill))
    assert np.quantile(apart, 0.99) < 0.01  # the nearest of two equally near pixels is either


@pytest.mark.parametrize("fill_mode", MODES)
def test_a_deformation_is_one_resampling_at_displaced_places(fill_mode: str) -> None:
    images = pictures(1)
    grids = np.random.default_rng(2).normal(size=(1, 3, 3, 2)).astype(np.float32) * 0.1
    field = tf.image.resize(grids, (20, 26), "bicubic").numpy()[0] * [26, 20]
    rows, columns = np.mgrid[:20, :26]
    angle = np.deg2rad(30)
    y, x = rows - 9.5, columns - 12.5
    places = [
        9.5 + np.sin(angle) * x + np.cos(angle) * y + field[..., 1],
        12.5 + np.cos(angle) * x - np.sin(angle) * y + field[..., 0],
    ]

    answer = deformed(images, moves(images, rotation=30.0), grids, fill_mode=fill_mode)[0]

    for channel in range(3):
        expected = ndimage.map_coordinates(images[0, ..., channel], places, order=1, mode=MODES[fill_mode])
        np.testing.assert_allclose(answer[..., channel], expected, atol=0.05)


def test_elastic_moves_masks_with_their_images_and_keeps_their_values() -> None:
    masks = np.asarray(pictures(4, 40, 40, 1) > 127, np.float32) * 255
    augment = augmentation.standard(elastic=0.05, rotation=20.0)

    answer = np.asarray(augment.masks(masks, tf.constant((5, 6))))
    images = np.asarray(augment(masks, tf.constant((5, 6))))

    assert set(np.unique(answer)) == {0.0, 255.0}
    assert ((images > 127.5) == (answer > 127.5)).mean() > 0.98
    assert (answer != masks).mean() > 0.02


@pytest.mark.parametrize("deviation", [0.5, 1.0, 2.5])
def test_blur_is_scipys(deviation: float) -> None:
    images = pictures()

    blurred = resampling.blur(images, tf.fill((3,), deviation))

    expected = ndimage.gaussian_filter(images, (0, deviation, deviation, 0), radius=(0, 12, 12, 0), mode="reflect")
    np.testing.assert_allclose(blurred, expected, atol=0.01)


def test_each_image_is_blurred_by_its_own_draw_even_if_smaller_than_the_kernel() -> None:
    images = np.repeat(pictures(1, 5, 7), 50, axis=0)

    blurred = changed(images, blur=5.0)

    spread = blurred.std(axis=(1, 2, 3))
    assert len(np.unique(spread.round(3))) > 40
    assert spread.max() <= images[0].std() + 1e-3
    np.testing.assert_allclose(resampling.blur(images, tf.zeros((50,))), images, atol=1e-3)


def test_noise_has_the_strength_that_was_drawn_and_stays_within_the_scale() -> None:
    grey = np.full((300, 30, 30, 1), 128.0, np.float32)

    deviations = (changed(grey, noise=0.1) - grey).std(axis=(1, 2, 3))

    assert deviations.max() < 0.1 * 255 * 1.1
    np.testing.assert_allclose(np.median(deviations), 0.05 * 255, rtol=0.15)
    white = changed(grey + 127, noise=0.5)
    assert white.min() >= 0
    assert white.max() <= 255


def test_erasing_hits_its_share_of_the_images_with_one_rectangle_of_the_papers_size() -> None:
    images = np.full((400, 40, 50, 3), 200.0, np.float32)

    erased = changed(images, erasing=0.4, fill_value=90.0) == 90.0

    hit = erased.any(axis=(1, 2, 3))
    assert 0.3 < hit.mean() < 0.5
    for mask in erased[hit]:
        assert (mask == mask[..., :1]).all()  # all channels alike
        rows, columns = mask[..., 0].any(axis=1), mask[..., 0].any(axis=0)
        np.testing.assert_array_equal(mask[..., 0], rows[:, None] & columns[None])
        assert np.diff(np.flatnonzero(rows)).max(initial=1) == 1
        assert 0.01 < mask.mean() < 0.36


@pytest.mark.parametrize("ranges", [{"noise": 0.1}, {"blur": 2.0}, {"erasing": 0.9}, {"elastic": 0.1}])
def test_the_same_seed_gives_the_same_bits_and_strength_0_nothing(ranges: dict[str, float]) -> None:
    images = pictures(8)

    np.testing.assert_array_equal(changed(images, **ranges), changed(images, **ranges))
    assert not np.array_equal(changed(images, **ranges), changed(images, seed=1, **ranges))
    np.testing.assert_array_equal(changed(images, strength=0.0, **ranges), images)

"""Augmentation: exact where it can be, against scipy elsewhere, and the same bits for the same seed."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from medcls import BadInputError, augmentation
from medcls.augmentation import geometric, intensity, resampling, seeded_random

EVERYTHING: dict[str, Any] = {
    "rotation": 30.0,
    "width_shift": 0.2,
    "height_shift": 0.1,
    "horizontal_flip": True,
    "vertical_flip": True,
    "zoom": 0.3,
    "shear": 20.0,
    "brightness": 0.2,
    "contrast": 0.3,
}
Pixels = NDArray[np.float32]


def pictures(count: int = 4, height: int = 12, width: int = 16, channels: int = 1) -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (count, height, width, channels)).astype(np.float32)


def moved(images: Pixels, fill_mode: str = "nearest", rotation: float = 0.0, **moves: float) -> Pixels:
    """The images, all moved alike by the explicit parameters."""
    height, width = images.shape[1:3]
    transforms = geometric.transforms(height, width, tf.fill((len(images),), rotation), **moves)
    return resampling.warp(images, transforms, fill_mode=fill_mode).numpy()


def changed(images: Pixels, seed: tuple[int, int] = (0, 0), **ranges: Any) -> Pixels:
    return augmentation.standard(**ranges)(tf.constant(images), tf.constant(seed)).numpy()


@pytest.mark.parametrize(
    "unchanging",
    [augmentation.none(), augmentation.standard(), augmentation.standard(**{**EVERYTHING, "strength": 0.0})],
)
def test_no_range_leaves_images_exactly_as_they_are(unchanging: augmentation.Augmentation) -> None:
    images = pictures()

    np.testing.assert_array_equal(unchanging(tf.constant(images), tf.constant((1, 2))), images)


def test_the_identity_transform_is_exact() -> None:
    np.testing.assert_array_equal(moved(pictures()), pictures())


@pytest.mark.parametrize(("name", "axis"), [("horizontal_flip", 2), ("vertical_flip", 1)])
def test_about_half_of_the_images_are_flipped_exactly(name: str, axis: int) -> None:
    images = pictures(400, 5, 6)
    answer = changed(images, **{name: True})

    kept = (answer == images).all(axis=(1, 2, 3))
    flipped = (answer == np.flip(images, axis)).all(axis=(1, 2, 3))

    assert (kept ^ flipped).all()
    assert 150 < flipped.sum() < 250


@pytest.mark.parametrize(("right", "down"), [(3, 0), (-2, 0), (0, 4), (0, -5), (3, -1)])
def test_whole_pixel_shifts_are_exact(right: int, down: int) -> None:
    images = pictures()
    rows = np.clip(np.arange(12) - down, 0, 11)
    columns = np.clip(np.arange(16) - right, 0, 15)

    np.testing.assert_array_equal(moved(images, right=right, down=down), images[:, rows][:, :, columns])


@pytest.mark.parametrize("quarters", [1, 2, 3, -1])
def test_quarter_turns_are_those_of_numpy(quarters: int) -> None:
    images = pictures(2, 15, 15, 3)

    turned = moved(images, rotation=90.0 * quarters)

    np.testing.assert_allclose(turned, np.rot90(images, quarters, axes=(1, 2)), atol=0.01)


def test_a_zoom_of_two_shows_the_middle_twice_as_large() -> None:
    image = np.zeros((1, 9, 9, 1), np.float32)
    image[0, 4, 4], image[0, 4, 6] = 100.0, 200.0

    zoomed = moved(image, zoom_x=2.0, zoom_y=2.0)[0, 4, :, 0]

    assert zoomed[[4, 8]].tolist() == [100.0, 200.0]
    assert zoomed[[3, 5, 7]].tolist() == [50.0, 50.0, 100.0]


def affine_by_hand(image: Pixels, fill_mode: str, parameters: dict[str, float]) -> Pixels:
    """The same by scipy, from textbook matrices in (row, column) coordinates about the centre."""
    angle, lean = np.deg2rad([parameters["rotation"], parameters["shear"]])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[1 / np.cos(lean), 0], [np.tan(lean), 1]])
    zoom = np.diag([parameters["zoom_y"], parameters["zoom_x"]])
    flip = np.diag([parameters["flip_y"], parameters["flip_x"]])
    shift = np.array([parameters["down"], parameters["right"]])
    # forward: flip @ zoom @ shear @ (turn @ from_centre + shift)
    centre = (np.array(image.shape[:2]) - 1) / 2
    backward = np.linalg.inv(flip @ zoom @ shear @ turn)
    offset = centre - backward @ centre - np.linalg.inv(turn) @ shift
    modes = {"nearest": "nearest", "constant": "grid-constant", "reflect": "reflect"}
    channels = [
        ndimage.affine_transform(channel, backward, offset, order=1, mode=modes[fill_mode])
        for channel in np.moveaxis(image, -1, 0)
    ]
    return np.stack(channels, axis=-1)


@settings(max_examples=60, deadline=None)
@given(
    fill_mode=st.sampled_from(["nearest", "constant", "reflect"]),
    parameters=st.fixed_dictionaries(
        {
            "rotation": st.floats(-180, 180, width=32),
            "shear": st.floats(-40, 40, width=32),
            "zoom_x": st.floats(0.5, 2.0, width=32),
            "zoom_y": st.floats(0.5, 2.0, width=32),
            "right": st.floats(-8, 8, width=32),
            "down": st.floats(-8, 8, width=32),
            "flip_x": st.sampled_from([-1.0, 1.0]),
            "flip_y": st.sampled_from([-1.0, 1.0]),
        }
    ),
)
def test_any_transform_equals_scipys(fill_mode: str, parameters: dict[str, float]) -> None:
    # float32 coordinates differ from scipy's float64 in the last bits, times the step from pixel to pixel.
    images = pictures(1, 12, 16, 3) / 8.0

    np.testing.assert_allclose(
        moved(images, fill_mode, **parameters)[0],
        affine_by_hand(images[0], fill_mode, parameters),
        atol=0.02,
    )


@pytest.mark.parametrize(
    ("fill_mode", "scipy_mode"),
    [("nearest", "nearest"), ("constant", "constant"), ("reflect", "reflect"), ("wrap", "grid-wrap")],
)
@pytest.mark.parametrize("shift", [5, -5])
def test_fill_modes_are_those_of_scipy(fill_mode: str, scipy_mode: str, shift: int) -> None:
    images = pictures(1)

    expected = ndimage.shift(images[0, ..., 0], (shift, shift), order=0, mode=scipy_mode)

    np.testing.assert_array_equal(moved(images, fill_mode, right=shift, down=shift)[0, ..., 0], expected)


@pytest.mark.parametrize("fill_mode", ["nearest", "constant", "reflect", "wrap"])
def test_no_fill_mode_brings_in_values_that_were_not_there(fill_mode: str) -> None:
    answer = changed(pictures() / 2 + 50, rotation=180, width_shift=0.99, zoom=0.9, fill_mode=fill_mode)

    assert answer.max() <= 177.51
    assert answer.min() >= (0 if fill_mode == "constant" else 49.99)


def test_random_shifts_stay_in_their_range() -> None:
    ramp = np.broadcast_to(np.arange(40, dtype=np.float32)[:, None], (200, 3, 40, 1))

    shifts = 20.0 - changed(np.ascontiguousarray(ramp), width_shift=0.1)[:, 1, 20, 0]

    assert np.abs(shifts).max() <= 4.0
    assert shifts.min() < -3.5 < 3.5 < shifts.max()


def test_images_of_a_batch_are_changed_differently() -> None:
    images = np.repeat(pictures(1), 8, axis=0)

    assert len(np.unique(changed(images, **EVERYTHING), axis=0)) == 8


def test_seeds_decide_everything() -> None:
    images = pictures()

    first = changed(images, (3, 4), **EVERYTHING)

    np.testing.assert_array_equal(first, changed(images, (3, 4), **EVERYTHING))
    assert not np.array_equal(first, changed(images, (3, 5), **EVERYTHING))
    assert not np.array_equal(first, changed(images, (4, 4), **EVERYTHING))


def test_threads_and_order_change_no_bit() -> None:
    images, augment = tf.constant(pictures()), augmentation.standard(**EVERYTHING)

    def step(number: Any) -> Any:
        return augment(images, tf.stack([tf.constant(7, tf.int64), number]))

    forward = list(tf.data.Dataset.range(16).map(step, num_parallel_calls=4).as_numpy_iterator())
    backward = list(tf.data.Dataset.range(15, -1, -1).map(step).as_numpy_iterator())

    np.testing.assert_array_equal(forward, backward[::-1])


@pytest.mark.parametrize("name", ["rotation", "width_shift", "vertical_flip", "zoom", "brightness"])
def test_another_parameter_leaves_the_draws_of_the_rest_alone(name: str) -> None:
    # A range of next to nothing draws, but moves no pixel: what was there before must come out again.
    alone = changed(pictures(), **{name: EVERYTHING[name]})
    others = {other: 1e-7 for other in ("rotation", "height_shift", "shear", "contrast") if other != name}

    np.testing.assert_allclose(changed(pictures(), **{name: EVERYTHING[name]}, **others), alone, atol=0.05)


def test_draws_are_even_and_independent() -> None:
    numbers = np.stack([seeded_random.symmetric((1, 2), name, 20_000, 3.0) for name in ("a", "b", "c")])

    assert np.abs(numbers).max() <= 3.0
    np.testing.assert_allclose(np.quantile(numbers, [0.25, 0.5, 0.75], axis=1).T, [[-1.5, 0, 1.5]] * 3, atol=0.1)
    np.testing.assert_allclose(np.corrcoef(numbers), np.eye(3), atol=0.03)


@settings(max_examples=30, deadline=None)
@given(factor=st.floats(0, 2, width=32), offset=st.floats(-255, 255, width=32))
def test_contrast_and_brightness_by_hand(factor: float, offset: float) -> None:
    images = pictures(2, 5, 7, 3)

    means = images.astype(np.float64).mean(axis=(1, 2), keepdims=True)
    expected = np.clip((images - means) * factor + means + offset, 0, 255)

    answer = intensity.adjust(images, tf.fill((2,), factor), tf.fill((2,), offset)).numpy()
    np.testing.assert_allclose(answer, expected, atol=1e-3)
    assert answer.min() >= 0
    assert answer.max() <= 255


def test_brightness_stays_in_its_range() -> None:
    grey = np.full((300, 2, 2, 1), 100.0, np.float32)

    offsets = changed(grey, brightness=0.2)[:, 0, 0, 0] - 100.0

    assert np.abs(offsets).max() <= 51.0
    assert offsets.min() < -45 < 45 < offsets.max()


def test_strength_multiplies_every_range() -> None:
    ranges = {name: value for name, value in EVERYTHING.items() if not isinstance(value, bool)}
    halves = {name: value / 2 for name, value in ranges.items()}

    half = changed(pictures(), strength=0.5, horizontal_flip=True, **ranges)

    np.testing.assert_array_equal(half, changed(pictures(), horizontal_flip=True, **halves))


def test_masks_move_with_their_images_and_keep_their_values() -> None:
    augment = augmentation.standard(**EVERYTHING)
    masks = (pictures(6, 32, 32) > 200).astype(np.float32) * 255
    masks = np.kron(masks[:, ::8, ::8], np.ones((1, 8, 8, 1), np.float32))
    plain = augmentation.standard(**{**EVERYTHING, "brightness": 0.0, "contrast": 0.0})

    answer = augment.masks(masks, tf.constant((5, 6))).numpy()
    images = plain(masks, tf.constant((5, 6))).numpy()

    assert set(np.unique(answer)) == {0.0, 255.0}
    assert ((images > 127.5) == (answer > 127.5)).mean() > 0.95
    assert not np.array_equal(answer, masks)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rotation": -1},
        {"rotation": 181},
        {"width_shift": -0.5},
        {"width_shift": 20_000},
        {"zoom_range": (1.2, 0.8)},
        {"zoom_range": (0.0, 1.0)},
        {"brightness_range": (0.5,)},
        {"brightness_range": ("dark", "light")},
        {"channel_shift": 256},
        {"elastic": 0.6},
        {"elastic_grid": 1},
        {"noise": -0.1},
        {"blur": 11},
        {"erasing": 1.1},
        {"fill_value": 256},
        {"height_shift": float("nan")},
        {"zoom": 1.0},
        {"shear": 90},
        {"brightness": 2},
        {"contrast": -0.1},
        {"strength": -1},
        {"fill_mode": "mirror"},
    ],
)
def test_impossible_ranges_are_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInputError, match=next(iter(wrong))):
        augmentation.standard(**wrong)


def test_a_range_too_large_for_the_strength_names_both() -> None:
    with pytest.raises(BadInputError, match=r"zoom=0\.5 times strength=2"):
        augmentation.standard(strength=2, zoom=0.5)

"""For the same parameters our augmentation and Keras's ImageDataGenerator give the same picture.

Keras exchanges width and height in its shifts and centres (`apply_affine_transform` swaps the axes after the offsets
are put in): its `tx`, drawn from height_shift_range, moves an image to the left. So images are square here, and `tx`
is what our `right` is with the opposite sign.
"""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from medcls import augmentation
from medcls.augmentation import geometric, intensity, resampling

pytestmark = pytest.mark.filterwarnings("ignore:Please import `affine_transform`:DeprecationWarning")  # Keras's own
SIZE = 48
Pixels = NDArray[np.float32]


def picture(channels: int = 3) -> Pixels:
    """A smooth picture of 0..255 without symmetry, so that interpolation at an edge changes little."""
    noise = np.random.default_rng(1).normal(size=(SIZE, SIZE, channels))
    smooth = ndimage.gaussian_filter(noise, (3, 3, 0), mode="wrap")
    return np.asarray(255 * (smooth - smooth.min()) / np.ptp(smooth), np.float32)


def theirs(image: Pixels, fill_mode: str, parameters: dict[str, Any]) -> Pixels:
    generator = tf.keras.preprocessing.image.ImageDataGenerator(fill_mode=fill_mode, cval=77.0)
    return np.asarray(generator.apply_transform(image, parameters))


def ours(image: Pixels, fill_mode: str, parameters: dict[str, Any]) -> Pixels:
    """The same parameters under our names."""
    moves = geometric.transforms(
        *(float(side) for side in image.shape[:2]),
        tf.constant([parameters.get("theta", 0.0)], tf.float32),
        shear=parameters.get("shear", 0.0),
        zoom_x=1 / parameters.get("zx", 1.0),
        zoom_y=1 / parameters.get("zy", 1.0),
        right=-parameters.get("tx", 0.0),
        down=-parameters.get("ty", 0.0),
        flip_x=-1.0 if parameters.get("flip_horizontal") else 1.0,
        flip_y=-1.0 if parameters.get("flip_vertical") else 1.0,
    )
    images = resampling.warp(image[None], moves, fill_mode=fill_mode, fill_value=77.0)
    return np.asarray(images[0])


def apart(image: Pixels, fill_mode: str, parameters: dict[str, Any]) -> Pixels:
    """How far apart both are, of shape (height, width)."""
    return np.abs(ours(image, fill_mode, parameters) - theirs(image, fill_mode, parameters)).max(axis=-1)


@pytest.mark.parametrize("fill_mode", ["nearest", "reflect", "constant"])
@pytest.mark.parametrize(
    "parameters",
    [
        {"theta": 20.0},
        {"theta": -70.0},
        {"tx": 4.8},
        {"ty": -9.6},
        {"shear": 15.0},
        {"zx": 0.8, "zy": 1.3},
        {"flip_horizontal": True},
        {"flip_vertical": True, "theta": 33.0},
        {"theta": 10.0, "tx": -3.0, "ty": 4.0, "shear": -8.0, "zx": 1.2, "zy": 0.9, "flip_horizontal": True},
    ],
)
def test_the_same_parameters_give_the_same_picture(fill_mode: str, parameters: dict[str, Any]) -> None:
    difference = apart(picture(), fill_mode, parameters)

    # Where a constant begins, scipy cuts off what we blend over one pixel.
    assert np.quantile(difference, 0.95 if fill_mode == "constant" else 1.0) < 0.1
    assert np.abs(theirs(picture(), fill_mode, parameters) - picture()).mean() > 1  # it does something


@settings(max_examples=40, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "theta": st.floats(-180, 180),
            "tx": st.floats(-20, 20),
            "ty": st.floats(-20, 20),
            "shear": st.floats(-40, 40),
            "zx": st.floats(0.5, 2.0),
            "zy": st.floats(0.5, 2.0),
            "flip_horizontal": st.booleans(),
            "flip_vertical": st.booleans(),
        }
    )
)
def test_any_parameters_together_give_the_same_picture(parameters: dict[str, Any]) -> None:
    assert apart(picture(1), "nearest", parameters).max() < 0.1


@pytest.mark.parametrize("shift", [7.0, -7.0])
def test_wrapped_pictures_agree_but_for_the_seam(shift: float) -> None:
    # scipy's "wrap" lets the last pixel coincide with the first, so what comes in there is one pixel further on.
    both = [draw(picture(1), "wrap", {"tx": shift})[..., 0] for draw in (ours, theirs)]
    within = slice(None, -7) if shift > 0 else slice(7, None)

    np.testing.assert_allclose(both[0][:, within], both[1][:, within], atol=0.01)
    np.testing.assert_allclose(both[0], np.roll(picture(1)[..., 0], int(-shift), axis=1), atol=0.01)


@pytest.mark.parametrize("offset", [-60.0, 35.0])
def test_a_channel_shift_is_theirs(offset: float) -> None:
    image = picture() * 0.6 + 30

    expected = theirs(image, "nearest", {"channel_shift_intensity": offset})

    np.testing.assert_allclose(intensity.shift_channels(image[None], [offset])[0], expected, atol=1e-3)


@pytest.mark.parametrize("factor", [0.4, 1.0, 1.7])
def test_brightness_is_theirs_to_a_grey_level(factor: float) -> None:
    image = np.floor(picture())  # they cut fractions off

    expected = theirs(image, "nearest", {"brightness": factor})

    np.testing.assert_allclose(intensity.multiply(image[None], [factor])[0], expected, atol=1.0)


def drawn(**ranges: Any) -> Pixels:
    """Two hundred pictures, each changed by its own draws."""
    augment = augmentation.standard(**ranges)
    return np.asarray(augment(np.repeat(picture(1)[None], 200, axis=0), tf.constant((3, 1))))


@pytest.mark.parametrize(
    ("ranges", "extremes"),
    [
        ({"rotation": 20.0}, [{"theta": 20.0}, {"theta": -20.0}]),
        ({"width_shift": 0.2}, [{"tx": 0.2 * SIZE}, {"tx": -0.2 * SIZE}]),
        ({"height_shift": 0.2}, [{"ty": 0.2 * SIZE}, {"ty": -0.2 * SIZE}]),
        ({"width_shift": 5.0}, [{"tx": 5.0}, {"tx": -5.0}]),
        ({"shear": 20.0}, [{"shear": 20.0}, {"shear": -20.0}]),
        ({"brightness_range": (0.5, 1.5)}, [{"brightness": 0.5}, {"brightness": 1.5}]),
        ({"channel_shift": 50.0}, [{"channel_shift_intensity": 50.0}, {"channel_shift_intensity": -50.0}]),
    ],
)
def test_ranges_are_in_their_units(ranges: dict[str, Any], extremes: list[dict[str, Any]]) -> None:
    """Of many draws one comes near each end of their range, and none goes beyond."""
    pictures = drawn(**ranges)
    ends = [theirs(picture(1), "nearest", extreme) for extreme in extremes]

    def change(image: Pixels) -> float:
        return float(np.abs(image - picture(1)).mean())

    for end in ends:
        nearest = min(float(np.abs(image - end).mean()) for image in pictures)
        assert nearest < 0.15 * change(end)
    assert max(map(change, pictures)) < 1.05 * max(map(change, ends))

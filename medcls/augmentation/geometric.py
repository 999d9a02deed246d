"""Rotation, shear, zoom, flips and shifts as one affine transform an image, resampled once."""

from collections.abc import Callable
from math import pi
from typing import Any

from medcls.augmentation import draws
from medcls.lazy import lazy

tf = lazy("tensorflow")


def random_warp(
    *,
    rotation: float,
    width_shift: float,
    height_shift: float,
    horizontal_flip: bool,
    vertical_flip: bool,
    zoom: float,
    shear: float,
    fill_mode: str,
) -> Callable[..., Any]:
    """Return (images, seed, interpolation) -> images, each moved by its own draws from these ranges."""

    def warp_randomly(images: Any, seed: Any, interpolation: str = "bilinear") -> Any:
        count, height, width = tf.unstack(tf.shape(images)[:3])
        height, width = tf.cast(height, tf.float32), tf.cast(width, tf.float32)
        moves = transforms(
            height,
            width,
            draws.symmetric(seed, "rotation", count, rotation),
            shear=draws.symmetric(seed, "shear", count, shear),
            zoom=1.0 + draws.symmetric(seed, "zoom", count, zoom),
            right=width * draws.symmetric(seed, "width_shift", count, width_shift),
            down=height * draws.symmetric(seed, "height_shift", count, height_shift),
            flip_x=draws.signs(seed, "horizontal_flip", count, horizontal_flip),
            flip_y=draws.signs(seed, "vertical_flip", count, vertical_flip),
        )
        return warp(images, moves, fill_mode=fill_mode, interpolation=interpolation)

    return warp_randomly


def transforms(
    height: Any,
    width: Any,
    rotation: Any,
    *,
    shear: Any = 0.0,
    zoom: Any = 1.0,
    right: Any = 0.0,
    down: Any = 0.0,
    flip_x: Any = 1.0,
    flip_y: Any = 1.0,
) -> Any:
    """Return the transforms that flip, zoom, shear, rotate (about the centre), then shift: of shape (n, 8).

    Args:
        height: of the images, in pixels.
        width: of the images, in pixels.
        rotation: of shape (n,): degrees counter-clockwise. All others are of this shape or scalars.
        shear: degrees by which verticals lean.
        zoom: 2 shows everything twice as large.
        right: pixels.
        down: pixels.
        flip_x: -1 exchanges left and right, 1 does not.
        flip_y: -1 exchanges top and bottom, 1 does not.

    Returns:
        Rows (a, b, c, d, e, f, 0, 0): the output's pixel (x, y) shows the input's (ax + by + c, dx + ey + f).
    """
    angle = tf.convert_to_tensor(rotation, tf.float32) * (pi / 180.0)
    cosine, sine = tf.cos(angle), tf.sin(angle)
    lean = tf.tan(tf.convert_to_tensor(shear, tf.float32) * (pi / 180.0))
    a, b = flip_x * (cosine - lean * sine) / zoom, flip_x * (-sine - lean * cosine) / zoom
    d, e = flip_y * sine / zoom, flip_y * cosine / zoom
    x, y = (width - 1.0) / 2.0, (height - 1.0) / 2.0
    c = x - a * (x + right) - b * (y + down)
    f = y - d * (x + right) - e * (y + down)
    nought = tf.zeros_like(angle)
    return tf.stack([a, b, c, d, e, f, nought, nought], axis=1)


def warp(images: Any, moves: Any, *, fill_mode: str = "nearest", interpolation: str = "bilinear") -> Any:
    """Return the images moved by `transforms`.

    Args:
        images: of shape (n, height, width, channels), float32.
        moves: of shape (n, 8).
        fill_mode: what lies outside an image: "nearest" (aaa|abcd|ddd), "constant" (black), "reflect"
            (cba|abcd|dcb) or "wrap" (bcd|abcd|abc; between the last pixel and the first, the nearer shows).
        interpolation: "bilinear", or "nearest" for masks.
    """
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=moves,
        output_shape=tf.shape(images)[1:3],
        fill_value=0.0,
        interpolation=interpolation.upper(),
        fill_mode=fill_mode.upper(),
    )

"""Rotation, shifts, shear, zoom, flips and elastic deformation of each image, resampled once."""

from collections.abc import Callable, Mapping
from math import pi
from typing import Any

from medcls.augmentation import seeded_random
from medcls.augmentation.resampling import deform, warp
from medcls.utils.lazy import tensorflow as tf


def random_warp(
    *,
    rotation: float,
    shear: float,
    zoom: float,
    zooms: tuple[float, ...],
    width_shift: float,
    height_shift: float,
    shift_units: tuple[str, ...],
    flips: tuple[bool, ...],
    elastic: float,
    grid: int,
    fill: Mapping[str, Any],
) -> Callable[..., Any]:
    """Return (images, seed, interpolation) -> images, each moved by its own draws from these ranges.

    They are those of `standard`; `shift_units` are those of the shifts in height and width, "fraction" or "pixels";
    `flips` says whether to flip horizontally and vertically, `fill` what `warp` is to do with what lies outside.
    """

    def warp_randomly(images: Any, seed: Any, interpolation: str = "bilinear") -> Any:
        count, height, width = tf.unstack(tf.shape(images)[:3])
        spans = tf.cast(height, tf.float32), tf.cast(width, tf.float32)
        down, right = (span if unit == "fraction" else 1.0 for span, unit in zip(spans, shift_units, strict=True))
        enlarged = 1.0 + seeded_random.symmetric(seed, "zoom", count, zoom)
        moves = transforms(
            *spans,
            seeded_random.symmetric(seed, "rotation", count, rotation),
            shear=seeded_random.symmetric(seed, "shear", count, shear),
            zoom_x=enlarged / seeded_random.between(seed, "zoom_x", count, zooms),
            zoom_y=enlarged / seeded_random.between(seed, "zoom_y", count, zooms),
            right=right * seeded_random.symmetric(seed, "width_shift", count, width_shift),
            down=down * seeded_random.symmetric(seed, "height_shift", count, height_shift),
            flip_x=seeded_random.signs(seed, "horizontal_flip", count, flips[0]),
            flip_y=seeded_random.signs(seed, "vertical_flip", count, flips[1]),
        )
        outside = fill if interpolation == "bilinear" else of_masks(fill)
        if elastic:
            grids = elastic * seeded_random.normal(seed, "elastic", (count, grid, grid, 2))
            return deform(images, displaced(height, width, moves, grids), interpolation=interpolation, **outside)
        return warp(images, moves, interpolation=interpolation, **outside)

    return warp_randomly


def of_masks(fill: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is to lie outside of masks where it is `fill` outside of images: never more of the target."""
    return {**fill, "fill_value": 0.0}


def transforms(
    height: Any,
    width: Any,
    rotation: Any,
    *,
    shear: Any = 0.0,
    zoom_x: Any = 1.0,
    zoom_y: Any = 1.0,
    right: Any = 0.0,
    down: Any = 0.0,
    flip_x: Any = 1.0,
    flip_y: Any = 1.0,
) -> Any:
    """Return the transforms that rotate about the centre, shift, shear, zoom and flip, in this order.

    The order and the angles are those of Keras's ImageDataGenerator.

    Args:
        height: of the images, in pixels.
        width: of the images, in pixels.
        rotation: of shape (n,): degrees counter-clockwise. All others are of this shape or scalars.
        shear: degrees by which verticals turn, clockwise as they are seen; horizontals stay.
        zoom_x: 2 shows everything twice as wide.
        zoom_y: 2 shows everything twice as high.
        right: pixels.
        down: pixels.
        flip_x: -1 exchanges left and right, 1 does not.
        flip_y: -1 exchanges top and bottom, 1 does not.

    Returns:
        Matrices of shape (n, 2, 3), float32: the output's pixel (x, y) shows the input's matrix @ (x, y, 1).
    """
    angle = tf.convert_to_tensor(rotation, tf.float32) * (pi / 180.0)
    lean = angle + tf.convert_to_tensor(shear, tf.float32) * (pi / 180.0)
    cosine, sine = tf.cos(angle), tf.sin(angle)
    a, d = cosine * flip_x / zoom_x, sine * flip_x / zoom_x
    b, e = -tf.sin(lean) * flip_y / zoom_y, tf.cos(lean) * flip_y / zoom_y
    x, y = (width - 1.0) / 2.0, (height - 1.0) / 2.0
    c = x - a * x - b * y - (cosine * right - sine * down)
    f = y - d * x - e * y - (sine * right + cosine * down)
    return tf.stack([tf.stack([a, b, c], axis=1), tf.stack([d, e, f], axis=1)], axis=1)


def displaced(height: Any, width: Any, moves: Any, grids: Any) -> Any:
    """Return where in the input every pixel comes from: moved by `transforms`, then displaced as coarse grids say.

    The displacements between the grid's points are bicubic (Ronneberger et al. 2015, section 3.1).

    Args:
        height: of the images, in pixels.
        width: of the images, in pixels.
        moves: of shape (n, 2, 3).
        grids: of shape (n, rows, columns, 2): displacements to the right and down, as fractions of width and height.

    Returns:
        Of shape (n, height, width, 2), float32: x and y.
    """
    spans = tf.cast(tf.stack([width, height]), tf.float32)
    x, y = tf.meshgrid(tf.range(spans[0]), tf.range(spans[1]))
    places = tf.einsum("nij,hwj->nhwi", moves, tf.stack([x, y, tf.ones_like(x)], axis=-1))
    return places + tf.image.resize(grids, (height, width), "bicubic") * spans

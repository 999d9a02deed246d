"""Random rotation, shift, shear, zoom, flip and elastic deformation of images, in one resampling."""

from collections.abc import Callable, Mapping
from math import pi

from medcls.augmentation import seeded_random
from medcls.augmentation.resampling import deform, warp
from medcls.utils.lazy import tensorflow as tf
from medcls.utils.tensors import Tensor


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
    fill: Mapping[str, object],
) -> Callable[..., Tensor]:
    """Return a function (images, seed, interpolation) -> images that warps each image by its own random draws.

    Args:
        rotation: the largest angle, in degrees.
        shear: the largest angle, in degrees.
        zoom: the largest change of size, as a fraction.
        zooms: the least and the largest visible fraction of width and of height, drawn separately.
        width_shift: the largest horizontal shift.
        height_shift: the largest vertical shift.
        shift_units: "fraction" or "pixels": of the vertical and of the horizontal shift.
        flips: whether to flip at random, horizontally and vertically.
        elastic: the standard deviation of the displacements, as a fraction of width and height; 0 for none.
        grid: the number of control points of the displacements per side.
        fill: "fill_mode" and "fill_value" of `warp`.
    """

    def warp_randomly(images: Tensor, seed: Tensor, interpolation: str = "bilinear") -> Tensor:
        count, height, width = tf.unstack(tf.shape(images)[:3])
        spans = tf.cast(height, tf.float32), tf.cast(width, tf.float32)
        down = spans[0] if shift_units[0] == "fraction" else 1.0
        right = spans[1] if shift_units[1] == "fraction" else 1.0
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


def of_masks(fill: Mapping[str, object]) -> dict[str, Tensor]:
    """Return the `fill` of masks that belongs to a `fill` of images: outside of an image there is no target."""
    return {**fill, "fill_value": 0.0}


def transforms(
    height: Tensor,
    width: Tensor,
    rotation: Tensor,
    *,
    shear: Tensor = 0.0,
    zoom_x: Tensor = 1.0,
    zoom_y: Tensor = 1.0,
    right: Tensor = 0.0,
    down: Tensor = 0.0,
    flip_x: Tensor = 1.0,
    flip_y: Tensor = 1.0,
) -> Tensor:
    """Return the affine transforms that rotate about the centre, shift, shear, zoom and flip, in this order.

    Order and angles are as in Keras's ImageDataGenerator.

    Args:
        height: of the images, in pixels.
        width: of the images, in pixels.
        rotation: degrees counter-clockwise, of shape (n,). All parameters below are of this shape or scalars.
        shear: degrees by which vertical lines turn clockwise; horizontal lines stay horizontal.
        zoom_x: 2 doubles the width of everything.
        zoom_y: 2 doubles the height of everything.
        right: shift to the right, in pixels.
        down: shift downwards, in pixels.
        flip_x: -1 flips horizontally, 1 does not.
        flip_y: -1 flips vertically, 1 does not.

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


def displaced(height: Tensor, width: Tensor, moves: Tensor, grids: Tensor) -> Tensor:
    """Return the place in the input that each output pixel shows: an affine transform plus elastic displacements.

    Displacements are interpolated bicubically between the points of a coarse grid (Ronneberger et al. 2015, section
    3.1).

    Args:
        height: of the images, in pixels.
        width: of the images, in pixels.
        moves: the affine transforms, of shape (n, 2, 3).
        grids: displacements to the right and downwards as fractions of width and height, of shape (n, rows, columns,
            2).

    Returns:
        x and y, of shape (n, height, width, 2), float32.
    """
    spans = tf.cast(tf.stack([width, height]), tf.float32)
    x, y = tf.meshgrid(tf.range(spans[0]), tf.range(spans[1]))
    places = tf.einsum("nij,hwj->nhwi", moves, tf.stack([x, y, tf.ones_like(x)], axis=-1))
    return places + tf.image.resize(grids, (height, width), "bicubic") * spans

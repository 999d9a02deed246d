"""Elastic deformation: every pixel has its own displacement, smooth over the image, beside an affine transform."""

from typing import Any

from medcls.lazy import lazy

tf = lazy("tensorflow")


def deform(
    images: Any,
    moves: Any,
    grids: Any,
    *,
    fill_mode: str = "nearest",
    fill_value: float = 0.0,
    interpolation: str = "bilinear",
) -> Any:
    """Return the images moved by affine transforms and displaced as coarse grids say, resampled once.

    The displacements between the grid's points are bicubic (Ronneberger et al. 2015, section 3.1).

    Args:
        images: of shape (n, height, width, channels), float32.
        moves: of shape (n, 8), as `geometric.transforms` returns them.
        grids: of shape (n, rows, columns, 2): displacements right and down, as fractions of width and height.
        fill_mode: as `geometric.warp` has it.
        fill_value: as `geometric.warp` has it.
        interpolation: "bilinear", or "nearest" for masks.
    """
    height, width = tf.unstack(tf.shape(images)[1:3])
    spans = tf.cast(tf.stack([width, height]), tf.float32)
    field = tf.image.resize(grids, (height, width), "bicubic") * spans
    x = tf.range(tf.cast(width, tf.float32))[None, None, :]
    y = tf.range(tf.cast(height, tf.float32))[None, :, None]
    a, b, c, d, e, f = (number[:, None, None] for number in tf.unstack(moves, axis=1)[:6])
    across, along = a * x + b * y + c + field[..., 0], d * x + e * y + f + field[..., 1]
    if interpolation == "nearest":
        return _pixels(images, tf.round(across), tf.round(along), fill_mode, fill_value)
    left, above = tf.floor(across), tf.floor(along)
    right, below = (across - left)[..., None], (along - above)[..., None]
    corners = [
        [_pixels(images, left + i, above + j, fill_mode, fill_value) for i in (0.0, 1.0)] for j in (0.0, 1.0)
    ]
    upper, lower = (first * (1.0 - right) + second * right for first, second in corners)
    return upper * (1.0 - below) + lower * below


def _pixels(images: Any, x: Any, y: Any, fill_mode: str, fill_value: float) -> Any:
    """The images' pixels at whole coordinates of shape (n, height, width), what lies outside filled in."""
    height, width = tf.unstack(tf.shape(images)[1:3])
    columns, rows = tf.cast(x, tf.int32), tf.cast(y, tf.int32)
    places = tf.stack([folded(rows, height, fill_mode), folded(columns, width, fill_mode)], axis=-1)
    pixels = tf.gather_nd(images, places, batch_dims=1)
    if fill_mode == "constant":
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        pixels = tf.where(inside[..., None], pixels, fill_value)
    return pixels


def folded(places: Any, length: Any, fill_mode: str) -> Any:
    """Return whole coordinates brought back into 0..length - 1."""
    if fill_mode == "wrap":
        return tf.math.floormod(places, length)
    if fill_mode == "reflect":
        within = tf.math.floormod(places, 2 * length)
        return tf.minimum(within, 2 * length - 1 - within)
    return tf.clip_by_value(places, 0, length - 1)

"""What surfaces are made of: smooth noise of any grain, and the smoothing of fields, fast at any width."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.utils.lazy import scipy

Generator = np.random.Generator
Field = NDArray[np.floating[Any]]  # float32 throughout: the stubs widen what Python floats multiply


def grid(size: int) -> tuple[Field, Field]:
    """Return the x and y of a square picture's pixels, of shapes (1, size) and (size, 1), -1..1 from edge to edge."""
    middle = (np.arange(size, dtype=np.float32) + np.float32(0.5)) * np.float32(2 / size) - 1
    return middle[None, :], middle[:, None]


def resized(field: Field, size: int | tuple[int, int]) -> Field:
    """Return a field of shape (height, width) at another size, smoothly."""
    from PIL import Image

    height, width = (size, size) if isinstance(size, int) else size
    picture = Image.fromarray(np.ascontiguousarray(field, dtype=np.float32))
    return np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)


def clouds(rng: Generator, size: int, cells: int | tuple[int, int]) -> Field:
    """Return smooth noise of shape (size, size), mean 0, `cells` hills high and wide (or high, wide)."""
    shape = (cells, cells) if isinstance(cells, int) else cells
    return resized(rng.standard_normal(shape, dtype=np.float32), size)


def fractal(rng: Generator, size: int, cells: int, octaves: int, fade: float = 0.6) -> Field:
    """Return noise in which each octave is twice as fine and `fade` times as strong as the one before; variance 1."""
    layers = [fade**octave * clouds(rng, size, min(cells << octave, size)) for octave in range(octaves)]
    total: Field = np.sum(layers, axis=0, dtype=np.float32)
    return total / np.float32(max(float(total.std()), 1e-6))


def smooth(field: Field, sigma: float) -> Field:
    """Return a field of shape (n, n) blurred by a Gaussian; a wide one is laid on a coarser grid, which is quick."""
    step = max(int(sigma / 3), 1)
    if step == 1:
        blurred: Field = scipy.ndimage.gaussian_filter(field, sigma, truncate=3, mode="nearest")
        return blurred
    small = resized(field, max(len(field) // step, 4))
    return resized(scipy.ndimage.gaussian_filter(small, sigma * len(small) / len(field), mode="nearest"), len(field))


def between(low: float, field: Field, high: float) -> Field:
    """Return 0 below `low`, 1 above `high` and a smooth slope between them."""
    slope = np.clip((field - np.float32(low)) / np.float32(high - low), 0, 1)
    risen: Field = slope * slope * (3 - 2 * slope)
    return risen


def band(rng: Generator, size: int, cells: int) -> Field:
    """Return noise of one grain only, variance 1: hills and dales of like width, about `cells` of them across."""
    layer = clouds(rng, size, cells) - clouds(rng, size, max(cells // 3, 1))
    return layer / np.float32(max(float(layer.std()), 1e-6))


def finished(picture: Field) -> NDArray[np.uint8]:
    """Return a picture of 0..1 as 8 bits."""
    pixels: NDArray[np.uint8] = (255 * np.clip(picture, 0, 1) + np.float32(0.5)).astype(np.uint8)
    return pixels

"""Whether maps show what a network needs: its certainty as the warmest pixels are taken away, or given first."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from medcls.explain.layer_probe import Images, Maps
from medcls.explain.overlays import finished
from medcls.utils.lazy import cv2

BLUR = 20  # an image's side by this is the spread of the blur that insertion begins with

Predict = Callable[[Images], NDArray[np.float32]]


def curves(
    predict: Predict, images: Images, classes: NDArray[np.int64], maps: Maps, *, steps: int = 16, seed: int = 0
) -> tuple[Maps, Maps]:
    """Return the deletion and the insertion curve of every image, each of shape (n, steps + 1) (Petsiuk et al. 2018).

    Deletion replaces pixels by the image's mean, the warmest first: a good map makes the certainty fall early.
    Insertion puts them into a blurred image: it rises early.

    Args:
        predict: images of shape (m, height, width, channels), 0..255 -> probabilities of shape (m, classes).
        images: of shape (n, height, width, channels).
        classes: of shape (n,): whose probability is followed.
        maps: of shape (n, height, width).
        steps: in how many steps all pixels are replaced.
        seed: draws the order of pixels that are equally warm.
    """
    generator = np.random.default_rng(seed)
    deletion = np.zeros((len(images), steps + 1), np.float32)
    insertion = np.zeros_like(deletion)
    for row, (image, heat) in enumerate(zip(images, maps, strict=True)):
        pixels = np.asarray(image, np.float32)
        place = np.empty(heat.size, np.int64)
        place[np.lexsort((generator.random(heat.size), -heat.ravel()))] = np.arange(heat.size)
        cuts = np.round(np.linspace(0, heat.size, steps + 1)).astype(int)
        taken = (place[None] < cuts[:, None]).reshape(steps + 1, *heat.shape, 1)
        for base, curve, fresh in ((_mean(pixels), deletion, False), (_blurred(pixels), insertion, True)):
            shown = np.where(taken == fresh, pixels, base)
            curve[row] = predict(shown)[:, classes[row]]
    return deletion, insertion


def random_maps(count: int, grid: tuple[int, int], shape: tuple[int, int], seed: int = 0) -> Maps:
    """Return maps that know nothing, as coarse as a layer's: what a good one must be better than."""
    return finished(np.random.default_rng(seed).random((count, *grid), np.float32), shape)


def area(curve: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the area under curves, of shape (n, steps + 1), by trapezoids: between 0 and 1, of shape (n,)."""
    return np.asarray((curve[:, 1:] + curve[:, :-1]).mean(axis=1) / 2, np.float32)


def _mean(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.broadcast_to(pixels.mean(axis=(0, 1)), pixels.shape)


def _blurred(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    blurred = cv2.GaussianBlur(pixels, (0, 0), max(pixels.shape[:2]) / BLUR)
    return np.asarray(blurred, np.float32).reshape(pixels.shape)

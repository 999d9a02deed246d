"""Deletion and insertion curves: how a network's answer changes as the most salient pixels are removed or inserted."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from medcls.explain.layer_probe import Images, Maps
from medcls.explain.overlays import finished
from medcls.utils.lazy import cv2

BLUR = 20  # an image's side divided by the standard deviation of the blur that insertion begins with

Predict = Callable[[Images], NDArray[np.float32]]
"""Images, of shape (m, height, width, channels), 0..255 -> probabilities, of shape (m, classes)."""


def curves(
    predict: Predict, images: Images, classes: NDArray[np.int64], maps: Maps, *, steps: int = 16, seed: int = 0
) -> tuple[Maps, Maps]:
    """Return the deletion and the insertion curve of every image, each of shape (n, steps + 1).

    Deletion replaces pixels by the image's mean, the most salient first: with a good saliency map the probability of
    the class falls early. Insertion puts the pixels into a blurred image: with a good map the probability rises early.
    Petsiuk et al., RISE: Randomized Input Sampling for Explanation of Black-box Models (2018), arXiv:1806.07421.

    Args:
        predict: the network's probabilities for images.
        images: of shape (n, height, width, channels), 0..255.
        classes: of shape (n,): the class whose probability is followed.
        maps: the saliency maps, of shape (n, height, width).
        steps: in how many steps all pixels are replaced.
        seed: decides the order of pixels that are equally salient.
    """
    generator = np.random.default_rng(seed)
    deletion = np.zeros((len(images), steps + 1), np.float32)
    insertion = np.zeros_like(deletion)
    for row, (image, saliency_map) in enumerate(zip(images, maps, strict=True)):
        pixels = np.asarray(image, np.float32)
        ranks = _ranks(saliency_map, generator)
        counts = np.round(np.linspace(0, saliency_map.size, steps + 1)).astype(int)
        replaced = (ranks[None] < counts[:, None]).reshape(steps + 1, *saliency_map.shape, 1)
        deletion[row] = predict(np.where(replaced, _mean(pixels), pixels))[:, classes[row]]
        insertion[row] = predict(np.where(replaced, pixels, _blurred(pixels)))[:, classes[row]]
    return deletion, insertion


def random_maps(count: int, grid: tuple[int, int], shape: tuple[int, int], seed: int = 0) -> Maps:
    """Return random saliency maps, the baseline that a good map must beat.

    Args:
        count: how many maps.
        grid: the rows and columns of the layer, so that the maps are as coarse as real ones.
        shape: height and width of the maps.
        seed: of the random numbers.

    Returns:
        Maps of shape (count, height, width), float32, 0..1.
    """
    return finished(np.random.default_rng(seed).random((count, *grid), np.float32), shape)


def area(curve: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the areas under curves, of shape (n, steps + 1), by the trapezoidal rule: 0..1, of shape (n,)."""
    return np.asarray((curve[:, 1:] + curve[:, :-1]).mean(axis=1) / 2, np.float32)


def _ranks(saliency_map: NDArray[np.float32], generator: np.random.Generator) -> NDArray[np.int64]:
    """Return the rank of each pixel, 0 for the most salient, of shape (height * width,); ties are broken randomly."""
    order = np.lexsort((generator.random(saliency_map.size), -saliency_map.ravel()))
    ranks = np.empty(saliency_map.size, np.int64)
    ranks[order] = np.arange(saliency_map.size)
    return ranks


def _mean(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.broadcast_to(pixels.mean(axis=(0, 1)), pixels.shape)


def _blurred(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    blurred = cv2.GaussianBlur(pixels, (0, 0), max(pixels.shape[:2]) / BLUR)
    return np.asarray(blurred, np.float32).reshape(pixels.shape)

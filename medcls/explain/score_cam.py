"""A class activation map without gradients: what the network says when it sees only what a map lets through."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.explain.layer_probe import Classes, Images, Maps, Opened, opened
from medcls.explain.overlays import enlarged, finished


def score_cam(network: Any, images: Images, classes: Classes, *, layer: str = "") -> Maps:
    """Weigh each map by the rise of the score if the image is seen through it (Wang et al. 2020, arXiv:1910.01279).

    The rises, over the score of a black image, become weights by a softmax over the maps, as in the paper. As many
    forward passes an image as the layer has maps. Arguments, maps and errors as of `grad_cam`.
    """
    cut, size = opened(network, layer), images.shape[1:3]
    chosen = cut.classes(classes, len(images))
    found = np.zeros((len(images), *size), np.float32)
    for row in range(len(images)):
        pixels = np.asarray(images[row : row + 1], np.float32)
        found[row] = finished(_seen_through(cut, pixels, int(chosen[row])), size)[0]
    return found


def _seen_through(cut: Opened, image: NDArray[np.float32], label: int) -> Maps:
    """Return the map of an image of shape (1, height, width, channels), of shape (1, rows, columns)."""
    maps = np.maximum(cut.maps(image)[0].transpose(2, 0, 1), 0)  # of a convolution before its ReLU, what goes on
    low, high = maps.min(axis=(1, 2)), maps.max(axis=(1, 2))
    told = high > low  # a map that is the same everywhere lets everything through, or nothing
    if not told.any():
        return np.zeros((1, *maps.shape[1:]), np.float32)
    masks = (enlarged(maps[told], image.shape[1:3]) - low[told, None, None]) / (high - low)[told, None, None]
    labels = np.full(len(masks), label)
    rises = cut.scores(image * masks[..., None], labels) - cut.scores(np.zeros_like(image), labels[:1])
    weights = np.exp(rises - rises.max())
    return np.tensordot(weights / weights.sum(), maps[told], axes=1)[None].astype(np.float32)

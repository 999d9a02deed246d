"""Score-CAM: a class activation map without gradients, from the scores of images seen through a layer's maps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medcls.explain.layer_probe import Classes, Images, Maps, Opened, opened
from medcls.explain.overlays import enlarged, finished
from medcls.utils.lazy import keras


def score_cam(network: keras.Model, images: Images, classes: Classes, *, layer: str = "") -> Maps:
    """Return Score-CAM saliency maps: each map weighted by the score of the image seen through it.

    The rises of the score over that of a black image become weights by a softmax over the maps. Each image takes as
    many forward passes as the layer has maps. Wang et al., Score-CAM: Score-Weighted Visual Explanations for
    Convolutional Neural Networks (2020), arXiv:1910.01279.

    Args:
        network: a Keras classifier, built as one flat graph.
        images: of shape (n, height, width, channels), 0..255.
        classes: the class whose map is wanted: one number for all images, or one per image, of shape (n,).
        layer: the name of the layer whose maps are weighted; by default the last convolution.

    Returns:
        Maps of shape (n, height, width), float32, 0..1.

    Raises:
        BadInputError: there is no such layer or class, or the network has no convolution.
    """
    probe, size = opened(network, layer), images.shape[1:3]
    class_of_image = probe.classes(classes, len(images))
    maps = np.zeros((len(images), *size), np.float32)
    for row in range(len(images)):
        image = np.asarray(images[row : row + 1], np.float32)
        maps[row] = finished(_seen_through(probe, image, int(class_of_image[row])), size)[0]
    return maps


def _seen_through(probe: Opened, image: NDArray[np.float32], label: int) -> Maps:
    """Return the saliency map of one image.

    Args:
        probe: the network.
        image: of shape (1, height, width, channels), 0..255.
        label: the class whose map is wanted.

    Returns:
        The map, of shape (1, rows, columns) of the layer.
    """
    maps = np.maximum(probe.maps(image)[0].transpose(2, 0, 1), 0)  # as after a ReLU, where the layer has none itself
    low, high = maps.min(axis=(1, 2)), maps.max(axis=(1, 2))
    uneven = high > low  # a map that is equal everywhere lets everything through, or nothing
    if not uneven.any():
        return np.zeros((1, *maps.shape[1:]), np.float32)
    maps, low, high = maps[uneven], low[uneven, None, None], high[uneven, None, None]
    masks = (enlarged(maps, image.shape[1:3]) - low) / (high - low)
    labels = np.full(len(masks), label)
    rises = probe.scores(image * masks[..., None], labels) - probe.scores(np.zeros_like(image), labels[:1])
    weights = np.exp(rises - rises.max())
    return np.tensordot(weights / weights.sum(), maps, axes=1)[None].astype(np.float32)

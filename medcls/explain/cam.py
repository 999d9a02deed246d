"""Class activation maps by gradients: a layer's maps, weighted by how much the score of a class rises with them.

Each function: (network, images of shape (n, height, width, channels), 0..255, a class or one an image) -> maps of shape
(n, height, width), float32, 0..1.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from medcls.explain.layer_probe import Classes, Images, Maps, opened
from medcls.explain.overlays import finished

Weigh = Callable[[Maps, Maps], Maps]  # maps and gradients, of shape (n, rows, columns, maps) -> (n, rows, columns)


def grad_cam(network: Any, images: Images, classes: Classes, *, layer: str = "") -> Maps:
    """Weigh each map by the mean of its gradient (Selvaraju et al. 2017, arXiv:1610.02391).

    Args:
        network: a Keras network that tells classes apart, as one flat graph.
        images: of shape (n, height, width, channels), 0..255.
        classes: whose map is wanted: one for all images, or one an image.
        layer: whose maps are looked at, by default the last convolution's.

    Returns:
        Maps of shape (n, height, width), float32, 0..1, 1 at the warmest pixel; all 0 if nothing speaks for the class.

    Raises:
        BadInputError: no such layer or class, or a network without a convolution.
    """
    return _weighed(network, images, classes, layer, _by_mean)


def grad_cam_plus_plus(network: Any, images: Images, classes: Classes, *, layer: str = "") -> Maps:
    """Weigh places by how early they count, so that several or small objects show (Chattopadhay et al. 2018, WACV).

    With the exponential of the score as the paper has it, whose own factor falls out. Otherwise as `grad_cam`.
    """
    return _weighed(network, images, classes, layer, _by_curvature)


def hires_cam(network: Any, images: Images, classes: Classes, *, layer: str = "") -> Maps:
    """Multiply each map by its gradient place by place (Draelos and Carin 2020, arXiv:2011.08891).

    Where only linear layers follow, the sum over the places is the score itself; Grad-CAM, by averaging the gradients,
    can light up what was not used. Otherwise as `grad_cam`.
    """
    return _weighed(network, images, classes, layer, _by_place)


def _weighed(network: Any, images: Images, classes: Classes, layer: str, weigh: Weigh) -> Maps:
    cut, size = opened(network, layer), images.shape[1:3]
    chosen = cut.classes(classes, len(images))
    found = [finished(weigh(maps, gradients), size) for maps, gradients in cut.gradients(images, chosen)]
    return np.concatenate(found) if found else np.zeros((0, *size), np.float32)


def _by_mean(maps: Maps, gradients: Maps) -> Maps:
    weights = gradients.mean(axis=(1, 2), keepdims=True)
    return np.asarray((weights * maps).sum(axis=-1), np.float32)


def _by_curvature(maps: Maps, gradients: Maps) -> Maps:
    second, third = gradients**2, gradients**3
    below = 2 * second + maps.sum(axis=(1, 2), keepdims=True) * third
    alphas = np.divide(second, below, out=np.zeros_like(below), where=np.abs(below) > 1e-30)
    weights = (alphas * np.maximum(gradients, 0)).sum(axis=(1, 2), keepdims=True)
    return np.asarray((weights * maps).sum(axis=-1), np.float32)


def _by_place(maps: Maps, gradients: Maps) -> Maps:
    return np.asarray((maps * gradients).sum(axis=-1), np.float32)

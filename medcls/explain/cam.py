"""Class activation maps by gradients: a layer's maps, weighted by how strongly the score of a class rises with them.

Each method is a function of a network, images of shape (n, height, width, channels), 0..255, and a class or one class
per image. It returns saliency maps of shape (n, height, width), float32, 0..1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from medcls.explain.layer_probe import Classes, Images, Maps, opened
from medcls.explain.overlays import finished
from medcls.utils.lazy import keras

Weigh = Callable[[Maps, Maps], Maps]
"""Maps and gradients of a layer, both of shape (n, rows, columns, maps) -> saliency, of shape (n, rows, columns)."""


def grad_cam(network: keras.Model, images: Images, classes: Classes, *, layer: str = "") -> Maps:
    """Return Grad-CAM saliency maps: each map of the layer weighted by the mean of its gradient.

    Selvaraju et al., Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization (2017),
    arXiv:1610.02391.

    Args:
        network: a Keras classifier, built as one flat graph.
        images: of shape (n, height, width, channels), 0..255.
        classes: the class whose map is wanted: one number for all images, or one per image, of shape (n,).
        layer: the name of the layer whose maps are weighted; by default the last convolution.

    Returns:
        Maps of shape (n, height, width), float32, 0..1, 1 at the most salient pixel; all 0 if nothing in an image
        raises the score of the class.

    Raises:
        BadInputError: there is no such layer or class, or the network has no convolution.
    """
    return _weighted(network, images, classes, layer, _by_mean_gradient)


def grad_cam_plus_plus(network: keras.Model, images: Images, classes: Classes, *, layer: str = "") -> Maps:
    """Return Grad-CAM++ saliency maps, in which several objects or small ones show as well.

    Chattopadhay et al., Grad-CAM++: Generalized Gradient-based Visual Explanations for Deep Convolutional Networks
    (2018), WACV. As in the paper, the score's exponential is differentiated; its own factor cancels out.

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
    return _weighted(network, images, classes, layer, _by_curvature)


def hires_cam(network: keras.Model, images: Images, classes: Classes, *, layer: str = "") -> Maps:
    """Return HiResCAM saliency maps: each map of the layer multiplied by its gradient, place by place.

    Draelos and Carin, Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural networks
    (2020), arXiv:2011.08891. Where only linear layers follow, the sum of the products is the score itself, whereas
    Grad-CAM, by averaging the gradients, can highlight what the network did not use.

    Args:
        network: a Keras classifier, built as one flat graph.
        images: of shape (n, height, width, channels), 0..255.
        classes: the class whose map is wanted: one number for all images, or one per image, of shape (n,).
        layer: the name of the layer whose maps are multiplied; by default the last convolution.

    Returns:
        Maps of shape (n, height, width), float32, 0..1.

    Raises:
        BadInputError: there is no such layer or class, or the network has no convolution.
    """
    return _weighted(network, images, classes, layer, _by_place)


def _weighted(network: keras.Model, images: Images, classes: Classes, layer: str, weigh: Weigh) -> Maps:
    probe, size = opened(network, layer), images.shape[1:3]
    batches = [np.zeros((0, *size), np.float32)]
    for maps, gradients in probe.gradients(images, probe.classes(classes, len(images))):
        batches.append(finished(weigh(maps, gradients), size))
    return np.concatenate(batches)


def _by_mean_gradient(maps: Maps, gradients: Maps) -> Maps:
    weights = gradients.mean(axis=(1, 2), keepdims=True)
    return np.asarray((weights * maps).sum(axis=-1), np.float32)


def _by_curvature(maps: Maps, gradients: Maps) -> Maps:
    second, third = gradients**2, gradients**3
    denominators = 2 * second + maps.sum(axis=(1, 2), keepdims=True) * third
    alphas = np.divide(second, denominators, out=np.zeros_like(denominators), where=np.abs(denominators) > 1e-30)
    weights = (alphas * np.maximum(gradients, 0)).sum(axis=(1, 2), keepdims=True)
    return np.asarray((weights * maps).sum(axis=-1), np.float32)


def _by_place(maps: Maps, gradients: Maps) -> Maps:
    return np.asarray((maps * gradients).sum(axis=-1), np.float32)

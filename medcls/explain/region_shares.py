"""How much of a saliency map lies within a marked region of the image, and images with that region filled in."""

import numpy as np
from numpy.typing import NDArray

from medcls.explain.layer_probe import Images, Maps
from medcls.utils.lazy import cv2

RADIUS = 3  # pixels around a pixel from which it is filled in

Masks = NDArray[np.bool_]


def shares(maps: Maps, masks: Masks) -> NDArray[np.float32]:
    """Return the fraction of each saliency map that lies within a mask.

    The energy-based pointing game of Wang et al., Score-CAM: Score-Weighted Visual Explanations for Convolutional
    Neural Networks (2020), arXiv:1910.01279.

    Args:
        maps: of shape (n, height, width), at least 0.
        masks: of shape (n, height, width).

    Returns:
        Fractions of shape (n,), 0..1; NaN for a map that is 0 everywhere and for an empty mask.
    """
    inside = np.where(masks, maps, 0).sum(axis=(1, 2), dtype=np.float64)
    total = maps.sum(axis=(1, 2), dtype=np.float64)
    defined = (total > 0) & masks.any(axis=(1, 2))
    fractions = np.divide(inside, total, out=np.full(len(maps), np.nan), where=defined)
    return np.asarray(fractions, np.float32)


def areas(masks: Masks) -> NDArray[np.float32]:
    """Return the fraction of each image within its mask, of shape (n,): the share of a map that is even everywhere."""
    return np.asarray(masks.mean(axis=(1, 2)), np.float32)


def filled_in(images: Images, masks: Masks) -> NDArray[np.uint8]:
    """Return images whose masked region is filled in from its surroundings.

    Telea, An Image Inpainting Technique Based on the Fast Marching Method (2004).

    Args:
        images: of shape (n, height, width, channels), 0..255.
        masks: of shape (n, height, width).

    Returns:
        Images of shape (n, height, width, channels), uint8.
    """
    filled = np.array(images, np.uint8)
    for row in np.flatnonzero(masks.any(axis=(1, 2))):
        mask = masks[row].astype(np.uint8)
        filled[row] = cv2.inpaint(filled[row], mask, RADIUS, cv2.INPAINT_TELEA).reshape(filled[row].shape)
    return filled

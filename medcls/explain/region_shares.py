"""How much of the heat lies within a marked region, and what the network says where that is filled in."""

import numpy as np
from numpy.typing import NDArray

from medcls.explain.layer_probe import Images, Maps
from medcls.utils.lazy import cv2

RADIUS = 3  # pixels around one from which it is filled in

Masks = NDArray[np.bool_]


def shares(maps: Maps, masks: Masks) -> NDArray[np.float32]:
    """Return which share of each map's heat lies within a mask (Wang et al. 2020, the energy-based pointing game).

    Args:
        maps: of shape (n, height, width), at least 0.
        masks: of the same shape.

    Returns:
        Shares of shape (n,), 0..1; nan of a map without heat or an image whose mask is empty.
    """
    inside = np.where(masks, maps, 0).sum(axis=(1, 2), dtype=np.float64)
    whole = maps.sum(axis=(1, 2), dtype=np.float64)
    known = (whole > 0) & masks.any(axis=(1, 2))
    found = np.divide(inside, whole, out=np.full(len(maps), np.nan), where=known)
    return np.asarray(found, np.float32)


def areas(masks: Masks) -> NDArray[np.float32]:
    """Return which share of each image is within its mask, of shape (n,): what heat without aim would have."""
    return np.asarray(masks.mean(axis=(1, 2)), np.float32)


def filled_in(images: Images, masks: Masks) -> NDArray[np.uint8]:
    """Return images whose masked region is continued from around it (Telea 2004), of the same shape, uint8."""
    filled = np.array(images, np.uint8)
    for row in np.flatnonzero(masks.any(axis=(1, 2))):
        mask = masks[row].astype(np.uint8)
        filled[row] = cv2.inpaint(filled[row], mask, RADIUS, cv2.INPAINT_TELEA).reshape(filled[row].shape)
    return filled

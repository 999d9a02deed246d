"""Saliency maps as arrays: enlarged from a layer's grid to the image, coloured, and laid over the image."""

from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from medcls.utils.lazy import cv2

SIDE = 512  # pixels of an overlay
IMAGE, HEAT = 0.6, 0.4  # weights of the image and of the coloured map in an overlay

SCALES = MappingProxyType({"jet": "COLORMAP_JET", "inferno": "COLORMAP_INFERNO", "viridis": "COLORMAP_VIRIDIS"})
"""Colour scales: jet, which the laboratory assignment uses, shows edges that are not there; the others are even."""

Maps = NDArray[np.float32]


def enlarged(maps: NDArray[np.floating], shape: tuple[int, int]) -> Maps:
    """Return maps resized by linear interpolation.

    Args:
        maps: of shape (n, rows, columns).
        shape: height and width of the result.

    Returns:
        Maps of shape (n, height, width), float32.
    """
    resized = np.zeros((len(maps), *shape), np.float32)
    for number, single in enumerate(maps):
        resized[number] = cv2.resize(np.asarray(single, np.float32), shape[::-1], interpolation=cv2.INTER_LINEAR)
    return resized


def finished(maps: NDArray[np.floating], shape: tuple[int, int]) -> Maps:
    """Return the positive part of maps, resized and divided by its maximum; a map without anything positive stays 0.

    Args:
        maps: of shape (n, rows, columns).
        shape: height and width of the result.

    Returns:
        Maps of shape (n, height, width), float32, 0..1.
    """
    positive = np.maximum(enlarged(maps, shape), 0)
    largest = positive.max(axis=(1, 2), keepdims=True, initial=0)
    scaled = np.divide(positive, largest, out=np.zeros_like(positive), where=largest > 0)
    return np.asarray(np.minimum(scaled, 1), np.float32)


def coloured(heat: NDArray[np.floating], scale: str) -> NDArray[np.uint8]:
    """Return a saliency map in colours.

    Args:
        heat: the saliency map, of shape (height, width), 0..1.
        scale: "jet", "inferno" or "viridis".

    Returns:
        The colours, of shape (height, width, 3), uint8, RGB.
    """
    levels = np.rint(255 * np.clip(np.asarray(heat, np.float32), 0, 1)).astype(np.uint8)
    painted = cv2.applyColorMap(levels, getattr(cv2, SCALES[scale]))[:, :, ::-1]
    return np.asarray(painted, np.uint8)


def overlay(
    image: NDArray[np.uint8], heat: NDArray[np.floating], scale: str = "jet", side: int = SIDE
) -> NDArray[np.uint8]:
    """Return an image with its saliency map over it: 0.6 of the image and 0.4 of the map's colours.

    Args:
        image: of shape (height, width, 1 or 3), uint8.
        heat: the saliency map, of shape (rows, columns), 0..1.
        scale: "jet", "inferno" or "viridis".
        side: height and width of the overlay in pixels.

    Returns:
        The overlay, of shape (side, side, 3), uint8, RGB.
    """
    below = cv2.resize(np.ascontiguousarray(image), (side, side), interpolation=cv2.INTER_LINEAR)
    below = np.broadcast_to(below.reshape(side, side, -1), (side, side, 3))
    above = coloured(enlarged(np.asarray(heat)[None], (side, side))[0], scale)
    mixed = cv2.addWeighted(np.ascontiguousarray(below), IMAGE, np.ascontiguousarray(above), HEAT, 0)
    return np.asarray(mixed, np.uint8)

"""Maps as arrays: from a layer's grid to the image's pixels, from numbers to colours. No network, no Keras."""

from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.utils.lazy import cv2

SIDE = 512  # pixels of an overlay
IMAGE, HEAT = 0.6, 0.4  # shares of image and heat in an overlay

SCALES = MappingProxyType({"jet": "COLORMAP_JET", "inferno": "COLORMAP_INFERNO", "viridis": "COLORMAP_VIRIDIS"})
"""Colours of heat: jet, as the laboratory has it, invents edges; the others are even to the eye."""

Maps = NDArray[np.float32]


def enlarged(maps: NDArray[Any], shape: tuple[int, int]) -> Maps:
    """Return maps of shape (n, rows, columns) at a height and width, between their points by straight lines."""
    size = shape[::-1]
    each = [cv2.resize(np.asarray(one, np.float32), size, interpolation=cv2.INTER_LINEAR) for one in maps]
    return np.stack(each) if each else np.zeros((0, *shape), np.float32)


def finished(maps: NDArray[Any], shape: tuple[int, int]) -> Maps:
    """Return what of maps speaks for the class, at a height and width, each from 0 to 1 at its warmest pixel.

    A map without anything positive stays 0 everywhere.
    """
    found = np.maximum(enlarged(maps, shape), 0)
    warmest = found.max(axis=(1, 2), keepdims=True, initial=0)
    shares = np.divide(found, warmest, out=np.zeros_like(found), where=warmest > 0)
    return np.asarray(np.minimum(shares, 1), np.float32)


def coloured(heat: NDArray[Any], scale: str) -> NDArray[np.uint8]:
    """Return a map, of shape (height, width), 0..1, in a scale's colours: (height, width, 3), RGB."""
    bytes_ = np.rint(255 * np.clip(np.asarray(heat, np.float32), 0, 1)).astype(np.uint8)
    painted = cv2.applyColorMap(bytes_, getattr(cv2, SCALES[scale]))[:, :, ::-1]
    return np.asarray(painted, np.uint8)


def overlay(image: NDArray[np.uint8], heat: NDArray[Any], scale: str = "jet", side: int = SIDE) -> NDArray[np.uint8]:
    """Return an image with its map over it, as the laboratory lays it: 0.6 of the image and 0.4 of the colours.

    Args:
        image: of shape (height, width, 1 or 3), uint8.
        heat: of shape (height, width), 0..1.
        scale: "jet", "inferno" or "viridis".
        side: pixels of the overlay, of shape (side, side, 3).
    """
    below = cv2.resize(np.ascontiguousarray(image), (side, side), interpolation=cv2.INTER_LINEAR)
    below = np.broadcast_to(below.reshape(side, side, -1), (side, side, 3))
    above = coloured(enlarged(np.asarray(heat)[None], (side, side))[0], scale)
    mixed = cv2.addWeighted(np.ascontiguousarray(below), IMAGE, np.ascontiguousarray(above), HEAT, 0)
    return np.asarray(mixed, np.uint8)

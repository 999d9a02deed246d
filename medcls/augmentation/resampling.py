"""Warping and blurring of images by OpenCV, several times as fast as TensorFlow's own operations.

TensorFlow calls them as `numpy_function`s. OpenCV does not hold Python's lock while it works.
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.utils.lazy import cv2
from medcls.utils.lazy import tensorflow as tf
from medcls.utils.tensors import Tensor

Pixels = NDArray[np.float32]
BORDERS = MappingProxyType(
    {
        "nearest": "BORDER_REPLICATE",
        "constant": "BORDER_CONSTANT",
        "reflect": "BORDER_REFLECT",
        "wrap": "BORDER_WRAP",
    }
)
INTERPOLATIONS = MappingProxyType({"bilinear": "INTER_LINEAR", "nearest": "INTER_NEAREST"})


def warp(
    images: Tensor,
    moves: Tensor,
    *,
    fill_mode: str = "nearest",
    fill_value: float = 0.0,
    interpolation: str = "bilinear",
) -> Tensor:
    """Return the images warped by affine transforms, float32.

    Args:
        images: of shape (n, height, width, channels), float32 or uint8.
        moves: of shape (n, 2, 3), float32: the output's pixel (x, y) shows the input's moves @ (x, y, 1).
        fill_mode: what lies outside of an image: "nearest" (aaa|abcd|ddd), "constant" (kkk|abcd|kkk), "reflect"
            (cba|abcd|dcb) or "wrap" (bcd|abcd|abc).
        fill_value: the value k of "constant", 0..255.
        interpolation: "bilinear", or "nearest" for masks.
    """
    how = getattr(cv2, INTERPOLATIONS[interpolation]) | cv2.WARP_INVERSE_MAP
    border, value = getattr(cv2, BORDERS[fill_mode]), (fill_value,) * 4

    def moved(image: Pixels, move: Pixels, answer: Pixels) -> None:
        cv2.warpAffine(image, move, image.shape[1::-1], answer, how, border, value)

    return _image_by_image(moved, images, moves)


def deform(
    images: Tensor,
    places: Tensor,
    *,
    fill_mode: str = "nearest",
    fill_value: float = 0.0,
    interpolation: str = "bilinear",
) -> Tensor:
    """Return the images with each pixel taken from a given place, float32.

    Args:
        images: of shape (n, height, width, channels), float32 or uint8.
        places: of shape (n, height, width, 2), float32: x and y in the input for each output pixel.
        fill_mode: as in `warp`.
        fill_value: as in `warp`.
        interpolation: as in `warp`.
    """
    how, border = getattr(cv2, INTERPOLATIONS[interpolation]), getattr(cv2, BORDERS[fill_mode])
    second_map: Any = None  # both coordinates are in the first map

    def moved(image: Pixels, place: Pixels, answer: Pixels) -> None:
        cv2.remap(image, place, second_map, how, answer, border, (fill_value,) * 4)

    return _image_by_image(moved, images, places)


def blur(images: Tensor, deviations: Tensor) -> Tensor:
    """Return the images blurred by Gaussians of these standard deviations in pixels, of shape (n,).

    The images are mirrored at their borders.
    """

    def blurred(image: Pixels, deviation: Pixels, answer: Pixels) -> None:
        sigma = max(float(deviation), 1e-3)  # OpenCV refuses 0; so narrow a Gaussian changes nothing
        cv2.GaussianBlur(image, (0, 0), sigma, answer, borderType=cv2.BORDER_REFLECT)

    return _image_by_image(blurred, images, deviations)


def _image_by_image(change: Callable[[Pixels, Pixels, Pixels], None], images: Tensor, numbers: Tensor) -> Tensor:
    """Return the images, each changed by OpenCV with its own numbers.

    Args:
        change: (image, numbers, output) -> None; writes into the output.
        images: of shape (n, height, width, channels).
        numbers: of shape (n, ...): the numbers for each image.
    """

    def changed(batch: NDArray[np.generic], numbers_of_batch: Pixels) -> Pixels:
        cv2.setNumThreads(1)  # tf.data has its own threads
        answers = np.empty(batch.shape, np.float32)
        for image, own, answer in zip(batch.astype(np.float32, copy=False), numbers_of_batch, answers, strict=True):
            change(image, own, answer)
        return answers

    answer = tf.numpy_function(changed, [images, numbers], tf.float32, stateful=False)
    return tf.ensure_shape(answer, images.shape)

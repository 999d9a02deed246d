"""Images moved and blurred by OpenCV, one after another: several times as fast as TensorFlow's own operations.

Within TensorFlow these are `numpy_function`s, in which OpenCV does not hold Python's lock.
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.utils.lazy import cv2
from medcls.utils.lazy import tensorflow as tf

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
    images: Any, moves: Any, *, fill_mode: str = "nearest", fill_value: float = 0.0, interpolation: str = "bilinear"
) -> Any:
    """Return the images moved by affine transforms.

    Args:
        images: of shape (n, height, width, channels), float32 or uint8; the answer is float32.
        moves: of shape (n, 2, 3), float32: the output's pixel (x, y) shows the input's moves @ (x, y, 1).
        fill_mode: what lies outside an image: "nearest" (aaa|abcd|ddd), "constant" (kkk|abcd|kkk), "reflect"
            (cba|abcd|dcb) or "wrap" (bcd|abcd|abc).
        fill_value: the k of "constant", 0..255.
        interpolation: "bilinear", or "nearest" for masks.
    """
    how = getattr(cv2, INTERPOLATIONS[interpolation]) | cv2.WARP_INVERSE_MAP
    border, value = getattr(cv2, BORDERS[fill_mode]), (fill_value,) * 4

    def moved(image: Pixels, move: Pixels, answer: Pixels) -> None:
        cv2.warpAffine(image, move, image.shape[1::-1], answer, how, border, value)

    return _image_by_image(moved, images, moves)


def deform(
    images: Any, places: Any, *, fill_mode: str = "nearest", fill_value: float = 0.0, interpolation: str = "bilinear"
) -> Any:
    """Return the images with every pixel taken from elsewhere.

    Args:
        images: of shape (n, height, width, channels), float32 or uint8; the answer is float32.
        places: of shape (n, height, width, 2), float32: the x and y in the input that each output pixel shows.
        fill_mode: as `warp` has it.
        fill_value: as `warp` has it.
        interpolation: as `warp` has it.
    """
    how, border = getattr(cv2, INTERPOLATIONS[interpolation]), getattr(cv2, BORDERS[fill_mode])

    second: Any = None  # both coordinates are in the first map

    def moved(image: Pixels, place: Pixels, answer: Pixels) -> None:
        cv2.remap(image, place, second, how, answer, border, (fill_value,) * 4)

    return _image_by_image(moved, images, places)


def blur(images: Any, deviations: Any) -> Any:
    """Return the images blurred by Gaussians of these standard deviations in pixels, of shape (n,); mirrored beyond."""

    def blurred(image: Pixels, deviation: Pixels, answer: Pixels) -> None:
        sigma = max(float(deviation), 1e-3)  # so narrow a Gaussian leaves an image as it is; 0 is refused
        cv2.GaussianBlur(image, (0, 0), sigma, answer, borderType=cv2.BORDER_REFLECT)

    return _image_by_image(blurred, images, deviations)


def _image_by_image(change: Callable[[Pixels, Pixels, Pixels], None], images: Any, numbers: Any) -> Any:
    """The images, each changed by OpenCV as its own numbers say: `change` is handed where its answer is to lie."""

    def changed(batch: NDArray[Any], each: Pixels) -> Pixels:
        cv2.setNumThreads(1)  # the stream has its threads
        answers = np.empty(batch.shape, np.float32)
        for image, own, answer in zip(batch.astype(np.float32, copy=False), each, answers, strict=True):
            change(image, own, answer)
        return answers

    answer = tf.numpy_function(changed, [images, numbers], tf.float32, stateful=False)
    return tf.ensure_shape(answer, images.shape)

"""One mask file -> where the target is, and a mask -> the size of its study."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import Images
from medcls.data.masks.values import (
    BLACK_PAINT,
    GREY,
    LABELS,
    TWO,
    Content,
    Meaning,
    Numbers,
    alone,
    content_of_labels,
    content_of_shades,
)
from medcls.data.readers.images import UnreadableImageError, read
from medcls.spec.constraints import one_of

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["GREY", "LABELS", "TWO", "content_of", "fit", "values_known", "whole"]

OPAQUE = 255
LOSSY = frozenset({"JPEG"})
values_known = one_of("mask_values", TWO, LABELS, GREY)


def whole(path: Path, values: str, meaning: Meaning | None = None) -> NDArray[np.bool_]:
    """Return a mask in its file's own size, of shape (height, width): True where the target is.

    Args:
        path: an image file.
        values: "two" (black and white, cut at half their range; more than 1% of pixels of mid-grey are refused, and
            so are several labels), "labels" (whatever is not 0 is the target) or "grey" (as "two", any grey allowed).
        meaning: what the values mean in the data set that the file belongs to; without it the file is judged alone.

    Raises:
        UnreadableImageError: it cannot be decoded, or is not what `values` says.
    """
    if meaning is None:
        content = content_of(path, values)
        meaning = alone(content, values)
        fault = meaning.fault(content)
        if fault:
            raise UnreadableImageError(fault)
    laid = meaning.laid
    return meaning.marked(read(path, lambda image: numbers_in(image, values, laid=laid)))


def content_of(path: Path, values: str) -> Content:
    """Return what numbers a mask file holds.

    Raises:
        UnreadableImageError: it cannot be decoded.
    """
    contents: list[Content] = []

    def look(image: "Image.Image") -> NDArray[np.float64]:
        contents.append(_content(image, values))
        return np.empty(0)

    read(path, look)
    return contents[0]


def fit(mask: NDArray[np.bool_], size: int) -> Images:
    """Return a mask of shape (height, width) as one of shape (size, size, 1), 0 or 1.

    Where an output pixel averages several, it is 1 if more than half of them are: by the filter that resizes images.
    """
    from PIL import Image

    image = Image.fromarray(np.where(mask, np.uint8(255), np.uint8(0)))
    shades: Numbers = np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))
    return (shades > 127).astype(np.uint8)[:, :, None]


def numbers_in(image: "Image.Image", values: str, *, laid: bool) -> Numbers:
    """Return the numbers of a mask's pixels, of shape (height, width), in the file's own range.

    Args:
        image: an opened mask.
        values: "labels" for the numbers that are stored, else the greys that are shown.
        laid: whether what is transparent is laid on black, or its transparency passed over.
    """
    alpha = _alpha(image) if laid else None
    if values == LABELS:
        numbers = _labels(image)
        return numbers if alpha is None else np.where(alpha > 0, numbers, 0)
    return _shades(image) if alpha is None else _laid_on_black(image)


def _content(image: "Image.Image", values: str) -> Content:
    lossy = image.format in LOSSY
    describe: Callable[..., Content] = content_of_labels if values == LABELS else content_of_shades
    bare = describe(numbers_in(image, values, laid=False), values, lossy=lossy)
    alpha = _alpha(image)
    size = (image.width, image.height)
    if alpha is None:
        return bare._replace(size=size)
    laid = describe(numbers_in(image, values, laid=True), values, lossy=lossy)
    drawn = bool(alpha.min() < alpha.max())
    if drawn and laid.high == 0:
        laid = laid._replace(fault=BLACK_PAINT, certain=True)
    return laid._replace(size=size, drawn_in_alpha=drawn, bare=bare)


def _alpha(image: "Image.Image") -> NDArray[np.uint8] | None:
    """Return how opaque each pixel is, of shape (height, width), or None if all of them are."""
    if not image.has_transparency_data:
        return None
    alpha: NDArray[np.uint8] = np.asarray(image.convert("RGBA").getchannel("A"))
    return None if alpha.min() == OPAQUE else alpha


def _labels(image: "Image.Image") -> Numbers:
    """The numbers that a file stores: indices of a palette, 16 bits as they are; of colours the brightest channel."""
    bands = image.getbands()
    if len(bands) == 2:  # grey or a palette, with alpha
        return np.asarray(image.getchannel(0))
    numbers: Numbers = np.asarray(image)
    return numbers if numbers.ndim == 2 else numbers[..., :3].max(axis=2)


def _shades(image: "Image.Image") -> Numbers:
    """The grey of every pixel, in the file's own range."""
    if image.mode in ("L", "1", "F") or image.mode.startswith("I"):
        numbers: Numbers = np.asarray(image)
        return numbers
    opaque = image.convert("RGB") if image.mode in ("P", "RGBA", "PA", "CMYK") else image
    return np.asarray(opaque.convert("L"))


def _laid_on_black(image: "Image.Image") -> Numbers:
    from PIL import Image

    shown = Image.new("RGBA", image.size, "black")
    shown.alpha_composite(image.convert("RGBA"))
    return np.asarray(shown.convert("RGB").convert("L"))

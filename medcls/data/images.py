"""One image file or array -> the array that a network sees."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medcls.data.types import Images

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG")
DECODER = 1  # raised whenever the functions below give other pixels, so that no older cache is used


class UnreadableImageError(Exception):
    """A file from which no whole image can be decoded: the reason, without the file's name."""


def decode(path: Path, size: int, channels: int) -> Images:
    """Return a PNG or JPEG file as an array of shape (size, size, channels), uint8, turned as its EXIF says.

    Raises:
        UnreadableImageError: missing, empty, cut off, damaged, or neither PNG nor JPEG.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path, formats=FORMATS) as image:
            return _fitted(ImageOps.exif_transpose(image), size, channels)
    except UnidentifiedImageError as error:
        reason = "neither PNG nor JPEG" if path.stat().st_size else "empty file"
        raise UnreadableImageError(reason) from error
    except OSError as error:
        raise UnreadableImageError(error.strerror or str(error)) from error
    except Exception as error:  # a damaged file makes Pillow's parsers raise anything
        raise UnreadableImageError(f"damaged: {error}") from error


def fit(pixels: NDArray[np.uint8], size: int, channels: int) -> Images:
    """Return an image of shape (height, width[, 3]) as one of shape (size, size, channels)."""
    from PIL import Image

    return _fitted(Image.fromarray(pixels), size, channels)


def _fitted(image: "Image.Image", size: int, channels: int) -> Images:
    """Resize by a triangle filter as wide as the reduction.

    It averages all the pixels that it drops, since a network must not see aliasing, and unlike the sharper
    filters it never overshoots, so no edge gets a halo that is not in the image.
    """
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits: convert() would cut them off at 255
        image = Image.fromarray(np.asarray(image).astype(np.float32) / 257)
    else:
        opened = image.convert("RGBA") if image.mode == "P" else image  # a palette may have transparent colours
        image = opened.convert("L" if channels == 1 else "RGB")
    resized: NDArray[Any] = np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))
    pixels = np.rint(resized).astype(np.uint8).reshape(size, size, -1)
    return np.repeat(pixels, channels // pixels.shape[2], axis=2)

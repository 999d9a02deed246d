"""Decoding of image files and arrays into the arrays that a network sees."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from ctypes import CDLL
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import Images
from medcls.data.levels import AS_STORED, Levels
from medcls.data.readers import deep, dicom, foreign
from medcls.data.readers.silence import silence_libtiff, silence_warnings

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "PPM")
UNMARKED = MappingProxyType({".tga": "TGA"})  # formats without a mark of their own: the file's name has to tell
READABLE = "PNG, JPEG, BMP, TIFF, PGM, PPM, TGA or DICOM"
DECODER = 3  # raised whenever the functions below give other pixels, so that no older cache is used
MOST_PIXELS = 178_956_970  # Pillow's own limit: a gigabyte or two while such an image is decoded
LARGE = 2**24  # pixels: larger images are decoded one at a time, for each takes hundreds of megabytes
TURN = Lock()
BITS = ", 16 bit"  # ends the kind of images of more than 8 bits that no DICOM header explains
DEEP_GREY = "grey" + BITS
KINDS = MappingProxyType(
    {"1": "black and white", "L": "grey", "LA": "grey with alpha", "P": "palette", "RGB": "RGB", "RGBA": "RGBA"}
)


class UnreadableImageError(Exception):
    """No whole image can be decoded from a file; the message is the reason, without the file's name."""


def decode(path: Path, size: int, channels: int, levels: Levels = AS_STORED) -> Images:
    """Return an image file as an array of shape (size, size, channels), uint8, turned as its EXIF data say.

    16 bits are divided by 257; what is transparent is laid on black, the ground of X-rays; DICOM is shown through
    its window.

    Args:
        path: the file.
        size: height and width of the array.
        channels: 1 (grey) or 3 (RGB).
        levels: what is black and white in grey of more than 8 bits; what the file's bits hold by default.

    Raises:
        UnreadableImageError: missing, empty, cut off, damaged, too large, or not one image of a format that is read.
    """
    return read(path, lambda image: _fitted(image, size, channels, levels))


def decode_sized(path: Path, size: int, channels: int, levels: Levels = AS_STORED) -> tuple[Images, tuple[int, int]]:
    """Return an image file as an array of shape (size, size, channels), uint8, and its own (height, width) as shown.

    Args:
        path: the file.
        size: height and width of the array.
        channels: 1 (grey) or 3 (RGB).
        levels: what is black and white in grey of more than 8 bits; what the file's bits hold by default.

    Raises:
        UnreadableImageError: missing, empty, cut off, damaged, too large, or not one image of a format that is read.
    """
    own: list[tuple[int, int]] = []

    def fitted(image: "Image.Image") -> Images:
        own.append((image.height, image.width))
        return _fitted(image, size, channels, levels)

    return read(path, fitted), own[0]


def whole(path: Path) -> Images:
    """Return an image file in its own size, uint8, of shape (height, width, 1) if it is grey, else (height, width, 3).

    Raises:
        UnreadableImageError: missing, empty, cut off, damaged, too large, or not one image of a format that is read.
    """
    return read(path, _own)


Number = TypeVar("Number", bound=np.generic)


def read(path: Path, make: "Callable[[Image.Image], NDArray[Number]]") -> NDArray[Number]:
    """Return the array that `make` computes from the image in a file, turned as its EXIF data say.

    Raises:
        UnreadableImageError: missing, empty, cut off, damaged, too large, or not one image of a format that is read.
    """
    from PIL import Image, ImageOps

    with _with_reasons(path):
        if dicom.is_dicom(path):
            data = dicom.opened(path)
            with _turn(data.Rows * data.Columns):
                return make(Image.fromarray(dicom.pixels_of(data)))
        with _opened(path) as image, _turn(image.width * image.height), closing(image):
            if image.format == "TIFF":
                silence_libtiff()
                if getattr(image, "n_frames", 1) > 1:
                    raise UnreadableImageError("TIFF of several pages: save each as an image of its own")
                if foreign.is_misread(image):
                    raise UnreadableImageError(
                        "TIFF of 16 bits with its colours in planes, which Pillow misreads: save it with the colours "
                        "of each pixel together"
                    )
            ImageOps.exif_transpose(image, in_place=True)
            return make(image)


def kind_of(path: Path) -> tuple[str, tuple[int, int]]:
    """Return how a file's pixels are stored, e.g. "grey, 16 bit", and the image's width and height.

    Raises:
        UnreadableImageError: missing, empty, too large, or a header that belongs to no image that is read.
    """
    with _with_reasons(path):
        if dicom.is_dicom(path):
            data = dicom.opened(path)
            return dicom.kind_of(data), (int(data.Columns), int(data.Rows))
        with _opened(path) as image:
            kind = KINDS.get(image.mode, DEEP_GREY if image.mode.startswith("I") else image.mode)
            return kind + (BITS if deep.has_colours(image) else ""), image.size


def depth_of(path: Path) -> deep.Depth | None:
    """Return how far the values of an image of more than 8 bits reach; None for DICOM and for 8 bits or fewer.

    Raises:
        UnreadableImageError: missing, empty, cut off, damaged, too large, or not one image of a format that is read.
    """
    if not kind_of(path)[0].endswith(BITS) or dicom.is_dicom(path):
        return None
    depths: list[deep.Depth | None] = []

    def look(image: "Image.Image") -> NDArray[np.float64]:
        depths.append(deep.depth_of(image))
        return np.empty(0)

    read(path, look)
    return depths[0]


def histogram(path: Path) -> NDArray[np.int64]:
    """Return how many pixels of a deep grey image have each stored value, of shape (65536,); zeros for other images.

    Raises:
        UnreadableImageError: missing, empty, cut off, damaged, too large, or not one image of a format that is read.
    """
    if kind_of(path)[0] != DEEP_GREY:
        return np.zeros(deep.FULL + 1, np.int64)
    return read(path, lambda image: np.bincount(deep.stored(image).astype(np.int64).ravel(), minlength=deep.FULL + 1))


def patient_in(path: Path) -> str:
    """Return the patient that a DICOM file names, "" if it names none or cannot be read."""
    with suppress(UnreadableImageError), _with_reasons(path):
        return dicom.patient_in(path)
    return ""


def fit(pixels: NDArray[np.uint8], size: int, channels: int) -> Images:
    """Return an image in another size.

    Args:
        pixels: of shape (height, width) or (height, width, 3).
        size: height and width of the result in pixels.
        channels: of the result: 1 (grey) or 3 (RGB).

    Returns:
        an array of shape (size, size, channels), uint8.
    """
    from PIL import Image

    return _fitted(Image.fromarray(pixels), size, channels)


def _opened(path: Path) -> "Image.Image":
    from PIL import Image

    named = UNMARKED.get(path.suffix.lower())
    image = Image.open(path, formats=FORMATS if named is None else (*FORMATS, named))
    deep.note(image)
    return image


@contextmanager
def _with_reasons(path: Path) -> Iterator[None]:
    """Turn every error that a file causes into an UnreadableImageError with its reason, and silence warnings."""
    from PIL import Image, UnidentifiedImageError

    silence_warnings()
    try:
        if path.exists() and not path.is_file():
            raise UnreadableImageError("no file but a folder, a pipe or a device")
        yield
    except dicom.UnsupportedError as error:
        raise UnreadableImageError(str(error)) from error
    except Image.DecompressionBombError as error:
        raise UnreadableImageError(_too_large()) from error
    except UnidentifiedImageError as error:
        raise UnreadableImageError(_unknown(path)) from error
    except UnreadableImageError:
        raise
    except OSError as error:
        raise UnreadableImageError(error.strerror or f"damaged: {_line(error)}") from error
    except Exception as error:  # a damaged file makes the parsers raise anything
        raise UnreadableImageError(f"damaged: {_line(error)}") from error


def _unknown(path: Path) -> str:
    """Return the reason why a file has no format that is read."""
    if not path.stat().st_size:
        return "empty file"
    with suppress(Exception):  # what is damaged makes the parsers raise anything
        return foreign.reason(path) or f"not a {READABLE} image"
    return f"not a {READABLE} image"


@contextmanager
def _turn(pixels: int) -> Iterator[None]:
    """Decode large images one at a time, and give their memory back afterwards."""
    if pixels > MOST_PIXELS:
        raise UnreadableImageError(_too_large())
    if pixels <= LARGE:
        yield
        return
    with TURN:
        try:
            yield
        finally:
            with suppress(AttributeError, OSError, TypeError):  # glibc's allocator keeps it otherwise, for each thread
                CDLL(None).malloc_trim(0)


def _too_large() -> str:
    return f"more than the {MOST_PIXELS:,} pixels that are read: make it smaller"


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _own(image: "Image.Image") -> Images:
    grey = image.mode in ("1", "L", "F") or image.mode.startswith("I")
    rounded: Images = np.rint(np.asarray(_plain(image, "L" if grey else "RGB", AS_STORED))).astype(np.uint8)
    return rounded.reshape(*rounded.shape[:2], -1)


def _fitted(image: "Image.Image", size: int, channels: int, levels: Levels = AS_STORED) -> Images:
    """Resize by a triangle filter as wide as the reduction.

    It averages all the pixels that it drops, since a network must not see aliasing, and unlike the sharper
    filters it never overshoots, so no edge gets a halo that is not in the image.
    """
    from PIL import Image

    plain = _plain(image, "L" if channels == 1 else "RGB", levels)
    resized = np.asarray(plain.resize((size, size), Image.Resampling.BILINEAR))
    if resized.dtype != np.uint8:
        resized = np.rint(resized).astype(np.uint8)
    pixels = resized.reshape(size, size, -1)
    return pixels if pixels.shape[2] == channels else np.repeat(pixels, channels, axis=2)


def _plain(image: "Image.Image", mode: str, levels: Levels) -> "Image.Image":
    """Return an image in the given mode, or in floating point, 0..255, if its grey has more than 8 bits."""
    from PIL import Image

    if foreign.is_signed(image):
        raise UnreadableImageError(foreign.UNSAID)
    if deep.is_grey(image):  # convert() would cut them off at 255
        return Image.fromarray(deep.shown(image, levels))
    if deep.has_colours(image) and not levels.as_stored:
        raise UnreadableImageError(
            "colours of 16 bits, of which the upper 8 are read, so that data.white does nothing: save it in 8 bits"
        )
    if image.mode == "I" or (image.mode == "F" and image.format):
        raise UnreadableImageError(foreign.UNSAID)
    if image.mode == "LAB":
        raise UnreadableImageError("of the colours LAB: save it as RGB")
    if image.has_transparency_data:
        shown = Image.new("RGBA", image.size, "black")
        shown.alpha_composite(image.convert("RGBA"))
        return shown.convert("RGB").convert(mode)
    return image if image.mode in ("F", mode) else image.convert(mode)

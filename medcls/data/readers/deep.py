"""Images of more than 8 bits: what their files store, and the brightness that it is shown with."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medcls.data.levels import PERCENTILES, Levels

if TYPE_CHECKING:
    from PIL import Image

FULL = 65535  # the largest value of 16 bits
COLOURS, MAXVAL = "deep colours", "maxval"  # what is noted of an image while its header is at hand


@dataclass(frozen=True)
class Depth:
    """How far the stored values of an image of more than 8 bits reach.

    Attributes:
        full: the largest that its file could hold.
        largest: the largest that it holds; of colours at most 255 less.
        lower: what all but half a percent of its pixels lie above.
        upper: what all but half a percent of its pixels lie below.
        colours: whether it is in colours.
    """

    full: int
    largest: int
    lower: int
    upper: int
    colours: bool = False


def note(image: "Image.Image") -> None:
    """Note what the header of an image that is not loaded yet says of its depth, for it is forgotten later."""
    tiles: Any = getattr(image, "tile", None)
    args = tiles[0][3] if tiles else ""
    maxval = args[1] if image.format == "PPM" and isinstance(args, tuple) else 0
    image.info[MAXVAL] = maxval or FULL
    image.info[COLOURS] = image.mode in ("RGB", "RGBA", "LA") and (";16" in str(args) or maxval > 255)


def is_grey(image: "Image.Image") -> bool:
    """Tell whether an image is grey of more than 8 bits, as far as its file says what they mean."""
    return image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM"))


def has_colours(image: "Image.Image") -> bool:
    """Tell whether an image has colours, or grey with alpha, of more than 8 bits, as its header was noted."""
    return bool(image.info.get(COLOURS))


def shown(image: "Image.Image", levels: Levels) -> NDArray[np.float32]:
    """Return the brightness of a deep grey image, 0..255, of shape (height, width)."""
    full, inverted = _full(image)
    if levels.as_stored:
        scaled = np.asarray(image).astype(np.float32)
        scaled /= (FULL if image.format == "PPM" else full) / 255
    else:
        scaled = levels.shown(stored(image))
    return np.asarray(255 - scaled, np.float32) if inverted else scaled


def stored(image: "Image.Image") -> NDArray[np.float32]:
    """Return the values of a deep grey image as its file has them: of PGM, Pillow has scaled them already."""
    values = np.asarray(image).astype(np.float32)
    return np.asarray(np.rint(values * (_full(image)[0] / FULL)), np.float32) if image.format == "PPM" else values


def depth_of(image: "Image.Image") -> Depth | None:
    """Return how far the values of an image reach; None if it has 8 bits or fewer."""
    if is_grey(image):
        values = stored(image)
        lower, upper = np.percentile(values, PERCENTILES)
        return Depth(_full(image)[0], int(values.max()), int(lower), int(upper))
    if has_colours(image):
        high_bytes = np.asarray(image)
        lower, upper = (int(value) * 256 for value in np.percentile(high_bytes, PERCENTILES))
        return Depth(FULL, int(high_bytes.max()) * 256 + 255, lower, upper + 255, colours=True)
    return None


def _full(image: "Image.Image") -> tuple[int, bool]:
    """Return the largest value that a deep grey file may hold, and whether its white is zero (which Pillow leaves)."""
    if image.format == "PPM":
        return int(image.info.get(MAXVAL, FULL)), False
    tags: Any = getattr(image, "tag_v2", {})
    return 2 ** min((16, *tags.get(258, ()))) - 1, tags.get(262) == 0

"""One mask file -> where the target is: whatever its format, black and white are told apart once and for all."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medcls.data.images import UnreadableImageError, read
from medcls.data.types import Images
from medcls.limits import one_of

if TYPE_CHECKING:
    from PIL import Image

TWO, LABELS, GREY = "two", "labels", "grey"
GREYEST = 0.01  # share of the pixels that may be neither black nor white: real outlines have grey edges
MIDDLE = (0.1, 0.9)  # of a mask's range: what lies between is neither
FEW = 32  # different values: more are shades of grey, not labels
values_known = one_of("mask_values", TWO, LABELS, GREY)


def whole(path: Path, values: str) -> NDArray[np.bool_]:
    """Return a mask in its file's own size, of shape (height, width): True where the target is.

    Args:
        path: an image file.
        values: "two" (black and white, cut at half the mask's own range; more than 1% of pixels of mid-grey are
            refused, and so are several labels), "labels" (whatever is not 0 is the target) or "grey" (as "two", any
            grey allowed).

    Raises:
        UnreadableImageError: it cannot be decoded, or is not what `values` says.
    """
    numbers = read(path, _labels if values == LABELS else _shades)
    if values == LABELS:
        return np.asarray(numbers != 0)
    low, high = float(numbers.min()), float(numbers.max())
    if values == TWO:
        _check_two(numbers, low, high)
    return np.asarray(numbers > (low + high) / 2) if low < high else np.full(numbers.shape, bool(high))


def fit(mask: NDArray[np.bool_], size: int) -> Images:
    """Return a mask of shape (height, width) as one of shape (size, size, 1), 0 or 1.

    Where an output pixel averages several, it is 1 if more than half of them are: by the filter that resizes images.
    """
    from PIL import Image

    image = Image.fromarray(np.where(mask, np.uint8(255), np.uint8(0)))
    shades: NDArray[Any] = np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))
    return (shades > 127).astype(np.uint8)[:, :, None]


def _check_two(numbers: NDArray[Any], low: float, high: float) -> None:
    reach = high - low
    middle = (numbers > low + MIDDLE[0] * reach) & (numbers < low + MIDDLE[1] * reach)
    share = float(middle.mean())
    if share <= GREYEST:
        return
    known = np.unique(numbers)
    if len(known) <= FEW:
        shown = ", ".join(f"{value:g}" for value in known[:6]) + (", ..." if len(known) > 6 else "")
        raise UnreadableImageError(
            f"a mask of several labels ({shown}): set data.mask_values=labels if all but 0 are the target"
        )
    raise UnreadableImageError(
        f"a mask that is grey in {share:.0%} of its pixels: set data.mask_values=grey to cut it at half its range"
    )


def _labels(image: "Image.Image") -> NDArray[Any]:
    """The numbers that a file stores: indices of a palette, 16 bits as they are; of colours the brightest channel."""
    numbers: NDArray[Any] = np.asarray(image)
    return numbers if numbers.ndim == 2 else numbers[..., :3].max(axis=2)


def _shades(image: "Image.Image") -> NDArray[Any]:
    """The grey of every pixel, in the file's own range."""
    if image.mode in ("L", "1", "F") or image.mode.startswith("I"):
        numbers: NDArray[Any] = np.asarray(image)
        return numbers
    opaque = image.convert("RGB") if image.mode in ("P", "RGBA", "PA", "CMYK") else image
    return np.asarray(opaque.convert("L"))

"""What the usual transforms of an image do to its shape and its values: the laboratory's own calls, and measurements.

Images are of shape (height, width) or (height, width, 3), uint8. Every function returns the changed image, a sentence
with what was measured, and the measured values.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.utils.lazy import skimage

Pixels = NDArray[Any]


@dataclass(frozen=True)
class Changed:
    """An image after a transform: what the transform is called, what it did, and the numbers of that."""

    name: str
    image: Pixels
    sentence: str
    values: Mapping[str, object]


def original(image: Pixels) -> Changed:
    """Return the image as it is, with its shape and range."""
    return Changed("original", image, f"{_size(image)}, {_range(image)}.", _measured(image))


def rescaled(image: Pixels, factor: float) -> Changed:
    """Return the image so many times as high and wide (skimage.transform.rescale).

    Smaller ones are smoothed before, lest fine detail turn into patterns that are not there.
    """
    small = factor < 1
    answer = skimage.transform.rescale(image, factor, anti_aliasing=small, channel_axis=_channels(image))
    share = answer.shape[0] * answer.shape[1] / (image.shape[0] * image.shape[1])
    sentence = f"Another shape: {_size(image)} become {_size(answer)}, {share:.0%} of the pixels; {_range(answer)}."
    return Changed(f"rescaled by {factor:g}", answer, sentence, {**_measured(answer), "pixels_kept": share})


def rotated(image: Pixels, degrees: float) -> Changed:
    """Return the image turned about its centre in the same frame, black around it (skimage.transform.rotate)."""
    answer = skimage.transform.rotate(image, degrees)
    whole = skimage.transform.rotate(image, degrees, resize=True)
    frame = np.ones(image.shape[:2])
    black = float((skimage.transform.rotate(frame, degrees) < 0.5).mean())
    lost = float((skimage.transform.rotate(frame, -degrees) < 0.5).mean())  # whose way back leads out of the frame
    kept = "the same shape" if answer.shape == image.shape else f"another shape, {_size(answer)}"
    sentence = (
        f"{kept.capitalize()}, but {lost:.1%} of the pixels are turned out of it and {black:.1%} come in black: "
        f"the whole would need {_size(whole)}; {_range(answer)}."
    )
    values = {**_measured(answer), "pixels_lost": lost, "pixels_black": black, "whole": list(whole.shape[:2])}
    return Changed(f"rotated by {degrees:g}°", answer, sentence, values)


def flipped(image: Pixels, axis: int) -> Changed:
    """Return the image with rows (axis 0) or columns (axis 1) in the opposite order."""
    answer = np.flip(image, axis)
    same = bool(np.array_equal(np.sort(answer, axis=None), np.sort(image, axis=None)))
    back = bool(np.array_equal(np.flip(answer, axis), image))
    values = {**_measured(answer), "same_values": same, "restored_by_itself": back}
    change = "the same values elsewhere" if same else "other values"
    twice = "twice, it is undone" if back else "twice, it is not undone"
    kind = "vertical" if axis == 0 else "horizontal"
    return Changed(f"{kind} flip", answer, f"{_size(answer)}, {change}: {_range(answer)}; {twice}.", values)


def intensified(image: Pixels, low: float, high: float) -> Changed:
    """Return the image with the values between two percentiles spread over the whole scale (rescale_intensity).

    Args:
        image: the image.
        low: the lower percentile, 0 to 100.
        high: the upper percentile, 0 to 100.
    """
    least, most = np.percentile(image, (low, high))
    if least == most:
        sentence = f"Between its percentiles {low:g} and {high:g} this image has one value, so it stays as it is."
        return Changed(f"intensity {low:g} to {high:g}%", image, sentence, {**_measured(image), "pixels_cut_off": 0.0})
    answer = skimage.exposure.rescale_intensity(image, in_range=(least, most))
    cut = float(((image < least) | (image > most)).mean())
    sentence = (
        f"{_size(answer)}: {least:g} to {most:g} become {_range(answer)}, {cut:.1%} of the pixels are cut off; "
        f"the standard deviation goes from {image.std():.1f} to {answer.std():.1f}."
    )
    values = {**_measured(answer), "from": [float(least), float(most)], "pixels_cut_off": cut}
    return Changed(f"intensity {low:g} to {high:g}%", answer, sentence, values)


def augmented(image: Pixels, before: Pixels, number: int) -> Changed:
    """Return an image that was changed at random, with its difference from the image before.

    Args:
        image: the changed image.
        before: the image before the change, of the shape of `image`.
        number: of the change, for its name.
    """
    difference = float(np.abs(image.astype(float) - before.astype(float)).mean())
    sentence = f"{_range(image).capitalize()}; differs by {difference:.1f} a pixel."
    return Changed(f"random {number}", image, sentence, {**_measured(image), "mean_difference": difference})


def _channels(image: Pixels) -> int | None:
    return None if image.ndim == 2 else 2


def _size(image: Pixels) -> str:
    return f"{image.shape[1]}x{image.shape[0]} pixels"


def _range(image: Pixels) -> str:
    digits = 2 if np.issubdtype(image.dtype, np.floating) else 0
    return f"values {image.min():.{digits}f} to {image.max():.{digits}f} ({image.dtype})"


def _measured(image: Pixels) -> dict[str, object]:
    return {
        "shape": list(image.shape),
        "type": str(image.dtype),
        "range": [float(image.min()), float(image.max())],
        "mean": round(float(image.mean()), 4),
    }

"""The usual random changes of an image, each with its own range."""

from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Any

from medcls.augmentation import degradation, intensity
from medcls.augmentation.base import Augmentation, in_turn, unchanged
from medcls.augmentation.geometric import random_warp
from medcls.spec.constraints import constrained
from medcls.utils.errors import BadInputError
from medcls.utils.tensors import Tensor

FILL_MODES = ("nearest", "constant", "reflect", "wrap")
LIMITS = MappingProxyType(
    {
        "rotation": 180.0,
        "width_shift": 1.0,
        "height_shift": 1.0,
        "zoom": 0.95,
        "shear": 80.0,
        "elastic": 0.5,
        "brightness": 1.0,
        "contrast": 1.0,
        "channel_shift": 255.0,
        "noise": 1.0,
        "blur": 10.0,
        "erasing": 1.0,
    }
)
SHIFTS = ("height_shift", "width_shift")
FARTHEST = 10_000.0  # pixels of a shift
ENDS = MappingProxyType({"zoom_range": (0.05, 20.0), "brightness_range": (0.0, 20.0)})
NO_CHANGE = (1.0, 1.0)


def _check(**parameters: Any) -> None:
    standard(**parameters)  # checks its parameters; computes nothing until it is called with images


def check_fill(fill_mode: str, fill_value: float) -> None:
    """Check a fill mode and a fill value.

    Raises:
        BadInputError: the mode is unknown, or the value is not from 0 to 255.
    """
    if fill_mode not in FILL_MODES:
        raise BadInputError(f"fill_mode={fill_mode!r} is unknown: use one of {', '.join(FILL_MODES)}.")
    if not 0 <= fill_value <= 255:
        raise BadInputError(f"fill_value={fill_value} must be from 0 to 255.")


@constrained(_check)
def standard(
    *,
    strength: float = 1.0,
    rotation: float = 0.0,
    width_shift: float = 0.0,
    height_shift: float = 0.0,
    horizontal_flip: bool = False,
    vertical_flip: bool = False,
    zoom: float = 0.0,
    zoom_range: tuple[float, ...] = (1.0, 1.0),
    shear: float = 0.0,
    elastic: float = 0.0,
    elastic_grid: int = 3,
    brightness: float = 0.0,
    brightness_range: tuple[float, ...] = (1.0, 1.0),
    contrast: float = 0.0,
    channel_shift: float = 0.0,
    blur: float = 0.0,
    noise: float = 0.0,
    erasing: float = 0.0,
    fill_mode: str = "nearest",
    fill_value: float = 0.0,
) -> Augmentation:
    """Return an augmentation of the usual random changes, drawn for each image uniformly from minus to plus the range.

    Units, order and resulting images are those of Keras's ImageDataGenerator for the changes that it has; its
    rotation_range is called `rotation` here, its cval `fill_value`. All geometric changes are one resampling.

    Args:
        strength: multiplies every range; 0 leaves images exactly as they are, flips included.
        rotation: degrees.
        width_shift: fraction of the width if below 1, else pixels.
        height_shift: fraction of the height if below 1, else pixels.
        horizontal_flip: flip a random half of the images horizontally.
        vertical_flip: flip a random half of the images vertically.
        zoom: fraction by which the contents become larger or smaller, equally in width and height.
        zoom_range: the visible fraction of width and of height, drawn separately, so that images are also stretched.
        shear: degrees.
        elastic: standard deviation of the displacements in a smooth field, as a fraction of width and height.
        elastic_grid: control points of that field per side; more points make smaller bulges.
        brightness: offset, as a fraction of the full scale, 255.
        brightness_range: factor of all values, drawn between these two.
        contrast: fraction by which the distance to the channel's mean grows or shrinks.
        channel_shift: offset of all values, 0..255, clipped to the image's own range.
        blur: the largest standard deviation of a Gaussian, in pixels; drawn from 0 up.
        noise: the largest standard deviation of noise, as a fraction of the full scale; drawn from 0 up.
        erasing: the share of the images in which a rectangle of 2% to 33% of the area is set to `fill_value`.
        fill_mode: "nearest", "constant", "reflect" or "wrap": what lies outside of an image.
        fill_value: the value of "constant" and of erased rectangles, 0..255.

    Raises:
        BadInputError: a range is negative or too large, or the fill mode is unknown.
    """
    _check_shape(strength, elastic_grid, fill_mode, fill_value)
    zooms = _scaled_ends("zoom_range", zoom_range, strength)
    factors = _scaled_ends("brightness_range", brightness_range, strength)
    turns = _scaled(strength, rotation=rotation, zoom=zoom, shear=shear, elastic=elastic)
    shifts = _scaled(strength, height_shift=height_shift, width_shift=width_shift)
    colours = _scaled(strength, brightness=brightness, contrast=contrast, channel_shift=channel_shift)
    damages = _scaled(strength, blur=blur, noise=noise, erasing=erasing)
    units = ("pixels" if height_shift >= 1 else "fraction", "pixels" if width_shift >= 1 else "fraction")
    flips = (horizontal_flip and strength > 0, vertical_flip and strength > 0)
    fill = {"fill_mode": fill_mode, "fill_value": fill_value}
    warp = random_warp(**turns, **shifts, shift_units=units, zooms=zooms, flips=flips, grid=elastic_grid, fill=fill)
    moves = any([*turns.values(), *shifts.values(), zooms != NO_CHANGE, *flips])
    recolour = in_turn(_recolours({**colours, **damages}, factors, fill_value))
    return Augmentation(warp=warp if moves else unchanged, recolour=recolour)


def _check_shape(strength: float, elastic_grid: int, fill_mode: str, fill_value: float) -> None:
    if not strength >= 0:
        raise BadInputError(f"strength={strength} must be at least 0.")
    if elastic_grid < 2:
        raise BadInputError(f"elastic_grid={elastic_grid} must be at least 2.")
    check_fill(fill_mode, fill_value)


def _recolours(
    ranges: dict[str, float], factors: tuple[float, ...], fill_value: float
) -> Iterator[Callable[[Tensor, Tensor], Tensor]]:
    """Yield the changes of pixel values whose range is not zero, in their order."""
    if ranges["brightness"] or ranges["contrast"]:
        yield intensity.random_intensity(brightness=ranges["brightness"], contrast=ranges["contrast"])
    if ranges["channel_shift"]:
        yield intensity.random_channel_shift(ranges["channel_shift"])
    if factors != NO_CHANGE:
        yield intensity.random_brightness(factors)
    if ranges["blur"]:
        yield degradation.random_blur(ranges["blur"])
    if ranges["noise"]:
        yield degradation.random_noise(ranges["noise"])
    if ranges["erasing"]:
        yield degradation.random_erasing(ranges["erasing"], fill_value)


def _scaled(strength: float, **ranges: float) -> dict[str, float]:
    """Return the ranges times the strength.

    Raises:
        BadInputError: a range is negative or too large.
    """
    scaled = {}
    for name, value in ranges.items():
        most = FARTHEST if name in SHIFTS and value > 1 else LIMITS[name]
        if not 0 <= value * strength <= most:
            times = "" if strength == 1 else f" times strength={strength}"
            raise BadInputError(f"{name}={value}{times} must be from 0 to {most:g}.")
        scaled[name] = value * strength
    return scaled


def _scaled_ends(name: str, ends: tuple[float, ...], strength: float) -> tuple[float, ...]:
    """Return both ends of a range of factors, with their distance from 1 multiplied by the strength.

    Raises:
        BadInputError: these are not two numbers, or they are out of range.
    """
    least, most = ENDS[name]
    scaled: tuple[float, ...] = ()
    if len(ends) == 2 and all(isinstance(end, int | float) for end in ends):
        scaled = tuple(1.0 + strength * (end - 1.0) for end in ends)
    if not scaled or not least <= scaled[0] <= scaled[1] <= most:
        times = "" if strength == 1 else f" at strength={strength}"
        raise BadInputError(
            f"{name}={list(ends)}{times} must be two numbers from {least:g} to {most:g}, e.g. [0.8, 1.2]."
        )
    return scaled

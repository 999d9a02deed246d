"""The usual random changes of an image, each by its own range."""

from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Any

from medcls.augmentation import degradation, intensity
from medcls.augmentation.base import Augmentation, in_turn, unchanged
from medcls.augmentation.geometric import random_warp
from medcls.spec.constraints import constrained
from medcls.utils.errors import BadInputError

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
    standard(**parameters)  # computes nothing until images come


def check_fill(fill_mode: str, fill_value: float) -> None:
    """Complain of a fill mode that is unknown or a value that no pixel has.

    Raises:
        BadInputError: as said.
    """
    if fill_mode not in FILL_MODES:
        raise BadInputError(f"fill_mode={fill_mode!r} is unknown: say one of {', '.join(FILL_MODES)}.")
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
    """Return the usual random changes; every number is drawn evenly from minus to plus its range, for each image.

    Units, order and pictures are those of Keras's ImageDataGenerator as far as it has them; its rotation_range is
    `rotation` here, its cval `fill_value`. All that moves is one resampling.

    Args:
        strength: multiplies every range; 0 leaves images exactly as they are, flips included.
        rotation: degrees.
        width_shift: fraction of the width if below 1, else pixels.
        height_shift: fraction of the height if below 1, else pixels.
        horizontal_flip: half of the images, at random: left and right exchanged.
        vertical_flip: half of the images, at random: top and bottom exchanged.
        zoom: fraction by which things are shown larger or smaller, as wide as high.
        zoom_range: what part of width and of height is seen, each drawn between the two: (0.8, 1.2) stretches, too.
        shear: degrees.
        elastic: standard deviation of the displacements in a smooth field, as a fraction of width and height.
        elastic_grid: points of that field a side: more points, smaller bulges.
        brightness: fraction of the full scale, 255, that is added.
        brightness_range: what the values are multiplied by, drawn between the two.
        contrast: fraction by which the distance to the channel's mean grows or shrinks.
        channel_shift: what is added to all values, 0..255, cut off at the image's own darkest and lightest.
        blur: pixels: the largest standard deviation of a Gaussian; drawn from 0 up.
        noise: fraction of the full scale: the largest standard deviation of noise; drawn from 0 up.
        erasing: share of the images that lose a rectangle, of 2% to 33% of their area, to `fill_value`.
        fill_mode: "nearest", "constant", "reflect" or "wrap": what comes in from outside.
        fill_value: of "constant" and of erased rectangles, 0..255.

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
    units = tuple("pixels" if shift >= 1 else "fraction" for shift in (height_shift, width_shift))
    flips = tuple(bool(flip and strength) for flip in (horizontal_flip, vertical_flip))
    fill = {"fill_mode": fill_mode, "fill_value": fill_value}
    warp = random_warp(**turns, **shifts, shift_units=units, zooms=zooms, flips=flips, grid=elastic_grid, fill=fill)
    moving = any([*turns.values(), *shifts.values(), zooms != NO_CHANGE, *flips])
    recolour = in_turn(_recolours({**colours, **damages}, factors, fill_value))
    return Augmentation(warp=warp if moving else unchanged, recolour=recolour)


def _check_shape(strength: float, elastic_grid: int, fill_mode: str, fill_value: float) -> None:
    if not strength >= 0:
        raise BadInputError(f"strength={strength} must be at least 0.")
    if elastic_grid < 2:
        raise BadInputError(f"elastic_grid={elastic_grid} must be at least 2.")
    check_fill(fill_mode, fill_value)


def _recolours(
    ranges: dict[str, float], factors: tuple[float, ...], fill_value: float
) -> Iterator[Callable[[Any, Any], Any]]:
    """The changes of values that do something, in their order."""
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
    """The ranges times the strength, checked against what still makes an image."""
    for name, value in ranges.items():
        most = FARTHEST if name in SHIFTS and value > 1 else LIMITS[name]
        if not 0 <= value * strength <= most:
            times = "" if strength == 1 else f" times strength={strength}"
            raise BadInputError(f"{name}={value}{times} must be from 0 to {most:g}.")
    return {name: value * strength for name, value in ranges.items()}


def _scaled_ends(name: str, ends: tuple[float, ...], strength: float) -> tuple[float, ...]:
    """Both ends of a range of factors, their distance from 1 times the strength."""
    least, most = ENDS[name]
    numbers = all(isinstance(end, int | float) for end in ends)
    scaled = tuple(1.0 + strength * (end - 1.0) for end in ends) if numbers and len(ends) == 2 else ()
    if not scaled or not least <= scaled[0] <= scaled[1] <= most:
        times = "" if strength == 1 else f" at strength={strength}"
        raise BadInputError(
            f"{name}={list(ends)}{times} must be two numbers from {least:g} to {most:g}, e.g. [0.8, 1.2]."
        )
    return scaled

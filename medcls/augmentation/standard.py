"""Augmentations: parameters -> one batched, stateless tensor function."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from medcls.augmentation.geometric import random_warp
from medcls.augmentation.intensity import random_intensity
from medcls.errors import BadInputError
from medcls.limits import limited

FILL_MODES = ("nearest", "constant", "reflect", "wrap")
LIMITS = MappingProxyType(
    {
        "rotation": 180.0,
        "width_shift": 1.0,
        "height_shift": 1.0,
        "zoom": 0.95,
        "shear": 80.0,
        "brightness": 1.0,
        "contrast": 1.0,
    }
)


def _unchanged(images: Any, *_: Any) -> Any:
    return images


@dataclass(frozen=True)
class Augmentation:
    """A function of images and seed, usable inside tf.data: the same seed gives the same bits in any thread.

    Images are of shape (batch, height, width, channels), float32, 0..255; a seed is of shape (2,), int32 or
    int64.
    """

    warp: Callable[..., Any] = _unchanged
    recolour: Callable[[Any, Any], Any] = _unchanged

    def __call__(self, images: Any, seed: Any) -> Any:
        """Return the images, each changed by its own draws."""
        return self.recolour(self.warp(images, seed), seed)

    def masks(self, masks: Any, seed: Any) -> Any:
        """Return the masks of the images that got the same seed: moved like them, with no new values."""
        return self.warp(masks, seed, "nearest")


def _check(**parameters: Any) -> None:
    standard(**parameters)  # computes nothing until images come


def none() -> Augmentation:
    """Return the images as they are."""
    return Augmentation()


@limited(_check)
def standard(
    *,
    strength: float = 1.0,
    rotation: float = 0.0,
    width_shift: float = 0.0,
    height_shift: float = 0.0,
    horizontal_flip: bool = False,
    vertical_flip: bool = False,
    zoom: float = 0.0,
    shear: float = 0.0,
    brightness: float = 0.0,
    contrast: float = 0.0,
    fill_mode: str = "nearest",
) -> Augmentation:
    """Return the usual random changes; every number is drawn evenly from minus to plus its range.

    Args:
        strength: multiplies every range; 0 leaves images exactly as they are, flips included.
        rotation: degrees.
        width_shift: fraction of the width.
        height_shift: fraction of the height.
        horizontal_flip: half of the images, at random: left and right exchanged.
        vertical_flip: half of the images, at random: top and bottom exchanged.
        zoom: fraction by which things are shown larger or smaller.
        shear: degrees.
        brightness: fraction of the full scale, 255.
        contrast: fraction by which the distance to the channel's mean grows or shrinks.
        fill_mode: "nearest", "constant" (black), "reflect" or "wrap": what comes in from outside.

    Raises:
        BadInputError: a range is negative or too large, or the fill mode is unknown.
    """
    if not strength >= 0:
        raise BadInputError(f"strength={strength} must be at least 0.")
    if fill_mode not in FILL_MODES:
        raise BadInputError(f"fill_mode={fill_mode!r} is unknown: say one of {', '.join(FILL_MODES)}.")
    flips = [bool(flip and strength) for flip in (horizontal_flip, vertical_flip)]
    moves = _scaled(
        strength,
        rotation=rotation,
        width_shift=width_shift,
        height_shift=height_shift,
        zoom=zoom,
        shear=shear,
    )
    colours = _scaled(strength, brightness=brightness, contrast=contrast)
    warp = random_warp(horizontal_flip=flips[0], vertical_flip=flips[1], fill_mode=fill_mode, **moves)
    recolour = random_intensity(**colours)
    return Augmentation(
        warp=warp if any([*flips, *moves.values()]) else _unchanged,
        recolour=recolour if any(colours.values()) else _unchanged,
    )


def _scaled(strength: float, **ranges: float) -> dict[str, float]:
    """The ranges times the strength, checked against what still makes an image."""
    for name, value in ranges.items():
        if not 0 <= value * strength <= LIMITS[name]:
            times = "" if strength == 1 else f" times strength={strength}"
            raise BadInputError(f"{name}={value}{times} must be from 0 to {LIMITS[name]:g}.")
    return {name: value * strength for name, value in ranges.items()}

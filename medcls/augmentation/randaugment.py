"""RandAugment: a few operations at random for each image, all at one magnitude."""

from types import MappingProxyType
from typing import Any

from medcls.augmentation import intensity, photometric, seeded_random
from medcls.augmentation.base import Augmentation
from medcls.augmentation.geometric import of_masks, transforms
from medcls.augmentation.resampling import warp
from medcls.augmentation.standard import check_fill
from medcls.spec.constraints import at_least, constrained
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import tensorflow as tf

LARGEST = 30.0  # the paper's scale of magnitudes
MOVES = MappingProxyType({"rotation": 30.0, "shear": 17.0, "right": 0.45, "down": 0.45})
"""What the largest magnitude does: degrees, degrees, fractions of width and height."""
FACTORS = ("contrast", "brightness", "colour", "sharpness")  # at the largest magnitude times 0.1 or 1.9
OTHERS = ("identity", "autocontrast", "equalize", "solarize", "posterize")
OPERATIONS = (*MOVES, *FACTORS, *OTHERS)


def _within(**parameters: Any) -> None:
    if not 0 <= parameters["magnitude"] <= LARGEST:
        raise BadInputError(f"magnitude={parameters['magnitude']} must be from 0 to {LARGEST:g}.")
    check_fill(parameters["fill_mode"], parameters["fill_value"])


@constrained(_within, at_least(1, "count"))
def randaugment(
    *, count: int = 2, magnitude: float = 9.0, fill_mode: str = "nearest", fill_value: float = 0.0
) -> Augmentation:
    """Return `count` of thirteen operations, drawn for each image (Cubuk et al. 2020).

    Rotation, shear, shifts to the side and up or down; contrast, brightness, colour, sharpness, identity, autocontrast,
    equalize, solarize, posterize. All that moves comes first, in one resampling; what is drawn twice moves twice as
    far. Colour leaves grey images as they are.

    Args:
        count: operations an image.
        magnitude: of all of them, 0 to 30.
        fill_mode: "nearest", "constant", "reflect" or "wrap": what comes in from outside.
        fill_value: of "constant", 0..255.
    """
    level = magnitude / LARGEST

    def move(images: Any, seed: Any, interpolation: str = "bilinear") -> Any:
        images_in, height, width = tf.unstack(tf.shape(images)[:3])
        spans = {"right": tf.cast(width, tf.float32), "down": tf.cast(height, tf.float32)}
        times, signs = _drawn(seed, images_in, count)
        moves = {name: level * most * spans.get(name, 1.0) * times[name] * signs[name] for name, most in MOVES.items()}
        matrices = transforms(spans["down"], spans["right"], **moves)
        fill = {"fill_mode": fill_mode, "fill_value": fill_value}
        outside = fill if interpolation == "bilinear" else of_masks(fill)
        return warp(images, matrices, interpolation=interpolation, **outside)

    def recolour(images: Any, seed: Any) -> Any:
        return _recoloured(images, *_drawn(seed, tf.shape(images)[0], count), level)

    return Augmentation(warp=move, recolour=recolour)


def _drawn(seed: Any, images: Any, count: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """How often each operation is drawn for each image, and its sign: by name, of shape (images,), float32."""
    drawn = seeded_random.uniform(seed, "operations", (images, count), 0.0, float(len(OPERATIONS)))
    numbers = tf.minimum(tf.cast(drawn, tf.int32), len(OPERATIONS) - 1)
    times = tf.reduce_sum(tf.one_hot(numbers, len(OPERATIONS)), axis=1)
    signs = {name: seeded_random.signs(seed, f"{name}_sign", images, drawn=True) for name in (*MOVES, *FACTORS)}
    return {name: times[:, place] for place, name in enumerate(OPERATIONS)}, signs


def _recoloured(images: Any, times: dict[str, Any], signs: dict[str, Any], level: float) -> Any:
    """The images with the tones of the operations that were drawn for each."""
    for name, changed in (
        ("autocontrast", photometric.stretch),
        ("equalize", photometric.equalize),
        ("solarize", lambda each: photometric.solarize(each, tf.fill((tf.shape(each)[0],), 256.0 * (1.0 - level)))),
        (
            "posterize",
            lambda each: photometric.posterize(each, tf.fill((tf.shape(each)[0],), 8.0 - round(4.0 * level))),
        ),
    ):
        images = tf.where(intensity.each(times[name]) > 0, changed(images), images)
    factors = {name: tf.where(times[name] > 0, 1.0 + 0.9 * level * signs[name], 1.0) for name in FACTORS}
    images = intensity.adjust(images, factors["contrast"], tf.zeros_like(factors["contrast"]))
    images = intensity.multiply(images, factors["brightness"])
    return photometric.sharpen(photometric.saturate(images, factors["colour"]), factors["sharpness"])

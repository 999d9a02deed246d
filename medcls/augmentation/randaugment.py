"""RandAugment (Cubuk et al. 2020, arXiv:1909.13719): random operations for each image, all at one magnitude."""

from types import MappingProxyType

from medcls.augmentation import intensity, photometric, seeded_random
from medcls.augmentation.base import Augmentation
from medcls.augmentation.geometric import of_masks, transforms
from medcls.augmentation.resampling import warp
from medcls.augmentation.standard import check_fill
from medcls.spec.constraints import at_least, constrained
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import tensorflow as tf
from medcls.utils.tensors import Tensor

LARGEST = 30.0  # the paper's scale of magnitudes
MOVES = MappingProxyType({"rotation": 30.0, "shear": 17.0, "right": 0.45, "down": 0.45})
"""Operation -> its effect at the largest magnitude: degrees, degrees, fractions of width and height."""
FACTORS = ("contrast", "brightness", "colour", "sharpness")  # at the largest magnitude times 0.1 or 1.9
OTHERS = ("identity", "autocontrast", "equalize", "solarize", "posterize")
OPERATIONS = (*MOVES, *FACTORS, *OTHERS)


def _check(*, magnitude: float, fill_mode: str, fill_value: float, **_: object) -> None:
    if not 0 <= magnitude <= LARGEST:
        raise BadInputError(f"magnitude={magnitude} must be from 0 to {LARGEST:g}.")
    check_fill(fill_mode, fill_value)


@constrained(_check, at_least(1, "count"))
def randaugment(
    *, count: int = 2, magnitude: float = 9.0, fill_mode: str = "nearest", fill_value: float = 0.0
) -> Augmentation:
    """Return an augmentation that draws `count` of thirteen operations for each image (Cubuk et al. 2020).

    The operations are rotation, shear, horizontal and vertical shift; contrast, brightness, colour, sharpness,
    identity, autocontrast, equalize, solarize and posterize. Geometric operations come first, in one resampling; one
    that is drawn twice has twice the effect. Colour leaves gray images as they are.

    Args:
        count: the number of operations per image.
        magnitude: of all operations, 0 to 30.
        fill_mode: "nearest", "constant", "reflect" or "wrap": what lies outside of an image.
        fill_value: the value of "constant", 0..255.
    """
    level = magnitude / LARGEST

    def move(images: Tensor, seed: Tensor, interpolation: str = "bilinear") -> Tensor:
        batch_size, height, width = tf.unstack(tf.shape(images)[:3])
        units = {"right": tf.cast(width, tf.float32), "down": tf.cast(height, tf.float32)}  # of shifts, in pixels
        times, signs = _drawn(seed, batch_size, count)
        moves: dict[str, Tensor] = {}
        for name, largest in MOVES.items():
            moves[name] = level * largest * units.get(name, 1.0) * times[name] * signs[name]
        matrices = transforms(units["down"], units["right"], **moves)
        fill = {"fill_mode": fill_mode, "fill_value": fill_value}
        outside = fill if interpolation == "bilinear" else of_masks(fill)
        return warp(images, matrices, interpolation=interpolation, **outside)

    def recolour(images: Tensor, seed: Tensor) -> Tensor:
        times, signs = _drawn(seed, tf.shape(images)[0], count)
        return _recoloured(images, times, signs, level)

    return Augmentation(warp=move, recolour=recolour)


def _drawn(seed: Tensor, batch_size: Tensor, count: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Draw the operations for each image.

    Args:
        seed: of shape (2,).
        batch_size: the number of images.
        count: the number of operations per image.

    Returns:
        Operation -> how many times it was drawn, and operation -> its sign, both of shape (batch_size,), float32.
    """
    drawn = seeded_random.uniform(seed, "operations", (batch_size, count), 0.0, float(len(OPERATIONS)))
    numbers = tf.minimum(tf.cast(drawn, tf.int32), len(OPERATIONS) - 1)
    counts = tf.reduce_sum(tf.one_hot(numbers, len(OPERATIONS)), axis=1)
    times = {name: counts[:, number] for number, name in enumerate(OPERATIONS)}
    signs: dict[str, Tensor] = {}
    for name in (*MOVES, *FACTORS):
        signs[name] = seeded_random.signs(seed, f"{name}_sign", batch_size, drawn=True)
    return times, signs


def _recoloured(images: Tensor, times: dict[str, Tensor], signs: dict[str, Tensor], level: float) -> Tensor:
    """Return the images after the operations on pixel values that were drawn for each.

    Args:
        images: of shape (batch_size, height, width, channels), float32, 0..255.
        times: operation -> how many times it was drawn for each image.
        signs: operation -> its sign for each image.
        level: the magnitude, 0..1.
    """
    batch_size = tf.shape(images)[0]
    images = _where_drawn(times["autocontrast"], photometric.stretch(images), images)
    images = _where_drawn(times["equalize"], photometric.equalize(images), images)
    thresholds = tf.fill((batch_size,), 256.0 * (1.0 - level))
    images = _where_drawn(times["solarize"], photometric.solarize(images, thresholds), images)
    bits = tf.fill((batch_size,), 8.0 - round(4.0 * level))
    images = _where_drawn(times["posterize"], photometric.posterize(images, bits), images)
    factors: dict[str, Tensor] = {}
    for name in FACTORS:
        factors[name] = tf.where(times[name] > 0, 1.0 + 0.9 * level * signs[name], 1.0)
    images = intensity.adjust(images, factors["contrast"], tf.zeros_like(factors["contrast"]))
    images = intensity.multiply(images, factors["brightness"])
    return photometric.sharpen(photometric.saturate(images, factors["colour"]), factors["sharpness"])


def _where_drawn(times: Tensor, changed: Tensor, images: Tensor) -> Tensor:
    """Return the changed images where an operation was drawn, and the others as they are."""
    return tf.where(intensity.per_image(times) > 0, changed, images)

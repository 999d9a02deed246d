"""From a body to a radiograph: all that differs between two pictures of the same bones.

Nothing here knows what the body is, so markers, borders, metal and exposure tell a network nothing.
"""

import cmath
import math
from dataclasses import dataclass

import numpy as np

from medcls.data.phantoms.drawing import Body, Film, Pose, Ring, Rod
from medcls.data.phantoms.types import SIZE, Pixels
from medcls.utils.lazy import scipy

Generator = np.random.Generator

BONE = np.float32(3.2)  # how much more bone weakens the rays than as much soft tissue does
MARKERS = ("L", "R", "L", "R", "LA", "RA", "AP", "PA", "L 2", "R 7", "STAT", "SUP", "41", "08")


@dataclass(frozen=True)
class Habits:
    """How much a department's pictures vary.

    Attributes:
        turn: standard deviation of the rotation, in degrees.
        shift: standard deviation of the displacement, in half widths of the picture.
        zoom: standard deviation of the logarithm of the scale.
        crop: share of pictures that show a small part of the region only.
        noise: median standard deviation of the noise, as a part of the window.
        hardware: share of pictures with metal or a cable.
    """

    turn: float = 14.0
    shift: float = 0.14
    zoom: float = 0.12
    crop: float = 0.1
    noise: float = 0.03
    hardware: float = 0.25


def lay(rng: Generator, habits: Habits) -> Pose:
    """Return a pose at random: mostly the whole region, at times a part of it."""
    scale = 0.95 * math.exp(rng.normal(0, habits.zoom))
    shift = complex(*rng.normal(0, habits.shift, 2))
    if rng.random() < habits.crop:
        scale, shift = scale * rng.uniform(1.4, 2.1), complex(*rng.uniform(-0.6, 0.6, 2))
    turn = cmath.rect(scale * SIZE / 2, math.radians(rng.normal(0, habits.turn)))
    return Pose(turn, (1 + 1j + shift) * SIZE / 2, mirrored=bool(rng.random() < 0.5))


def add_hardware(body: Body, rng: Generator, habits: Habits) -> None:
    """Lay a plate with screws, a nail, or a cable with its electrode over some bodies, whatever they are."""
    if rng.random() > habits.hardware:
        return
    place, along = complex(*rng.uniform(-0.6, 0.6, 2)), cmath.rect(1, rng.uniform(0, math.tau))
    kind = rng.integers(3)
    if kind == 0:
        heads = [place + step * along for step in (-0.2, -0.07, 0.07, 0.2)]
        screws = [Rod(head, head + 0.16j * along, 0.016) for head in heads]
        plate = Rod(place - 0.27 * along, place + 0.27 * along, 0.04, blunt=2)
        body.add_bone(plate, *screws, spongy=1, density=3)
    elif kind == 1:
        nail = Rod(place, place + rng.uniform(0.3, 0.9) * along, rng.uniform(0.01, 0.03))
        body.add_bone(nail, spongy=1, density=4)
    else:
        half, width = rng.uniform(0.8, 1.6) * along, rng.uniform(0.5, 1.2)
        cable = Ring(place + half, half, width, 0.014, -along, rng.uniform(0.3, 0.7))
        body.add_bone(cable, Rod(place, place, 0.05), spongy=1, density=3)


def develop(body: Body, rng: Generator, habits: Habits) -> Pixels:
    """Return the radiograph of a body, of shape (128, 128), uint8: bone bright, air dark, rarely inverted."""
    shadow = body.tissue + BONE * body.bone * (1 + 0.12 * _clouds(rng, 56))
    shadow += 0.06 * shadow.mean() * (_clouds(rng, 5) + _clouds(rng, 16))
    shadow = scipy.ndimage.gaussian_filter(shadow, rng.uniform(0.3, 1.3), truncate=3)
    picture = _add_grain(_window(shadow, rng), rng, habits)
    picture = np.clip(picture, 0, 1) ** np.float32(math.exp(rng.normal(0, 0.3)))
    low, high = rng.uniform(0, 0.15), rng.uniform(0.75, 1)
    picture = _burn_in(_collimate(low + (high - low) * picture, rng), rng)
    if rng.random() < 0.06:
        picture = 1 - picture
    return (255 * np.clip(picture, 0, 1) + 0.5).astype(np.uint8)


def _window(shadow: Film, rng: Generator) -> Film:
    """Return the shadow scaled so that most of it lies in 0..1, as a radiographer's window would."""
    dark, bright = np.percentile(shadow, (rng.uniform(0, 10), rng.uniform(97, 100)))
    width = max(bright - dark, 0.05) * rng.uniform(0.9, 1.3)
    return (shadow - np.float32(dark)) / np.float32(width)


def _add_grain(picture: Film, rng: Generator, habits: Habits) -> Film:
    """Add the noise of few quanta: stronger where fewer come through, and partly shared by neighbours."""
    grain = rng.standard_normal((SIZE, SIZE), dtype=np.float32) + _clouds(rng, SIZE // 2)
    strength = habits.noise * math.exp(rng.normal(0, 0.4))
    return picture + strength * (0.7 + 0.5 * np.minimum(picture, 1)) * grain


def _clouds(rng: Generator, cells: int) -> Film:
    """Return smooth noise of shape (128, 128), `cells` hills wide."""
    from PIL import Image

    coarse = Image.fromarray(rng.standard_normal((cells, cells), dtype=np.float32))
    return np.asarray(coarse.resize((SIZE, SIZE), Image.Resampling.BICUBIC), dtype=np.float32)


def _collimate(picture: Film, rng: Generator) -> Film:
    """Darken (or, rarely, whiten) what lies outside a turned rectangle, in half of the pictures."""
    if rng.random() < 0.5:
        return picture
    turn = cmath.rect(1, math.radians(rng.normal(0, 10)))
    y, x = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j].astype(np.float32)
    across, along = np.abs(x * turn.real + y * turn.imag), np.abs(y * turn.real - x * turn.imag)
    inside = np.minimum(rng.uniform(0.65, 1.05) - across, rng.uniform(0.75, 1.1) - along)
    light: Film = np.clip(inside * SIZE / 3, 0, 1)
    border = 1.0 if rng.random() < 0.08 else rng.uniform(0, 0.08)
    return picture * light + border * (1 - light)


def _burn_in(picture: Film, rng: Generator) -> Film:
    """Lay lead letters over most pictures, away from the middle and at any slant."""
    from PIL import Image, ImageDraw, ImageFont

    if rng.random() > 0.75:
        return picture
    spot = cmath.rect(rng.uniform(0.35, 0.62), rng.uniform(0, math.tau))
    left, top = (min(max((0.5 + offset) * SIZE, 8.0), SIZE - 20.0) for offset in (spot.real, spot.imag))
    plate = Image.new("L", (SIZE, SIZE))
    text = MARKERS[rng.integers(len(MARKERS))]
    ImageDraw.Draw(plate).text((left, top), text, fill=255, font=ImageFont.load_default_imagefont())
    plate = plate.rotate(rng.normal(0, 30), Image.Resampling.BILINEAR, center=(left, top))
    letters = np.asarray(plate, dtype=np.float32) / 255
    return np.maximum(picture, rng.uniform(0.6, 1) * letters)

"""Films of chests from the front: what soft tissue, air and bones leave, and how it is exposed and labelled."""

import cmath
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from medcls.data.phantoms import radiograph, shapes, thorax
from medcls.data.phantoms.texture import Field, Generator, between, clouds, fractal, grid, smooth

PICTURE = 256  # pixels a side
MARKERS = ("R", "L", "R", "PA\nERECT", "L\nPA", "AP")
"""The files that a film's pixels depend on."""

Place = Callable[[complex], complex]


@dataclass(frozen=True, eq=False)
class Shadows:
    """What the rays of one film have crossed.

    Attributes:
        whole: how much, of shape (PICTURE, PICTURE): bright on the film.
        lungs: how much of each pixel lies in the lungs, 0..1.
        chest: its measures.
        place: a point of the chest -> its pixel, x + 1j * y.
        scale: how many pixels half the film's width of a usual chest is.
    """

    whole: Field
    lungs: Field
    chest: thorax.Chest
    place: Place
    scale: float


def lungs(rng: Generator) -> Field:
    """Return how much of each pixel lies in the lungs of the chest that `shadows` makes of the same generator, 0..1."""
    return _chest(rng)[1]


def shadows(rng: Generator, *, diseased: bool) -> Shadows:
    """Return the shadows of a chest; where `diseased`, nearly half of them have patches, haze or fluid in the lungs."""
    chest, lungs, place, scale = _chest(rng)
    soft = _soft(chest, lungs, place, scale, rng)
    sick = thorax.opacities(lungs, rng, size=PICTURE) if diseased else np.zeros_like(lungs)
    return Shadows(np.maximum(soft + sick, 0) + _bones(chest, lungs, place, scale, rng), lungs, chest, place, scale)


def _chest(rng: Generator) -> tuple[thorax.Chest, Field, Place, float]:
    """Return a chest, its lungs, where its points lie in the picture, and its scale."""
    scale = PICTURE / 2 * math.exp(rng.normal(0.06, 0.09))
    turn, shift = (
        cmath.rect(scale, math.radians(rng.normal(0, 2))),
        complex(rng.normal(0, 0.04), rng.normal(0.02, 0.06)),
    )
    place = partial(_placed, turn, (1 + 1j + shift) * PICTURE / 2)
    chest = thorax.chest(rng)
    outlines = [shapes.rounded([place(point) for point in chest.lung(side, rng)]) for side in thorax.SIDES]
    return chest, shapes.filled(PICTURE, outlines), place, scale


def exposed(shadow: Field, rng: Generator) -> Field:
    """Return the film, 0..1, of a shadow: a tenth of them badly exposed, most with a letter for the side."""
    picture = radiograph.exposed(shadow, rng, noise=0.008)
    if rng.random() < 0.1:  # badly exposed
        picture = np.float32(rng.uniform(0, 0.6)) + np.float32(rng.uniform(0.2, 0.4)) * picture
    picture = radiograph.shuttered(picture, rng, share=0.3, slant=1.5)
    if rng.random() < 0.7:
        side = rng.uniform(0.03, 0.16)
        plate = radiograph.lettered(
            str(rng.choice(MARKERS)),
            scale=rng.uniform(0.8, 1.2),
            framed=bool(rng.random() < 0.3),
            brightness=rng.uniform(0.7, 1),
            corner=(rng.uniform(0.01, 0.1), side if rng.random() < 0.5 else 1 - side),
            size=PICTURE,
        )
        picture = plate.on(picture)
    return picture


def _placed(turn: complex, middle: complex, point: complex) -> complex:
    return turn * point + middle


def _soft(chest: thorax.Chest, lungs: Field, place: Place, scale: float, rng: Generator) -> Field:
    """Return the shadow of the soft tissue, less what the lungs hold of air, with their vessels."""
    trunk = shapes.filled(PICTURE, [[place(point) for point in each] for each in thorax.trunk(chest)])
    body = trunk * np.square(np.float32(0.3) + np.float32(0.7) * smooth(trunk, 18))
    x, y = grid(PICTURE)
    middle = (place(0) / (PICTURE / 2) - 1 - 1j).real
    belly = np.float32(rng.uniform(0.15, 0.4)) * between(min(chest.domes) - 0.25, y, max(chest.domes) + 0.3)
    column = np.float32(rng.uniform(0.12, 0.25)) * np.exp(-np.square((x - np.float32(middle)) / np.float32(0.14)))
    tissue = body * (1 + belly + column + np.float32(0.03) * fractal(rng, PICTURE, 4, 4))
    air = smooth(lungs, 0.8) * (np.float32(0.5) + np.float32(0.5) * smooth(lungs, 12))
    tissue = tissue - np.float32(rng.uniform(0.45, 0.75)) * air * np.minimum(tissue, 1)
    trachea = [place(complex(0.02, step)) for step in (-1.3, -0.9, chest.top + 0.3)]
    tissue = tissue - np.float32(0.12) * smooth(shapes.drawn(PICTURE, [(trachea, 0.09 * scale)]), 2)
    if rng.random() < 0.6:  # air in the stomach, below the left dome
        bubble = place(complex(rng.uniform(0.25, 0.5), chest.domes[1] + rng.uniform(0.1, 0.2)))
        gas = shapes.wavy(rng, bubble, scale * rng.uniform(0.05, 0.11), longer=1.7, waves={2: 0.1, 3: 0.1})
        pixels = np.arange(PICTURE, dtype=np.float32)
        tissue = tissue - np.float32(0.22) * (1 - between(0.85, gas.level(pixels[None, :], pixels[:, None]), 1.1))
    tree = smooth(shapes.drawn(PICTURE, thorax.placed(thorax.vessels(chest, rng), place, scale)), 0.7)
    fine = np.float32(0.02) * clouds(rng, PICTURE, 64) * lungs
    lit = np.float32(rng.uniform(0.05, 0.17)) * tree * lungs + fine
    shadow: Field = tissue + lit
    return shadow


def _bones(chest: thorax.Chest, lungs: Field, place: Place, scale: float, rng: Generator) -> Field:
    behind, front = thorax.ribs(chest, rng)
    strength = rng.uniform(0.09, 0.22)
    cage = thorax.tubes(PICTURE, thorax.placed(behind, place, scale), hollow=0.45)
    cage = cage + np.float32(0.5) * thorax.tubes(PICTURE, thorax.placed(front, place, scale, 1.2), hollow=0.5)
    around = [*thorax.clavicles(chest, rng), *thorax.arms()]
    heavy = np.float32(0.7) * thorax.tubes(PICTURE, thorax.placed(around, place, scale), hollow=0.45)
    column = np.float32(0.4) * shapes.drawn(PICTURE, thorax.placed(thorax.spine(rng), place, scale))
    bones = cage * (np.float32(0.45) + np.float32(0.55) * lungs) + heavy + column
    return np.float32(strength) * smooth(bones, 0.8)

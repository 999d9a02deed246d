"""Shapes laid on pictures: closed wavy outlines, polygons and lines."""

import cmath
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from medcls.data.phantoms.texture import Field, Generator

ANGLES = 720  # at which an outline's radius is known
FINER = 3  # times finer than the picture are polygons and lines drawn, then averaged


@dataclass(frozen=True, eq=False)
class Outline:
    """A closed curve that every ray from its centre crosses once.

    Attributes:
        centre: x + 1j * y.
        radii: of shape (ANGLES,), float32: the distance from the centre at evenly spaced angles.
    """

    centre: complex
    radii: Field

    def level(self, x: Field, y: Field) -> Field:
        """Return how far out each point lies: 0 at the centre, 1 on the curve."""
        right, down = x - np.float32(self.centre.real), y - np.float32(self.centre.imag)
        turn = np.arctan2(down, right) * np.float32(ANGLES / math.tau)
        far: Field = np.hypot(right, down) / self.radii[turn.astype(np.int32) % ANGLES]
        return far


def wavy(
    rng: Generator, centre: complex, radius: float, *, longer: float, waves: Mapping[int, float], turn: float = 0.0
) -> Outline:
    """Return an ellipse bent by waves of random phase.

    Args:
        rng: of the phases.
        centre: of the ellipse.
        radius: the geometric mean of its half axes.
        longer: its long axis as a multiple of the short one.
        waves: number of waves around -> their height as a part of the radius.
        turn: the direction of the long axis, in radians.
    """
    angle = np.linspace(0, math.tau, ANGLES, endpoint=False, dtype=np.float32)
    half = math.sqrt(longer)
    radii = radius / np.hypot(np.cos(angle - turn) / half, np.sin(angle - turn) * half)
    bend = sum(height * np.cos(count * angle + rng.uniform(0, math.tau)) for count, height in waves.items())
    return Outline(centre, (radii * np.exp(bend)).astype(np.float32))


def filled(size: int, polygons: Iterable[Sequence[complex]]) -> Field:
    """Return how much of each pixel lies in any of the polygons, their points in pixels, of shape (size, size)."""
    from PIL import Image, ImageDraw

    picture = Image.new("L", (FINER * size, FINER * size))
    pencil = ImageDraw.Draw(picture)
    for polygon in polygons:
        pencil.polygon([_fine(point) for point in polygon], fill=255)
    return np.asarray(picture.reduce(FINER), dtype=np.float32) / np.float32(255)


def drawn(size: int, lines: Iterable[tuple[Sequence[complex], float]]) -> Field:
    """Return how much of each pixel is covered by lines, each of points and a width in pixels."""
    from PIL import Image, ImageDraw

    picture = Image.new("L", (FINER * size, FINER * size))
    pencil = ImageDraw.Draw(picture)
    for points, width in lines:
        pen = max(round(FINER * width), 1)
        pencil.line([_fine(point) for point in points], fill=255, width=pen)
    return np.asarray(picture.reduce(FINER), dtype=np.float32) / np.float32(255)


def bent(start: complex, end: complex, sag: float, points: int = 24) -> list[complex]:
    """Return the points of an arc from start to end that sags sideways by a part of its length."""
    along = np.linspace(0, 1, points)
    side = 4 * sag * along * (1 - along) * 1j
    return [complex(point) for point in start + (end - start) * (along + side)]


def rounded(corners: Sequence[complex], each: int = 12) -> list[complex]:
    """Return a closed smooth curve through the corners (Catmull and Rom's), `each` points to a corner."""
    knots = np.asarray(corners)
    before, here, after, beyond = (np.roll(knots, shift)[:, None] for shift in (1, 0, -1, -2))
    t = np.linspace(0, 1, each, endpoint=False)[None, :]
    curve = 0.5 * (
        2 * here
        + (after - before) * t
        + (2 * before - 5 * here + 4 * after - beyond) * t**2
        + (3 * here - before - 3 * after + beyond) * t**3
    )
    return [complex(point) for point in curve.ravel()]


def wandering(
    rng: Generator, start: complex, heading: float, length: float, curl: float, points: int = 24
) -> list[complex]:
    """Return a line that begins in a direction (radians) and curls at random: a hair, a vessel, a fibre."""
    along = np.linspace(0, 1, points)
    bends = heading + rng.normal(0, curl) * along + rng.normal(0, curl) * along**2 + rng.normal(0, curl / 10, points)
    steps = [cmath.rect(length / points, bend) for bend in bends]
    return [complex(point) for point in start + np.cumsum(steps)]


def _fine(point: complex) -> tuple[float, float]:
    return FINER * point.real, FINER * point.imag

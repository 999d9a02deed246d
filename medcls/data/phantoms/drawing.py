"""Bodies as X-rays see them: solids laid over one another, each adding the length of its path through them.

A solid is described on the plane of the film in the body's own units (x to the right, y down, both -1..1 in
the middle of the picture) as a complex number, so that a turn is a product. A bone is a solid with a hollow
inside, and its bright rim, the cortex, comes of itself: at its edge a ray crosses nothing but wall.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from medcls.data.phantoms.types import SIZE

Film = NDArray[np.floating[Any]]  # float32 throughout: the stubs widen what Python floats multiply
Crossing = tuple[tuple[slice, slice], Film, Film]


@dataclass(frozen=True)
class Pose:
    """How a body lies on the film: mirrored left to right, then turned, scaled and shifted, in pixels."""

    turn: complex
    shift: complex
    mirrored: bool = False

    @property
    def scale(self) -> float:
        """Pixels to a unit of the body."""
        return abs(self.turn)

    def vector(self, value: complex) -> complex:
        """Return a difference of two points of the body in pixels."""
        return self.turn * (-value.conjugate() if self.mirrored else value)

    def point(self, value: complex) -> complex:
        """Return a point of the body in pixels."""
        return self.vector(value) + self.shift


class Solid(Protocol):
    """A shape that rays cross."""

    def cross(self, pose: Pose, wall: float) -> Crossing:
        """Return where on the film it lies, and there the half paths through it and through its hollow."""


@dataclass(frozen=True)
class Rod:
    """A round rod from one point to another, as most bones and limbs are.

    Attributes:
        start, end: the ends of its axis.
        radius: at the start.
        taper: the radius at the end, as a multiple of that at the start.
        flare: how much thicker both ends are than the middle, as a multiple of the radius.
        blunt: 1 for round ends, more for flatter ones.
    """

    start: complex
    end: complex
    radius: float
    taper: float = 1.0
    flare: float = 0.0
    blunt: float = 1.0

    def cross(self, pose: Pose, wall: float) -> Crossing:
        """Return where on the film it lies, and there the half paths through it and through its hollow."""
        start, end, thick = pose.point(self.start), pose.point(self.end), self.radius * pose.scale
        reach = thick * max(1.0, self.taper) * (1 + self.flare)
        where, x, y = _window((start, end), reach, start)
        length = max(abs(end - start), 1e-6)
        axis = (end - start) / length if start != end else 1 + 0j
        along = x * axis.real + y * axis.imag
        on_axis = np.minimum(np.maximum(along, 0), length)
        offset = (x * axis.imag - y * axis.real) ** 2 + (self.blunt * (along - on_axis)) ** 2
        part = on_axis / length
        radius = thick * (1 + (self.taper - 1) * part) * (1 + self.flare * (2 * part - 1) ** 4)
        return where, _chord(radius, offset) / pose.scale, _chord(radius - wall * thick, offset) / pose.scale


@dataclass(frozen=True)
class Oval:
    """An ellipsoid of one half axis as a vector, another across it, and a depth."""

    centre: complex
    half: complex
    width: float
    depth: float = 0.2

    def cross(self, pose: Pose, wall: float) -> Crossing:
        """Return where on the film it lies, and there the half paths through it and through its hollow."""
        centre, half, width = pose.point(self.centre), pose.vector(self.half), self.width * pose.scale
        axis = half / abs(half)
        where, x, y = _window(_corners(centre, half, 1j * width * axis), 0, centre)
        along, across = x * axis.real + y * axis.imag, x * axis.imag - y * axis.real
        one, wall = np.float32(1), wall * width
        outer = _chord(one, (along / abs(half)) ** 2 + (across / width) ** 2)
        inner = _chord(one, (along / (abs(half) - wall)) ** 2 + (across / (width - wall)) ** 2)
        return where, outer * np.float32(self.depth), inner * np.float32(self.depth)


@dataclass(frozen=True)
class Ring:
    """A wire bent to an ellipse, whole or only its arc `towards` a direction: ribs, rims and cables.

    Attributes:
        centre, half, width: the ellipse, as an Oval's.
        radius: of the wire.
        towards: the middle of the arc, as seen from the centre.
        arc: what part of the ring is there, from 0 (nothing) to 1 (all).
    """

    centre: complex
    half: complex
    width: float
    radius: float
    towards: complex = 1
    arc: float = 1.0

    def cross(self, pose: Pose, wall: float) -> Crossing:
        """Return where on the film it lies, and there the half paths through it and through its hollow."""
        centre, half, width = pose.point(self.centre), pose.vector(self.half), self.width * pose.scale
        thick, facing = np.float32(self.radius * pose.scale), pose.vector(self.towards)
        axis = half / abs(half)
        where, x, y = _window(_corners(centre, half, 1j * width * axis), float(thick), centre)
        along, across = (x * axis.real + y * axis.imag) / abs(half), (x * axis.imag - y * axis.real) / width
        level = np.sqrt(along**2 + across**2) + np.float32(1e-6)
        slope = np.sqrt((along / abs(half)) ** 2 + (across / width) ** 2) / level + np.float32(1e-6)
        offset = ((level - 1) / slope) ** 2
        aim = (x * facing.real + y * facing.imag) / (np.hypot(x, y) + np.float32(1e-6)) / abs(facing)
        there = np.clip(4 * aim + np.float32(9 * self.arc - 4), 0, 1)
        outer, inner = _chord(thick, offset), _chord(thick * (1 - wall), offset)
        return where, outer * there / pose.scale, inner * there / pose.scale


class Body:
    """What rays cross of soft tissue and of bone on their way to each pixel, in the body's own units.

    Attributes:
        tissue, bone: of shape (128, 128), float32.
    """

    def __init__(self, pose: Pose) -> None:
        self.pose = pose
        self.tissue, self.bone = _blank(), _blank()

    def add_tissue(self, *solids: Solid, density: float = 1.0) -> None:
        """Add the union of soft solids."""
        self.tissue += np.float32(density) * self._union(solids, 0.0)[0]

    def add_air(self, *solids: Solid, density: float = 1.0, but: Iterable[Solid] = ()) -> None:
        """Take away the tissue in the union of solids, `but` what other solids fill."""
        air = self._union(solids, 0.0)[0] - self._union(but, 0.0)[0]
        self.tissue -= np.minimum(np.float32(density) * np.maximum(air, 0), self.tissue)

    def add_bone(self, *solids: Solid, wall: float = 0.3, spongy: float = 0.3, density: float = 1.0) -> None:
        """Add the union of bones that have a wall (a part of the radius) around a `spongy` inside."""
        outer, inner = self._union(solids, wall)
        self.bone += np.float32(density) * (outer - np.float32(1 - spongy) * inner)

    def _union(self, solids: Iterable[Solid], wall: float) -> tuple[Film, Film]:
        outer, inner = _blank(), _blank()
        for solid in solids:
            where, whole, hollow = solid.cross(self.pose, wall)
            np.maximum(outer[where], whole, out=outer[where])
            np.maximum(inner[where], hollow, out=inner[where])
        return outer, inner


def _blank() -> Film:
    return np.zeros((SIZE, SIZE), np.float32)


def _window(points: tuple[complex, ...], reach: float, origin: complex) -> tuple[tuple[slice, slice], Film, Film]:
    """Return the part of the film within reach of the points, and its pixels' x and y from the origin."""
    rows = _span([point.imag for point in points], reach)
    columns = _span([point.real for point in points], reach)
    x = np.arange(columns.start, columns.stop, dtype=np.float32) - np.float32(origin.real)
    y = np.arange(rows.start, rows.stop, dtype=np.float32) - np.float32(origin.imag)
    return (rows, columns), x[None, :], y[:, None]


def _corners(centre: complex, half: complex, across: complex) -> tuple[complex, complex]:
    """Return two opposite corners of the upright box around an ellipse of two half axes."""
    corner = complex(math.hypot(half.real, across.real), math.hypot(half.imag, across.imag))
    return centre - corner, centre + corner


def _span(values: list[float], reach: float) -> slice:
    start = min(max(int(min(values) - reach), 0), SIZE)
    return slice(start, min(max(int(max(values) + reach) + 2, start), SIZE))


def _chord(radius: Film | np.floating[Any], offset: Film) -> Film:
    """Return half the way through a ball of a given radius at a given squared distance from its middle."""
    radius = np.maximum(radius, np.float32(0))
    chord: Film = np.sqrt(np.maximum(radius * radius - offset, np.float32(0)))
    return chord

"""The femur and what lies around it, with the signs of an atypical fracture where it has them."""

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medcls.data.phantoms.drawing import Body, Crossing, Oval, Pose, Ring, Rod, Solid
from medcls.data.phantoms.texture import Field, Generator
from medcls.data.phantoms.types import SIZE

EVERYWHERE = (slice(0, SIZE), slice(0, SIZE))


@dataclass(frozen=True)
class Atypia:
    """The signs of an atypical fracture of the shaft.

    Attributes:
        place: how far below the shaft's top it lies.
        beak: how much the lateral cortex is thickened there.
        height: of the thickening, along the shaft.
        gap: how much of the bone is missing in the fracture line, 0 to 1.
        width: of the line.
        reach: how far the line goes from the lateral cortex through the shaft, 0 to 1.
        slant: how much it rises on its way.
        kink: how far the lower part is bent away, in radians.
    """

    place: float
    beak: float
    height: float
    gap: float
    width: float
    reach: float
    slant: float = 0.0
    kink: float = 0.0


@dataclass(frozen=True)
class Shaft:
    """The femur's shaft, a tube that runs down from its top and whose two cortices differ.

    Attributes:
        top: the upper end of its axis; outward (lateral) is to the right.
        length: to the lower end.
        radius: at the narrowest.
        bow: how far the middle stands out.
        cortices: thickness of the lateral and of the medial one at the narrowest, as parts of the radius.
        atypia: the signs of an atypical fracture, or None.
    """

    top: complex
    length: float
    radius: float
    bow: float
    cortices: tuple[float, float]
    atypia: Atypia | None = None

    def cross(self, pose: Pose, wall: float) -> Crossing:  # noqa: ARG002 - its walls are its own
        """Return where on the film it lies (all of it), and there the half paths through it and through its hollow."""
        origin, outward, downward = pose.point(self.top), pose.vector(1) / pose.scale, pose.vector(1j) / pose.scale
        x = (np.arange(SIZE, dtype=np.float32)[None, :] - np.float32(origin.real)) / np.float32(pose.scale)
        y = (np.arange(SIZE, dtype=np.float32)[:, None] - np.float32(origin.imag)) / np.float32(pose.scale)
        aside = x * np.float32(outward.real) + y * np.float32(outward.imag)
        down = x * np.float32(downward.real) + y * np.float32(downward.imag)
        outer, inner, kept = self._sections(aside, down)
        there = kept * ((down >= 0) & (down <= self.length))
        return EVERYWHERE, outer * there, inner * there

    def _sections(self, aside: Field, down: Field) -> tuple[Field, Field, Field]:
        """Return the half paths through the tube and its hollow, and how much of the bone the fracture leaves."""
        part = np.clip(down / np.float32(self.length), 0, 1)
        aside = aside - np.float32(4 * self.bow) * part * (1 - part)
        wide = 1 + 0.55 * np.exp(-down / np.float32(0.22)) + 0.9 * np.exp((part - 1) * np.float32(self.length / 0.3))
        half = np.float32(self.radius) * wide
        thin = 1 - 0.75 * np.exp(-down / np.float32(0.3)) - 0.8 * np.exp((part - 1) * np.float32(self.length / 0.4))
        lateral, medial = (np.float32(self.radius * cortex) * thin for cortex in self.cortices)
        out, kept = half, np.ones_like(aside)
        if self.atypia:
            sign = self.atypia
            aside = aside - np.float32(math.tan(sign.kink)) * np.maximum(down - np.float32(sign.place), 0)
            bump = np.float32(sign.beak) * np.exp(-np.square((down - np.float32(sign.place)) / np.float32(sign.height)))
            out, lateral = half + 0.5 * bump, lateral + 1.3 * bump
            depth = (out - aside) / (out + half)
            level = down - np.float32(sign.place) - np.float32(sign.slant) * (out - aside)
            line = np.exp(-np.square(level / np.float32(sign.width)))
            kept = 1 - np.float32(sign.gap) * line * np.clip((np.float32(sign.reach) - depth) * 6, 0, 1)
        return _chord(aside, -half, out), _chord(aside, medial - half, out - lateral), kept


def _chord(aside: Field, left: Field, right: Field) -> Field:
    """Return half the way through a round tube between two edges."""
    radius, middle = np.maximum(right - left, 0) / 2, (left + right) / 2
    path: Field = np.sqrt(np.maximum(np.square(radius) - np.square(aside - middle), 0))
    return path


def signs(rng: Generator, length: float, radius: float) -> Atypia:
    """Return the signs of an atypical fracture: thickening and a line, each from hardly to clearly visible."""
    complete = rng.random() < 0.35
    return Atypia(
        place=rng.uniform(0.12, 0.55) * length,
        beak=radius * rng.uniform(0.1, 0.7),
        height=radius * rng.uniform(0.6, 1.6),
        gap=rng.uniform(0.1, 0.9),
        width=radius * rng.uniform(0.05, 0.15),
        reach=1.2 if complete else rng.uniform(0.3, 0.8),
        slant=rng.normal(0, 0.12),
        kink=math.radians(rng.uniform(0, 9)) if complete else 0.0,
    )


def plan(rng: Generator, *, atypical: bool) -> tuple[list[Solid], list[Solid]]:
    """Return the solids of a femur, and those of the pelvis beside it."""
    radius, length = 0.1 * math.exp(rng.normal(0, 0.1)), rng.uniform(1.9, 2.6)
    neck, head = complex(rng.normal(-0.02, 0.02), -0.52), complex(rng.normal(-0.33, 0.03), rng.normal(-0.76, 0.04))
    lateral, medial = np.clip(rng.normal((0.48 if atypical else 0.4, 0.4), 0.08), 0.2, 0.75).tolist()
    bow = rng.normal(0.03, 0.04)
    shaft = Shaft(
        neck - 0.02j, length, radius, bow, (lateral, medial), signs(rng, length, radius) if atypical else None
    )
    trochanter = Oval(neck + complex(0.09, -0.02), 0.05 - 0.14j, 0.09, 0.12)
    lesser = Oval(neck + complex(-0.1, 0.2), 0.03 + 0.08j, 0.05, 0.07)
    joint = Rod(head, neck, 0.12, 1.1), Oval(head, 0.165j, 0.165, 0.16), Rod(neck + 0.04j, neck + 0.3j, 0.17, 0.65)
    knee = shaft.top + 1j * length
    condyles = [Oval(knee + side * 0.12 * (1 + 0.1j), 0.15j, 0.13, 0.17) for side in (-1, 1)]
    socket, tibia = Ring(head, 0.21, 0.21, 0.04, -1 - 0.6j, 0.5), Rod(knee + 0.36j, knee + 2j, 0.2, 0.6, blunt=4)
    ilium = Oval(head - 0.3 - 0.55j, 0.28 + 0.42j, 0.34, 0.09), Rod(head - 0.1 - 0.2j, head - 0.35 - 0.35j, 0.1)
    pubis = Rod(head - 0.2 + 0.06j, head - 0.62 + 0.16j, 0.075), Ring(head - 0.34 + 0.34j, 0.2 + 0.12j, 0.16, 0.055)
    return [shaft, trochanter, lesser, *joint, *condyles], [socket, *ilium, *pubis, tibia]


def thigh(rng: Generator) -> Sequence[Solid]:
    """Return the soft tissue around a femur: the thigh and the hip above it, at times the other thigh."""
    broad = rng.uniform(0.42, 0.72)
    solids: list[Solid] = [
        Rod(-0.12 - 0.7j, -0.05 + 2.4j, broad, rng.uniform(0.6, 0.8)),
        Rod(-0.55 - 2.4j, -0.4 - 0.75j, 0.85, 0.95),
    ]
    if rng.random() < 0.5:
        solids.append(Rod(-1.45 - 0.6j, -1.3 + 2.4j, broad, 0.7))
    return solids


def lay(rng: Generator, size: int) -> Pose:
    """Return where a femur lies on a film of `size` pixels: its upper part, its middle, or nearly all of it."""
    scale = rng.choice((0.9, 1.25), p=(0.6, 0.4)) * math.exp(rng.normal(0, 0.07))
    down = rng.uniform(-0.25, 0.25) - (scale - 0.8) * rng.uniform(0.2, 0.7)
    turn = cmath.rect(scale * size / 2, math.radians(rng.normal(0, 5)))
    return Pose(turn, (1 + rng.normal(0.02, 0.08) + 1j * (1 + down)) * size / 2, mirrored=bool(rng.random() < 0.5))


def tiles(pose: Pose, size: int) -> list[Pose]:
    """Return the pose on each of the films of 128 x 128 pixels that tile a larger one, row by row."""
    steps = range(0, size, SIZE)
    return [Pose(pose.turn, pose.shift - complex(left, top), pose.mirrored) for top in steps for left in steps]


def joined(films: Sequence[Field], size: int) -> Field:
    """Return the large film that tiles make up, of shape (size, size)."""
    across = size // SIZE
    return np.block([[films[row * across + column] for column in range(across)] for row in range(across)])


def shadows(
    pose: Pose, size: int, soft: Sequence[Solid], femur: Sequence[Solid], pelvis: Sequence[Solid]
) -> tuple[Field, Field, Field]:
    """Return the paths through soft tissue, femur and pelvis, each of shape (size, size)."""
    bodies = [(Body(tile), Body(tile)) for tile in tiles(pose, size)]
    for thigh_and_femur, rest in bodies:
        thigh_and_femur.add_tissue(*soft)
        thigh_and_femur.add_bone(*femur, wall=0.09, spongy=0.22)
        rest.add_bone(*pelvis, wall=0.12)
    tissue, bone = ([getattr(body, kind) for body, _ in bodies] for kind in ("tissue", "bone"))
    return joined(tissue, size), joined(bone, size), joined([rest.bone for _, rest in bodies], size)

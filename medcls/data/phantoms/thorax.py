"""The chest as X-rays see it from the front: outlines of the lungs, and the shadows of all that crosses them.

Points are complex numbers, up is -1j, the picture's middle 0; side -1 is the viewer's left, the patient's right.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from medcls.data.phantoms import shapes
from medcls.data.phantoms.texture import Field, Generator, between, clouds, fractal

SIDES = (-1, 1)
Line = tuple[Sequence[complex], float]


@dataclass(frozen=True)
class Chest:
    """The measures of one chest.

    Attributes:
        broad: half its width at the base.
        top: where the lungs' apices lie.
        domes: where the diaphragm's domes lie, at the patient's right and left.
        heart: how far the heart reaches to the patient's left.
        hollow: half the distance between the lungs at the hila.
    """

    broad: float
    top: float
    domes: tuple[float, float]
    heart: float
    hollow: float

    def lung(self, side: int, rng: Generator) -> list[complex]:
        """Return the corners of a lung's outline, from its apex down the side and back along the heart."""
        dome, top = self.domes[side > 0], self.top
        tall = dome - top
        edge = self.heart if side > 0 else 0.55 * self.heart
        angle = dome + rng.uniform(0.06, 0.24) * tall
        corners = [
            (0.62 * self.broad * 0.62, top),
            (0.78 * self.broad, top + 0.16 * tall),
            (0.92 * self.broad, top + 0.42 * tall),
            (1.0 * self.broad, top + 0.75 * tall),
            (1.02 * self.broad, angle - 0.03),
            (1.0 * self.broad, angle),
            (0.84 * self.broad, dome + 0.03),
            (0.62 * self.broad, dome - 0.02),
            (max(edge, 0.2) + 0.05, dome + 0.02),
            (max(edge, 0.17), dome - 0.1 * tall),
            (0.5 * (edge + self.hollow) + 0.02, top + 0.66 * tall),
            (self.hollow, top + 0.5 * tall),
            (0.9 * self.hollow + (0.03 if side > 0 else 0), top + 0.32 * tall),
            (0.8 * self.hollow, top + 0.12 * tall),
            (0.24 * self.broad, top + 0.02 * tall),
        ]
        return [complex(side * (x + rng.normal(0, 0.008)), y + rng.normal(0, 0.008)) for x, y in corners]


def chest(rng: Generator) -> Chest:
    """Return a chest: broad or slim, breathing in deeply or not, its heart small or large."""
    top = rng.normal(-0.7, 0.05)
    right = float(np.clip(rng.normal(0.33, 0.13), 0.0, 0.62))
    return Chest(
        broad=float(np.clip(rng.normal(0.73, 0.07), 0.55, 0.88)),
        top=top,
        domes=(right, right + rng.normal(0.06, 0.05)),
        heart=float(np.clip(rng.normal(0.34, 0.07), 0.2, 0.52)),
        hollow=rng.uniform(0.11, 0.18),
    )


def trunk(shape: Chest) -> list[list[complex]]:
    """Return the outlines of trunk and neck, and of both arms."""
    wide = shape.broad + 0.14
    half = [
        0.15 - 1.4j,
        0.17 - 1.0j,
        0.3 - 0.9j,
        0.7 - 0.8j,
        1.0 - 0.65j,
        wide - 0.25j,
        wide + 0.02 + 0.3j,
        wide + 1.5j,
    ]
    arm = [0.6 - 0.8j, 1.0 - 0.68j, 1.2 - 0.45j, 1.42 + 1.5j, 1.16 + 1.5j, wide + 0.06 - 0.2j, wide - 0.15 - 0.4j]
    mirrored = [complex(-point.real, point.imag) for point in half]
    return [[*half, *mirrored[::-1]], arm, [complex(-point.real, point.imag) for point in arm]]


def ribs(shape: Chest, rng: Generator) -> tuple[list[Line], list[Line]]:
    """Return the ribs behind and those in front, as lines with their widths."""
    behind: list[Line] = []
    front: list[Line] = []
    low = max(shape.domes) + 0.35
    first, step, fall = shape.top + 0.07, rng.uniform(0.125, 0.15), rng.uniform(0.1, 0.22)
    thick = rng.uniform(0.04, 0.055)
    for level in range(12):
        y = first + step * level
        if y > low:
            break
        reach = shape.broad * min(0.55 + 0.14 * level, 1.04)
        for side in SIDES:
            arch = [(0.07, 0.02), (0.3, -0.03), (0.6, 0.02), (0.85, 0.11), (0.98, 0.24), (1.0, 0.34)]
            line = [complex(side * max(part * reach, 0.07), y + drop * fall / 0.16) for part, drop in arch]
            behind.append((_eased(line), thick))
            descent = [(1.0, 0.3), (0.95, 0.42), (0.75, 0.56), (0.5, 0.66), (0.34, 0.7)]
            front.append(
                (_eased([complex(side * part * reach, y + drop * fall / 0.16) for part, drop in descent]), thick)
            )
    return behind, front


def clavicles(shape: Chest, rng: Generator) -> list[Line]:
    """Return the clavicles."""
    rise = rng.uniform(-0.02, 0.14)
    inner = shape.top + rng.uniform(0.03, 0.16)
    ends = [(side * 0.08 + inner * 1j, side * 0.85 + (inner - rise - 0.05) * 1j, side) for side in SIDES]
    return [(shapes.bent(start, end, -0.05 * side), 0.055) for start, end, side in ends]


def arms() -> list[Line]:
    """Return the bones of both upper arms."""
    return [((complex(side * 0.97, -0.55), complex(side * 1.3, 0.3)), 0.15) for side in SIDES]


def spine(rng: Generator) -> list[Line]:
    """Return the vertebrae, short bars one above another."""
    step = rng.uniform(0.085, 0.1)
    bars = np.arange(-1.2, 1.3, step)
    return [((complex(-0.062, y), complex(0.062, y)), 0.62 * step) for y in bars]


def vessels(shape: Chest, rng: Generator) -> list[Line]:
    """Return the branching vessels that leave the hila, ever thinner."""
    lines: list[Line] = []
    for side in SIDES:
        hilum = complex(side * (shape.hollow + 0.03), shape.top + 0.5 * (max(shape.domes) - shape.top))
        for heading in np.linspace(-1.25, 1.35, 9) + rng.normal(0, 0.1, 9):
            aim = heading if side > 0 else np.pi - heading
            trunk_line = shapes.wandering(rng, hilum, aim, rng.uniform(0.25, 0.6), 0.25)
            lines.append((trunk_line[:10], 0.022))
            lines.append((trunk_line[9:], 0.012))
            for twig in trunk_line[5::4]:
                end = shapes.wandering(rng, twig, aim + rng.normal(0, 0.6), rng.uniform(0.1, 0.3), 0.3, 8)
                lines.append((end, 0.007))
    return lines


def opacities(lungs: Field, rng: Generator, *, size: int) -> Field:
    """Return the shadows of disease in the lungs: none in most, else patches, nodules, haze or fluid at a base."""
    kind, strength = rng.random(), rng.uniform(0.12, 0.5)
    if kind < 0.55:
        return np.zeros_like(lungs)
    if kind < 0.75:  # patches
        return np.float32(strength) * lungs * between(0.6, fractal(rng, size, 4, 4), 1.8)
    if kind < 0.85:  # nodules
        return np.float32(0.6 * strength) * lungs * between(1.0, clouds(rng, size, 40), 2.2)
    if kind < 0.93:  # one hazy side
        side = slice(0, size // 2) if rng.random() < 0.5 else slice(size // 2, size)
        haze = np.zeros_like(lungs)
        haze[:, side] = lungs[:, side] * np.float32(0.7 * strength)
        return haze
    rows = np.arange(size, dtype=np.float32)[:, None] / np.float32(size)
    fluid = between(0.0, rows - np.float32(rng.uniform(0.45, 0.65)), 0.12) * lungs
    fluid[:, slice(0, size // 2) if rng.random() < 0.5 else slice(size // 2, size)] = 0
    return np.float32(0.45) * fluid


def placed(
    lines: Sequence[Line], place: Callable[[complex], complex], scale: float, thicker: float = 1.0
) -> list[Line]:
    """Return lines in pixels."""
    return [([place(point) for point in points], max(width * scale * thicker, 0.35)) for points, width in lines]


def tubes(size: int, lines: Sequence[Line], *, hollow: float) -> Field:
    """Return lines as the shadows of tubes, brighter at their two edges, 0..1."""
    inner = [(points, 0.62 * width) for points, width in lines]
    return shapes.drawn(size, lines) - np.float32(hollow) * shapes.drawn(size, inner)


def _eased(corners: Sequence[complex]) -> list[complex]:
    """Return an open smooth line near the corners."""
    eased: list[complex] = (_easing(len(corners)) @ np.asarray(corners)).tolist()
    return eased


@cache
def _easing(corners: int) -> NDArray[np.float64]:
    """Return what takes corners to 24 points of the polynomial of degree 4 that fits them best."""
    there, fine = (np.vander(np.linspace(0, 1, count), 5) for count in (corners, 24))
    return fine @ np.linalg.pinv(there)

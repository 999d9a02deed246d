"""Tissue under the microscope, stained with haematoxylin (nuclei, blue-purple) and eosin (the rest, pink).

A slide is drawn as how much of each stain lies at each pixel; what light it lets through gives the colours.
"""

import math
from dataclasses import dataclass

import numpy as np

from medcls.data.phantoms.texture import Field, Generator, between, clouds, resized, smooth

HAEMATOXYLIN = np.array((0.65, 0.70, 0.29), np.float32)  # what it takes of red, green and blue (Ruifrok and Johnston)
EOSIN = np.array((0.08, 0.92, 0.34), np.float32)


@dataclass(frozen=True, eq=False)
class Stain:
    """How a laboratory stains and a scanner sees: the colours' absorptions, their strength, the light.

    Attributes:
        haematoxylin, eosin: what each takes of red, green and blue, of shape (3,).
        light: the colour of empty glass, of shape (3,).
    """

    haematoxylin: Field
    eosin: Field
    light: Field

    def seen(self, nuclei: Field, matrix: Field) -> Field:
        """Return the colours, of shape (height, width, 3), 0..1, of two amounts of stain."""
        absorbed = nuclei[..., None] * self.haematoxylin + matrix[..., None] * self.eosin
        picture: Field = self.light * np.exp(-absorbed)
        return picture


def stain(rng: Generator) -> Stain:
    """Return a laboratory's stain: pale or dark, more pink or more purple."""
    strength, tilt = math.exp(rng.normal(0, 0.16)), rng.normal(0, 0.16)
    blue = HAEMATOXYLIN * np.exp(rng.normal(0, (0.08, 0.08, 0.2))).astype(np.float32)
    red = EOSIN * np.exp(rng.normal(0, (0.3, 0.08, 0.3))).astype(np.float32)
    light = np.array((0.95, 0.94, 0.955), np.float32) + rng.normal(0, 0.012, 3).astype(np.float32)
    return Stain(blue * np.float32(strength * math.exp(tilt)), red * np.float32(strength * math.exp(-tilt)), light)


def fibres(rng: Generator, size: int, *, waves: int, along: float, curl: float = 0.35) -> Field:
    """Return wavy fibres of one direction (radians): noise stretched along it and bent, variance about 1."""
    long = resized(rng.standard_normal((4 * waves, max(waves // 3, 2)), dtype=np.float32), 2 * size)
    step = (np.arange(size, dtype=np.float32) - size / 2)[None, :]
    down = step.T
    bend = np.float32(curl * size / 8) * clouds(rng, size, 4)
    across = down * np.float32(math.cos(along)) - step * np.float32(math.sin(along)) + bend
    forward = step * np.float32(math.cos(along)) + down * np.float32(math.sin(along))
    rows, columns = ((np.clip(axis + size, 0, 2 * size - 1)).astype(np.int32) for axis in (across, forward))
    bent: Field = long[rows, columns]
    return bent


def nuclei(rng: Generator, size: int, *, cells: int, share: float, uneven: float = 0.0, large: float = 0.28) -> Field:
    """Return dark round nuclei, 0..1.

    Args:
        rng: of their places.
        size: of the picture.
        cells: how many cells stand side by side across the picture.
        share: of the cells whose nucleus is cut and seen, 0 to 1.
        uneven: how much that share varies from place to place.
        large: a nucleus's radius in cells.
    """
    seen = rng.random((cells, cells), dtype=np.float32)
    likely = np.float32(share) * np.exp(np.float32(uneven) * clouds(rng, cells, 5)) if uneven else np.float32(share)
    y, x = np.nonzero(seen < likely)
    spots = (np.stack([y, x]) + 0.5 + rng.uniform(-0.38, 0.38, (2, len(y)))) * (size / cells)
    rows, columns = np.minimum(spots.astype(np.int32), size - 1)
    field = np.zeros((size, size), np.float32)
    field[rows, columns] = rng.uniform(0.75, 1.25, len(y)).astype(np.float32)
    width = max(0.62 * large * size / cells, 0.5)
    dots = smooth(field, width) * np.float32(math.tau * width * width)
    return between(0.12, dots, 0.85)


def reduced(picture: Field, size: int) -> Field:
    """Return a picture of shape (n, n, 3) at a smaller size, each pixel the mean of those it covers."""
    step = len(picture) // size
    small: Field = picture.reshape(size, step, size, step, 3).mean(axis=(1, 3))
    return small

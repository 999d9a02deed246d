"""The skin around a lesion and the camera before it: all that tells nothing of what the lesion is."""

import cmath
import math

import numpy as np

from medcls.data.phantoms import shapes
from medcls.data.phantoms.texture import Field, Generator, between, clouds, fractal, grid, smooth

SKIN = (
    (0.93, 0.80, 0.74),
    (0.86, 0.68, 0.60),
    (0.90, 0.70, 0.58),
    (0.84, 0.78, 0.77),
    (0.88, 0.83, 0.74),
    (0.82, 0.70, 0.66),
)
MELANIN = np.array((0.55, 0.95, 1.25), np.float32)  # how strongly it takes away red, green and blue
BLOOD = np.array((0.05, 0.55, 0.5), np.float32)


def skin(rng: Generator, size: int) -> Field:
    """Return bare skin of shape (size, size, 3): a tone, mottled by blood and melanin, with fine furrows."""
    first, second = (np.array(SKIN[rng.integers(len(SKIN))], np.float32) for _ in range(2))
    tone = first + np.float32(rng.uniform(0, 0.5)) * (second - first)
    blood = rng.uniform(0.03, 0.11) * fractal(rng, size, 4, 5, fade=0.7)
    melanin = rng.uniform(0.02, 0.07) * fractal(rng, size, 3, 5, fade=0.75)
    furrows = rng.uniform(0.0, 0.03) * clouds(rng, size, (int(rng.integers(20, 60)), int(rng.integers(20, 60))))
    picture: Field = tone * _dimmed(blood[..., None] * BLOOD + (melanin + furrows)[..., None] * MELANIN)
    return picture


def with_vessels(picture: Field, rng: Generator) -> Field:
    """Return skin with thin red vessels, in a third of the pictures."""
    size = len(picture)
    if rng.random() > 0.33:
        return picture
    starts = size * rng.uniform(0, 1, (rng.integers(3, 14), 2))
    lines = [(shapes.wandering(rng, complex(*start), rng.uniform(0, 6.3), size * 0.15, 2.5), 0.8) for start in starts]
    vessels = smooth(shapes.drawn(size, lines), 0.6) * np.float32(rng.uniform(0.15, 0.5))
    return picture * _dimmed(vessels[..., None] * BLOOD)


def with_hairs(picture: Field, rng: Generator) -> Field:
    """Return a picture under hairs: none, a few, or many, dark or fair."""
    size, share = len(picture), rng.random()
    count = 0 if share < 0.55 else rng.integers(1, 5) if share < 0.8 else rng.integers(5, 28)
    if not count:
        return picture
    heading, spread = rng.uniform(0, math.tau), rng.uniform(0.2, 1.2)
    thick = rng.uniform(0.5, 1.6)
    lines = []
    for _ in range(count):
        start = complex(*rng.uniform(-0.1, 1.1, 2)) * size
        hair = shapes.wandering(rng, start, heading + rng.normal(0, spread), size * rng.uniform(0.15, 0.9), 0.9)
        lines.append((hair, thick * rng.uniform(0.7, 1.3)))
    cover = np.float32(rng.uniform(0.5, 0.95)) * shapes.drawn(size, lines)[..., None]
    colour = np.array((0.2, 0.13, 0.1) if rng.random() < 0.8 else (0.75, 0.65, 0.5), np.float32)
    return picture + cover * (colour * np.float32(rng.uniform(0.6, 1.2)) - picture)


def with_gel(picture: Field, rng: Generator) -> Field:
    """Return a picture through gel with bubbles, rings of light and glints, in a quarter of the pictures."""
    size = len(picture)
    if rng.random() > 0.25:
        return picture
    lines = []
    for _ in range(rng.integers(1, 9)):
        centre, radius = complex(*rng.uniform(0, size, 2)), size * rng.uniform(0.006, 0.035)
        ring = [centre + cmath.rect(radius, angle) for angle in np.linspace(0, rng.uniform(2, 6.3), 24)]
        lines.append((ring, rng.uniform(0.6, 1.4)))
    light = smooth(shapes.drawn(size, lines), 0.5)[..., None]
    return picture + np.float32(rng.uniform(0.3, 0.8)) * light * (1 - picture)


def with_ruler(picture: Field, rng: Generator) -> Field:
    """Return a picture with the ticks of a ruler at one edge, in an eighth of the pictures."""
    size = len(picture)
    if rng.random() > 0.125:
        return picture
    step, along = (
        size * rng.uniform(0.04, 0.08),
        cmath.rect(1, rng.choice((0, 1, 2, 3)) * math.pi / 2 + rng.normal(0, 0.1)),
    )
    corner = size * (0.5 + 0.5j) - (0.5 * along + rng.uniform(0.38, 0.47) * 1j * along) * size
    lines = []
    for tick in range(rng.integers(5, 25)):
        foot = corner + tick * step * along
        lines.append(([foot, foot + 1j * along * step * (1.0 if tick % 5 == 0 else 0.6)], 1.0))
    return picture * (1 - np.float32(0.85) * shapes.drawn(size, lines)[..., None])


def photographed(picture: Field, rng: Generator) -> Field:
    """Return a picture as a camera takes it: its light, its lens, its edge, its white balance, its grain."""
    size = len(picture)
    x, y = grid(size)
    slope, tilt = rng.uniform(0, 0.15), rng.uniform(0, math.tau)
    light = 1 + slope * (math.cos(tilt) * x + math.sin(tilt) * y) - rng.uniform(0, 0.25) * (x * x + y * y)
    picture = picture * light[..., None].astype(np.float32)
    picture = picture * np.exp(rng.normal(0, (0.03, 0.015, 0.05))).astype(np.float32)
    if rng.random() < 0.18:
        far = np.hypot(x - np.float32(rng.normal(0, 0.06)), y - np.float32(rng.normal(0, 0.06)))
        rim = rng.uniform(0.8, 1.25)
        picture = picture * (1 - between(rim, far, rim + rng.uniform(0.03, 0.3)))[..., None]
    blur = rng.uniform(0.3, 0.9)
    picture = np.stack([smooth(picture[..., colour], blur) for colour in range(3)], axis=-1)
    picture = np.clip(picture, 0, 1) ** np.float32(math.exp(rng.normal(0, 0.18)))
    grain = rng.standard_normal((size, size, 1), dtype=np.float32)
    return picture * np.float32(math.exp(rng.normal(0, 0.06))) + np.float32(rng.uniform(0.003, 0.012)) * grain


def _dimmed(absorbed: Field) -> Field:
    left: Field = np.exp(-absorbed)
    return left

"""Colon under the microscope with masks of its glands, as the Warwick (GlaS) pictures are.

Half of the pictures are benign: round glands, a ring of nuclei around goblet cells and a small lumen, in loose stroma
full of small dark cells. The others are malignant: long, irregular, crowded glands, several rows of dark nuclei around
a jagged lumen. A mask covers all of a gland, lumen and epithelium; glands do not touch in it.
"""

import math
from functools import partial

import numpy as np

from medcls.data.dataset import TEST, TRAIN
from medcls.data.phantoms import folders, histology, shapes, texture
from medcls.data.phantoms.shapes import Outline
from medcls.data.phantoms.texture import Field, Generator, between, clouds, fractal, grid
from medcls.data.phantoms.types import Phantom, Pixels
from medcls.utils.code_digest import code_digest

PICTURE = 128  # pixels a side
FINE = 256  # drawn at, then reduced


def phantom(*, seed: int = 0, train: int = 85, test: int = 60) -> Phantom:
    """Return the phantom of `train` and `test` pictures; its mask is "glands", it has no classes."""
    code = code_digest([_render, _mask])
    return Phantom(
        name="glands",
        classes=(),
        labels=np.zeros(train + test, np.int64),
        parts=np.repeat([TRAIN, TEST], [train, test]),
        render=partial(_render, seed),
        recipe=f"glands seed={seed} train={train} test={test} code={code}",
        shape=(PICTURE, PICTURE, 3),
        masks={"glands": partial(_mask, seed)},
        file=folders.as_warwick,
        mask_file=folders.mask_beside,
    )


def _render(seed: int, row: int) -> Pixels:
    return texture.finished(histology.reduced(_picture(seed, row)[0], PICTURE))


def _mask(seed: int, row: int) -> Pixels:
    inside = texture.resized(_picture(seed, row)[1].astype(np.float32), PICTURE) > 0.5
    return np.where(inside, np.uint8(255), np.uint8(0))


def _picture(seed: int, row: int) -> tuple[Field, Field]:
    """Return the picture and where its glands are, both of FINE pixels a side."""
    rng = np.random.default_rng([seed, row])
    malignant = bool(rng.random() < 0.5)
    outlines = _outlines(rng, malignant=malignant)
    x, y = grid(FINE)
    nearest, second = np.full((FINE, FINE), 9, np.float32), np.full((FINE, FINE), 9, np.float32)
    radius = np.ones((FINE, FINE), np.float32)
    for outline in outlines:
        where = _around(outline)
        level = outline.level(x[:, where[1]], y[where[0]])
        closer = level < nearest[where]
        second[where] = np.where(closer, nearest[where], np.minimum(second[where], level))
        nearest[where] = np.where(closer, level, nearest[where])
        radius[where] = np.where(closer, np.float32(outline.radii.mean()), radius[where])
    nearest = nearest + np.float32(0.02) * fractal(rng, FINE, 12, 2)
    deep = np.minimum(1 - nearest, second - nearest - np.float32(0.04)) * radius  # how far inside a gland
    return _coloured(deep, nearest, malignant, rng), deep > 0


def _around(outline: Outline) -> tuple[slice, slice]:
    """Return the rows and columns of the picture in which a gland and its neighbours meet."""
    reach = 1.3 * float(outline.radii.max())
    low, high = (np.array((outline.centre.imag, outline.centre.real)) + side * reach for side in (-1, 1))
    starts, stops = (np.clip((edge + 1) * FINE / 2, 0, FINE).astype(int).tolist() for edge in (low, high))
    return slice(starts[0], stops[0]), slice(starts[1], stops[1])


def _outlines(rng: Generator, *, malignant: bool) -> list[Outline]:
    """Return glands that fill part of the picture: on a jittered grid, all stretched in one direction."""
    radius = rng.uniform(0.26, 0.55) if malignant else rng.uniform(0.13, 0.34)
    longer = rng.uniform(1.2, 3.0) if malignant else rng.uniform(1.05, 1.8)
    turn, crowd = rng.uniform(0, math.pi), rng.uniform(1.75, 2.3)
    waves = {2: 0.1, 3: 0.12, 4: 0.1, 5: 0.08, 7: 0.06, 9: 0.05} if malignant else {2: 0.06, 3: 0.05, 4: 0.03, 6: 0.02}
    step = crowd * radius
    along, across = step * math.sqrt(longer), step / math.sqrt(longer)
    count = math.ceil(1.6 / across), math.ceil(1.6 / along)
    outlines = []
    empty, missing = rng.uniform(0, math.tau), rng.uniform(-2.2, 0.2)  # one side of many pictures has no glands
    for line in range(-count[0], count[0] + 1):
        for place in range(-count[1], count[1] + 1):
            spot = complex((place + 0.5 * (line % 2)) * along, line * across) + complex(*rng.normal(0, 0.12 * step, 2))
            spot *= complex(math.cos(turn), math.sin(turn))
            gone = spot.real * math.cos(empty) + spot.imag * math.sin(empty) < missing
            if abs(spot.real) < 1.3 and abs(spot.imag) < 1.3 and not gone and rng.random() < 0.93:
                size = radius * math.exp(rng.normal(0, 0.16))
                outlines.append(
                    shapes.wavy(rng, spot, size, longer=longer, waves=waves, turn=turn + rng.normal(0, 0.25))
                )
    return outlines or [
        shapes.wavy(rng, complex(*rng.uniform(-0.4, 0.4, 2)), radius, longer=longer, waves=waves, turn=turn)
    ]


def _coloured(deep: Field, level: Field, malignant: bool, rng: Generator) -> Field:
    inside = between(0, deep, 0.02)
    ring = rng.uniform(0.07, 0.2) if malignant else rng.uniform(0.035, 0.07)
    rows = between(-0.005, deep, 0.01) * (
        1 - between(ring, deep + np.float32(0.015) * clouds(rng, FINE, 40), ring + 0.03)
    )
    lumen = _lumen(deep, level, malignant, rng)
    crowd = histology.nuclei(rng, FINE, cells=int(rng.integers(48, 66)), share=0.85, large=0.36)
    loose = histology.nuclei(rng, FINE, cells=int(rng.integers(56, 84)), share=rng.uniform(0.12, 0.45), uneven=0.8)
    strands = histology.fibres(rng, FINE, waves=int(rng.integers(24, 48)), along=rng.uniform(0, math.pi))
    gaps = between(1.2, fractal(rng, FINE, 7, 3) + np.float32(0.4) * strands, 1.9)
    blue_in = rows * (np.float32(0.3) + np.float32(0.85) * crowd)
    blue_in = blue_in + (1 - rows) * np.float32(0.36 if malignant else 0.15) * (
        np.float32(0.7) + np.float32(0.8) * crowd
    )
    blue_out = np.float32(0.16) + np.float32(1.05) * loose + np.float32(0.07) * fractal(rng, FINE, 20, 3, fade=1.0)
    pink_in = (
        np.float32(0.42 if malignant else 0.2) + np.float32(0.12) * rows + np.float32(0.06) * clouds(rng, FINE, 50)
    )
    pink_out = (
        np.float32(rng.uniform(0.3, 0.5))
        + np.float32(0.07) * strands
        + np.float32(0.06) * fractal(rng, FINE, 10, 4, fade=1.0)
    )
    full = 1 - lumen
    blue = inside * blue_in * full + (1 - inside) * blue_out * (1 - gaps)
    pink = inside * pink_in * full + (1 - inside) * np.maximum(pink_out, 0) * (1 - np.float32(0.9) * gaps)
    return histology.stain(rng).seen(np.maximum(blue, 0), np.maximum(pink, 0))


def _lumen(deep: Field, level: Field, malignant: bool, rng: Generator) -> Field:
    """Return where a gland is empty, 0..1: goblet cells and a small hole, or a jagged cleft with debris."""
    if malignant:
        hole = between(rng.uniform(0.3, 0.7), 1 - level + np.float32(0.13) * fractal(rng, FINE, 9, 3), 0.8)
        debris = between(0.8, fractal(rng, FINE, 20, 2), 1.6)
        return hole * (1 - np.float32(rng.uniform(0, 0.9)) * debris) * np.float32(rng.random() < 0.85)
    goblets = between(0.045, deep, 0.075) * between(-0.6, texture.band(rng, FINE, int(rng.integers(18, 28))), 0.6)
    hole = between(0.72, 1 - level + np.float32(0.05) * clouds(rng, FINE, 24), 0.86)
    empty: Field = np.maximum(np.float32(rng.uniform(0.5, 0.95)) * goblets, hole)
    return empty

"""Chest X-rays from the front with one to three round nodules and a mask of them: small targets, 0.1 to 1% of a film.

Nodules are 3 to 9 pixels in radius, anywhere in the lungs, also behind ribs, and from faintly to plainly seen. Vessels
that run towards the film, marks of a pixel or two that are brighter than most nodules, are no nodules, nor are the
crossings of ribs; neither are in the mask.
"""

import math
from functools import partial

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import TRAIN, VALIDATION
from medcls.data.phantoms import chestfilm, folders, shapes, texture
from medcls.data.phantoms.chestfilm import PICTURE
from medcls.data.phantoms.texture import Field, Generator
from medcls.data.phantoms.types import Phantom, Pixels
from medcls.utils.code_digest import code_digest

Mask = NDArray[np.bool_]

RADII = (3.0, 9.0)  # of nodules, in pixels
APART = 4  # pixels between two of them at least


def phantom(*, seed: int = 0, train: int = 160, validation: int = 40) -> Phantom:
    """Return the phantom of `train` and `validation` chests; its mask is "nodule", it has no classes."""
    code = code_digest([_render, _mask])
    return Phantom(
        name="nodules",
        classes=(),
        labels=np.zeros(train + validation, np.int64),
        parts=np.repeat([TRAIN, VALIDATION], [train, validation]),
        render=partial(_render, seed),
        recipe=f"nodules seed={seed} train={train} validation={validation} code={code}",
        shape=(PICTURE, PICTURE),
        masks={"nodule": partial(_mask, seed)},
        file=folders.in_images,
        mask_file=folders.mask_beside,
    )


def _render(seed: int, row: int) -> Pixels:
    return texture.finished(_picture(seed, row)[0])


def _mask(seed: int, row: int) -> Pixels:
    return np.where(_picture(seed, row)[1], np.uint8(255), np.uint8(0))


def _picture(seed: int, row: int) -> tuple[Field, Mask]:
    """Return the picture, 0..1, and where its nodules are."""
    rng = np.random.default_rng([seed, row])
    shadows = chestfilm.shadows(rng, diseased=False)
    shadow, mask = shadows.whole, np.zeros(shadows.lungs.shape, bool)
    for spot, radius in _places(shadows.lungs, rng):
        level = _nodule(spot, radius, rng)
        solid = np.clip(1 - level**3, 0, 1)  # a ball's shadow, a little flatter
        shadow = shadow + np.float32(rng.uniform(0.25, 0.6)) * solid
        mask |= level < 1
    return chestfilm.exposed(shadow + _vessels_end_on(shadows.lungs, rng), rng), mask


def _places(lungs: Field, rng: Generator) -> list[tuple[complex, float]]:
    """Return the middles and radii of one to three nodules, whole within the lungs and apart from each other."""
    found: list[tuple[complex, float]] = []
    low, high = RADII
    for _ in range(int(rng.choice([1, 2, 3], p=[0.5, 0.3, 0.2]))):
        radius = float(np.clip(math.exp(rng.normal(math.log(5.5), 0.3)), low, high))
        for spot in _points(texture.smooth(lungs, radius) > 0.97, 20, rng):
            if all(abs(spot - other) > radius + size + APART for other, size in found):
                found.append((spot, radius))
                break
    return found


def _nodule(spot: complex, radius: float, rng: Generator) -> Field:
    """Return how far out of a nodule each pixel lies: 0 in its middle, 1 on its edge."""
    waves = {2: 0.05, 3: 0.05, 5: 0.03, 9: 0.06 if rng.random() < 0.3 else 0.0}  # a third with spikes
    turn = rng.uniform(0, math.tau)
    outline = shapes.wavy(rng, spot, radius, longer=rng.uniform(1.0, 1.4), waves=waves, turn=turn)
    pixels = np.arange(PICTURE, dtype=np.float32)
    return outline.level(pixels[None, :], pixels[:, None])


def _vessels_end_on(lungs: Field, rng: Generator) -> Field:
    """Return the bright marks of vessels that run towards the film."""
    marks = np.zeros(lungs.shape, np.float32)
    for spot in _points(lungs > 0.9, int(rng.integers(2, 7)), rng):
        marks[round(spot.imag), round(spot.real)] = rng.uniform(0.5, 1.2)
    spread: Field = texture.smooth(marks, 0.9)
    return spread


def _points(where: Mask, count: int, rng: Generator) -> list[complex]:
    """Return `count` pixels at random among those marked, none where nothing is."""
    rows, columns = np.nonzero(where)
    if not len(rows):
        return []
    return [complex(columns[each], rows[each]) for each in rng.integers(len(rows), size=count)]

"""The course's skin lesions under the dermatoscope: melanomas (Mel) and naevi (Nev), alike but for degree.

Every lesion has a suspicion, a normal number: its mean is +SEPARATION in melanomas and -SEPARATION in naevi, its
standard deviation 1. The signs that dermatologists count (asymmetry, irregular border, number of colours, blue-white
veil, uneven structure) follow it, each with an error of its own; nothing else in the picture tells the class. So
whoever could read the suspicion exactly would still be right about 93% of the lesions only (the normal distribution
at SEPARATION), as dermatologists and the microscope disagree; five signs read without fault are worth 92%. Size,
darkness, skin, hairs, gel and camera are the same in both classes. In grey, an AlexNet of base 8 learns its 1,000
lesions by heart and is right about 77% of new ones, a small residual network with augmentation about 88%.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import TRAIN, VALIDATION
from medcls.data.phantoms import dermoscopy, folders, shapes, texture, types
from medcls.data.phantoms.texture import Field, Generator, between, clouds, fractal, grid
from medcls.data.phantoms.types import Phantom, Pixels
from medcls.utils.code_digest import code_digest

PICTURE = 192  # pixels a side
SEPARATION = 1.5
ERROR = 0.7  # of each sign about the suspicion

VEIL = np.array((0.43, 0.44, 0.5), np.float32)
SCAR = np.array((0.86, 0.78, 0.76), np.float32)


@dataclass(frozen=True)
class Signs:
    """How much a lesion shows of each sign, 0 (harmless) to 1."""

    asymmetry: float
    border: float
    colours: float
    veil: float
    structure: float


def phantom(*, seed: int = 0, train: Sequence[int] = (500, 500), validation: Sequence[int] = (100, 100)) -> Phantom:
    """Return the phantom of `train[label]` and `validation[label]` lesions of each class, Mel and Nev."""
    labels = np.concatenate([types.by_class(train), types.by_class(validation)])
    code = code_digest([types.by_class, _render])
    return Phantom(
        name="skin",
        classes=("Mel", "Nev"),
        labels=labels,
        parts=np.repeat([TRAIN, VALIDATION], [sum(train), sum(validation)]),
        render=partial(_render, seed, labels),
        recipe=f"skin seed={seed} train={tuple(train)} validation={tuple(validation)} code={code}",
        shape=(PICTURE, PICTURE, 3),
        file=folders.by_class,
    )


def _render(seed: int, labels: NDArray[np.int64], row: int) -> Pixels:
    rng = np.random.default_rng([seed, row])
    signs = _signs(rng, melanoma=bool(labels[row] == 0))
    picture = dermoscopy.with_vessels(dermoscopy.skin(rng, PICTURE), rng)
    picture = _with_lesion(picture, signs, rng)
    picture = dermoscopy.with_gel(dermoscopy.with_ruler(dermoscopy.with_hairs(picture, rng), rng), rng)
    return texture.finished(dermoscopy.photographed(picture, rng))


def _signs(rng: Generator, *, melanoma: bool) -> Signs:
    suspicion = rng.normal(SEPARATION if melanoma else -SEPARATION)
    return Signs(*(1 / (1 + math.exp(-1.6 * sign)) for sign in suspicion + rng.normal(0, ERROR, 5)))


def _with_lesion(picture: Field, signs: Signs, rng: Generator) -> Field:
    x, y = grid(PICTURE)
    middle = complex(*rng.normal(0, 0.1, 2))
    radius = min(max(0.52 * math.exp(rng.normal(0, 0.3)), 0.2), 0.85)
    level = _level(x, y, middle, radius, signs, rng)
    soft = _softness(signs, rng)
    inside = between(-1, (1 - level) / soft, 1)
    pigment = _pigment(x, y, level, inside, middle, radius, signs, rng)
    hue = dermoscopy.MELANIN * np.exp(rng.normal(0, (0.12, 0.05, 0.08))).astype(np.float32)
    dark = picture * np.exp(-pigment[..., None] * hue)
    return _coloured(dark, inside, signs, rng)


def _level(x: Field, y: Field, middle: complex, radius: float, signs: Signs, rng: Generator) -> Field:
    """Return how far out each point lies in the lesion, 1 on its border: lopsided, notched and frayed by degrees."""
    lopsided, notched = 0.02 + 0.19 * signs.asymmetry, 0.008 + 0.065 * signs.border
    waves = {1: lopsided, 2: 0.5 * lopsided, 3: 0.6 * lopsided, 4: 0.4 * lopsided, 5: 0.3 * lopsided}
    waves |= {int(count): notched * rng.uniform(0.3, 1.2) for count in rng.choice(np.arange(6, 24), 7, replace=False)}
    turn = rng.uniform(0, math.tau)
    outline = shapes.wavy(rng, middle, radius, longer=rng.uniform(1, 1.7), waves=waves, turn=turn)
    frayed = (0.03 + 0.15 * signs.border) * fractal(rng, PICTURE, 10, 3, fade=0.8)
    level = outline.level(x, y) + frayed
    if rng.random() < 0.1 + 0.5 * signs.asymmetry:  # a lobe beside
        away = middle + radius * rng.uniform(0.6, 1.0) * complex(math.cos(turn + 1), math.sin(turn + 1))
        lobe = shapes.wavy(rng, away, radius * rng.uniform(0.25, 0.5), longer=1.3, waves=waves, turn=turn)
        level = np.minimum(level, lobe.level(x, y) + frayed)
    return level


def _softness(signs: Signs, rng: Generator) -> Field:
    """Return how gently the lesion fades at its border: evenly in naevi, cut off in places in melanomas."""
    even = 0.08 + 0.25 * rng.random() ** 2
    cut = np.exp(np.float32(0.2 + 0.9 * signs.border) * clouds(rng, PICTURE, 4))
    soft: Field = np.clip(np.float32(even) * cut, 0.03, 0.6)
    return soft


def _pigment(
    x: Field, y: Field, level: Field, inside: Field, middle: complex, radius: float, signs: Signs, rng: Generator
) -> Field:
    """Return how much melanin lies at each point; its mean over the lesion is the same in both classes."""
    aim = rng.uniform(0, math.tau)
    aside = ((x - middle.real) * math.cos(aim) + (y - middle.imag) * math.sin(aim)) / radius
    lean = np.float32(0.05 + 0.8 * signs.asymmetry * rng.uniform(0.5, 1.2)) * aside
    centred = np.float32(rng.normal(0.1, 0.25)) * (1 - level)
    blotches = np.float32(0.08 + 0.75 * signs.colours) * np.maximum(fractal(rng, PICTURE, 3, 2) - np.float32(0.2), 0)
    amount = np.exp(lean + centred + blotches + np.float32(0.16) * fractal(rng, PICTURE, 12, 4, fade=0.9))
    amount = amount * _structure(signs, rng)
    weight = inside.sum() + np.float32(1e-6)
    strength = rng.uniform(0.35, 1.5)
    spread: Field = inside * amount * np.float32(strength) * weight / ((inside * amount).sum() + np.float32(1e-6))
    return spread


def _structure(signs: Signs, rng: Generator) -> Field:
    """Return a factor for the network, the globules and the dots of a lesion: regular in naevi, patchy in melanomas."""
    cells = int(rng.integers(30, 64))
    patchy = np.clip(1 + np.float32(1.4 * signs.structure) * clouds(rng, PICTURE, 4), 0, 2.2)
    kind, grain = rng.random(), texture.band(rng, PICTURE, cells)
    if kind < 0.5:
        meshes = between(-0.6 + 0.5 * signs.structure, grain, 1.2)
        factor = 1 + np.float32(rng.uniform(0.2, 0.8)) * patchy * (np.float32(0.4) - meshes)
    elif kind < 0.8:
        globules = between(0.5, grain, 1.8)
        factor = 1 + np.float32(rng.uniform(0.3, 1.3)) * patchy * (globules - np.float32(0.2))
    else:
        factor = 1 + np.float32(0.2) * patchy * grain
    textured: Field = np.maximum(factor, np.float32(0.1))
    return textured


def _coloured(picture: Field, inside: Field, signs: Signs, rng: Generator) -> Field:
    """Return the lesion with patches of red, of white scar and of a blue-white veil, the more the more suspicious."""
    for colour, sign, most in ((None, signs.colours, 0.8), (SCAR, signs.colours, 0.6), (VEIL, signs.veil, 0.7)):
        where = between(1.2 - 1.3 * sign, fractal(rng, PICTURE, 3, 4), 2.9 - 1.3 * sign)
        cover = (inside * where * np.float32(most * min(sign * rng.uniform(0.6, 1.4), 1)))[..., None]
        if colour is None:
            picture = picture * np.exp(-cover * dermoscopy.BLOOD)
        else:
            picture = picture + cover * (colour * np.float32(rng.uniform(0.85, 1.1)) - picture)
    return picture

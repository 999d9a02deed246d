"""The course's breast patches: invasive ductal carcinoma (class 1) or not (0), several patches of each patient.

A patch is a mixture of fat, fibrous stroma, and epithelium: lobules and ducts in class 0; sheets, nests and cords of
larger, crowded nuclei in class 1. What makes it hard is what makes it hard for pathologists: lobules and clusters of
lymphocytes are as dark as a carcinoma, and some carcinomas are a few cords at the edge of the patch. Every patient has
one stain, so a network may learn patients: no patient should stand on both sides of a split.
"""

import math
from functools import partial

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import UNSPLIT
from medcls.data.phantoms import folders, histology, shapes, texture
from medcls.data.phantoms.texture import Field, Generator, between, clouds, fractal, grid
from medcls.data.phantoms.types import Phantom, Pixels
from medcls.utils.code_digest import code_digest

PICTURE = 50  # pixels a side
FINE = 100  # drawn at, then reduced
EACH = 9  # patches of a patient, on average
POSITIVE = 0.28  # share of the patches with carcinoma


def phantom(*, seed: int = 0, images: int = 2400) -> Phantom:
    """Return the phantom of `images` patches in two classes, 0 and 1, not split into parts, with their patients."""
    labels, patients = _cases(seed, images)
    code = code_digest([_cases, _render])
    return Phantom(
        name="breast",
        classes=("0", "1"),
        labels=labels,
        parts=np.full(images, UNSPLIT),
        render=partial(_render, seed, labels, patients),
        recipe=f"breast seed={seed} images={images} code={code}",
        shape=(PICTURE, PICTURE, 3),
        patients=np.char.add("patient", np.char.zfill(patients.astype(np.str_), 3)),
        file=folders.in_images,
    )


def _cases(seed: int, images: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the label and the patient of every patch: patients differ in their patches and in their carcinoma."""
    rng = np.random.default_rng([seed, images])
    count = max(round(images / EACH), 2)
    weights = rng.gamma(1.6, size=count)
    patients = np.sort(rng.choice(count, images, p=weights / weights.sum()))
    burden = rng.beta(0.7, 1.8, count)[patients]
    order = np.argsort(rng.random(images) ** (1 / (burden + 1e-3)))  # the more burden, the likelier among the last
    labels = np.zeros(images, np.int64)
    labels[order[images - max(round(POSITIVE * images), 1) :]] = 1
    return labels, patients.astype(np.int64)


def _render(seed: int, labels: NDArray[np.int64], patients: NDArray[np.int64], row: int) -> Pixels:
    rng = np.random.default_rng([seed, row])
    stain = histology.stain(np.random.default_rng([seed, int(patients[row]), 1]))
    blue, pink = _stroma(rng)
    if rng.random() < (0.5 if labels[row] == 0 else 0.25):
        blue, pink = _with_fat(blue, pink, rng)
    if labels[row]:
        blue, pink = _with_carcinoma(blue, pink, rng)
    elif rng.random() < 0.45:
        blue, pink = _with_lobules(blue, pink, rng)
    elif rng.random() < 0.35:
        blue, pink = _with_lymphocytes(blue, pink, rng)
    blue = blue * (1 + np.float32(0.18) * fractal(rng, FINE, 10, 4, fade=0.9))
    picture = stain.seen(np.maximum(blue, 0), np.maximum(pink, 0))
    return texture.finished(histology.reduced(picture, PICTURE))


def _stroma(rng: Generator) -> tuple[Field, Field]:
    """Return the two stains of fibrous tissue with few nuclei and some clefts."""
    strands = histology.fibres(rng, FINE, waves=int(rng.integers(14, 30)), along=rng.uniform(0, math.pi), curl=0.6)
    gaps = between(1.1, fractal(rng, FINE, 6, 2) + np.float32(0.5) * strands, 1.8) * np.float32(rng.random() < 0.6)
    few = histology.nuclei(rng, FINE, cells=int(rng.integers(24, 32)), share=rng.uniform(0.02, 0.22), uneven=0.6)
    pink = np.float32(rng.uniform(0.25, 0.5)) + np.float32(0.1) * strands + np.float32(0.05) * fractal(rng, FINE, 12, 3)
    return (np.float32(0.12) + np.float32(0.8) * few) * (1 - gaps), pink * (1 - np.float32(0.9) * gaps)


def _with_fat(blue: Field, pink: Field, rng: Generator) -> tuple[Field, Field]:
    """Return tissue in which part is fat: large empty cells with thin walls."""
    x, y = grid(FINE)
    step = rng.uniform(0.22, 0.42)
    ticks = np.arange(-1.2, 1.2, step)
    seeds = (ticks[:, None] + 1j * ticks).ravel() + step * 0.35 * (rng.normal(size=(len(ticks) ** 2, 2)) @ (1, 1j))
    away = np.sqrt((x[..., None] - seeds.real) ** 2 + (y[..., None] - seeds.imag) ** 2).astype(np.float32)
    nearest = np.partition(away, 1, axis=-1)
    empty = between(0.01, nearest[..., 1] - nearest[..., 0], 0.05)
    where = between(0, fractal(rng, FINE, 3, 2) + np.float32(rng.uniform(-1.0, 1.6)), 0.15)
    hole = where * empty
    return blue * (1 - hole), (pink * (1 - where) + np.float32(0.35) * where) * (1 - hole)


def _with_lobules(blue: Field, pink: Field, rng: Generator) -> tuple[Field, Field]:
    """Return tissue with ducts or lobules: round, a row or two of nuclei around a lumen, or small and solid."""
    x, y = grid(FINE)
    radius, count = rng.uniform(0.13, 0.45), int(rng.integers(1, 7))
    dots = histology.nuclei(rng, FINE, cells=int(rng.integers(28, 38)), share=0.85, large=0.33)
    middle = complex(*rng.uniform(-0.7, 0.7, 2))
    for _ in range(count):
        spot = middle + 1.9 * radius * complex(*rng.normal(0, 0.9, 2))
        level = shapes.wavy(
            rng, spot, radius, longer=1.4, waves={2: 0.1, 3: 0.08, 5: 0.05}, turn=rng.uniform(0, 3)
        ).level(x, y)
        inside = 1 - between(0.92, level, 1.02)
        lumen = (1 - between(0.35, level, 0.5)) * np.float32(radius > 0.2)
        blue = blue + inside * (np.float32(0.25) + np.float32(0.9) * dots - blue)
        pink = pink + inside * (np.float32(0.3) - pink)
        blue, pink = blue * (1 - lumen), pink * (1 - np.float32(0.8) * lumen)
    return blue, pink


def _with_lymphocytes(blue: Field, pink: Field, rng: Generator) -> tuple[Field, Field]:
    """Return tissue with a cluster of lymphocytes: small, dark, crowded, all alike."""
    where = between(rng.uniform(-1.5, 1), fractal(rng, FINE, 3, 3), 1.4)
    dots = histology.nuclei(rng, FINE, cells=int(rng.integers(30, 43)), share=rng.uniform(0.5, 0.9), large=0.33)
    return blue + where * (np.float32(0.3) + np.float32(1.1) * dots - blue), pink


def _with_carcinoma(blue: Field, pink: Field, rng: Generator) -> tuple[Field, Field]:
    """Return tissue with carcinoma: a sheet, nests or cords of large uneven nuclei, at times at the edge only."""
    dots = histology.nuclei(
        rng, FINE, cells=int(rng.integers(20, 31)), share=rng.uniform(0.65, 0.9), uneven=0.15, large=0.36
    )
    kind = rng.random()
    if kind < 0.35:
        ground = fractal(rng, FINE, 2, 3) + np.float32(rng.uniform(0.6, 2.2))
    elif kind < 0.7:
        ground = texture.band(rng, FINE, int(rng.integers(5, 11))) + np.float32(rng.uniform(-0.5, 0.6))
    else:
        ground = histology.fibres(rng, FINE, waves=int(rng.integers(5, 9)), along=rng.uniform(0, 3), curl=1.0)
        ground = ground + np.float32(rng.uniform(-0.7, 0.3))
    if rng.random() < 0.25:  # the edge of a tumour
        x, y = grid(FINE)
        aim = rng.uniform(0, math.tau)
        slope = x * np.float32(math.cos(aim)) + y * np.float32(math.sin(aim))
        ground = np.minimum(ground, np.float32(6) * (slope - np.float32(rng.uniform(-0.3, 0.5))))
    where = between(-0.3, ground + np.float32(0.3) * clouds(rng, FINE, 24), 0.6)
    tumour = np.float32(rng.uniform(0.22, 0.45)) + np.float32(rng.uniform(0.55, 1.0)) * dots
    return blue + where * (tumour - blue), pink + where * (np.float32(rng.uniform(0.25, 0.4)) - pink)

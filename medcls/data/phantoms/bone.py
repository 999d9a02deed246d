"""The course's femurs: atypical fractures (AFF) and normal femurs (NFF), with letters burnt in.

An atypical fracture is a thickened, beaked lateral cortex and a thin transverse line that starts there; both go from
hardly to clearly visible, and the whole lateral cortex is a little thicker than usual. Both classes have what resembles
them: vascular grooves (thin dark lines, but oblique), folds of skin, cortices of unequal thickness, plates, nails and
cables. A few atypical fractures show next to nothing: without the letters a small residual network with augmentation
was right in 92%, a linear model on the pixels in 50%.

The letters betray the class too, as they did in the course's pictures, where the networks' heat lit them up: there are
two styles, a bright plate of two lines in the upper half and bare letters in the lower half, and with `telling=0.85`
the first stands on 85% of the AFF and 15% of the NFF pictures. A network that reads the letters alone is right in 85%
(an AlexNet of base 8 learns just that within five epochs); at `telling=0.5` they tell nothing. With `label=False` the
same pictures come without any letters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import TRAIN, VALIDATION
from medcls.data.phantoms import drawing, femur, film, folders, radiograph, shapes, texture, types
from medcls.data.phantoms.texture import Field, Generator, smooth
from medcls.data.phantoms.types import Phantom, Pixels
from medcls.utils.code_digest import code_digest

PICTURE = 256  # pixels a side
AFF = 0
BONE = np.float32(4.5)  # how much more bone weakens the rays than as much soft tissue does
PLATES = ("FEMUR\nAP", "STANDING\nAP", "FEMUR\nR AP", "FEMUR\nL AP", "PORTABLE\n10:42")
LETTERS = ("L", "R", "R AP", "L AP", "L 3", "R 17")


@dataclass(frozen=True)
class Letters:
    """What is burnt in: whether anything, and the share of pictures whose style is that of their class."""

    label: bool
    telling: float


def phantom(
    *,
    seed: int = 0,
    train: Sequence[int] = (556, 556),
    validation: Sequence[int] = (48, 48),
    label: bool = True,
    telling: float = 0.85,
) -> Phantom:
    """Return the phantom of `train[label]` and `validation[label]` femurs of each class, AFF and NFF.

    Its masks are "bone" (the femur) and "label" (the rectangle of the letters, also where `label` is False).
    """
    labels = np.concatenate([types.by_class(train), types.by_class(validation)])
    letters = Letters(label, telling)
    code = code_digest([types.by_class, _render, _bone, _label])
    counts = f"train={tuple(train)} validation={tuple(validation)}"
    return Phantom(
        name="bone",
        classes=("AFF", "NFF"),
        labels=labels,
        parts=np.repeat([TRAIN, VALIDATION], [sum(train), sum(validation)]),
        render=partial(_render, seed, labels, letters),
        recipe=f"bone seed={seed} {counts} label={label} telling={telling} code={code}",
        shape=(PICTURE, PICTURE),
        masks={"bone": partial(_bone, seed, labels), "label": partial(_label, seed, labels, letters)},
        file=folders.by_class,
    )


def _render(seed: int, labels: NDArray[np.int64], letters: Letters, row: int) -> Pixels:
    picture = _picture(seed, labels, row)[0]
    if letters.label:
        picture = _plate(seed, labels, letters.telling, row).on(picture)
    return texture.finished(picture)


def _bone(seed: int, labels: NDArray[np.int64], row: int) -> Pixels:
    return texture.finished((_picture(seed, labels, row)[1] > 0).astype(np.float32))


def _label(seed: int, labels: NDArray[np.int64], letters: Letters, row: int) -> Pixels:
    mask = np.zeros((PICTURE, PICTURE), np.uint8)
    mask[_plate(seed, labels, letters.telling, row).where] = 255
    return mask


def _plate(seed: int, labels: NDArray[np.int64], telling: float, row: int) -> radiograph.Plate:
    rng = np.random.default_rng([seed, row, 1])  # apart from the picture's: it must not change with the letters
    own = rng.random() < telling
    framed = bool((labels[row] == AFF) == own)
    side = rng.uniform(0.02, 0.15)
    return radiograph.lettered(
        str(rng.choice(PLATES if framed else LETTERS)),
        scale=rng.uniform(1.0, 1.5),
        framed=framed,
        brightness=rng.uniform(0.75, 1),
        corner=(rng.uniform(0.02, 0.3) + (0.0 if framed else 0.65), side if rng.random() < 0.5 else 1 - side),
        size=PICTURE,
    )


def _picture(seed: int, labels: NDArray[np.int64], row: int) -> tuple[Field, Field]:
    """Return the picture without letters, 0..1, and the path through the femur."""
    rng = np.random.default_rng([seed, row])
    pose = femur.lay(rng, PICTURE)
    solids, pelvis = femur.plan(rng, atypical=bool(labels[row] == AFF))
    tissue, bone, beside = femur.shadows(pose, PICTURE, femur.thigh(rng), solids, pelvis)
    spongy = 1 + np.float32(0.05) * texture.fractal(rng, PICTURE, 40, 3, fade=0.8)
    shadow = tissue + BONE * spongy * (bone * _grooves(bone, rng) + np.float32(0.7) * beside)
    shadow = shadow + np.float32(0.05) * texture.fractal(rng, PICTURE, 4, 3, fade=0.5) * (tissue > 0) + _folds(rng)
    shadow = shadow + BONE * _hardware(pose, rng)
    picture = radiograph.exposed(shadow, rng, noise=0.012)
    return radiograph.shuttered(picture, rng, share=0.35), bone


def _grooves(bone: Field, rng: Generator) -> Field:
    """Return what vascular grooves leave of a bone: thin dark lines, oblique to the shaft, in half of the pictures."""
    inside = np.argwhere(bone > 0)
    if rng.random() < 0.5 or not len(inside):
        return np.ones_like(bone)
    lines = []
    for y, x in inside[rng.integers(0, len(inside), rng.integers(1, 4))]:
        heading = rng.choice((-1, 1)) * rng.uniform(0.6, 1.3)
        lines.append((shapes.wandering(rng, complex(x, y), heading, rng.uniform(8, 30), 0.3), rng.uniform(0.7, 1.5)))
    return 1 - np.float32(rng.uniform(0.15, 0.45)) * smooth(shapes.drawn(PICTURE, lines), 0.6)


def _folds(rng: Generator) -> Field:
    """Return the shadow of folds of skin and clothes: soft edges and lines across everything."""
    lines = []
    for _ in range(rng.integers(0, 4)):
        start, end = complex(*rng.uniform(0, PICTURE, 2)), complex(*rng.uniform(0, PICTURE, 2))
        lines.append((shapes.bent(start, end, rng.normal(0, 0.15)), rng.uniform(1, 6)))
    depth = rng.choice((-1, 1)) * rng.uniform(0.04, 0.16)
    return np.float32(depth) * smooth(shapes.drawn(PICTURE, lines), rng.uniform(1, 4))


def _hardware(pose: drawing.Pose, rng: Generator) -> Field:
    """Return the path through a plate, a nail or a cable, in one picture of fourteen."""
    own, habits = int(rng.integers(2**32)), film.Habits(hardware=0.07)
    bodies = list(map(drawing.Body, femur.tiles(pose, PICTURE)))
    for body in bodies:
        film.add_hardware(body, np.random.default_rng(own), habits)  # the same on every tile
    return femur.joined([body.bone for body in bodies], PICTURE)

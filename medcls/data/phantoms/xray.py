"""The course's X-rays: nine regions of the body, as unequal in number as a hospital takes them.

C1 chest from the front, C2 chest from the side, C3 hand, C4 foot, C5 knee, C6 elbow, C7 shoulder, C8 hip,
C9 skull. Hand and foot, knee and elbow, shoulder and hip are alike on purpose, one of each pair is rare,
and a close crop may leave little to tell them by.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import TEST, TRAIN
from medcls.data.phantoms import anatomy, drawing, film, types
from medcls.data.phantoms.types import Phantom, Pixels
from medcls.utils.code_digest import code_digest

REGIONS = (
    anatomy.chest_front,
    anatomy.chest_side,
    anatomy.hand,
    anatomy.foot,
    anatomy.knee,
    anatomy.elbow,
    anatomy.shoulder,
    anatomy.hip,
    anatomy.skull,
)
HABITS = film.Habits()


def phantom(
    *,
    seed: int = 0,
    train: Sequence[int] = (270, 126, 153, 63, 198, 63, 99, 27, 81),
    test: Sequence[int] = (67, 32, 38, 16, 49, 16, 25, 7, 20),
) -> Phantom:
    """Return the phantom of nine regions: `train[label]` and `test[label]` images of each."""
    labels = np.concatenate([types.by_class(train), types.by_class(test)])
    code = code_digest([types.by_class, _render])
    return Phantom(
        name="xray",
        classes=tuple(f"C{label + 1}" for label in range(len(REGIONS))),
        labels=labels,
        parts=np.repeat([TRAIN, TEST], [sum(train), sum(test)]),
        render=partial(_render, seed, labels),
        recipe=f"xray size={types.SIZE} seed={seed} train={tuple(train)} test={tuple(test)} code={code}",
    )


def _render(seed: int, labels: NDArray[np.int64], row: int) -> Pixels:
    rng = np.random.default_rng([seed, row])
    body = drawing.Body(film.lay(rng, HABITS))
    REGIONS[labels[row]](body, rng)
    film.add_hardware(body, rng, HABITS)
    return film.develop(body, rng, HABITS)

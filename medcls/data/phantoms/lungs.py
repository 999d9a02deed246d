"""Chest X-rays from the front with masks of the lungs, as the course's lung segmentation has them.

A mask is the aerated outline of both lungs: ribs and clavicles cross it, heart and diaphragm bound it, and what disease
whitens within it still belongs to it. A tenth of the pictures is badly exposed.
"""

from functools import partial

import numpy as np

from medcls.data.dataset import TRAIN, VALIDATION
from medcls.data.phantoms import chestfilm, folders, texture
from medcls.data.phantoms.chestfilm import PICTURE
from medcls.data.phantoms.types import Phantom, Pixels
from medcls.utils.code_digest import code_digest


def phantom(*, seed: int = 0, train: int = 160, validation: int = 40) -> Phantom:
    """Return the phantom of `train` and `validation` chests; its mask is "lungs", it has no classes."""
    code = code_digest([_render, _mask])
    return Phantom(
        name="lungs",
        classes=(),
        labels=np.zeros(train + validation, np.int64),
        parts=np.repeat([TRAIN, VALIDATION], [train, validation]),
        render=partial(_render, seed),
        recipe=f"lungs seed={seed} train={train} validation={validation} code={code}",
        shape=(PICTURE, PICTURE),
        masks={"lungs": partial(_mask, seed)},
        file=folders.in_images,
        mask_file=folders.mask_beside,
    )


def _render(seed: int, row: int) -> Pixels:
    rng = np.random.default_rng([seed, row])
    return texture.finished(chestfilm.exposed(chestfilm.shadows(rng, diseased=True).whole, rng))


def _mask(seed: int, row: int) -> Pixels:
    return np.where(chestfilm.lungs(np.random.default_rng([seed, row])) > 0.5, np.uint8(255), np.uint8(0))

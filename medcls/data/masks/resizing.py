"""Whether the targets of masks survive resizing, and from what size on."""

import hashlib
import json
import math
import os
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import DatasetSpec, Tell
from medcls.data.marks import Marks
from medcls.data.masks.mask_files import fit
from medcls.data.masks.values import ALL, NONE, SOME
from medcls.data.readers.images import DECODER
from medcls.data.sqlite_cache import transact

if TYPE_CHECKING:
    from PIL import Image

CREATE = "CREATE TABLE IF NOT EXISTS mask_sizes (name TEXT PRIMARY KEY, answer TEXT) WITHOUT ROWID"
KEPT = -1  # instead of NONE or ALL, for a mask that still marks some of its image
AT_ONCE = 200  # masks between two calls that report progress
WHITE = 128  # of 255: less counts as black
HARDEST = 32  # masks that are tried at every size; all others only where these survive
LARGEST = 2  # times the side of the largest mask: beyond that no size is sought


def lost(bundle: DatasetSpec, marks: Marks, folder: Path, tell: Tell) -> NDArray[np.int64]:
    """Return which masks mark nothing or everything at the data set's size though their files mark SOME of the image.

    Args:
        bundle: the data set, whose masks can all be read.
        marks: what they mark in their files.
        folder: where the result is remembered, so that nothing is decoded the second time.
        tell: called with the current step, how much of it is done, and how much there is.

    Returns:
        NONE, ALL, or KEPT where nothing is lost; of shape (n,).
    """
    store, name = folder / "survey.sqlite", _name(bundle, marks, bundle.size)
    remembered: list[int] | None = transact(store, lambda file: _remembered(file, name), None)
    if remembered is not None:
        return np.array(remembered, np.int64)
    rows = np.flatnonzero(marks.extents == SOME).tolist()
    extents = np.full(len(marks.extents), KEPT, np.int64)
    extents[rows] = _lost_among(marks, rows, bundle.size, tell)
    transact(store, lambda file: _remember(file, name, extents.tolist()), None)
    return extents


def smallest_size(bundle: DatasetSpec, marks: Marks, folder: Path, tell: Tell, *, step: int = 1) -> int:
    """Return the smallest size, larger than the data set's, at which no target is lost; 0 if there is none.

    At a larger one a target may be lost again, where it falls between two pixels.

    Args:
        bundle: the data set, whose masks can all be read.
        marks: what they mark in their files.
        folder: where the result is remembered.
        tell: called with the current step, how much of it is done, and how much there is.
        step: the size is a multiple of it; 1 by default.
    """
    store, name = folder / "survey.sqlite", _name(bundle, marks, bundle.size, step)
    remembered: int | None = transact(store, lambda file: _remembered(file, name), None)
    if remembered is not None:
        return remembered
    smallest = _smallest_size(bundle, marks, lost(bundle, marks, folder, tell), tell, step)
    transact(store, lambda file: _remember(file, name, smallest), None)
    return smallest


def _smallest_size(bundle: DatasetSpec, marks: Marks, gone: NDArray[np.int64], tell: Tell, step: int) -> int:
    rows = np.flatnonzero(marks.extents == SOME).tolist()
    failing = np.flatnonzero(gone != KEPT).tolist()
    largest = LARGEST * max(max(size) for size in marks.sizes)
    hard: list[_Target] = []
    size = bundle.size // step * step
    while failing:
        hard = [*(_target(marks.whole(row)) for row in failing[:HARDEST]), *hard]
        size += step
        while size <= largest and not all(target.survives(size) for target in hard):
            size += step
        if size > largest:
            return 0
        failing = [row for row, extent in zip(rows, _lost_among(marks, rows, size, tell), strict=True) if extent >= 0]
    return size


def _lost_among(marks: Marks, rows: Sequence[int], size: int, tell: Tell) -> list[int]:
    """Return NONE, ALL or KEPT of some masks."""
    extents: list[int] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(rows), AT_ONCE):
            tell(f"resizing masks to {size}", start, len(rows))
            extents += pool.map(lambda row: _extent(fit(marks.whole(row), size)), rows[start : start + AT_ONCE])
    return extents


def _extent(fitted: NDArray[np.uint8]) -> int:
    if fitted.all():
        return ALL
    return KEPT if fitted.any() else NONE


@dataclass(frozen=True)
class _Target:
    """The target of a mask, or its ground where that is smaller.

    Attributes:
        image: an image in Pillow's terms, white in the target.
        left, top, right, bottom: the rectangle that holds it, in pixels.
    """

    image: "Image.Image"
    left: int
    top: int
    right: int
    bottom: int

    def survives(self, size: int) -> bool:
        """Tell whether anything of it is left at a size."""
        from PIL import Image

        across, down = size / self.image.width, size / self.image.height
        left, right = max(0, math.floor(self.left * across) - 1), min(size, math.ceil(self.right * across) + 1)
        top, bottom = max(0, math.floor(self.top * down) - 1), min(size, math.ceil(self.bottom * down) + 1)
        window = (
            left / across,
            top / down,
            min(right / across, self.image.width),
            min(bottom / down, self.image.height),
        )
        resized = self.image.resize((right - left, bottom - top), Image.Resampling.BILINEAR, box=window)
        return int(np.asarray(resized).max()) >= WHITE


def _target(mask: NDArray[np.bool_]) -> _Target:
    from PIL import Image

    ground = 2 * np.count_nonzero(mask) > mask.size
    smaller = ~mask if ground else mask
    down, across = np.flatnonzero(smaller.any(axis=1)), np.flatnonzero(smaller.any(axis=0))
    image = Image.fromarray(np.where(smaller, np.uint8(255), np.uint8(0)))
    box = (int(across[0]), int(down[0]), int(across[-1]) + 1, int(down[-1]) + 1)
    return _Target(image, *box)


def _name(bundle: DatasetSpec, marks: Marks, *further: object) -> str:
    """Return a name for the answer to a question about these masks."""
    asked = [DECODER, marks.sentence, list(bundle.contents), *further]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _remembered(file: sqlite3.Connection, name: str) -> Any:
    row = file.execute("SELECT answer FROM mask_sizes WHERE name = ?", (name,)).fetchone()
    return None if row is None else json.loads(row[0])


def _remember(file: sqlite3.Connection, name: str, answer: object) -> None:
    file.execute(CREATE)
    file.execute("INSERT OR REPLACE INTO mask_sizes VALUES (?, ?)", (name, json.dumps(answer)))

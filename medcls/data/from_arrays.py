"""Data sets that come with scikit-learn: no download, no files."""

import hashlib
import json
from functools import partial

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import DatasetSpec, Examples
from medcls.data.readers import images
from medcls.evaluation.run_record import DataKind

KIND: DataKind = "toolkit"


def toolkit(
    name: str,
    source: str,
    classes: tuple[str, ...],
    labels: NDArray[np.int64],
    parts: NDArray[np.str_],
    examples: Examples,
    *,
    size: int,
    channels: int,
) -> DatasetSpec:
    """Return a data set of arrays that a library made.

    Args:
        name: what the study calls it.
        source: where the arrays come from, for people.
        classes: in the order of their labels.
        labels: of shape (n,).
        parts: the set of each example, of shape (n,).
        examples: images of shape (n, height, width), uint8, or points of shape (n, coordinates), float32.
        size: height and width to which images are resized; 0 for points.
        channels: of the resized images; the number of a point's coordinates.
    """
    digest = hashlib.sha256(json.dumps([classes, labels.tolist(), parts.tolist(), examples.shape]).encode())
    digest.update(np.ascontiguousarray(examples).tobytes())
    return DatasetSpec(
        name=name,
        source=source,
        layout=f"made by a library: {source}",
        kind=KIND,
        classes=classes,
        labels=labels,
        parts=parts,
        patients=None,
        names=tuple(map(str, range(len(labels)))),
        contents=("",) * len(labels),
        fingerprint="sha256:" + digest.hexdigest(),
        size=size,
        channels=channels,
        render=partial(_render, examples),
        stored=partial(_stored, examples),
    )


def _render(examples: Examples, row: int, size: int, channels: int) -> Examples:
    return images.fit(np.asarray(examples[row], np.uint8), size, channels) if size else examples[row]


def _stored(examples: Examples, row: int) -> tuple[str, tuple[int, int]]:
    height, width = examples[row].shape
    return "grey", (width, height)

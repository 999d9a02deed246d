"""What a phantom is: a made-up data set whose every image follows from a seed and a row number."""

import ast
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medcls.code import meaning

SIZE = 128

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Phantom:
    """A deterministic stand-in for a data set of grey images.

    Attributes:
        name: the built-in name that it stands in for, e.g. "xray".
        classes: class names, in the order of their labels.
        labels: of shape (n,), int64: the class of each image.
        parts: of shape (n,), str: TRAIN, VALIDATION, TEST or UNSPLIT for each image.
        render: row number -> the image, of shape (128, 128), uint8, whatever was rendered before and where.
        recipe: everything that the pixels depend on, as text: two phantoms of one recipe are the same.
    """

    name: str
    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    parts: NDArray[np.str_]
    render: Callable[[int], Pixels]
    recipe: str


def sources_digest(*files: str | Path) -> str:
    """Return the SHA-256 of what Python files do: neither comments, docstrings nor layout change it."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(meaning(ast.parse(Path(file).read_text(encoding="utf-8"))).encode())
    return digest.hexdigest()


def by_class(counts: Sequence[int]) -> NDArray[np.int64]:
    """Return the labels of a part that has `counts[label]` images of each class, class by class."""
    return np.repeat(np.arange(len(counts), dtype=np.int64), counts)

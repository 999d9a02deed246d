"""MNIST as it was published: four idx files, packed with gzip or not."""

import gzip
import re
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import IO, cast

import numpy as np

from medcls.data.dataset import TEST, TRAIN
from medcls.data.readers.arrays import Part, part_of, reading, stack_of
from medcls.data.readers.records import listed
from medcls.utils.errors import BadInputError

NAME = re.compile(r"((train|t10k)-(images|labels))[-.]idx[13]-ubyte(\.gz)?", re.IGNORECASE)
FILES = ("train-images", "train-labels", "t10k-images", "t10k-labels")
MOST_LABELS = 2**31
UNSIGNED_BYTES = 8  # the third byte of such a file; the fourth is the number of dimensions


def idx_files(files: list[Path]) -> dict[str, Path]:
    """Return which of some files are MNIST's, by names like "train-images"; of a packed and an unpacked one the latter.

    Raises:
        BadInputError: some of the four are there and others are not.
    """
    packed_first = sorted(files, key=lambda path: path.suffix.lower() != ".gz")
    by_name: dict[str, Path] = {}
    for path in packed_first:
        match = NAME.fullmatch(path.name)
        if match:
            by_name[match[1].lower()] = path
    missing = [name for name in FILES if name not in by_name]
    if by_name and missing:
        folder = next(iter(by_name.values())).parent
        raise BadInputError(f"{folder} lacks {listed(missing)} of MNIST's four idx files: add what is missing.")
    return by_name


def read_idx(files: dict[str, Path]) -> list[Part]:
    """Return the training and the test set in MNIST's four files.

    Raises:
        BadInputError: a damaged file, or images and labels that do not fit.
    """
    return [
        _set(TRAIN, files["train-images"], files["train-labels"]),
        _set(TEST, files["t10k-images"], files["t10k-labels"]),
    ]


def _set(set_name: str, images: Path, labels: Path) -> Part:
    with reading(labels), _open(labels) as file:
        expected, _ = _header(file)
        if len(expected) != 1 or expected[0] > MOST_LABELS:
            raise ValueError(f"its header says labels of the shape {expected}")
        numbers = np.frombuffer(file.read(expected[0] + 1), np.uint8)
        if numbers.shape != expected:
            raise EOFError(f"its header says {expected} labels and it holds {numbers.shape}")
    with reading(images):
        with _open(images) as file:
            shape, start = _header(file)
        plain_at = None if images.suffix.lower() == ".gz" else 0
        stack = stack_of(images, images.name, shape, np.dtype(np.uint8), partial(_open, images), start, plain_at)
        return part_of(set_name, stack, labels.name, numbers)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], int]:
    """Return the shape that an idx file's header says, and the header's length."""
    begin = file.read(4)
    if len(begin) < 4 or begin[:3] != bytes([0, 0, UNSIGNED_BYTES]):
        raise ValueError("it does not begin as an idx file of bytes does")
    sides = file.read(4 * begin[3])
    if len(sides) < 4 * begin[3]:
        raise EOFError("it ends within its header")
    return tuple(np.frombuffer(sides, ">u4").tolist()), 4 + len(sides)


def _open(path: Path) -> AbstractContextManager[IO[bytes]]:
    return cast(IO[bytes], gzip.open(path)) if path.suffix.lower() == ".gz" else path.open("rb")

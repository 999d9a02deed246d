"""Files of arrays with names (.npz), as MedMNIST and Keras write them."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from medcls.data.readers.arrays import Part, part_of, reading, stack_of
from medcls.data.readers.records import PARTS, listed
from medcls.data.readers.stacks import Stack
from medcls.utils.errors import BadInputError

SMALL, SHRINKING = 2**30, 200  # bytes that any array may unpack to, and how many times its size a larger one may
MOST_LABELS = 2**31  # bytes
EXPECTED = (
    "give train_images, train_labels and the same of val and test as MedMNIST writes them, "
    "or x_train, y_train, x_test and y_test as Keras does"
)


def read_npz(path: Path) -> list[Part]:
    """Return the sets in a file: headers and labels are read, the images not yet, and no pickles ever.

    Raises:
        BadInputError: a damaged file, or arrays of which no study can be made.
    """
    with reading(path), ZipFile(path) as archive:
        members = {name.lower().removesuffix(".npy"): name for name in archive.namelist()}
        sets: dict[str, Part] = {}
        for set_name, images, labels in _names():
            if images in members:
                if labels not in members or set_name in sets:
                    fault = f"no {labels}" if labels not in members else f"other images for {set_name}"
                    raise BadInputError(f"{path} has {images} and {fault}: {EXPECTED}.")
                stack = _stack(path, archive, members[images])
                sets[set_name] = part_of(set_name, stack, labels, _labels(archive, members[labels]))
    if not sets:
        raise BadInputError(f"{path} holds {listed(sorted(members)) or 'no arrays'}: {EXPECTED}.")
    return list(sets.values())


def _names() -> Iterator[tuple[str, str, str]]:
    """Yield the sets and what their images and labels may be called."""
    for word, set_name in PARTS.items():
        yield set_name, f"{word}_images", f"{word}_labels"
        yield set_name, f"x_{word}", f"y_{word}"


def _stack(path: Path, archive: ZipFile, member: str) -> Stack:
    _check_size(archive.getinfo(member))
    with archive.open(member) as file:
        shape, by_columns, dtype = _header(file)
        start = file.tell()
    if not dtype.hasobject and start + math.prod(shape) * dtype.itemsize != archive.getinfo(member).file_size:
        raise EOFError(f"{member} is not as long as its header says")
    name = member.removesuffix(".npy")
    if by_columns:
        raise BadInputError(f"{path} has {name} in Fortran's order: save it in C's, as np.ascontiguousarray makes it.")
    return stack_of(
        path, name, shape, dtype, partial(_open, path, member), start, _plain_at(path, archive.getinfo(member))
    )


def _plain_at(path: Path, member: ZipInfo) -> int | None:
    """Return where in an archive a member begins that is not compressed; None for one that is."""
    if member.compress_type != ZIP_STORED:
        return None
    with path.open("rb") as file:  # two lengths that the directory at the archive's end does not know
        file.seek(member.header_offset + 26)
        lengths = np.frombuffer(file.read(4), "<u2")
    return member.header_offset + 30 + int(lengths.sum())


def _check_size(member: ZipInfo, most: int | None = None) -> None:
    """Refuse what unpacks to far more than images do, before it fills memory or disk."""
    size = member.file_size
    if size > max(SMALL, SHRINKING * member.compress_size) or (most is not None and size > most):
        raise ValueError(f"{member.filename} would unpack to {size / 1e9:,.1f} GB")


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, by_columns, dtype = read(file)
    return shape, by_columns, dtype


def _labels(archive: ZipFile, member: str) -> NDArray[Any]:
    _check_size(archive.getinfo(member), MOST_LABELS)
    with archive.open(member) as file:
        shape, _, dtype = _header(file)
        if math.prod(shape) * dtype.itemsize > archive.getinfo(member).file_size:
            raise EOFError(f"{member} is not as long as its header says")
    with archive.open(member) as file:
        return np.asarray(np.lib.format.read_array(file, allow_pickle=False))


@contextmanager
def _open(path: Path, member: str) -> Iterator[IO[bytes]]:
    with ZipFile(path) as archive, archive.open(member) as file:
        yield file

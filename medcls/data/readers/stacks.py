"""Many images one after another in one file, perhaps compressed: read through once, or in any order."""

import hashlib
import os
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from threading import Lock
from typing import IO

import numpy as np

from medcls.data.dataset import Images

BLOCK = 2**20  # bytes read at a time


@dataclass(frozen=True)
class Stack:
    """The images of one set of a data set.

    Attributes:
        path: the file that they lie in.
        name: what they are called there, e.g. "train_images".
        shape: (n, height, width) if grey, (n, height, width, 3) if RGB; every value is one byte.
        open: opens the array, uncompressed.
        start: where in what `open` opens the first pixel lies, in bytes.
        plain_at: where in the file the array lies uncompressed, in bytes; None if it is compressed.
    """

    path: Path
    name: str
    shape: tuple[int, ...]
    open: Callable[[], AbstractContextManager[IO[bytes]]]
    start: int
    plain_at: int | None

    def sha256_of_rows(self) -> bytes:
        """Return the SHA-256 of each image's shape and pixels, 32 bytes each, reading the file through to its end.

        Raises:
            EOFError: fewer or more pixels than the header says.
            OSError, zipfile.BadZipFile, zlib.error: a damaged file.
        """
        row_shape = self.shape[1:]
        begun = _begun(row_shape)
        digests = bytearray()
        with self.open() as file:
            file.read(self.start)
            for _ in range(self.shape[0]):
                row = file.read(prod(row_shape))
                if len(row) < prod(row_shape):
                    raise EOFError(f"it ends after {len(digests) // 32} of {self.shape[0]} images")
                digest = begun.copy()
                digest.update(row)
                digests += digest.digest()
            if file.read(1):  # also has the checksum compared
                raise EOFError("it holds more than its header says")
        return bytes(digests)

    def rows(self, folder: Path) -> "Rows":
        """Return what reads any of the images.

        What is compressed is unpacked into a nameless file in `folder` that lasts as long as the reader, because images
        are asked for in any order.

        Raises:
            OSError: no room in the folder.
        """
        if self.plain_at is not None:
            with self.path.open("rb") as plain:
                return Rows(plain, self.plain_at + self.start, self.shape[1:])
        with self.open() as packed, tempfile.TemporaryFile(dir=folder) as unpacked:
            packed.read(self.start)
            while block := packed.read(BLOCK):
                unpacked.write(block)
            unpacked.flush()
            return Rows(unpacked, 0, self.shape[1:])


class Rows:
    """Reads single images of an open file, which stays open. A memory map would end the process if the file shrinks.

    Args:
        file: the file; it may be closed afterwards.
        start: where its first image begins, in bytes.
        shape: of an image.
    """

    def __init__(self, file: IO[bytes], start: int, shape: tuple[int, ...]) -> None:
        self._file, self._start, self._shape = os.dup(file.fileno()), start, shape
        weakref.finalize(self, os.close, self._file)

    def image(self, row: int) -> Images | None:
        """Return an image, None where the file ends before it does."""
        length = prod(self._shape)
        content = os.pread(self._file, length, self._start + row * length)
        return np.frombuffer(content, np.uint8).reshape(self._shape) if len(content) == length else None


@dataclass(frozen=True)
class Stacks:
    """Several stacks as one row of images, each opened when its first image is asked for."""

    stacks: Sequence[Stack]
    folder: Path
    _rows: dict[int, Rows] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def image(self, stack: int, row: int) -> Images | None:
        """Return an image of shape (height, width) or (height, width, 3); None where the file is too short by now."""
        with self._lock:
            if stack not in self._rows:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._rows[stack] = self.stacks[stack].rows(self.folder)
        return self._rows[stack].image(row)

    def places(self) -> Iterator[tuple[int, int]]:
        """Yield (stack, row) of every image."""
        for number, stack in enumerate(self.stacks):
            for row in range(stack.shape[0]):
                yield number, row


def sha256_of(image: Images) -> str:
    """Return the SHA-256 of an image's shape and pixels in hex."""
    digest = _begun(image.shape)
    digest.update(image.tobytes())
    return digest.hexdigest()


def _begun(shape: tuple[int, ...]) -> "hashlib._Hash":
    return hashlib.sha256("x".join(map(str, shape)).encode())

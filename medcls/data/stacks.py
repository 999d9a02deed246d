"""Many images one after another in one file, perhaps compressed: read through once, or mapped into memory."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from threading import Lock
from typing import IO

import numpy as np

from medcls.data.types import Images

BLOCK = 2**20  # bytes read at a time


@dataclass(frozen=True)
class Stack:
    """The images of one part of a data set.

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
        begun = hashlib.sha256("x".join(map(str, row_shape)).encode())
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

    def mapped(self, folder: Path) -> Images:
        """Return the images as a read-only memory map of `shape`.

        What is compressed is unpacked into a nameless file in `folder` that lasts as long as the map, because images
        are asked for in any order.

        Raises:
            OSError: no room in the folder.
        """
        if self.plain_at is not None:
            return np.memmap(self.path, np.uint8, "r", self.plain_at + self.start, self.shape)
        with self.open() as packed, tempfile.TemporaryFile(dir=folder) as unpacked:
            packed.read(self.start)
            while block := packed.read(BLOCK):
                unpacked.write(block)
            unpacked.flush()
            return np.memmap(unpacked, np.uint8, "r", 0, self.shape)


@dataclass(frozen=True)
class Stacks:
    """Several stacks as one row of images, each mapped into memory when its first image is asked for."""

    stacks: Sequence[Stack]
    folder: Path
    _maps: dict[int, Images] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def image(self, stack: int, row: int) -> Images:
        """Return an image of shape (height, width) or (height, width, 3)."""
        with self._lock:
            if stack not in self._maps:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._maps[stack] = self.stacks[stack].mapped(self.folder)
        return np.asarray(self._maps[stack][row])  # a memory map's own class slows all that is done with it

    def places(self) -> Iterator[tuple[int, int]]:
        """Yield (stack, row) of every image."""
        for number, stack in enumerate(self.stacks):
            for row in range(stack.shape[0]):
                yield number, row

"""Reading from a memory map without keeping it: what was read of a large one counts as memory of the process's own."""

import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

KEPT = 2**24  # bytes read before their pages are given back; the system maps up to sixteen times as much around them


class Reader:
    """Takes rows of an array, and gives the pages of its memory map back now and then."""

    def __init__(self, array: NDArray[Any]) -> None:
        self._array, self._map, self._read = array, _map_of(array), 0

    def __call__(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Return some rows as an array of their own."""
        taken = np.asarray(self._array[rows])
        self._read += taken.nbytes
        if self._map is not None and self._read > KEPT:
            self._read = 0
            self._map.madvise(mmap.MADV_DONTNEED)  # they stay in the system's cache of files while there is room
        return taken


def _map_of(array: object) -> mmap.mmap | None:
    """Return what an array is a map of; None where it lies in memory, or the system cannot be told."""
    while array is not None and not isinstance(array, mmap.mmap):
        array = getattr(array, "base", None)
    return array if hasattr(mmap, "MADV_DONTNEED") else None

"""The masks of a data set in their own sizes, for scores beside those at the study's size."""

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class WholeMasks:
    """Masks that are unpacked one by one when they are indexed.

    Attributes:
        packed: the compressed bits of all masks in sequence, uint8; may be a memory map.
        ends: of shape (n,), int64: the position in `packed` at which each mask ends.
        sizes: of shape (n, 2), int64: the height and width of each mask in pixels.
    """

    packed: NDArray[np.uint8]
    ends: NDArray[np.int64]
    sizes: NDArray[np.int64]

    def __getitem__(self, row: int) -> NDArray[np.bool_]:
        """Return a mask of shape (height, width)."""
        start = int(self.ends[row - 1]) if row else 0
        height, width = self.sizes[row].tolist()
        bits = np.frombuffer(zlib.decompress(self.packed[start : self.ends[row]].tobytes()), np.uint8)
        return np.unpackbits(bits, count=height * width).reshape(height, width).astype(np.bool_)


def pack(mask: NDArray[np.bool_]) -> bytes:
    """Return a mask of shape (height, width) as `WholeMasks` keeps it."""
    return zlib.compress(np.packbits(mask).tobytes(), 1)

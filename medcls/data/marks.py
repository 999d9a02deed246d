"""What the masks of a data set mark, mask by mask."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Marks:
    """What the masks of a data set mark, in its order.

    Attributes:
        sentence: what their values mean.
        names: of length n: the masks' file names.
        faults: of length n: why a mask cannot be used, "" if it can.
        sizes: of length n: width and height of each mask as it is shown.
        extents: of shape (n,), int64: whether it marks NONE, SOME or ALL of its image (`mask_values`).
        turned: of shape (n, 2), int64: the EXIF orientation of each image and of its mask.
        whole: row number -> the mask in its own size, of shape (height, width), bool.
    """

    sentence: str
    names: tuple[str, ...]
    faults: tuple[str, ...]
    sizes: tuple[tuple[int, int], ...]
    extents: NDArray[np.int64]
    turned: NDArray[np.int64]
    whole: Callable[[int], NDArray[np.bool_]]

    def of(self, rows: Sequence[int] | NDArray[np.int64]) -> "Marks":
        """Return what some of the masks mark, in the order given."""
        chosen = np.asarray(rows, np.int64)
        whole = self.whole
        return Marks(
            self.sentence,
            tuple(self.names[row] for row in chosen),
            tuple(self.faults[row] for row in chosen),
            tuple(self.sizes[row] for row in chosen),
            self.extents[chosen],
            self.turned[chosen],
            lambda row: whole(int(chosen[row])),
        )

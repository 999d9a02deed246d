"""Row numbers spread evenly over a data set."""

import numpy as np
from numpy.typing import NDArray


def evenly_spaced(count: int, most: int) -> NDArray[np.int64]:
    """Return at most `most` of the numbers 0 to `count` - 1, in ascending order and evenly spread: first and last too.

    Args:
        count: how many numbers there are to choose from, at least 0.
        most: how many are wanted, at least 1.

    Returns:
        The numbers, of shape (min(count, most),), int64.
    """
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))

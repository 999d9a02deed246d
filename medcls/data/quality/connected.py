"""Connected components: which items belong together through chains of pairs."""

import numpy as np
from numpy.typing import NDArray

from medcls.utils.lazy import scipy


def smallest_connected(count: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each item the smallest number among the items that a chain of pairs connects it with.

    Args:
        count: how many items there are; they are numbered from 0.
        pairs: numbers of items that belong together, of shape (pairs, 2).

    Returns:
        The smallest number in each item's group, the item's own included, of shape (count,).
    """
    ones = np.ones(len(pairs), np.int8)
    graph = scipy.sparse.coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    _, components = scipy.sparse.csgraph.connected_components(graph, directed=False)
    _, first = np.unique(components, return_index=True)
    return np.asarray(first[components], np.int64)

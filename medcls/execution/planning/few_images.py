"""The few images of each class that --smoke uses."""

import hashlib
from collections.abc import Collection

import numpy as np

from medcls.data.checks import cuts
from medcls.data.dataset import VALIDATION, DatasetSpec
from medcls.data.quality.repair import selected
from medcls.utils.errors import BadInputError

FEW, FEWEST = 4, 2  # images per class and set: if the data are split further, and if they are not


def few_images(bundle: DatasetSpec, folds: int | None, split_seeds: Collection[int]) -> DatasetSpec:
    """Return a few images of a data set: any that the study can split, else images of different patients."""
    is_split = folds is not None or any(split_seeds) or VALIDATION not in bundle.parts
    count = max(FEW, (folds or 0) + 1) if is_split else FEWEST
    chosen = sample(bundle, count)
    try:
        for seed in split_seeds:
            cuts(chosen, folds, seed)
    except BadInputError:
        return sample(bundle, count, apart=True)
    return chosen


def sample(bundle: DatasetSpec, count: int, *, apart: bool = False) -> DatasetSpec:
    """Return a data set with at most `count` images of each class in each set, evenly spread over their order.

    Args:
        bundle: the data set.
        count: the number of images.
        apart: whether the images of a class in a set are of different patients.
    """
    chosen: list[int] = []
    for part in sorted(set(bundle.parts)):
        for label in range(len(bundle.classes)):
            rows = np.flatnonzero((bundle.parts == part) & (bundle.labels == label))
            if apart and bundle.patients is not None:
                rows = rows[np.sort(np.unique(bundle.patients[rows], return_index=True)[1])]
            if len(rows):
                spread = np.linspace(0, len(rows) - 1, min(count, len(rows)))
                chosen += rows[np.unique(spread.astype(int))].tolist()
    digest = hashlib.sha256(f"{bundle.fingerprint} at most {count} of a class and part".encode()).hexdigest()
    return selected(bundle, np.array(sorted(chosen)), fingerprint=f"sha256:{digest}")

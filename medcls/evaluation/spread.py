"""How a score varies over the repeats of a variant."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcls.evaluation.metrics import ANY
from medcls.utils.lazy import scipy

ROUNDING = 1e-6  # of the largest value: what rounding to float32 alone may make of equal ones


@dataclass(frozen=True)
class Spread:
    """A score over the repeats of a variant.

    Attributes:
        mean: of the values.
        sd: their sample standard deviation, over n - 1; 0 for a single value.
        ci95: the 95% t interval of the mean; None for a single value and where all values are equal.
        values: one a seed or fold.
    """

    mean: float
    sd: float
    ci95: tuple[float, float] | None
    values: tuple[float, ...]


def spread_of(values: Sequence[float], ends: tuple[float, float] = ANY) -> Spread:
    """Return mean, standard deviation and the mean's 95% t interval of repeats.

    Of a few values that differ much, the interval may reach beyond what is possible, its `ends`: it is cut there.
    """
    mean, n = float(np.mean(values)), len(values)
    sd = float(np.std(values, ddof=1)) if n > 1 else 0.0
    if is_alike(values, float(np.abs(values).max())):
        return Spread(mean, sd, None, tuple(values))
    half = float(scipy.stats.t.ppf(0.975, n - 1)) * sd / n**0.5
    return Spread(mean, sd, (max(mean - half, ends[0]), min(mean + half, ends[1])), tuple(values))


def is_alike(values: Sequence[float] | NDArray[np.float64], largest: float) -> bool:
    """Tell whether values differ by no more than rounding, where the `largest` is what they were computed from."""
    return float(np.ptp(values)) <= ROUNDING * largest

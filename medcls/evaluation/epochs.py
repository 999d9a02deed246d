"""At which epoch a curve reaches a value."""

from collections.abc import Sequence

import numpy as np

from medcls.evaluation import metrics


def falls(metric: str) -> bool:
    """Tell whether a metric gets better as it falls."""
    row = metrics.metric(metric)
    return row is not None and row.higher_is_better is False


def first_as_good(curve: Sequence[float], value: float, metric: str) -> int | None:
    """Return the first epoch, counted from 1, at which a metric's curve is as good as a value, None if it never is.

    Args:
        curve: of length epochs.
        value: the value that is to be reached.
        metric: the name of the curve's metric, which tells whether the curve is to rise or to fall.
    """
    if falls(metric):
        return first_at_least([-number for number in curve], -value)
    return first_at_least(curve, value)


def first_at_least(curve: Sequence[float], value: float) -> int | None:
    """Return the first epoch, counted from 1, at which a curve is at least `value`, None if it never is."""
    reached = np.flatnonzero(np.asarray(curve) >= value - 1e-12)
    return int(reached[0]) + 1 if len(reached) else None


def smoothed(curve: Sequence[float], window: int = 5) -> list[float]:
    """Return the mean of each epoch and the `window` - 1 before it, as far as there are any."""
    sums = np.concatenate([[0.0], np.cumsum(curve)])
    starts = np.maximum(np.arange(1, len(sums)) - window, 0)
    values = (sums[1:] - sums[starts]) / (np.arange(1, len(sums)) - starts)
    return [float(value) for value in values]

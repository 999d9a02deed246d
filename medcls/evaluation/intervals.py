"""How sure a score is: bootstrap intervals, means over runs, ensembles."""
# ruff: noqa: PT028 (`test_scores` is no test, it scores the test images)

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.evaluation.classification import Labels, Numbers, weighted_class_scores, weighted_scores
from medcls.evaluation.summary import TestScore

Interval = tuple[float, float]
Units = NDArray[np.integer]

# The probability beyond each end of a 95% interval.
TAIL = 0.025
# Weights made at once: large test sets must fit into memory.
BLOCK = 2_000_000


def test_scores(
    labels: Labels,
    probabilities: Numbers,
    classes: tuple[str, ...],
    patients: NDArray[np.str_] | None = None,
    *,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, TestScore]:
    """Return accuracy, balanced_accuracy, macro_f1, auc and recall/CLASS with 95% intervals, those defined.

    The intervals are `bootstrap_intervals`. Where all resamples agree, as on a perfect score, the bootstrap knows
    nothing of errors not met yet; there the exact bound of Clopper and Pearson (1934) for as many trials as
    patients (else images) takes its place, so that 30 right of 30 is 0.88 to 1.

    Args:
        labels: of shape (n,).
        probabilities: of shape (n, classes).
        classes: their names.
        patients: of shape (n,): the patient of each image, or None where every image stands alone.
        resamples: how many.
        seed: of the resamples.

    Raises:
        TrainingError: a probability is not a number, because training diverged.
    """
    statistic = partial(weighted_scores, labels, probabilities, classes)
    bounds = _perfect_bounds(labels, classes, _units(len(labels), patients))
    return _with_intervals(statistic, bounds, len(labels), patients, resamples, seed)


def class_scores(
    labels: Labels,
    predicted: Labels,
    classes: tuple[str, ...],
    patients: NDArray[np.str_] | None = None,
    *,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, TestScore]:
    """Return recall/CLASS, precision/CLASS and f1/CLASS with 95% intervals like those of `test_scores`, those defined.

    Args:
        labels: of shape (n,).
        predicted: the predicted class of each image, of shape (n,).
        classes: their names.
        patients: of shape (n,): the patient of each image, or None where every image stands alone.
        resamples: how many.
        seed: of the resamples.
    """
    units, bounds = _units(len(labels), patients), {}
    for number, name in enumerate(classes):
        occurring, chosen = labels == number, predicted == number
        for score, among in (("recall", occurring), ("precision", chosen), ("f1", occurring | chosen)):
            if among.any():
                bounds[f"{score}/{name}"] = _perfect_bound(units[among])
    statistic = partial(weighted_class_scores, labels, predicted, classes)
    return _with_intervals(statistic, bounds, len(labels), patients, resamples, seed)


def bootstrap_intervals(
    statistic: Callable[[Numbers], dict[str, Any]],
    n: int,
    patients: NDArray[np.str_] | None = None,
    *,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Interval]:
    """Return the percentile bootstrap's 95% interval (Efron and Tibshirani 1993, chapter 13) of every score.

    Resamples are drawn with replacement, of patients with all their images where patients are given, else of
    images; not stratified, since another test set would have other numbers of each class. Resamples in which a
    score is undefined do not count for it. Below about 50 images, 95% intervals of this kind hold the truth in
    90 to 94 of 100 cases.

    Args:
        statistic: how often each image counts, of shape (resamples, n), to scores by name, each of shape
            (resamples,), NaN where undefined.
        n: number of images.
        patients: of shape (n,).
        resamples: how many.
        seed: of the resamples.
    """
    blocks = [statistic(weights) for weights in _resamples(_units(n, patients), resamples, seed)]
    intervals = {}
    for name in blocks[0]:
        replicates = np.concatenate([block[name] for block in blocks])
        defined = replicates[np.isfinite(replicates)]
        if len(defined):
            low, high = np.quantile(defined, [TAIL, 1.0 - TAIL])
            intervals[name] = (float(low), float(high))
    return intervals


def ensemble(probabilities: Sequence[Numbers]) -> Numbers:
    """Return the mean of several models' probabilities, each of shape (n, classes)."""
    mean: Numbers = np.mean(np.stack(probabilities), axis=0)
    return mean


def mean_sd(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean and the sample standard deviation (over n - 1); 0 for a single value."""
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def _with_intervals(
    statistic: Callable[[Numbers], dict[str, Any]],
    bounds: Mapping[str, float],
    n: int,
    patients: NDArray[np.str_] | None,
    resamples: int,
    seed: int,
) -> dict[str, TestScore]:
    """The scores that have bounds, as far as they are defined, with the bootstrap's intervals or else these bounds."""
    values = {name: float(value[0]) for name, value in statistic(np.ones((1, n))).items()}
    intervals = bootstrap_intervals(statistic, n, patients, resamples=resamples, seed=seed)
    answer: dict[str, TestScore] = {}
    for name, bound in bounds.items():
        if np.isfinite(values[name]):
            low, high = intervals[name]
            if low == high:
                low, high = min(low, bound), max(high, 1.0 - bound)
            answer[name] = TestScore(values[name], (low, high))
    return answer


def _units(n: int, patients: NDArray[np.str_] | None) -> Units:
    """The number of each image's independent unit, of shape (n,)."""
    return np.arange(n) if patients is None else np.unique(patients, return_inverse=True)[1]


def _resamples(units: Units, resamples: int, seed: int) -> Iterator[Numbers]:
    """Blocks of shape (some of the resamples, n): how often each image counts."""
    generator = np.random.default_rng(seed)
    count = int(units.max()) + 1
    block = max(1, BLOCK // len(units))
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        drawn = generator.integers(count, size=(rows, count)) + count * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count)
        yield counts[:, units].astype(np.float64)


def _perfect_bounds(labels: Labels, classes: tuple[str, ...], units: Units) -> dict[str, float]:
    """The least that each score may truly be where nothing was wrong: for means over classes, the recalls' mean."""
    recalls = {
        f"recall/{name}": _perfect_bound(units[labels == number])
        for number, name in enumerate(classes)
        if (labels == number).any()
    }
    mean = float(np.mean(list(recalls.values())))
    return {"accuracy": _perfect_bound(units), "balanced_accuracy": mean, "macro_f1": mean, "auc": mean, **recalls}


def _perfect_bound(among: Units) -> float:
    return float(TAIL ** (1 / len(np.unique(among))))

"""A study's finished runs as numbers: one score a run, paired by seed and fold.

Everything here reads the summary that a study ends with (a mapping of plain values), so that the same answers can be
given again later, without the runs.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from medcls.evaluation import metrics
from medcls.evaluation.metrics import ANY, EPOCHS, digits, words
from medcls.utils.lazy import scipy

__all__ = ["digits", "words"]  # beside what is written here

RunRecord = Mapping[str, Any]
ROUNDING = 1e-6  # of the largest value: what rounding to float32 alone may make of equal ones
Pair = tuple[int, int | None]
"""A seed and a fold: runs of two variants with the same one are paired."""


class Compared(Protocol):
    """What can be compared of two runs: a score of each, or what only both together tell."""

    @property
    def name(self) -> str:
        """In words with underscores, as in a summary."""

    @property
    def words(self) -> str:
        """The name as a sentence has it."""

    @property
    def higher_is_better(self) -> bool | None:
        """Which way it gets better, None where that is not known."""

    def of_pair(self, a: RunRecord, b: RunRecord) -> tuple[float | None, float | None]:
        """Return the numbers of two runs."""


@dataclass(frozen=True)
class Score:
    """One number a run.

    Attributes:
        name: in words with underscores, as in a summary.
        of: a run of the summary -> the number, None where it has none.
        higher_is_better: which way it gets better, None where that is not known.
        ends: what its values lie between.
        by_name: whether runs are asked for it by its name, so that it may not exist.
    """

    name: str
    of: Callable[[RunRecord], float | None]
    higher_is_better: bool | None = True
    ends: tuple[float, float] = ANY
    by_name: bool = False

    @property
    def words(self) -> str:
        """The name as a sentence has it."""
        return words(self.name)

    def of_pair(self, a: RunRecord, b: RunRecord) -> tuple[float | None, float | None]:
        """Return the numbers of two runs that are compared."""
        return self.of(a), self.of(b)


def score(name: str, *, higher_is_better: bool | None = None) -> Score:
    """Return a score by its name: what the history holds at the epoch that a run keeps, else its final score.

    As in the history, "accuracy" is that of training and "val_accuracy" that of the comparison part. Which way it gets
    better the table of metrics knows; of a metric of one's own `higher_is_better` says it.
    """

    def of(run: RunRecord) -> float | None:
        curve = run["history"].get(name)
        value = curve[run["best_epoch"]] if curve else run["metrics"].get(name)
        return None if value is None else float(value)

    row = metrics.metric(name)
    if higher_is_better is None and row is not None:
        higher_is_better = row.higher_is_better
    return Score(name, of, higher_is_better, ANY if row is None else row.ends, by_name=True)


def names(summary: Mapping[str, Any]) -> list[str]:
    """Return the names of all scores that some finished run of a summary has."""
    runs = [run for run in summary["runs"] if run["status"] == "finished"]
    return list(dict.fromkeys(name for run in runs for name in (*run["history"], *run["metrics"])))


def epochs_to(metric: str, share: float = 0.95) -> Score:
    """Return the number of epochs until a curve first reaches `share` of its own best value, its highest."""

    def of(run: RunRecord) -> float | None:
        curve = run["history"].get(metric)
        return None if not curve else float(first_at_least(curve, share * max(curve)) or len(curve))

    return Score(f"epochs_to_{share:.0%}_of_best_{metric}", of, higher_is_better=False, ends=EPOCHS)


def best_epoch(loss: str = "val_loss") -> Score:
    """Return the epoch, counted from 1, at which a loss was least: from there on it only gets worse."""

    def of(run: RunRecord) -> float | None:
        curve = run["history"].get(loss)
        return float(np.argmin(curve)) + 1 if curve else None

    return Score(f"epoch_of_least_{loss}", of, higher_is_better=False, ends=EPOCHS)


def parameters() -> Score:
    """Return the number of a network's parameters."""
    return Score("parameters", lambda run: float(run["parameters"]["total"]), higher_is_better=False)


def seconds_per_epoch() -> Score:
    """Return the time that an epoch takes: the median of a run's epochs but the first."""
    return Score("seconds_per_epoch", lambda run: run.get("seconds_per_epoch"), higher_is_better=False)


def worth_of_choosing_on(metric: str) -> Score:
    """Return by how much the best epoch of a curve is better than the epoch that a run keeps: the flattery of choosing.

    Of "test_accuracy" that is what choosing the epoch on the test part would have added to the test accuracy.
    """

    def of(run: RunRecord) -> float | None:
        curve = run["history"].get(metric)
        if not curve:
            return None
        kept = float(curve[run["best_epoch"]])
        return kept - float(min(curve)) if falls(metric) else float(max(curve)) - kept

    return Score(f"gain_in_{metric}", of)


def falls(metric: str) -> bool:
    """Tell whether a metric gets better as it falls."""
    row = metrics.metric(metric)
    return row is not None and row.higher_is_better is False


def first_as_good(curve: Sequence[float], value: float, metric: str) -> int | None:
    """Return the first epoch, counted from 1, at which a metric's curve is as good as `value`, None if it never is."""
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


def finished(summary: Mapping[str, Any], data: str, variant: str) -> dict[Pair, RunRecord]:
    """Return a variant's finished runs on one data set by seed and fold, without the refit."""
    return {
        (run["seed"], run["fold"]): run
        for run in summary["runs"]
        if run["data"] == data and run["variant"] == variant and run["status"] == "finished" and not _is_refit(run)
    }


def pairs(summary: Mapping[str, Any], data: str, a: str, b: str) -> list[tuple[RunRecord, RunRecord]]:
    """Return the finished runs of two variants, paired by seed and fold."""
    of_a, of_b = finished(summary, data, a), finished(summary, data, b)
    return [(of_a[pair], of_b[pair]) for pair in sorted(of_a.keys() & of_b.keys(), key=str)]


def paired(summary: Mapping[str, Any], data: str, a: str, b: str, one: Compared) -> list[tuple[float, float]]:
    """Return the scores of two variants, pair by pair, where both have one; pairs alike to the bit count once."""
    return [pair for pair, is_new in every_pair(summary, data, a, b, one) if is_new]


def every_pair(
    summary: Mapping[str, Any], data: str, a: str, b: str, one: Compared
) -> list[tuple[tuple[float, float], bool]]:
    """Return the scores of two variants, pair by pair, and whether a pair is no repetition of an earlier one.

    Two pairs are one where seeds change nothing: the predictions of both their runs are equal to the bit, and so are
    their scores. Folds are of different images and never alike.

    Args:
        summary: what a study ended with.
        data: the name of the data set.
        a: the name of a variant.
        b: the name of another.
        one: what is compared.
    """
    found, seen = [], set()
    for first, second in pairs(summary, data, a, b):
        of_a, of_b = one.of_pair(first, second)
        if of_a is None or of_b is None:
            continue
        identity = (_identity(first), _identity(second), of_a, of_b)
        found.append(((of_a, of_b), identity not in seen))
        if None not in identity:
            seen.add(identity)
    return found


def values(runs: Iterable[RunRecord], one: Score) -> list[float]:
    """Return the scores of those runs that have one; runs alike to the bit count once."""
    found, seen = [], set()
    for run in runs:
        value, identity = one.of(run), _identity(run)
        if value is None or (identity, value) in seen:
            continue
        found.append(value)
        if identity is not None:
            seen.add((identity, value))
    return found


def distinct(runs: Iterable[RunRecord]) -> int:
    """Return how many runs there are; those whose predictions are equal to the bit count once."""
    known = [_identity(run) for run in runs]
    return known.count(None) + len(set(known) - {None})


def _identity(run: RunRecord) -> tuple[int | None, str] | None:
    """Return what runs alike to the bit share, None where their predictions are not known."""
    predictions = run.get("predictions_sha256")
    return (run["fold"], predictions) if predictions else None


def right(run: RunRecord) -> list[bool] | None:
    """Return whether a run told the class of each image right that it was compared on, None where that is not known."""
    told: str | None = run.get("right")
    return None if told is None else [each == "1" for each in told]


def variants(summary: Mapping[str, Any], data: str) -> list[str]:
    """Return the variants that have a finished run on a data set, in the study's order."""
    names = dict.fromkeys(run["variant"] for run in summary["runs"] if run["data"] == data)
    return [name for name in names if finished(summary, data, name)]


def spread(values: Sequence[float], ends: tuple[float, float] = ANY) -> dict[str, Any]:
    """Return mean, standard deviation and the mean's 95% t interval of repeats.

    There is no interval, None, for a single value and for values that are all the same. Of a few values that differ
    much, it may reach beyond what is possible, its `ends`: it is cut there.
    """
    mean, n = float(np.mean(values)), len(values)
    sd = float(np.std(values, ddof=1)) if n > 1 else 0.0
    if is_alike(values, float(np.abs(values).max())):
        return {"mean": mean, "sd": sd, "ci95": None, "values": list(values)}
    half = float(scipy.stats.t.ppf(0.975, n - 1)) * sd / n**0.5
    interval = [max(mean - half, ends[0]), min(mean + half, ends[1])]
    return {"mean": mean, "sd": sd, "ci95": interval, "values": list(values)}


def is_alike(values: Sequence[float] | NDArray[np.float64], largest: float) -> bool:
    """Tell whether values differ by no more than rounding, where the `largest` is what they were computed from."""
    return float(np.ptp(values)) <= ROUNDING * largest


def _is_refit(run: RunRecord) -> bool:
    return run["fold"] is None and run["params"].get("folds") is not None

"""A study's finished runs as numbers: one score a run, paired by seed and fold.

Everything here reads the summary that a study ends with, so that the same answers can be given again later, without
the runs.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from medcls.evaluation import metrics
from medcls.evaluation.epochs import falls, first_at_least
from medcls.evaluation.metrics import ANY, EPOCHS, digits, words
from medcls.evaluation.run_record import RunRecord
from medcls.evaluation.summary import StudySummary

__all__ = ["digits", "words"]  # beside what is written here

Pair: TypeAlias = tuple[int, int | None]
"""A seed and a fold: runs of two variants that share them are paired."""


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
        ends: the least and the greatest value that is possible.
        by_name: whether the score was asked for by its name, so that it may not exist.
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


@dataclass(frozen=True)
class ScoredPair:
    """The scores of two runs that share seed and fold.

    Attributes:
        a: of the first variant's run.
        b: of the second variant's run.
        is_new: whether the pair differs from every earlier one, rather than repeat it to the bit.
        runs: the two runs.
    """

    a: float
    b: float
    is_new: bool
    runs: tuple[RunRecord, RunRecord]


def score(name: str, *, higher_is_better: bool | None = None) -> Score:
    """Return a score by its name: its value in the history at the epoch that a run keeps, else its final value.

    As in the history, "accuracy" is the accuracy on the training set and "val_accuracy" that on the validation set.

    Args:
        name: of a curve of the history or of a final score.
        higher_is_better: which way it gets better; None leaves that to the table of metrics.
    """

    def of(run: RunRecord) -> float | None:
        curve = run.history.get(name)
        if curve and run.best_epoch is not None:
            return float(curve[run.best_epoch])
        value = run.metrics.get(name)
        return None if value is None else float(value)

    row = metrics.metric(name)
    if row is None:
        return Score(name, of, higher_is_better, ANY, by_name=True)
    if higher_is_better is None:
        higher_is_better = row.higher_is_better
    return Score(name, of, higher_is_better, row.ends, by_name=True)


def names(summary: StudySummary) -> list[str]:
    """Return the names of all scores that some finished run of a summary has."""
    names: dict[str, None] = {}
    for run in summary.finished:
        names |= dict.fromkeys((*run.history, *run.metrics))
    return list(names)


def epochs_to(metric: str, share: float = 0.95) -> Score:
    """Return the number of epochs until a curve first reaches `share` of its own best value, its highest."""

    def of(run: RunRecord) -> float | None:
        curve = run.history.get(metric)
        if not curve:
            return None
        return float(first_at_least(curve, share * max(curve)) or len(curve))

    return Score(f"epochs_to_{share:.0%}_of_best_{metric}", of, higher_is_better=False, ends=EPOCHS)


def best_epoch(loss: str = "val_loss") -> Score:
    """Return the epoch, counted from 1, at which a loss was least: from there on it only gets worse."""

    def of(run: RunRecord) -> float | None:
        curve = run.history.get(loss)
        return float(np.argmin(curve)) + 1 if curve else None

    return Score(f"epoch_of_least_{loss}", of, higher_is_better=False, ends=EPOCHS)


def parameters() -> Score:
    """Return the number of a network's parameters."""
    return Score("parameters", lambda run: float(run.parameters["total"]), higher_is_better=False)


def seconds_per_epoch() -> Score:
    """Return the time that an epoch takes: the median of a run's epochs but the first."""
    return Score("seconds_per_epoch", lambda run: run.seconds_per_epoch, higher_is_better=False)


def worth_of_choosing_on(metric: str) -> Score:
    """Return by how much the best epoch of a curve is better than the epoch that a run keeps: the optimism of choosing.

    For "test_accuracy" it is what choosing the epoch on the test set would have added to the test accuracy.
    """

    def of(run: RunRecord) -> float | None:
        curve = run.history.get(metric)
        if not curve or run.best_epoch is None:
            return None
        kept = float(curve[run.best_epoch])
        return kept - float(min(curve)) if falls(metric) else float(max(curve)) - kept

    return Score(f"gain_in_{metric}", of)


def finished(summary: StudySummary, data: str, variant: str) -> dict[Pair, RunRecord]:
    """Return a variant's finished runs on one data set by seed and fold, without the refit.

    Args:
        summary: what a study ended with.
        data: the name of the data set.
        variant: the name of the variant.
    """
    runs = {}
    for run in summary.finished:
        if run.data == data and run.variant == variant and not run.is_refit:
            runs[run.seed, run.fold] = run
    return runs


def pairs(summary: StudySummary, data: str, a: str, b: str) -> list[tuple[RunRecord, RunRecord]]:
    """Return the finished runs of two variants, paired by seed and fold.

    Args:
        summary: what a study ended with.
        data: the name of the data set.
        a: the name of a variant.
        b: the name of another variant.
    """
    runs_of_a, runs_of_b = finished(summary, data, a), finished(summary, data, b)
    return [(runs_of_a[pair], runs_of_b[pair]) for pair in sorted(runs_of_a.keys() & runs_of_b.keys(), key=str)]


def paired(summary: StudySummary, data: str, a: str, b: str, score: Compared) -> list[tuple[float, float]]:
    """Return the scores of two variants, pair by pair, where both have one; pairs alike to the bit count once.

    Args:
        summary: what a study ended with.
        data: the name of the data set.
        a: the name of a variant.
        b: the name of another variant.
        score: what is compared.
    """
    return [(pair.a, pair.b) for pair in every_pair(summary, data, a, b, score) if pair.is_new]


def every_pair(summary: StudySummary, data: str, a: str, b: str, score: Compared) -> list[ScoredPair]:
    """Return the scores of two variants, pair by pair, and which pairs repeat an earlier one.

    Two pairs are one where seeds change nothing: the predictions of both their runs are equal to the bit, and so are
    their scores. Folds have different images and are never alike.

    Args:
        summary: what a study ended with.
        data: the name of the data set.
        a: the name of a variant.
        b: the name of another variant.
        score: what is compared.
    """
    scored = []
    seen = set()
    for run_of_a, run_of_b in pairs(summary, data, a, b):
        value_of_a, value_of_b = score.of_pair(run_of_a, run_of_b)
        if value_of_a is None or value_of_b is None:
            continue
        identity = (_identity(run_of_a), _identity(run_of_b), value_of_a, value_of_b)
        scored.append(ScoredPair(value_of_a, value_of_b, identity not in seen, (run_of_a, run_of_b)))
        if None not in identity:
            seen.add(identity)
    return scored


def values(runs: Iterable[RunRecord], score: Score) -> list[float]:
    """Return the scores of those runs that have one; runs alike to the bit count once."""
    values = []
    seen = set()
    for run in runs:
        value, identity = score.of(run), _identity(run)
        if value is None or (identity, value) in seen:
            continue
        values.append(value)
        if identity is not None:
            seen.add((identity, value))
    return values


def distinct(runs: Iterable[RunRecord]) -> int:
    """Return how many runs there are; runs whose predictions are equal to the bit count once."""
    unknown = 0
    identities = set()
    for run in runs:
        identity = _identity(run)
        if identity is None:
            unknown += 1
        else:
            identities.add(identity)
    return unknown + len(identities)


def _identity(run: RunRecord) -> tuple[int | None, str] | None:
    """Return what runs alike to the bit share, None where their predictions are not known."""
    return (run.fold, run.predictions_sha256) if run.predictions_sha256 else None


def right(run: RunRecord) -> NDArray[np.bool_] | None:
    """Return whether a run predicted the class of each validation image correctly, of shape (n,); None if unknown."""
    if run.right is None:
        return None
    return np.array([digit == "1" for digit in run.right], np.bool_)


def variants(summary: StudySummary, data: str) -> list[str]:
    """Return the variants that have a finished run on a data set, in the study's order."""
    names = dict.fromkeys(run.variant for run in summary.runs if run.data == data)
    return [name for name in names if finished(summary, data, name)]

"""Schedulers say which runs come next: a fixed list, or more and more seeds until the study's question is decided."""

from collections.abc import Callable, Sequence
from typing import Protocol

from medcls.spec.run import Run
from medcls.tracking.run_records import RunResult


class Scheduler(Protocol):
    """What the event loop asks a scheduler."""

    @property
    def done(self) -> bool:
        """Whether no run will come any more."""

    @property
    def total(self) -> int:
        """How many runs there will be in all, as far as is known."""

    @property
    def order(self) -> list[Run]:
        """The runs that have ended in the study's own order, whichever of them was faster."""

    def next_runs(self) -> list[Run]:
        """Return the runs that may start now, each once."""

    def on_run_end(self, run: Run, result: RunResult) -> None:
        """Take note of how a run ended."""


class FixedScheduler:
    """Schedules runs that are known from the start.

    Args:
        runs: all of them.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = list(runs)
        self._waiting = list(runs)
        self._under_way: set[Run] = set()
        self.total = len(self._runs)

    @property
    def done(self) -> bool:
        """Whether every run has ended."""
        return not self._waiting and not self._under_way

    @property
    def order(self) -> list[Run]:
        """The runs as they were given."""
        return self._runs

    def next_runs(self) -> list[Run]:
        """Return all runs, the first time."""
        runs, self._waiting = self._waiting, []
        self._under_way.update(runs)
        return runs

    def on_run_end(self, run: Run, result: RunResult) -> None:  # noqa: ARG002
        """Take note that there is one run less to wait for."""
        self._under_way.discard(run)


class SequentialScheduler:
    """Schedules more and more seeds: an interim look adds runs when the runs before it have decided nothing.

    Args:
        stages: the runs that each look adds.
        undecided: whether the runs that have ended leave the study's question open.
    """

    def __init__(self, stages: Sequence[Sequence[Run]], undecided: Callable[[], bool]) -> None:
        self._coming = [list(stage) for stage in stages]
        self._undecided = undecided
        self.order: list[Run] = []
        self._stage = self._next_stage()

    @property
    def done(self) -> bool:
        """Whether the study is decided, or has no more seeds."""
        return self._stage.done

    @property
    def total(self) -> int:
        """How many runs there are up to the current look."""
        return len(self.order)

    def next_runs(self) -> list[Run]:
        """Return the runs of the current look, the first time."""
        return self._stage.next_runs()

    def on_run_end(self, run: Run, result: RunResult) -> None:
        """Take note of how a run ended; after the last run of a look, decide whether there will be another look."""
        self._stage.on_run_end(run, result)
        if self._stage.done and self._coming and self._undecided():
            self._stage = self._next_stage()

    def _next_stage(self) -> FixedScheduler:
        runs = self._coming.pop(0)
        self.order += runs
        return FixedScheduler(runs)

"""Which runs come next: a fixed list, or a search that decides as results come in."""

from collections.abc import Callable, Sequence
from typing import Protocol

from medcls.spec.run import Run
from medcls.tracking.run_records import RunResult


class Scheduler(Protocol):
    """What the driver asks: which runs may start now, and whether any will come."""

    @property
    def done(self) -> bool:
        """Whether no run will come any more."""

    @property
    def total(self) -> int:
        """How many runs there will be in all, as far as is known."""

    @property
    def order(self) -> list[Run]:
        """The runs that have ended in the study's own order, whichever of them was faster."""

    def ready(self) -> list[Run]:
        """Return the runs that may start now, each once."""

    def ended(self, run: Run, result: RunResult) -> None:
        """Take note of how a run ended."""


class FixedScheduler:
    """Runs that are known from the start."""

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

    def ready(self) -> list[Run]:
        """Return all runs, the first time."""
        ready, self._waiting = self._waiting, []
        self._under_way.update(ready)
        return ready

    def ended(self, run: Run, result: RunResult) -> None:  # noqa: ARG002
        """Take note that there is one run less to wait for."""
        self._under_way.discard(run)


class SequentialScheduler:
    """Runs of more and more seeds: what a look adds comes when all runs before it have ended and decided nothing.

    Args:
        stages: the runs that each look adds.
        undecided: whether the runs that have ended leave the study's question open.
    """

    def __init__(self, stages: Sequence[Sequence[Run]], undecided: Callable[[], bool]) -> None:
        self._coming = [list(stage) for stage in stages]
        self._undecided = undecided
        self.order: list[Run] = []
        self._agenda = self._next()

    @property
    def done(self) -> bool:
        """Whether the study is decided, or has no more seeds."""
        return self._agenda.done

    @property
    def total(self) -> int:
        """How many runs there are up to the look that is being worked for."""
        return len(self.order)

    def ready(self) -> list[Run]:
        """Return the runs of the look that is being worked for, the first time."""
        return self._agenda.ready()

    def ended(self, run: Run, result: RunResult) -> None:
        """Take note; after the last run of a look, decide whether there will be another look."""
        self._agenda.ended(run, result)
        if self._agenda.done and self._coming and self._undecided():
            self._agenda = self._next()

    def _next(self) -> FixedScheduler:
        stage = self._coming.pop(0)
        self.order += stage
        return FixedScheduler(stage)

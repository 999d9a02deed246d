"""Seeds that are added until a study's question is decided."""

from collections.abc import Callable, Sequence

from medcls.agenda import FixedAgenda, Result
from medcls.spec import Run


def grown(seeds: Sequence[int], most: int) -> tuple[int, ...]:
    """Return the seeds, and after the largest as many more as make `most` in all."""
    first = max(seeds) + 1
    return (*seeds, *range(first, first + most - len(seeds)))


class SequentialAgenda:
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

    def ended(self, run: Run, result: Result) -> None:
        """Take note; after the last run of a look, decide whether there will be another look."""
        self._agenda.ended(run, result)
        if self._agenda.done and self._coming and self._undecided():
            self._agenda = self._next()

    def _next(self) -> FixedAgenda:
        stage = self._coming.pop(0)
        self.order += stage
        return FixedAgenda(stage)

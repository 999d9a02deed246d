"""Proposes the trials of a search with Optuna, and prunes them between folds.

What is proposed for trial k, and whether it is pruned, depends only on the trials up to k - parallel and on a sampler
that is seeded by k. So a search is the same on one worker and on ten, with one driver and with several, and a search
that was killed resumes as if it had not been.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from medcls.execution.search.importances import importances
from medcls.execution.search.trials import ENDED, Trial, TrialStore, state_of
from medcls.spec.search_space import Axis, Search
from medcls.utils.errors import TrainingError
from medcls.utils.lazy import optuna
from medcls.utils.statuses import TrialState

PATIENCE = 300.0  # seconds for which a database may be out of reach
AGAIN = 2.0  # seconds between two tries to reach it
Answer = TypeVar("Answer")


class Tuner:
    """Proposes and prunes the trials of a search.

    Args:
        search: its space, metric and number of trials.
        first: the parameters of the first trial.
        memory: the store of the trials.
        most: the largest number of trials that this driver has at work, None for as many as the search allows.
    """

    def __init__(self, search: Search, first: dict[str, Any], memory: TrialStore, most: int | None = None) -> None:
        self.search, self.memory = search, memory
        self._first, self._most = first, most
        self._space = {name: _distribution(axis) for name, axis in sorted(search.space.items())}

    def trials(self) -> list[Trial]:
        """Return all trials by number."""
        return list(self._patiently(self.memory.trials).values())

    def trial(self, number: int) -> Trial | None:
        """Return a trial that was proposed; None if every attempt at it was abandoned."""
        return self._patiently(self.memory.trials).get(number)

    @property
    def settled(self) -> bool:
        """Whether all trials have ended, whichever driver carried them out."""
        return self._have_ended(range(self.search.trials), self._patiently(self.memory.trials))

    def take(self) -> bool:
        """Take the next trial that may be taken, unless another driver is faster; return whether there was one."""
        number = self._next()
        if number is None:
            return False
        labels = self._patiently(lambda: self.memory.labels(number))
        if labels is None:
            labels = self._sample(number) | (self._first if number == 0 else {})
        self._patiently(lambda: self.memory.take(number, labels, self._space))
        return True

    def report(self, number: int, means: Sequence[float]) -> bool:
        """Record the mean scores of a trial; return whether the trial should be pruned.

        This is Optuna's median rule over the same folds of the earlier trials: a trial worse than half of them is
        pruned.

        Args:
            number: of the trial.
            means: the mean score over the folds up to each fold.
        """
        self._patiently(lambda: self.memory.report(number, means))
        shadow = self._shadow(number, optuna.samplers.RandomSampler(seed=0))
        trial = shadow.ask()
        trial.report(means[-1], len(means) - 1)
        return bool(trial.should_prune())

    def tell(self, number: int, state: TrialState, value: float | None = None) -> None:
        """Record how a trial ended.

        Args:
            number: of the trial.
            state: COMPLETE, PRUNED or FAILED.
            value: the mean score over the folds, None unless the trial is complete.
        """
        self._patiently(lambda: self.memory.end(number, state, value))

    def try_again(self) -> None:
        """Let the trials that have failed be tried again."""
        self._patiently(self.memory.forgive)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Record heartbeats during the block, so that no other driver takes this driver's trials over."""
        over = threading.Event()
        beating = threading.Thread(target=self._beat, args=(over,), daemon=True, name="heartbeats")
        if self.memory.shared:
            beating.start()
        try:
            yield
        finally:
            over.set()
            if self.memory.shared:
                beating.join(AGAIN)
                with suppress(Exception):  # that the database is out of reach does not matter any more
                    self.memory.tidy()  # also after drivers that were killed before they could

    def _beat(self, over: threading.Event) -> None:
        while not over.wait(self.memory.beat):
            with suppress(Exception):  # a call that needs an answer reports that the database is out of reach
                self.memory.look_after()

    def _next(self) -> int | None:
        """Return the number of the trial that comes next; None if it must wait, or there is none."""
        trials = self._patiently(self.memory.trials)
        at_work = 0
        for trial in trials.values():
            if trial.ours and trial.state == TrialState.RUNNING:
                at_work += 1
        if self._most is not None and at_work >= self._most:
            return None
        for number in range(self.search.trials):
            if number not in trials or trials[number].state == TrialState.WAITING:
                return number if self._have_ended(self._earlier(number), trials) else None
        return None

    def _earlier(self, number: int) -> range:
        """Return the numbers of the trials on which a trial depends: those up to number - parallel."""
        return range(max(0, number - self.search.parallel + 1))

    def _have_ended(self, numbers: range, trials: Mapping[int, Trial]) -> bool:
        """Tell whether all trials with these numbers have ended."""
        return all(number in trials and trials[number].state in ENDED for number in numbers)

    def _patiently(self, call: Callable[[], Answer]) -> Answer:
        """Return what a call of the store returns, repeated for a while if its database is out of reach.

        Raises:
            TrainingError: the database stays out of reach.
        """
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return call()
            except optuna.exceptions.StorageInternalError as error:
                if time.monotonic() > until:
                    sentence = "The database of the search can no longer be reached: run the same command again."
                    raise TrainingError(sentence) from error
                time.sleep(AGAIN)

    def importances(self) -> dict[str, float] | None:
        """Return how much each parameter mattered, None where the trials are too few to tell."""
        return importances(list(self._patiently(self.memory.attempts).values()))

    def _sample(self, number: int) -> dict[str, Any]:
        """Return the parameters that Optuna proposes for a trial."""
        sampler = optuna.samplers.TPESampler(
            seed=self.search.seed * 100_003 + number, n_startup_trials=self.search.startup
        )
        return dict(self._shadow(number, sampler).ask(self._space).params)

    def _shadow(self, number: int, sampler: Any) -> Any:
        """Return a study in memory with the trials on which a trial depends.

        Args:
            number: of the trial.
            sampler: of Optuna, for the study.
        """
        pruner = optuna.pruners.MedianPruner(n_startup_trials=self.search.startup)
        shadow = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
        attempts = self._patiently(self.memory.attempts)
        for earlier in self._earlier(number):
            if earlier in attempts and state_of(attempts[earlier]) in (TrialState.COMPLETE, TrialState.PRUNED):
                shadow.add_trial(attempts[earlier])
        return shadow


def _distribution(axis: Axis) -> Any:
    """Return Optuna's distribution for an axis of the search space."""
    if axis.choices is not None:
        return optuna.distributions.CategoricalDistribution(list(axis.choices))
    if axis.whole:
        return optuna.distributions.IntDistribution(int(axis.low), int(axis.high), log=axis.log)
    return optuna.distributions.FloatDistribution(axis.low, axis.high, log=axis.log)


def best(trials: Sequence[Trial]) -> Trial | None:
    """Return the trial with the highest mean score, the earliest of equals."""
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE and trial.value is not None]
    return max(complete, key=lambda trial: (trial.value, -trial.number)) if complete else None

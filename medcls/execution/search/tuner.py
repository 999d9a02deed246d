"""The Optuna study behind a search: proposes trials, and prunes them between folds.

What is proposed for trial k, and whether it is pruned, depends on the trials up to k - parallel alone and on a
sampler seeded by k. So the search is the same on one worker and on ten, by one driver and by several, and one that
was killed goes on as if it had not been.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from medcls.execution.search.plots import plots
from medcls.execution.search.trials import ENDED, Trial, TrialStore, state_of
from medcls.spec.search_space import Axis, Search
from medcls.utils.errors import TrainingError
from medcls.utils.lazy import optuna
from medcls.utils.statuses import TrialState

PATIENCE, AGAIN = 300.0, 2.0  # seconds for which a database may be away, and between two tries
Answer = TypeVar("Answer")


class Tuner:
    """A search's judgement of what its memory holds.

    Args:
        search: what is searched.
        first: the labels of the first trial.
        memory: of its trials.
        most: how many trials of ours may be under way at once, None for as many as the search allows.
    """

    def __init__(self, search: Search, first: dict[str, Any], memory: TrialStore, most: int | None = None) -> None:
        self.search, self.memory = search, memory
        self._first, self._most = first, most
        self._space = {name: _distribution(axis) for name, axis in sorted(search.space.items())}

    def trials(self) -> list[Trial]:
        """Return all trials by number."""
        return list(self._patiently(self.memory.trials).values())

    def trial(self, number: int) -> Trial | None:
        """Return a trial that was proposed; None if nobody is at work on it any more and nobody has ended it."""
        return self._patiently(self.memory.trials).get(number)

    @property
    def settled(self) -> bool:
        """Whether all trials have ended, whoever carried them out."""
        known = self._patiently(self.memory.trials)
        return all(number in known and known[number].state in ENDED for number in range(self.search.trials))

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
        """Record the mean scores over the folds up to each; return whether the trial should be given up.

        Optuna's median rule over the same folds of the earlier trials: worse than half of them is out.
        """
        self._patiently(lambda: self.memory.report(number, means))
        shadow = self._shadow(number, optuna.samplers.RandomSampler(seed=0))
        trial = shadow.ask()
        trial.report(means[-1], len(means) - 1)
        return bool(trial.should_prune())

    def tell(self, number: int, state: TrialState, value: float | None = None) -> None:
        """Record how a trial ended."""
        self._patiently(lambda: self.memory.end(number, state, value))

    def try_again(self) -> None:
        """Let the trials that failed be tried again."""
        self._patiently(self.memory.forgive)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Keep what is ours while this lasts, where other drivers would take it over."""
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
                with suppress(Exception):  # a database that is away is no trouble any more
                    self.memory.tidy()  # also of drivers that were killed before they could

    def _beat(self, over: threading.Event) -> None:
        while not over.wait(self.memory.beat):
            with suppress(Exception):  # a database that is away is met by who needs its answer
                self.memory.look_after()

    def _next(self) -> int | None:
        """Return the number of the trial that comes next, None if it must wait, or there is none."""
        known = self._patiently(self.memory.trials)
        ours = sum(trial.ours and trial.state not in (*ENDED, TrialState.WAITING) for trial in known.values())
        if self._most is not None and ours >= self._most:
            return None
        for number in range(self.search.trials):
            if number not in known or known[number].state == TrialState.WAITING:
                before = range(self._knows(number))
                return number if all(each in known and known[each].state in ENDED for each in before) else None
        return None

    def _knows(self, number: int) -> int:
        """Return how many trials a trial may know: those up to number - parallel."""
        return max(0, number - self.search.parallel + 1)

    def _patiently(self, call: Callable[[], Answer]) -> Answer:
        """Return the answer of the memory, asked again for a while if its database is away.

        Raises:
            TrainingError: it does not come back.
        """
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return call()
            except optuna.exceptions.StorageInternalError as error:
                if time.monotonic() > until:
                    sentence = "The database of the search cannot be reached any more: run the same command again."
                    raise TrainingError(sentence) from error
                time.sleep(AGAIN)

    def plots(self) -> dict[str, Any]:
        """Return Optuna's own figures by name: history, importances, parallel coordinates (matplotlib)."""
        return plots(list(self._patiently(self.memory.attempts).values()))

    def _sample(self, number: int) -> dict[str, Any]:
        sampler = optuna.samplers.TPESampler(
            seed=self.search.seed * 100_003 + number, n_startup_trials=self.search.startup
        )
        return dict(self._shadow(number, sampler).ask(self._space).params)

    def _shadow(self, number: int, sampler: Any) -> Any:
        """Return a study in memory that knows what trial `number` may know: the trials up to number - parallel."""
        pruner = optuna.pruners.MedianPruner(n_startup_trials=self.search.startup)
        shadow = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
        known = self._patiently(self.memory.attempts)
        before = [known[each] for each in range(self._knows(number)) if each in known]
        shadow.add_trials([each for each in before if state_of(each) in (TrialState.COMPLETE, TrialState.PRUNED)])
        return shadow


def _distribution(axis: Axis) -> Any:
    if axis.choices is not None:
        return optuna.distributions.CategoricalDistribution(list(axis.choices))
    if axis.whole:
        return optuna.distributions.IntDistribution(int(axis.low), int(axis.high), log=axis.log)
    return optuna.distributions.FloatDistribution(axis.low, axis.high, log=axis.log)


def best(trials: Sequence[Trial]) -> Trial | None:
    """Return the trial with the highest mean score, the earliest of equals."""
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE and trial.value is not None]
    return max(complete, key=lambda trial: (trial.value, -trial.number)) if complete else None

"""Which runs of a search come next: it decides as results come in."""

import time
from collections.abc import Callable, Sequence

from medcls.execution.search.trials import ENDED, Trial
from medcls.execution.search.tuner import Tuner, best
from medcls.spec.run import Run
from medcls.spec.search_space import Search
from medcls.tracking.run_records import RunResult
from medcls.utils.statuses import TrialState


class SearchScheduler:
    """A search's runs: the folds of each trial in turn, as many trials side by side as the search allows.

    Trials that ended under an earlier command are gone through again, as their runs are there already: so this
    command ends with the same records. Those that failed are tried again. Where other drivers carry trials out too,
    this one waits for theirs; if one of these is the best, its runs are carried out here as well at the end.

    Args:
        search: what is searched.
        tuner: its judgement.
        run_of: (trial, fold) -> the run.
        folds: how many folds a trial has.
        deadline: the time (as of time.monotonic) after which no trial is started.
        on_trial: told of a trial when it ends, or was taken over by another driver.
        on_wait: told which trials of other drivers are waited for, when there is nothing else left to do.
    """

    def __init__(
        self,
        search: Search,
        tuner: Tuner,
        run_of: Callable[[Trial, int], Run],
        folds: int,
        deadline: float | None,
        on_trial: Callable[[Trial], None],
        on_wait: Callable[[Sequence[int]], None] = lambda _: None,
    ) -> None:
        self._search, self._tuner, self._run_of, self._folds = search, tuner, run_of, folds
        self._deadline, self._on_trial, self._on_wait = deadline, on_trial, on_wait
        self._runs: dict[int, list[Run]] = {}
        self._scores: dict[int, list[float]] = {}
        self._under_way: dict[str, int] = {}
        self._over: set[int] = set()
        self._waited_for: list[int] = []
        self._winner: int | None = None  # another driver's, whose runs are carried out here too
        tuner.try_again()

    @property
    def done(self) -> bool:
        """Whether no trial is open, here or elsewhere, and none will be proposed."""
        return not self._under_way and (self._late() or self._tuner.settled) and not self._open()

    @property
    def total(self) -> int:
        """The folds of all trials that are or may become ours, without those that pruning saved."""
        trials = self._tuner.trials()
        given_up = [trial for trial in trials if trial.state in (TrialState.PRUNED, TrialState.FAILED) and trial.ours]
        saved = sum(self._folds - len(trial.folds) for trial in given_up)
        count = len(trials) if self._late() else max(len(trials), self._search.trials)
        return (count - sum(not trial.ours for trial in trials)) * self._folds - saved

    @property
    def order(self) -> list[Run]:
        """The runs by trial and fold."""
        return [run for _, runs in sorted(self._runs.items()) for run in runs]

    def next_runs(self) -> list[Run]:
        """Take what may be taken and return the next fold of every trial that waits for one.

        Of trials with the same parameters the later one waits, and then finds the run finished.
        """
        while not self._late() and self._tuner.take():
            pass  # until none may be taken
        self._let_go()
        runs = []
        for trial in self._open():
            if trial.number not in self._under_way.values():
                run = self._run_of(trial, len(self._scores.get(trial.number, [])))
                if run.key not in self._under_way:
                    self._under_way[run.key] = trial.number
                    runs.append(run)
        if not self._under_way:
            self._wait()
        return runs

    def _wait(self) -> None:
        """Say which trials of other drivers are waited for, once."""
        others = [each.number for each in self._tuner.trials() if each.state == TrialState.RUNNING and not each.ours]
        if others and others != self._waited_for and not self._late():
            self._waited_for = others
            self._on_wait(others)

    def on_run_end(self, run: Run, result: RunResult) -> None:
        """Score the fold; end the trial, prune it, or leave it open for its next fold."""
        number = self._under_way.pop(run.key)
        runs, scores = self._runs.setdefault(number, []), self._scores.setdefault(number, [])
        if run not in runs:
            runs.append(run)
        trial = self._tuner.trial(number)
        if trial is None or (trial.state in (TrialState.RUNNING, TrialState.WAITING) and not trial.ours):
            return  # it was given up while this one slept
        if not result.is_finished:
            self._end(trial, TrialState.FAILED)
            return
        scores.append(result.metrics[self._search.metric])
        if trial.state != TrialState.RUNNING:  # it ended under an earlier command
            if len(scores) >= len(trial.folds):
                self._end(trial, trial.state)
            return
        means = [sum(scores[:count]) / count for count in range(1, len(scores) + 1)]
        worse = self._tuner.report(number, means)
        if len(scores) == self._folds:
            self._end(trial, TrialState.COMPLETE, means[-1])
        elif worse:
            self._end(trial, TrialState.PRUNED)

    def _end(self, trial: Trial, state: TrialState, value: float | None = None) -> None:
        if trial.state == TrialState.RUNNING:
            self._tuner.tell(trial.number, state, value)
        now = self._tuner.trial(trial.number)
        if now is not None and now.state in ENDED:
            self._over.add(trial.number)
            self._on_trial(now)
        else:  # it was given up while this one slept: whoever takes it goes through all its folds
            self._scores[trial.number].clear()

    def _let_go(self) -> None:
        """Forget what was scored of trials that another driver has taken over; they may come back."""
        known = {trial.number: trial for trial in self._tuner.trials()}
        for number in set(self._scores) - self._over - set(self._under_way.values()) - {self._winner}:
            trial = known.get(number)
            if trial is None or not trial.ours:
                self._on_trial(Trial(number, {}, TrialState.RUNNING, None, {}, ours=False, taken_over=True))
                del self._scores[number]

    def _open(self) -> list[Trial]:
        """Return the trials whose runs are not all through here: ours, and at the very end the best of all."""
        trials = self._tuner.trials()
        ours = [
            trial
            for trial in trials
            if trial.ours and trial.state != TrialState.WAITING and trial.number not in self._over
        ]
        if ours or self._under_way or not (self._late() or self._tuner.settled):
            return ours
        winner = best(trials)
        if winner is None or winner.number in self._over:
            return []
        self._winner = winner.number
        return [winner]

    def _late(self) -> bool:
        return self._deadline is not None and time.monotonic() > self._deadline

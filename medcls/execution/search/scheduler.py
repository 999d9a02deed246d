"""The scheduler of a search, which decides as results come in which runs come next."""

import time
from collections.abc import Callable, Sequence

from medcls.execution.search.trials import ENDED, Trial
from medcls.execution.search.tuner import Tuner, best
from medcls.spec.run import Run
from medcls.spec.search_space import Search
from medcls.tracking.run_records import RunResult
from medcls.utils.statuses import TrialState


class SearchScheduler:
    """Schedules the runs of a search: the folds of a trial one after the other, several trials side by side.

    The trials of an earlier command are scheduled again. Their runs have ended already, so this command ends with the
    same records. Trials that failed are tried again. Where other drivers carry out trials of the search too, this one
    waits for them; if the best trial is one of theirs, its runs are carried out here as well at the end.

    Args:
        search: its space, metric and number of trials.
        tuner: proposes and prunes the trials.
        run_of: (trial, fold) -> the run.
        folds: the number of folds of a trial.
        deadline: the time, as of time.monotonic, after which no trial is started; None for none.
        on_trial: called with a trial that has ended or was taken over by another driver.
        on_wait: called with the numbers of other drivers' trials when only these are waited for.
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
        """Whether no trial is open, here or in another driver, and none will be proposed."""
        return not self._under_way and (self._is_late() or self._tuner.settled) and not self._open()

    @property
    def total(self) -> int:
        """How many runs all trials have that this driver has or may still take, without those that pruning saves."""
        trials = self._tuner.trials()
        count = len(trials) if self._is_late() else max(len(trials), self._search.trials)
        total = count * self._folds
        for trial in trials:
            if not trial.ours:
                total -= self._folds
            elif trial.state in (TrialState.PRUNED, TrialState.FAILED):
                total -= self._folds - len(trial.folds)
        return total

    @property
    def order(self) -> list[Run]:
        """The runs by trial and fold."""
        order: list[Run] = []
        for number in sorted(self._runs):
            order += self._runs[number]
        return order

    def next_runs(self) -> list[Run]:
        """Take all trials that may be taken, and return the next run of every trial that has none at work.

        Of trials with equal parameters the later one waits, and then finds the run finished.
        """
        while not self._is_late() and self._tuner.take():
            pass  # until none may be taken
        self._drop_lost_trials()
        runs = []
        for trial in self._open():
            if trial.number not in self._under_way.values():
                run = self._run_of(trial, len(self._scores.get(trial.number, [])))
                if run.key not in self._under_way:
                    self._under_way[run.key] = trial.number
                    runs.append(run)
        if not self._under_way:
            self._report_waiting()
        return runs

    def _report_waiting(self) -> None:
        """Report which trials of other drivers are waited for, if they are not the ones that were reported last."""
        trials = self._tuner.trials()
        others = [trial.number for trial in trials if trial.state == TrialState.RUNNING and not trial.ours]
        if others and others != self._waited_for and not self._is_late():
            self._waited_for = others
            self._on_wait(others)

    def on_run_end(self, run: Run, result: RunResult) -> None:
        """Record the score of a fold; then end the trial, prune it, or leave it open for its next fold.

        Args:
            run: the fold that has ended.
            result: how it ended.
        """
        number = self._under_way.pop(run.key)
        runs, scores = self._runs.setdefault(number, []), self._scores.setdefault(number, [])
        if run not in runs:
            runs.append(run)
        trial = self._tuner.trial(number)
        if trial is None or (trial.state in (TrialState.RUNNING, TrialState.WAITING) and not trial.ours):
            return  # another driver took it over while this one slept
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
        """Record that a trial has ended, and report it; do neither if another driver has taken the trial over."""
        if trial.state == TrialState.RUNNING:
            self._tuner.tell(trial.number, state, value)
        now = self._tuner.trial(trial.number)
        if now is not None and now.state in ENDED:
            self._over.add(trial.number)
            self._on_trial(now)
        else:  # it was taken over while this driver slept: whoever has it now goes through all its folds
            self._scores[trial.number].clear()

    def _drop_lost_trials(self) -> None:
        """Forget the scores of trials that another driver has taken over; such a trial may come back."""
        trials = {trial.number: trial for trial in self._tuner.trials()}
        for number in set(self._scores) - self._over - set(self._under_way.values()) - {self._winner}:
            trial = trials.get(number)
            if trial is None or not trial.ours:
                self._on_trial(Trial(number, {}, TrialState.RUNNING, None, {}, ours=False, taken_over=True))
                del self._scores[number]

    def _open(self) -> list[Trial]:
        """Return the trials that still have runs for this driver: its own, and at the very end the best of all."""
        trials = self._tuner.trials()
        ours = [
            trial
            for trial in trials
            if trial.ours and trial.state != TrialState.WAITING and trial.number not in self._over
        ]
        if ours or self._under_way or not (self._is_late() or self._tuner.settled):
            return ours
        winner = best(trials)
        if winner is None or winner.number in self._over:
            return []
        self._winner = winner.number
        return [winner]

    def _is_late(self) -> bool:
        """Tell whether the deadline has passed."""
        return self._deadline is not None and time.monotonic() > self._deadline

"""What a search remembers of its trials, alone or together with other drivers that share its storage.

A trial may take several attempts, each a trial of Optuna's that carries the number of ours. Whoever wants to carry a
trial out adds an attempt that waits, and takes the first that does: Optuna gives it to one driver alone. While it is
at work its driver records heartbeats; whoever sees one without gives it up, and the trial takes another. The first
attempt that was not given up is the one that counts. So a kill at any moment loses no trial and doubles none.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from medcls.utils.lazy import optuna
from medcls.utils.statuses import TrialState

ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAILED)
NUMBER, DRIVER, FAILED = "trial", "driver", "failed"  # attributes of an attempt
FRESH = 1.0  # seconds for which what other drivers do may be old


@dataclass(frozen=True)
class Trial:
    """One trial: its number, proposed labels, state, mean score, the running mean after each fold, whether it is ours.

    It waits while it was proposed and no driver is at work on it.
    """

    number: int
    labels: dict[str, Any]
    state: TrialState
    value: float | None
    folds: dict[int, float]
    ours: bool = True
    taken_over: bool = False


class TrialStore:
    """The attempts at a search's trials in one study of Optuna's.

    Args:
        study: of Optuna's.
        storage: where it is kept.
        driver: who this driver is among those that share the storage, None where it is alone.
    """

    def __init__(self, study: Any, storage: Any, driver: str | None = None) -> None:
        self.study, self._storage, self._driver = study, storage, driver
        self._forgiven: set[int] = set()
        self._seen: dict[int, Any] = {}
        self._seen_at = float("-inf")

    @property
    def shared(self) -> bool:
        """Whether other drivers may be at work on the same search."""
        return self._driver is not None

    @property
    def beat(self) -> float:
        """The seconds between two heartbeats of what is at work, where the memory is shared."""
        return float(self._storage.get_heartbeat_interval())

    def trials(self) -> dict[int, Trial]:
        """Return the trials with an attempt that counts, by number."""
        return {number: self._plain(number, attempt) for number, attempt in self._counting().items()}

    def attempts(self) -> dict[int, Any]:
        """Return the attempts that count, as Optuna has them, by the number of their trial."""
        return self._counting()

    def labels(self, number: int) -> dict[str, Any] | None:
        """Return what was proposed for a trial before, None if nothing was."""
        attempts = [each for each in self.study.get_trials(deepcopy=False) if number_of(each) == number]
        return dict(attempts[-1].params) if attempts else None

    def take(self, number: int, labels: Mapping[str, Any], space: Mapping[str, Any]) -> None:
        """Take a trial, proposed as `labels` unless it was proposed before; another driver may be faster."""
        if number not in self._counting(anew=True):
            state, marked = optuna.trial.TrialState.WAITING, {NUMBER: number}
            params, distributions = dict(labels), dict(space)
            self.study.add_trial(
                optuna.create_trial(state=state, params=params, distributions=distributions, user_attrs=marked)
            )
        attempt = self._counting(anew=True)[number]
        if attempt.state.name != "WAITING":
            if attempt.state.is_finished():
                self.tidy()  # it ended while we added an attempt
            return
        self._forget()
        if self._driver is not None:
            self._storage.record_heartbeat(attempt._trial_id)  # first: so what is at work is never without
        taken = self._storage.set_trial_state_values(attempt._trial_id, optuna.trial.TrialState.RUNNING)
        if taken and self._driver is not None:
            self._storage.set_trial_user_attr(attempt._trial_id, DRIVER, self._driver)

    def report(self, number: int, means: Sequence[float]) -> None:
        """Record a trial's mean scores over its folds up to each, if it is still ours.

        Those of earlier folds too: they may have been recorded in an attempt that was given up meanwhile.
        """
        attempt = self._at_work(number)
        if attempt is not None:
            missing = set(range(len(means))) - set(attempt.intermediate_values)
            with self._writing(attempt):
                for fold in sorted(missing):
                    optuna.trial.Trial(self.study, attempt._trial_id).report(means[fold], fold)

    def end(self, number: int, state: TrialState, value: float | None = None) -> None:
        """Record how a trial ended, if it is still ours."""
        attempt = self._at_work(number)
        if attempt is None:
            return
        ending = "FAIL" if state == TrialState.FAILED else state.name
        with self._writing(attempt):
            if state == TrialState.FAILED:
                self._storage.set_trial_user_attr(attempt._trial_id, FAILED, True)
            self.study.tell(attempt.number, value, state=optuna.trial.TrialState[ending])
        self.tidy()

    def forgive(self) -> None:
        """Let the trials that have failed so far be tried again."""
        self._forgiven |= {each._trial_id for each in self._counting(anew=True).values() if _given_up(each)}
        self._forget()

    def look_after(self) -> None:
        """Record a heartbeat of each trial that is ours and at work; give those up of drivers that have none."""
        for attempt in self._counting(anew=True).values():
            if attempt.state.name == "RUNNING" and self._is_ours(attempt):
                self._storage.record_heartbeat(attempt._trial_id)
        optuna.storages.fail_stale_trials(self.study)
        self._forget()

    def tidy(self) -> None:
        """Give the attempts up that still wait at trials that have ended: two drivers may have added one each."""
        ended = {number for number, each in self._counting(anew=True).items() if each.state.is_finished()}
        for attempt in self.study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.WAITING,)):
            if number_of(attempt) in ended:
                with suppress(optuna.exceptions.UpdateFinishedTrialError):  # another driver was faster
                    self._storage.set_trial_state_values(attempt._trial_id, optuna.trial.TrialState.FAIL)

    def _counting(self, *, anew: bool = False) -> dict[int, Any]:
        """Return the attempt that counts of each trial, in their order; without `anew` it may be a second old."""
        if not anew and self.shared and time.monotonic() - self._seen_at < FRESH:
            return self._seen
        now, found = time.monotonic(), dict[int, Any]()
        for attempt in self.study.get_trials(deepcopy=False):
            failed = FAILED in attempt.user_attrs and attempt._trial_id not in self._forgiven
            before = found.get(number_of(attempt))
            if (failed or not _given_up(attempt)) and (before is None or _given_up(before)):
                found[number_of(attempt)] = attempt
        self._seen, self._seen_at = dict(sorted(found.items())), now
        return self._seen

    def _at_work(self, number: int) -> Any:
        """Return the attempt at a trial that we are at work on; None if it was given up meanwhile."""
        attempt = self._counting(anew=True).get(number)
        return attempt if attempt is not None and attempt.state.name == "RUNNING" and self._is_ours(attempt) else None

    @contextmanager
    def _writing(self, attempt: Any) -> Iterator[None]:
        """Pass over the complaint that an attempt cannot be written to any more, given up a moment ago."""
        self._forget()
        try:
            yield
        except (optuna.exceptions.UpdateFinishedTrialError, ValueError):
            if not _given_up(self._storage.get_trial(attempt._trial_id)):
                raise

    def _forget(self) -> None:
        self._seen_at = float("-inf")

    def _is_ours(self, attempt: Any) -> bool:
        return self._driver is None or attempt.user_attrs.get(DRIVER) == self._driver

    def _plain(self, number: int, attempt: Any) -> Trial:
        state = state_of(attempt)
        value = attempt.value if state == TrialState.COMPLETE else None
        folds, ours = dict(attempt.intermediate_values), self._is_ours(attempt)
        return Trial(number, dict(attempt.params), state, value, folds, ours)


def state_of(attempt: Any) -> TrialState:
    """Return the state of an attempt."""
    name = attempt.state.name
    return TrialState.FAILED if name == "FAIL" else TrialState[name]


def number_of(attempt: Any) -> int:
    """Return which trial an attempt is at."""
    return int(attempt.user_attrs.get(NUMBER, attempt.number))


def _given_up(attempt: Any) -> bool:
    return bool(attempt.state.name == "FAIL")

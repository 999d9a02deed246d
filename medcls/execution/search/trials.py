"""Stores the trials of a search, which one driver carries out, or several that share the storage.

A trial of ours may take several attempts, each of which is a trial of Optuna's that carries our trial's number. To
carry a trial out, a driver adds a waiting attempt and takes the first attempt that waits: Optuna gives an attempt to
one driver only. While an attempt is at work its driver records heartbeats. A driver that sees an attempt without
heartbeats abandons it, and the trial takes another attempt. The first attempt that was not abandoned counts. So a kill
at any moment loses no trial and duplicates none.
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
FRESH = 1.0  # seconds for which the trials of other drivers are not read again


@dataclass(frozen=True)
class Trial:
    """One trial of a search.

    Attributes:
        number: of the trial, from 0.
        labels: the proposed parameters by path.
        state: how far the trial has come; it is waiting as long as no driver is at work on it.
        value: the mean score over the folds, None unless the trial is complete.
        folds: the mean score over the folds so far, after each fold.
        ours: whether this driver carries the trial out.
        taken_over: whether another driver has taken the trial over from this one.
    """

    number: int
    labels: dict[str, Any]
    state: TrialState
    value: float | None
    folds: dict[int, float]
    ours: bool = True
    taken_over: bool = False


class TrialStore:
    """The trials of a search, and the attempts at them, in one study of Optuna's.

    Args:
        study: of Optuna.
        storage: of the study.
        driver: the id of this driver among those that share the storage, None where it is alone.
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
        """The seconds between two heartbeats of an attempt, where the storage is shared."""
        return float(self._storage.get_heartbeat_interval())

    def trials(self) -> dict[int, Trial]:
        """Return the trials by number; a trial without an attempt that counts is left out."""
        return {number: self._trial(number, attempt) for number, attempt in self._counting().items()}

    def attempts(self) -> dict[int, Any]:
        """Return the attempts that count, as trials of Optuna's, by the number of our trial."""
        return self._counting()

    def labels(self, number: int) -> dict[str, Any] | None:
        """Return the parameters that were proposed for a trial earlier, None if none were."""
        labels: dict[str, Any] | None = None
        for attempt in self.study.get_trials(deepcopy=False):
            if number_of(attempt) == number:
                labels = dict(attempt.params)
        return labels

    def take(self, number: int, labels: Mapping[str, Any], space: Mapping[str, Any]) -> None:
        """Take a trial, unless another driver is faster.

        Args:
            number: of the trial.
            labels: the proposed parameters, unless an earlier attempt has others.
            space: Optuna's distributions of the parameters.
        """
        if number not in self._counting(anew=True):
            attempt = optuna.create_trial(
                state=optuna.trial.TrialState.WAITING,
                params=dict(labels),
                distributions=dict(space),
                user_attrs={NUMBER: number},
            )
            self.study.add_trial(attempt)
        attempt = self._counting(anew=True)[number]
        if attempt.state.name != "WAITING":
            if attempt.state.is_finished():
                self.tidy()  # the trial ended while the attempt was added
            return
        self._forget()
        if self._driver is not None:
            self._storage.record_heartbeat(attempt._trial_id)  # so that an attempt at work always has one
        taken = self._storage.set_trial_state_values(attempt._trial_id, optuna.trial.TrialState.RUNNING)
        if taken and self._driver is not None:
            self._storage.set_trial_user_attr(attempt._trial_id, DRIVER, self._driver)

    def report(self, number: int, means: Sequence[float]) -> None:
        """Record the mean scores of a trial, if it is still ours.

        The means of earlier folds are recorded too: an attempt that was abandoned meanwhile may have had them.

        Args:
            number: of the trial.
            means: the mean score over the folds up to each fold.
        """
        attempt = self._at_work(number)
        if attempt is not None:
            missing = set(range(len(means))) - set(attempt.intermediate_values)
            with self._writing(attempt):
                for fold in sorted(missing):
                    optuna.trial.Trial(self.study, attempt._trial_id).report(means[fold], fold)

    def end(self, number: int, state: TrialState, value: float | None = None) -> None:
        """Record how a trial ended, if it is still ours.

        Args:
            number: of the trial.
            state: COMPLETE, PRUNED or FAILED.
            value: the mean score over the folds, None unless the trial is complete.
        """
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
        for attempt in self._counting(anew=True).values():
            if _is_abandoned(attempt):
                self._forgiven.add(attempt._trial_id)
        self._forget()

    def look_after(self) -> None:
        """Record a heartbeat of each attempt that is ours, and abandon the attempts of drivers without heartbeats."""
        for attempt in self._counting(anew=True).values():
            if attempt.state.name == "RUNNING" and self._is_ours(attempt):
                self._storage.record_heartbeat(attempt._trial_id)
        optuna.storages.fail_stale_trials(self.study)
        self._forget()

    def tidy(self) -> None:
        """Abandon the attempts that wait at trials that have ended, because two drivers had added one each."""
        ended: set[int] = set()
        for number, attempt in self._counting(anew=True).items():
            if attempt.state.is_finished():
                ended.add(number)
        for attempt in self.study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.WAITING,)):
            if number_of(attempt) in ended:
                with suppress(optuna.exceptions.UpdateFinishedTrialError):  # another driver was faster
                    self._storage.set_trial_state_values(attempt._trial_id, optuna.trial.TrialState.FAIL)

    def _counting(self, *, anew: bool = False) -> dict[int, Any]:
        """Return the attempt that counts of each trial, in the order of the trials.

        Args:
            anew: False allows an answer that is a second old.
        """
        if not anew and self.shared and time.monotonic() - self._seen_at < FRESH:
            return self._seen
        now, counting = time.monotonic(), dict[int, Any]()
        for attempt in self.study.get_trials(deepcopy=False):
            failed = FAILED in attempt.user_attrs and attempt._trial_id not in self._forgiven
            earlier = counting.get(number_of(attempt))
            if (failed or not _is_abandoned(attempt)) and (earlier is None or _is_abandoned(earlier)):
                counting[number_of(attempt)] = attempt
        self._seen, self._seen_at = dict(sorted(counting.items())), now
        return self._seen

    def _at_work(self, number: int) -> Any:
        """Return the attempt at a trial that this driver is at work on; None if it was abandoned meanwhile."""
        attempt = self._counting(anew=True).get(number)
        if attempt is None or attempt.state.name != "RUNNING" or not self._is_ours(attempt):
            return None
        return attempt

    @contextmanager
    def _writing(self, attempt: Any) -> Iterator[None]:
        """Ignore that an attempt cannot be written to because it was abandoned a moment ago."""
        self._forget()
        try:
            yield
        except (optuna.exceptions.UpdateFinishedTrialError, ValueError):
            if not _is_abandoned(self._storage.get_trial(attempt._trial_id)):
                raise

    def _forget(self) -> None:
        self._seen_at = float("-inf")

    def _is_ours(self, attempt: Any) -> bool:
        return self._driver is None or attempt.user_attrs.get(DRIVER) == self._driver

    def _trial(self, number: int, attempt: Any) -> Trial:
        """Return a trial from the attempt that counts."""
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


def _is_abandoned(attempt: Any) -> bool:
    """Tell whether an attempt was abandoned, or failed."""
    return bool(attempt.state.name == "FAIL")

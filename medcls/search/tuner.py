"""The Optuna study behind a search: proposes trials, prunes them between folds, remembers all in a journal file.

What is proposed for trial k, and whether it is pruned, depends on the trials up to k - parallel alone and on a
sampler seeded by k. So the search is the same on one worker and on ten, and one that was killed goes on as if it
had not been.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medcls.lazy import lazy
from medcls.search.plots import plots
from medcls.search.space import Axis, Search

optuna = lazy("optuna")
journal = lazy("optuna.storages.journal")

COMPLETE, PRUNED, FAILED, RUNNING = "complete", "pruned", "failed", "running"
LOG, NAME = "search.log", "search"


@dataclass(frozen=True)
class Trial:
    """One trial: its number, proposed labels, state, mean score, and the running mean after each fold."""

    number: int
    labels: dict[str, Any]
    state: str
    value: float | None
    folds: dict[int, float]


class Tuner:
    """A search's memory and judgement, kept in `folder`/search.log."""

    def __init__(self, search: Search, first: dict[str, Any], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.search = search
        self._first = first
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        path = folder / LOG
        _mend(path)
        self._study = optuna.create_study(
            storage=_storage(path), study_name=NAME, direction="maximize", load_if_exists=True
        )
        self._space = {name: _distribution(axis) for name, axis in sorted(search.space.items())}

    def trials(self) -> list[Trial]:
        """Return all trials by number."""
        return [_plain(trial) for trial in self._study.get_trials(deepcopy=False)]

    def propose(self) -> Trial:
        """Add the next trial in one write, so that a kill leaves it whole or not at all."""
        number = len(self.trials())
        fixed = self._sample(number) | (self._first if number == 0 else {})
        running = optuna.trial.TrialState.RUNNING
        self._study.add_trial(optuna.create_trial(state=running, params=fixed, distributions=self._space))
        return self.trials()[number]

    def report(self, number: int, fold: int, mean: float) -> bool:
        """Record the mean score over the folds up to `fold`; return whether the trial should be given up.

        Optuna's median rule over the same folds of the earlier trials: worse than half of them is out.
        """
        if fold not in self.trials()[number].folds:  # a kill may have come between the report and its consequence
            self._handle(number).report(mean, fold)
        shadow = self._shadow(number, optuna.samplers.RandomSampler(seed=0))
        trial = shadow.ask()
        trial.report(mean, fold)
        return bool(trial.should_prune())

    def tell(self, number: int, state: str, value: float | None = None) -> None:
        """Record how a trial ended. A failure is only marked: Optuna would not let the trial be tried again."""
        if state == FAILED:
            self._handle(number).set_user_attr(FAILED, True)
            return
        ended = optuna.trial.TrialState.COMPLETE if state == COMPLETE else optuna.trial.TrialState.PRUNED
        self._study.tell(number, value, state=ended, skip_if_finished=True)

    def try_again(self) -> None:
        """Open the trials that failed again."""
        for trial in self.trials():
            if trial.state == FAILED:
                self._handle(trial.number).set_user_attr(FAILED, False)

    def plots(self) -> dict[str, Any]:
        """Return Optuna's own figures by name: history, importances, parallel coordinates (matplotlib)."""
        return plots(self._study)

    def _sample(self, number: int) -> dict[str, Any]:
        sampler = optuna.samplers.TPESampler(
            seed=self.search.seed * 100_003 + number, n_startup_trials=self.search.startup
        )
        return dict(self._shadow(number, sampler).ask(self._space).params)

    def _shadow(self, number: int, sampler: Any) -> Any:
        """Return a study in memory that knows what trial `number` may know: the trials up to number - parallel."""
        pruner = optuna.pruners.MedianPruner(n_startup_trials=self.search.startup)
        shadow = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
        known = self._study.get_trials(deepcopy=False)[: max(0, number - self.search.parallel + 1)]
        shadow.add_trials([trial for trial in known if trial.state.is_finished()])
        return shadow

    def _handle(self, number: int) -> Any:
        return optuna.trial.Trial(self._study, self._study.get_trials(deepcopy=False)[number]._trial_id)


def _distribution(axis: Axis) -> Any:
    if axis.choices is not None:
        return optuna.distributions.CategoricalDistribution(list(axis.choices))
    if axis.whole:
        return optuna.distributions.IntDistribution(int(axis.low), int(axis.high), log=axis.log)
    return optuna.distributions.FloatDistribution(axis.low, axis.high, log=axis.log)


def _plain(trial: Any) -> Trial:
    states = {"COMPLETE": COMPLETE, "PRUNED": PRUNED}
    state = states.get(trial.state.name, FAILED if trial.user_attrs.get(FAILED) else RUNNING)
    value = trial.value if state == COMPLETE else None
    return Trial(trial.number, dict(trial.params), state, value, dict(trial.intermediate_values))


def remembered(folder: Path) -> list[Trial]:
    """Return the trials of the search in `folder`, also while another process writes to it; empty without one."""
    if not (folder / LOG).exists():
        return []
    try:
        study = optuna.load_study(study_name=NAME, storage=_storage(folder / LOG))
    except KeyError:  # it was just being made
        return []
    return [_plain(trial) for trial in study.get_trials(deepcopy=False)]


def _storage(path: Path) -> Any:
    lock = journal.JournalFileOpenLock(str(path))
    return optuna.storages.JournalStorage(journal.JournalFileBackend(str(path), lock_obj=lock))


def _mend(path: Path) -> None:
    """Drop a line that a kill tore off, and the lock of a process that is no more (the work folder is ours)."""
    path.with_name(path.name + ".lock").unlink(missing_ok=True)
    if path.exists():
        os.truncate(path, path.read_bytes().rfind(b"\n") + 1)


def best(trials: Sequence[Trial]) -> Trial | None:
    """Return the trial with the highest mean score, the earliest of equals."""
    complete = [trial for trial in trials if trial.state == COMPLETE and trial.value is not None]
    return max(complete, key=lambda trial: (trial.value, -trial.number)) if complete else None

"""A search proposes and prunes the same, whoever is faster and however often it is killed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest

from medcls import Variant, data, training
from medcls.execution.search.scheduler import SearchScheduler
from medcls.execution.search.storages import in_folder, remembered
from medcls.execution.search.trials import Trial
from medcls.execution.search.tuner import Tuner, best
from medcls.spec import Search, choice, floats, integers
from medcls.spec.run import Run
from medcls.tasks import MULTICLASS
from medcls.tracking.run_records import RunResult
from medcls.utils.statuses import RunStatus, TrialState

VARIANT = Variant(data=data.xray, learner=training.gradient, task=MULTICLASS)
SEARCH = Search(
    space={"x": floats(-4.0, 4.0), "n": integers(1, 9), "kind": choice("plain", training.balanced)},
    trials=14,
    startup=4,
    parallel=3,
)
FOLDS = 3
Score = Callable[[Trial, int], float | None]
Pick = Callable[[int], int]


def score(trial: Trial, fold: int) -> float:
    return 1 - (trial.labels["x"] - 1) ** 2 - 0.01 * trial.labels["n"] + 0.1 * fold - (trial.labels["kind"] == "plain")


def drive(
    folder: Path,
    search: Search = SEARCH,
    score: Score = score,
    pick: Pick = lambda waiting: 0,
    ends: int | None = None,
    first: dict[str, Any] | None = None,
) -> list[Trial]:
    """Carry out a search whose folds score as `score` says (None: it fails); `pick` says which ends next.

    It is left as a kill would leave it after `ends` folds.
    """
    tuner = Tuner(search, first or {}, in_folder(folder))

    def run_of(trial: Trial, fold: int) -> Run:
        return Run(VARIANT, "", seed=trial.number, fold=fold, folds=FOLDS)

    agenda = SearchScheduler(search, tuner, run_of, FOLDS, None, lambda trial: None)
    waiting: list[Run] = []
    while not agenda.done and ends != 0:
        waiting += agenda.next_runs()
        run = waiting.pop(pick(len(waiting)))
        trial = tuner.trial(run.seed)
        assert trial is not None
        value = score(trial, run.fold)
        if value is None:
            agenda.on_run_end(run, RunResult(RunStatus.FAILED))
        else:
            agenda.on_run_end(run, RunResult(RunStatus.FINISHED, metrics={search.metric: value}))
        ends = ends and ends - 1
    return tuner.trials()


def test_the_search_does_not_depend_on_who_is_faster(tmp_path: Path):
    expected = drive(tmp_path / "first")
    assert {trial.state for trial in expected} == {TrialState.COMPLETE, TrialState.PRUNED}
    assert len({trial.labels["x"] for trial in expected}) == len(expected) == SEARCH.trials
    picks: list[Pick] = [lambda waiting: waiting - 1, *(np.random.default_rng(seed).integers for seed in range(3))]
    for number, pick in enumerate(picks):
        assert drive(tmp_path / str(number), pick=pick) == expected


def test_a_search_that_is_killed_again_and_again_ends_the_same(tmp_path: Path):
    expected = drive(tmp_path / "whole")
    folder, trials = tmp_path / "killed", []
    for ends in (1, 2, 4, 7, 11, 15, 18):
        trials = drive(folder, ends=ends)
        assert remembered(folder) == trials
        (folder / "search.log.lock").touch()  # the kill came while the log was written
        with (folder / "search.log").open("a") as file:
            file.write('{"op_code": 4, "worker')
    assert trials != expected
    assert drive(folder) == expected
    assert drive(folder) == expected == remembered(folder)


def test_reading_a_search_makes_nothing(tmp_path: Path):
    assert remembered(tmp_path / "none") == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("changed", "value"), [(0, -50.0), (4, 50.0), (9, 50.0)])
def test_a_trial_bears_only_on_those_that_may_know_it(tmp_path: Path, changed: int, value: float):
    def other(trial: Trial, fold: int) -> float:
        return value if trial.number == changed else score(trial, fold)

    before, after = drive(tmp_path / "before"), drive(tmp_path / "after", score=other)
    for one, two in zip(before, after, strict=True):
        if one.number != changed and one.number < changed + SEARCH.parallel:
            assert one == two
    assert before[changed + SEARCH.parallel :] != after[changed + SEARCH.parallel :]


def test_the_first_trial_is_the_starting_point(tmp_path: Path):
    first = {"x": 0.5, "kind": "balanced"}
    trial = drive(tmp_path, replace(SEARCH, trials=1), first=first)[0]
    assert trial.labels == {"n": trial.labels["n"], **first}


def test_more_trials_go_on_from_those_that_are_there(tmp_path: Path):
    few = drive(tmp_path / "a", replace(SEARCH, trials=6))
    assert drive(tmp_path / "a") == drive(tmp_path / "b")
    assert drive(tmp_path / "a")[:6] == few


def test_another_seed_searches_elsewhere(tmp_path: Path):
    other = drive(tmp_path / "b", replace(SEARCH, seed=1))
    assert not {trial.labels["x"] for trial in drive(tmp_path / "a")} & {trial.labels["x"] for trial in other}


def test_a_failed_trial_is_passed_over_and_tried_again_by_the_next_command(tmp_path: Path):
    def failing(trial: Trial, fold: int) -> float | None:
        return None if trial.number in (0, 5) else score(trial, fold)

    trials = drive(tmp_path, score=failing)
    assert [trial.number for trial in trials if trial.state == TrialState.FAILED] == [0, 5]
    winner = best(trials)
    assert winner is not None
    assert winner.value == max(trial.value for trial in trials if trial.value is not None)
    again = drive(tmp_path)
    assert [trial.labels for trial in again] == [trial.labels for trial in trials]
    assert TrialState.FAILED not in {trial.state for trial in again}


def test_without_a_complete_trial_there_is_no_best(tmp_path: Path):
    trials = drive(tmp_path, score=lambda trial, fold: None)
    assert best(trials) is None
    assert len(trials) == SEARCH.trials


def test_of_equals_the_earliest_is_best(tmp_path: Path):
    winner = best(drive(tmp_path, score=lambda trial, fold: 0.5))
    assert winner is not None
    assert winner.number == 0


def test_it_learns_where_the_best_values_lie(tmp_path: Path):
    trials = drive(tmp_path, replace(SEARCH, trials=40, startup=10))
    values = [np.mean([score(trial, fold) for fold in range(FOLDS)]) for trial in trials]
    assert max(values[10:]) > max(values[:10])
    assert np.median(values[25:]) > np.median(values[:10]) + 1


def sometimes_failing(trial: Trial, fold: int) -> float | None:
    return None if trial.number % 4 == 1 else score(trial, fold)


def style() -> dict[str, Any]:
    """Return how matplotlib draws whatever is drawn next."""
    return {name: value for name, value in matplotlib.rcParams.items() if not name.startswith("backend")}

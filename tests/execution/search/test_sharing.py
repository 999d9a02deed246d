"""Several drivers carry one search out through a database: it is the same search, whoever is killed or asleep."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import one_driver
import optuna
import pytest
import sqlalchemy
from databases import PASSWORD, ask
from one_driver import FOLDS, SEARCH, run_of, told

from medcls import BadInputError
from medcls.execution.search import storages
from medcls.execution.search.scheduler import SearchScheduler
from medcls.execution.search.tuner import Tuner
from medcls.spec.run import Run
from medcls.utils.statuses import TrialState

pytestmark = pytest.mark.filterwarnings("ignore:XDG_RUNTIME_DIR")
LIMIT = 240


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Return the trials of the same search by one driver with a journal."""
    folder = tmp_path_factory.mktemp("alone")
    judge = Tuner(SEARCH, {}, storages.in_folder(folder))
    agenda = SearchScheduler(SEARCH, judge, run_of, FOLDS, None, lambda trial: None)
    one_driver.carry_out(agenda, judge, 0.0, folder / "runs")
    trials = [told(trial) for trial in judge.trials()]
    assert {trial["state"] for trial in trials} == {TrialState.COMPLETE, TrialState.PRUNED}
    return json.loads(json.dumps(trials))  # type: ignore[no-any-return]


def begin(url: str, folder: Path, pause: float = 0.1) -> subprocess.Popen[str]:
    command = [sys.executable, one_driver.__file__, url, str(folder), str(pause)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ends_with(process: subprocess.Popen[str], expected: list[Any]) -> None:
    said, complaints = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, complaints
    assert not complaints
    assert json.loads(said) == expected


def attempts(url: str) -> list[Any]:
    storage = optuna.storages.RDBStorage(url, {"poolclass": sqlalchemy.NullPool})
    try:
        return list(optuna.load_study(study_name=one_driver.NAME, storage=storage).get_trials())
    except KeyError:
        return []


def give_up(url: str) -> None:
    """Give up what is at work, as another driver does that has seen no heartbeat for a while."""
    storage = optuna.storages.RDBStorage(url, {"poolclass": sqlalchemy.NullPool})
    for each in optuna.load_study(study_name=one_driver.NAME, storage=storage).get_trials():
        if each.state.name == "RUNNING":
            storage.set_trial_state_values(each._trial_id, optuna.trial.TrialState.FAIL)


def each_ended_once(url: str) -> None:
    ended = [each for each in attempts(url) if each.state.name in ("COMPLETE", "PRUNED")]
    assert sorted(each.user_attrs["trial"] for each in ended) == list(range(SEARCH.trials))
    left = Counter(each.state.name for each in attempts(url)) - Counter({"COMPLETE": 99, "PRUNED": 99, "FAIL": 999})
    assert not left


def test_three_drivers_carry_out_the_search_that_one_would(database: str, alone: list[Any], tmp_path: Path) -> None:
    processes = [begin(database, tmp_path / str(number)) for number in range(3)]
    for process in processes:
        ends_with(process, alone)
    each_ended_once(database)
    carried = [set((tmp_path / str(number) / "runs").read_text().splitlines()) for number in range(3)]
    assert all(carried)
    runs = Counter(run for each in carried for run in each)
    best = max(alone, key=lambda trial: trial["value"] or -99)
    assert {run for run, count in runs.items() if count > 1} <= {f"{best['number']} {fold}" for fold in range(FOLDS)}
    for each in carried:  # the best is there with all its folds, whoever found it
        assert {f"{best['number']} {fold}" for fold in range(FOLDS)} <= each
    assert len({each.user_attrs["driver"] for each in attempts(database) if "driver" in each.user_attrs}) > 1


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)])
def test_drivers_that_are_killed_and_begun_again_lose_and_double_nothing(
    seed: int, database: str, alone: list[Any], tmp_path: Path
) -> None:
    dice = random.Random(seed)
    folders = [tmp_path / str(number) for number in range(3)]
    processes = [begin(database, folder) for folder in folders]
    for _ in range(8):
        time.sleep(dice.uniform(0.5, 3))
        victim = dice.randrange(3)
        processes[victim].kill()
        processes[victim].communicate()
        processes[victim] = begin(database, folders[victim])
    for process in processes:
        ends_with(process, alone)
    each_ended_once(database)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2, 3))])
@pytest.mark.parametrize("fresh", [0.0, 1.0])
def test_trials_that_are_given_up_while_their_driver_is_but_slow_lose_no_fold(
    fresh: float, seed: int, alone: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, dice = f"sqlite:///{tmp_path / 'search.db'}", random.Random(seed)

    class Slow(SearchScheduler):
        def on_run_end(self, run: Run, result: Any) -> None:
            if dice.random() < 0.3:
                give_up(url)
            super().on_run_end(run, result)

        def next_runs(self) -> list[Run]:
            if dice.random() < 0.1:
                give_up(url)
            return super().next_runs()

    monkeypatch.setattr("medcls.execution.search.trials.FRESH", fresh)
    judge = Tuner(SEARCH, {}, storages.in_database(url, one_driver.NAME, tmp_path, "code"))
    agenda = Slow(SEARCH, judge, run_of, FOLDS, None, lambda trial: None)
    one_driver.carry_out(agenda, judge, 0.0, tmp_path / "runs")
    assert json.loads(json.dumps([told(trial) for trial in judge.trials()])) == alone
    each_ended_once(url)
    assert {int(line.split()[1]) for line in (tmp_path / "runs").read_text().splitlines()} == set(range(FOLDS))


def test_an_attempt_added_to_a_trial_that_ends_meanwhile_is_given_up(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'search.db'}"
    slow, quick = (storages.in_database(url, one_driver.NAME, tmp_path / each, "code") for each in ("slow", "quick"))
    add = slow.study.add_trial

    def add_late(attempt: Any) -> None:
        quick.take(0, {}, {})
        quick.end(0, TrialState.COMPLETE, 1.0)
        add(attempt)

    slow.study.add_trial = add_late
    slow.take(0, {}, {})
    assert [each.state.name for each in attempts(url)] == ["COMPLETE", "FAIL"]
    assert (slow.trials()[0].state, slow.trials()[0].value) == (TrialState.COMPLETE, 1.0)


def test_a_killed_drivers_waiting_record_of_an_ended_trial_is_removed_by_the_next(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'search.db'}"
    killed, other = (
        storages.in_database(url, one_driver.NAME, tmp_path / each, "code") for each in ("killed", "other")
    )
    other.take(0, {}, {})
    other.end(0, TrialState.COMPLETE, 1.0)
    waiting = optuna.trial.TrialState.WAITING
    for number in (0, 1):  # added, and killed before it was taken
        killed.study.add_trial(optuna.create_trial(state=waiting, user_attrs={"trial": number}))
    with Tuner(SEARCH, {}, other).at_work():
        assert [each.state.name for each in attempts(url)] == ["COMPLETE", "WAITING", "WAITING"]
    assert [each.state.name for each in attempts(url)] == ["COMPLETE", "FAIL", "WAITING"]


@pytest.mark.slow
def test_a_driver_that_never_comes_back_is_replaced(database: str, alone: list[Any], tmp_path: Path) -> None:
    lost = begin(database, tmp_path / "lost", pause=60)
    deadline = time.monotonic() + LIMIT
    while not (tmp_path / "lost" / "driver").exists() or not attempts(database):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    lost.kill()
    lost.communicate()
    ends_with(begin(database, tmp_path / "left"), alone)
    each_ended_once(database)


@pytest.mark.slow
def test_one_that_slept_finds_its_trials_taken_over(database: str, alone: list[Any], tmp_path: Path) -> None:
    sleeper = begin(database, tmp_path / "sleeper", pause=0.5)
    deadline = time.monotonic() + LIMIT
    while not (tmp_path / "sleeper" / "runs").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(sleeper.pid, signal.SIGSTOP)
    other = begin(database, tmp_path / "other")
    try:
        ends_with(other, alone)
    finally:
        os.kill(sleeper.pid, signal.SIGCONT)
    ends_with(sleeper, alone)
    each_ended_once(database)


@pytest.mark.slow
def test_a_database_that_is_away_for_a_moment_is_waited_for(database: str, alone: list[Any], tmp_path: Path) -> None:
    processes = [begin(database, tmp_path / str(number), pause=0.3) for number in range(2)]
    deadline = time.monotonic() + LIMIT
    while not (tmp_path / "0" / "runs").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    cut = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = '{}'"
    for _ in range(5):  # as a restart of the server does
        ask(database, cut.format(sqlalchemy.make_url(database).database))
        time.sleep(0.5)
    for process in processes:
        ends_with(process, alone)
    each_ended_once(database)


def test_drivers_that_begin_at_once_do_not_stumble_over_the_tables(database: str, tmp_path: Path) -> None:
    line = "from medcls.execution.search import storages; from pathlib import Path; import sys; "
    line += "storages.in_database(sys.argv[1], 'name', Path(sys.argv[2]), 'code')"
    homes = [str(tmp_path / str(number)) for number in range(4)]
    begun = [
        subprocess.Popen([sys.executable, "-c", line, database, home], stderr=subprocess.PIPE, text=True)
        for home in homes
    ]
    for process in begun:
        _, complaints = process.communicate(timeout=LIMIT)
        assert process.returncode == 0, complaints


def test_drivers_with_other_code_are_turned_away(database: str, tmp_path: Path) -> None:
    storages.in_database(database, "name", tmp_path / "a", "1234")
    with pytest.raises(BadInputError, match="different version of the code") as refused:
        storages.in_database(database, "name", tmp_path / "b", "5678")
    assert PASSWORD not in str(refused.value)
    storages.in_database(database, "name", tmp_path / "b", "1234")
    storages.in_database(database, "name", tmp_path / "b", None)


def test_reading_a_search_makes_nothing(database: str, tmp_path: Path) -> None:
    assert storages.remembered_in_database(database, "name", tmp_path / "none") == []
    engine = sqlalchemy.create_engine(database, poolclass=sqlalchemy.NullPool)
    assert not sqlalchemy.inspect(engine).get_table_names()
    assert storages.remembered_in_database(f"sqlite:///{tmp_path / 'none.db'}", "name", tmp_path / "none") == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "bad", ["nonsense", "flat://host/name", "postgresql://me:tiramisu@127.0.0.1:1/name", "sqlite:////nowhere/at.db"]
)
def test_a_database_that_cannot_be_used_is_said_in_one_sentence(bad: str, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"^--storage .* cannot be used .*: give the URL") as refused:
        storages.in_database(bad, "name", tmp_path, None)
    assert "tiramisu" not in str(refused.value)

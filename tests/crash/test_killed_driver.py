"""A study whose command is killed, and run again until it ends, leaves what an undisturbed one leaves."""

import random
import time
from dataclasses import replace
from pathlib import Path

import crash_outcomes as outcomes
import psutil
import pytest
from crash_commands import Command, Running, kill, until

MOMENTS = 20
CHILDREN = 2  # so many of a command's processes are killed at most: a run that dies thrice has failed, rightly


def strike(command: Command, chance: random.Random, moments: int) -> int:
    """Run a command again until it ends, killing it or a child of its at up to so many moments; return how many."""
    struck = 0
    while True:
        running = command.start()
        if struck == moments:
            assert running.wait().code == 0
            return struck
        for killed in range(CHILDREN + 1):
            time.sleep(chance.choice((chance.uniform(0.0, 3.0), chance.uniform(3.0, 12.0))))
            if running.process.poll() is not None:
                assert running.wait().code == 0
                return struck
            struck += 1
            if killed == CHILDREN or struck == moments or not killed_child(running, chance):
                break
        running.kill()
        assert running.leaves_nothing()


def killed_child(running: Running, chance: random.Random) -> bool:
    """Kill a worker or the workers' server as chance has it, but sometimes none."""
    children: list[psutil.Process | None] = [*running.members()[1:], None]
    child = chance.choice(children)
    if child is not None:
        kill(child)
    return child is not None


def assert_same(command: Command, undisturbed: Command) -> None:
    assert outcomes.summary(command) == outcomes.summary(undisturbed)
    assert outcomes.run_folders(command) == outcomes.run_folders(undisturbed)
    assert outcomes.trials(command) == outcomes.trials(undisturbed)
    assert outcomes.store(command) == outcomes.store(undisturbed)


@pytest.mark.slow
def test_run_killed_twice_ends_as_if_it_had_not_been(run: Command, tmp_path: Path):
    command = replace(run, home=tmp_path)
    strike(command, random.Random(0), 2)
    assert outcomes.summary(command) == outcomes.summary(run)
    assert outcomes.run_folders(command) == outcomes.run_folders(run)


@pytest.mark.slow
def test_search_killed_at_random_moments_ends_as_if_it_had_not_been(search: Command, tmp_path: Path):
    chance, struck, number = random.Random(0), 0, 0
    while struck < MOMENTS:
        number += 1
        command = replace(search, home=tmp_path / str(number))
        struck += strike(command, chance, MOMENTS - struck)
        assert_same(command, search)


@pytest.mark.slow
def test_more_trials_go_on_with_the_same_search(search: Command, tmp_path: Path):
    first = replace(search, home=tmp_path, flags=(*search.flags, "--trials", "1"))
    assert first.run().code == 0
    assert len(outcomes.trials(first)) == 1
    assert replace(first, flags=search.flags).run().code == 0
    assert outcomes.trials(first) == outcomes.trials(search)
    assert outcomes.summary(first)["runs"] == outcomes.summary(search)["runs"]


@pytest.mark.slow
def test_trials_with_the_same_parameters_share_their_runs(images: Path, tmp_path: Path):
    """Three trials of two possible ones, killed once in between."""
    fixed = ("--set", "learner.model.dropout=0.1", "--set", "learner.optimizer.learning_rate=0.02", "--folds", "2")
    command = Command("tiny_search", images, tmp_path, ("--workers", "2", "--threads", "1", "--offline", *fixed))
    running = command.start()
    assert until(lambda: any(command.work.glob("*/result.json")))
    running.kill()
    assert command.run().code == 0
    runs = [each["key"] for each in outcomes.summary(command)["runs"]]
    assert [trial.state for trial in outcomes.trials(command)] == ["complete"] * 3
    assert len(runs) == 3 * 2 + 1
    assert len(set(runs)) <= 2 * 2 + 1

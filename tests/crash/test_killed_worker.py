"""A worker that is killed costs nothing but the epoch that it was in."""

import json
from dataclasses import replace
from pathlib import Path

import crash_outcomes as outcomes
import pytest
from crash_commands import Command, Running, kill, until

from medcls.tracking.run_dir import RunDir


def best_epoch(command: Command) -> int:
    return int(json.loads(command.summary.read_text())["runs"][0]["best_epoch"])


def worker_killed(running: Running) -> bool:
    """Kill the command's worker; return whether there was one."""
    workers = running.workers()
    for worker in workers[:1]:
        kill(worker)
    return workers != []


def killed_at(command: Command, epochs: list[int]) -> None:
    """Run a command of one run and kill its worker when the checkpoint holds so many epochs, each in turn."""
    running = command.start()
    assert until(lambda: any(command.work.glob("*/run.json")))
    folder = RunDir(next(command.work.glob("*/run.json")).parent)
    for epoch in epochs:
        assert until(lambda count=epoch: folder.epochs_held() >= count and worker_killed(running))
    assert running.wait().code == 0


@pytest.mark.slow
def test_run_killed_before_and_after_its_best_epoch_ends_with_the_same_bits(run: Command, tmp_path: Path):
    best = best_epoch(run)
    command = replace(run, home=tmp_path)
    killed_at(command, [0, best - 2, best + 3])
    assert outcomes.run_folders(command) == outcomes.run_folders(run)
    assert outcomes.summary(command) == outcomes.summary(run)


@pytest.mark.slow
def test_run_that_always_kills_itself_fails_alone(images: Path, tmp_path: Path):
    command = Command("tiny_runs", images, tmp_path, ("--offline",))
    ended = command.run()
    runs = {each["variant"]: each for each in json.loads(command.summary.read_text())["runs"]}
    assert ended.code == 1
    assert runs["small"]["status"] == "finished"
    assert runs["deadly"]["status"] == "failed"
    assert "was killed by signal 9" in runs["deadly"]["error"]
    assert runs["deadly"]["error"] in ended.errors
    assert ended.errors.count("\n") == 1


@pytest.mark.slow
def test_run_killed_while_it_draws_leaves_nothing_half_drawn(run: Command, tmp_path: Path):
    command = replace(run, home=tmp_path, flags=tuple(flag for flag in run.flags if flag != "--offline"))
    running = command.start()
    assert until(lambda: any(command.work.glob("*/.*.png")) and worker_killed(running))
    assert running.wait().code == 0
    (folder,) = (path.parent for path in command.work.glob("*/run.json"))
    assert list(folder.glob("*.png")) != []
    assert outcomes.run_folders(command) == outcomes.run_folders(run)

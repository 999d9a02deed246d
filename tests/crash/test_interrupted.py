"""A command that is interrupted ends at once and leaves nobody behind."""

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import crash_outcomes as outcomes
import pytest
from crash_commands import Command, Running, until

from medcls.tracking.run_dir import RunDir


def importing(running: Running) -> bool:
    """The server of workers imports TensorFlow."""
    return len(running.members()) >= 3


def training(running: Running) -> bool:
    """A worker is at work."""
    return running.workers() != []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("to_all", "moment"),
    [
        (False, importing),
        pytest.param(True, importing, marks=pytest.mark.exhaustive),
        (True, training),
    ],
)
def test_interrupted_command_says_so_and_the_same_one_goes_on(run: Command, tmp_path: Path, to_all: bool, moment):
    command = replace(run, home=tmp_path)
    running = command.start()
    assert until(lambda: moment(running))
    if to_all:
        os.killpg(running.process.pid, signal.SIGINT)  # as a terminal does
    else:
        running.process.terminate()
    ended = running.wait()
    assert ended.code == 130
    assert ended.errors == "tiny_runs: Interrupted. All completed epochs are saved; run the same command to resume.\n"
    assert running.leaves_nothing()
    assert command.run().code == 0
    assert outcomes.summary(command) == outcomes.summary(run)


@pytest.mark.slow
def test_ctrl_c_lets_the_epoch_at_work_be_finished(run: Command, tmp_path: Path):
    command = replace(run, home=tmp_path)
    running = command.start()
    assert until(lambda: list(command.work.glob("*/checkpoint.npz")) != [])
    held = {path.parent: RunDir(path.parent).epochs_held() for path in command.work.glob("*/checkpoint.npz")}
    os.killpg(running.process.pid, signal.SIGINT)
    ended = running.wait()
    assert ended.code == 130
    assert "Interrupted: finishing the current epochs." in ended.output
    assert running.leaves_nothing()
    ((folder, before),) = held.items()
    if RunDir(folder).result() is None:  # it was not in its last epoch
        assert RunDir(folder).epochs_held() > before
        assert len(RunDir(folder).rows()) == RunDir(folder).epochs_held()
    assert command.run().code == 0
    assert outcomes.summary(command) == outcomes.summary(run)


@pytest.mark.slow
@pytest.mark.parametrize("pause", [pytest.param(0.0, marks=pytest.mark.exhaustive), 0.1])
def test_second_ctrl_c_loses_nothing_either(run: Command, tmp_path: Path, pause: float):
    flags = tuple(flag for flag in run.flags if flag != "--offline")
    command = replace(run, home=tmp_path, flags=flags)
    running = command.start()
    assert until(lambda: list(command.work.glob("*/checkpoint.npz")) != [])
    os.killpg(running.process.pid, signal.SIGINT)
    time.sleep(pause)  # somewhere in what the first one is answered with
    os.killpg(running.process.pid, signal.SIGINT)
    ended = running.wait()
    assert ended.code == 130
    assert ended.errors == "tiny_runs: Interrupted. All completed epochs are saved; run the same command to resume.\n"
    assert running.leaves_nothing()
    (folder,) = (path.parent for path in command.work.glob("*/run.json"))
    assert RunDir(folder).epochs_held() > 0
    assert command.run().code == 0
    assert outcomes.summary(command) == outcomes.summary(run)


@pytest.mark.slow
@pytest.mark.parametrize("moment", [importing, training])
def test_workers_end_with_a_killed_command(run: Command, tmp_path: Path, moment):
    running = replace(run, home=tmp_path).start()
    assert until(lambda: moment(running))
    running.kill()
    assert running.leaves_nothing()

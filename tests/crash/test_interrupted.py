"""A command that is interrupted ends at once and leaves nobody behind."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import crash_outcomes as outcomes
import pytest
from crash_commands import Command, Running, until


def importing(running: Running) -> bool:
    """The server of workers imports TensorFlow."""
    return len(running.members()) >= 3


def training(running: Running) -> bool:
    """A worker is at work."""
    return running.workers() != []


@pytest.mark.slow
@pytest.mark.parametrize(("to_all", "moment"), [(False, importing), (True, importing), (True, training)])
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
    assert ended.errors == "tiny_runs: interrupted; every finished epoch is kept. The same command goes on.\n"
    assert running.leaves_nothing()
    assert command.run().code == 0
    assert outcomes.summary(command) == outcomes.summary(run)


@pytest.mark.slow
@pytest.mark.parametrize("moment", [importing, training])
def test_workers_end_with_a_killed_command(run: Command, tmp_path: Path, moment):
    running = replace(run, home=tmp_path).start()
    assert until(lambda: moment(running))
    running.kill()
    assert running.leaves_nothing()

"""The same bits whoever computes them and in however many pieces: workers side by side, more epochs later."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import crash_outcomes as outcomes
import pytest
from crash_commands import Command

RUN = ("--only", "small", "--offline", "--threads", "1")


def settings(**values: object) -> tuple[str, ...]:
    return tuple(part for name, value in values.items() for part in ("--set", f"learner.{name}={value}"))


def trained(command: Command) -> dict[str, Any]:
    """Run a command of one run; return its entry in the summary."""
    assert command.run().code == 0
    (run,) = json.loads(command.summary.read_text())["runs"]
    return dict(run)


def without_origin(folder: dict[str, Any]) -> dict[str, Any]:
    origin = ("shared_epochs", "shared_from")
    return folder | {"description": {k: v for k, v in folder["description"].items() if k not in origin}}


@pytest.mark.slow
def test_one_worker_and_two_give_the_same_search(search: Command, tmp_path: Path):
    alone = replace(search, home=tmp_path, flags=("--workers", "1", "--threads", "1"))
    assert alone.run().code == 0
    assert outcomes.run_folders(alone) == outcomes.run_folders(search)
    assert outcomes.trials(alone) == outcomes.trials(search)
    assert outcomes.summary(alone) == outcomes.summary(search)


def small(images: Path, home: Path, schedule: str, patience: int, epochs: int) -> Command:
    chosen = settings(schedule=schedule, epochs=epochs) + settings(**{"stop.patience": patience})
    return Command("tiny_runs", images, home, RUN + chosen)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schedule", "patience", "short", "long"),
    [
        ("plateau", 12, 4, 9),
        pytest.param("constant", 12, 4, 9, marks=pytest.mark.exhaustive),
        pytest.param("step", 12, 4, 9, marks=pytest.mark.exhaustive),
        ("plateau", 1, 30, 40),
    ],
    ids=["plateau", "constant", "step", "stopped of itself"],
)
def test_more_epochs_later_continue_the_trajectory(
    images: Path, tmp_path: Path, schedule: str, patience: int, short: int, long: int
):
    first = trained(small(images, tmp_path / "grown", schedule, patience, short))
    longer = trained(small(images, tmp_path / "grown", schedule, patience, long))
    command = small(images, tmp_path / "alone", schedule, patience, long)
    alone = trained(command)
    assert (first["epochs"] < short) == (patience == 1)
    assert longer["shared_epochs"] == first["epochs"]
    assert (longer["weights_sha256"], longer["history"]) == (alone["weights_sha256"], alone["history"])
    grown = outcomes.run_folders(replace(command, home=tmp_path / "grown"))[longer["key"]]
    assert without_origin(grown) == without_origin(outcomes.run_folders(command)[longer["key"]])


@pytest.fixture(scope="module")
def long(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home of a run of 21 epochs; not to be changed."""
    home = tmp_path_factory.mktemp("long")
    assert trained(small(images, home, "plateau", 99, 21))["epochs"] == 21
    return home


@pytest.mark.slow
@pytest.mark.parametrize("short", [10, 12])
def test_fewer_epochs_later_are_read_off_the_longer_run(long: Path, images: Path, tmp_path: Path, short: int):
    """Every tenth epoch's checkpoint is kept, and the last."""
    shutil.copytree(long, tmp_path / "grown")
    shorter = trained(small(images, tmp_path / "grown", "plateau", 99, short))
    command = small(images, tmp_path / "alone", "plateau", 99, short)
    alone = trained(command)
    assert shorter["shared_epochs"] == 10
    assert (shorter["weights_sha256"], shorter["history"]) == (alone["weights_sha256"], alone["history"])
    grown = outcomes.run_folders(replace(command, home=tmp_path / "grown"))[shorter["key"]]
    assert without_origin(grown) == without_origin(outcomes.run_folders(command)[shorter["key"]])


def test_the_plan_counts_the_epochs_that_runs_of_one_command_will_share(images: Path, tmp_path: Path):
    told = Command("tiny_lengths", images, tmp_path, ("--plan",)).run()
    assert told.code == 0
    assert "4 of 8 epochs are shared with other runs and need no training." in told.output


@pytest.mark.slow
def test_epochs_of_a_schedule_that_depends_on_their_number_are_not_shared(images: Path, tmp_path: Path):
    trained(small(images, tmp_path, "cosine", 12, 2))
    assert trained(small(images, tmp_path, "cosine", 12, 3))["shared_epochs"] == 0


@pytest.mark.slow
def test_variants_that_differ_in_epochs_share_them_within_one_command(images: Path, tmp_path: Path):
    command = Command("tiny_lengths", images, tmp_path, ("--offline", "--threads", "1"))
    assert command.run().code == 0
    runs = {each["variant"]: each for each in json.loads(command.summary.read_text())["runs"]}
    assert list(runs) == ["long", "short", "the same"]
    assert [each["shared_epochs"] for each in runs.values()] == [2, 0, 0]
    assert [each["epochs"] for each in runs.values()] == [4, 2, 2]
    assert runs["short"]["key"] == runs["the same"]["key"]

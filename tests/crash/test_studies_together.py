"""Studies that are carried out together: what they share is trained once, and a kill costs nothing."""

import json
import random
from pathlib import Path
from typing import Any

import crash_outcomes as outcomes
import pytest
from crash_commands import Command
from test_killed_driver import strike

pytestmark = pytest.mark.slow

TOGETHER = "tiny_lengths tiny_undecided tiny_search"
FLAGS = ("--threads", "1", "--workers", "2", "--seeds", "0", "--trials", "2", "--folds", "2")
ONLY = {"tiny_search": FLAGS, "tiny_lengths": (*FLAGS[:6], *FLAGS[8:]), "tiny_undecided": (*FLAGS[:6], *FLAGS[8:])}


def summaries(command: Command) -> list[Any]:
    return list(outcomes.summary(command)["studies"])


def trained(found: Any) -> list[Any]:
    return [(run["key"], run["variant"], run["weights_sha256"], run["history"]) for run in found["runs"]]


@pytest.fixture(scope="module")
def together(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Return three studies that have run together, two of which share runs."""
    command = Command(TOGETHER, images, tmp_path_factory.mktemp("together"), FLAGS)
    ended = command.run()
    assert (ended.code, ended.errors) == (0, "")
    return command


def test_each_study_ends_as_if_it_had_run_alone(together: Command, images: Path, tmp_path: Path):
    found = summaries(together)
    assert [each["study"] for each in found] == TOGETHER.split()
    for number, each in enumerate(found):
        alone = Command(each["study"], images, tmp_path / str(number), ONLY[each["study"]])
        assert alone.run().code == 0
        other = outcomes.summary(alone)
        assert trained(each) == trained(other)
        assert (each["best"], each["answers"]) == (other["best"], other["answers"])


def test_equal_runs_of_two_studies_are_trained_once_and_shown_in_both(together: Command):
    lengths, undecided, _ = json.loads(together.summary.read_text())["studies"]
    shared = {run["key"] for run in lengths["runs"]} & {run["key"] for run in undecided["runs"]}
    runs = [run for each in (lengths, undecided) for run in each["runs"] if run["key"] in shared]
    assert shared
    assert sum(not run["reused"] for run in runs) == len(shared)
    by_node = {run["mlflow_run_id"] for run in runs}
    assert "" not in by_node
    assert len(by_node) == len(runs) > 2 * len(shared)  # each study shows them, below each variant that has them


def test_killed_and_begun_again_they_end_the_same(together: Command, images: Path, tmp_path: Path):
    command = Command(TOGETHER, images, tmp_path, FLAGS)
    strike(command, random.Random(3), 4)
    assert summaries(command) == summaries(together)
    assert outcomes.run_folders(command) == outcomes.run_folders(together)


def test_seeds_are_added_until_the_first_comparison_is_decided(images: Path, tmp_path: Path):
    flags = ("--offline", "--threads", "1", "--until-decided", "10")
    decided = Command("tiny_decided", images, tmp_path, flags)
    assert decided.run().code == 0
    found = outcomes.summary(decided)
    clear, same = found["comparisons"]
    assert {run["seed"] for run in found["runs"]} == {0, 1, 2, 3, 4}
    assert (clear["verdict"], same["verdict"]) == ("better", "not distinguishable")
    assert found["look"] == {"number": 1, "seeds": [5, 10], "level": 0.025}


def test_seeds_are_added_up_to_the_most_and_the_same_command_ends_the_same(images: Path, tmp_path: Path):
    undecided = Command("tiny_undecided", images, tmp_path, ("--offline", "--threads", "1", "--until-decided", "5"))
    ended = undecided.run()
    assert ended.code == 0
    assert "look 3 of 3 (after 2, 4, 5 seeds)" in ended.output
    found = outcomes.summary(undecided)
    assert {run["seed"] for run in found["runs"]} == {0, 1, 2, 3, 4}
    assert [row["n"] for row in found["comparisons"]] == [5]
    assert undecided.run().code == 0
    assert outcomes.summary(undecided) == found
    planned = Command(undecided.study, images, tmp_path, (*undecided.flags, "--plan")).run()
    assert "10 finished." in planned.output
    assert "the study continues with 4, 5 seeds in total" in planned.output

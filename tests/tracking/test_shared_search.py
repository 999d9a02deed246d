"""One search by several commands through PostgreSQL: what each ends with is what one command alone ends with."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from databases import PASSWORD
from tracking_stores import LIMIT, Command

pytestmark = pytest.mark.slow
TRIALS = ("--trials", "4")


def summary(command: Command) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(command.summary.read_text())
    return found


def same(command: Command, alone: Command) -> None:
    ours, theirs = summary(command), summary(alone)
    assert ours["trials"] == theirs["trials"]
    assert ours["best"] == theirs["best"]
    weights = {run["key"]: run["weights_sha256"] for run in theirs["runs"]}
    assert all(weights[run["key"]] == run["weights_sha256"] for run in ours["runs"])


@pytest.fixture
def alone(pictures: Path, tmp_path: Path) -> Command:
    command = Command("tiny_search", pictures, tmp_path / "alone", None, *TRIALS)
    code, said = command.run()
    assert code == 0, said
    return command


def test_commands_that_share_a_search_each_end_with_the_whole_of_it(
    database: str, alone: Command, pictures: Path, tmp_path: Path
) -> None:
    flags = ("--storage", database, *TRIALS)
    commands = [Command("tiny_search", pictures, tmp_path / name, None, *flags) for name in ("a", "b", "c")]
    processes = [command.start() for command in commands]
    deadline = time.monotonic() + LIMIT
    while not list(commands[0].work.glob("*/journal.jsonl")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    processes[0].kill()
    processes[0].communicate()
    code, said = commands[0].run()
    assert code == 0, said
    for process in processes[1:]:
        output, _ = process.communicate(timeout=LIMIT * 3)
        assert process.returncode == 0
        said += output
    assert "Warning" not in said + "".join((command.home / "errors").read_text() for command in commands)
    for command in commands:
        same(command, alone)
    trained = [{run["variant"] for run in summary(command)["runs"]} for command in commands]
    best = summary(alone)["best"]
    winner = next(iter(best.values()))["variant"]
    assert all(winner in each for each in trained)
    for number, each in enumerate(trained):
        for other in trained[number + 1 :]:
            assert each & other == {winner}
    code, again = commands[1].run()
    assert code == 0, again
    same(commands[1], alone)
    assert PASSWORD not in said + again
    for file in tmp_path.rglob("*"):
        assert file.is_dir() or PASSWORD.encode() not in file.read_bytes(), file


def test_what_cannot_be_done_with_a_shared_search_is_said(database: str, pictures: Path, tmp_path: Path) -> None:
    for flags, expected in (
        (("--storage", database, "--force"), "--force would also delete the trials of other commands"),
        (("--storage", "postgresql://me:tiramisu@127.0.0.1:1/x"), "cannot be used"),
        (("--storage", "postgresql://me:tiramisu@127.0.0.1:1/x", "--plan"), "cannot be used"),
    ):
        code, said = Command("tiny_search", pictures, tmp_path / "home", None, *flags).run()
        assert code == 2
        assert PASSWORD not in said
        *waiting, sentence = said.splitlines()
        assert expected in sentence
        assert all(line.startswith("Waiting up to ") for line in waiting)
    code, said = Command("tiny_search", pictures, tmp_path / "plan", None, "--storage", database, "--plan").run()
    assert code == 0, said
    assert not (tmp_path / "plan" / "runs" / "studies").exists()

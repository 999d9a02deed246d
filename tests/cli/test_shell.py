"""What a shell and a terminal get: completion, fewer or more words, colours only where they are wanted."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from medcls.utils.console import Line, Screen

MOVING = re.compile(r"\x1b\[\??\d*[A-HJKSTfhl]")  # the cursor, lines cleared, the cursor hidden
FORCING = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "JPY_PARENT_PID")
SHOWN = """
from medcls.utils.console import Line, Screen
with Screen() as screen:
    screen.show([Line("plain seed 0", 1, 3, "loss 0.5")], 0, 0, 2)
    screen.table("", ["file"], [["scan[red].png"]])
"""


def completed(line: str, folder: Path) -> set[str]:
    """Return what bash would offer at the end of a line."""
    answer = folder / "answer"
    asked = {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_SHELL": "bash", "_ARGCOMPLETE_STDOUT_FILENAME": str(answer)}
    asked |= {"COMP_LINE": line, "COMP_POINT": str(len(line)), "COMP_TYPE": "9", "_ARGCOMPLETE_IFS": "\n"}
    subprocess.run([sys.executable, "-m", "medcls"], env={**os.environ, **asked}, check=True, timeout=60)
    return {each.strip() for each in answer.read_text().splitlines()}


def test_the_shell_completes_commands_studies_and_flags(tmp_path: Path):
    assert completed("medcls rep", tmp_path) == {"report"}
    assert completed(f"medcls report --work-dir {tmp_path} bonus_", tmp_path) == {"bonus_resnet"}
    assert {"task1a_dropout", "task1b_batch_norm"} <= completed("medcls run task1", tmp_path)
    assert "--format" in completed("medcls export bonus_resnet --", tmp_path)


def test_the_shell_completes_the_outcomes_in_the_work_directory(tmp_path: Path):
    ended = {"study": "bonus_resnet", "question": "?", "smoke": False, "answers": [], "best": {}, "runs": []}
    work = tmp_path / "work"
    for key, study in {"0123": "bonus_resnet", "4567": "my_own"}.items():
        sets = [{"name": name, "kind": "files", "findings": []} for name in ("skin", "bone")]
        path = work / "studies" / key / "summary.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({**ended, "study": study, "data_sets": sets}))
    names = {"bonus_resnet", "bonus_resnet@skin", "bonus_resnet@bone"}
    for command in ("report", "export", "compare", "figures", "sync", "predict"):
        assert completed(f"medcls {command} --work-dir {work} bonus", tmp_path) == names
    assert completed(f"medcls report --work-dir {work} my_own@s", tmp_path) == {"my_own@skin"}
    assert completed(f"medcls run --work-dir {work} bonus", tmp_path) == {"bonus_resnet"}
    (work / "bonus.keras").touch()
    assert completed(f"medcls predict --work-dir {work} {work}/bon", tmp_path) == {f"{work}/bonus.keras"}


def told(screen: Screen, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return what a screen says of two looks at a run, and of its end."""
    with screen:
        for epoch in (1, 1, 2):
            screen.show([Line("plain seed 0", epoch, 3, "loss 0.5")], 0, 0, 2)
    screen.tell("plain seed 0: accuracy 0.7")
    screen.say("Report: report.html")
    return capsys.readouterr().out.splitlines()


def test_quiet_says_results_alone_and_verbose_every_epoch(capsys: pytest.CaptureFixture[str]):
    assert told(Screen(-1), capsys) == ["Report: report.html"]
    assert told(Screen(), capsys) == ["plain seed 0: accuracy 0.7", "Report: report.html"]
    epochs = ["  plain seed 0: epoch 1/3 loss 0.5", "  plain seed 0: epoch 2/3 loss 0.5"]
    assert told(Screen(1), capsys) == [*epochs, "plain seed 0: accuracy 0.7", "Report: report.html"]


def surroundings(variables: dict[str, str]) -> dict[str, str]:
    """Return this process's environment with some variables, and without those that speak of colours and terminals."""
    return {name: value for name, value in os.environ.items() if name not in FORCING} | variables


def said_to_a_terminal(environment: dict[str, str]) -> str:
    ours, theirs = pty.openpty()
    subprocess.run([sys.executable, "-c", SHOWN], env=environment, stdout=theirs, check=True, timeout=60)
    os.close(theirs)
    said = os.read(ours, 10_000).decode()
    os.close(ours)
    return said


@pytest.mark.parametrize("wanted", [True, False])
def test_colours_go_to_terminals_that_want_them(wanted: bool):
    environment = surroundings({"TERM": "xterm-256color"} | ({} if wanted else {"NO_COLOR": "1"}))
    said = said_to_a_terminal(environment)
    assert "scan[red].png" in said
    assert MOVING.search(said)
    assert bool(re.search(r"\x1b\[[\d;]*3[\d;]+m", said)) == wanted
    piped = subprocess.run([sys.executable, "-c", SHOWN], env=environment, capture_output=True, text=True, check=True)
    assert "\x1b" not in piped.stdout


@pytest.mark.parametrize(
    "forced",
    [
        {"FORCE_COLOR": "1"},
        {"CLICOLOR_FORCE": "1"},
        {"TTY_COMPATIBLE": "1"},
        {"FORCE_COLOR": "3", "TTY_INTERACTIVE": "1"},
    ],
)
def test_nothing_moves_in_a_file_that_wants_colours(forced: dict[str, str], tmp_path: Path):
    with (tmp_path / "log").open("w") as log:
        environment = surroundings({"TERM": "xterm-256color", **forced})
        subprocess.run([sys.executable, "-c", SHOWN], env=environment, stdout=log, check=True, timeout=60)
    assert "scan[red].png" in (tmp_path / "log").read_text()
    assert not MOVING.search((tmp_path / "log").read_text())


@pytest.mark.parametrize(
    "variables", [{"TERM": "dumb"}, {"TERM": "xterm-color", "JPY_PARENT_PID": "7", "FORCE_COLOR": "1"}]
)
def test_nothing_moves_where_nobody_sees_it_move(variables: dict[str, str]):
    """A terminal that cannot, and the one that a notebook gives to what a cell calls by `!`."""
    said = said_to_a_terminal(surroundings(variables))
    assert "scan[red].png" in said
    assert not MOVING.search(said)

"""`medcls new`: the file that it writes is a study that runs, and nothing is overwritten."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ended import Ended


def medcls_new(name: str, folder: Path) -> Ended:
    command = [sys.executable, "-m", "medcls", "new", name]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    return Ended(done.returncode, done.stdout, done.stderr)


def test_the_new_file_is_a_study_of_its_name(tmp_path: Path) -> None:
    ended = medcls_new("my_study", tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert "python my_study.py --smoke" in ended.out
    command = [sys.executable, "-m", "medcls", "run", "my_study", "--plan", "--work-dir", "work"]
    plan = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert plan.returncode == 0, plan.stderr
    assert "my_study: planned runs" in plan.stdout
    assert "turned seed 2" in plan.stdout


@pytest.mark.slow
def test_the_new_file_runs_as_it_is(tmp_path: Path) -> None:
    assert medcls_new("studies_of_mine/first.py", tmp_path).code == 2  # no such folder
    (tmp_path / "studies_of_mine").mkdir()
    assert medcls_new("studies_of_mine/first.py", tmp_path).code == 0
    flags = ["--smoke", "--work-dir", "work", "--offline", "--json", "summary.json"]
    command = [sys.executable, "studies_of_mine/first.py", *flags]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["study"], len(summary["answers"])) == ("first", 1)
    assert [run["status"] for run in summary["runs"]] == ["finished"] * 2


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("taken", ["taken.py", "already exists"]),
        ("bonus_resnet", ["bonus_resnet", "another name"]),
        ("json", ["json", "another name"]),
        ("my-study", ["my-study", "underscores"]),
        ("nowhere/study", ["nowhere", "create it"]),
    ],
)
def test_names_that_cannot_be_used_are_refused(tmp_path: Path, name: str, words: list[str]) -> None:
    (tmp_path / "taken.py").write_text("VALUE = 1")
    medcls_new(name, tmp_path).check_complaint(2, *words)
    assert [path.name for path in tmp_path.iterdir()] == ["taken.py"]
    assert (tmp_path / "taken.py").read_text() == "VALUE = 1"

"""medcls run: which studies are meant, and what is refused before anything is trained."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ended import Ended

from medcls import BadInputError
from medcls.cli.commands.run import selected_files

STUDIES = Path(__file__).parents[2] / "studies"


def medcls_run(*arguments: object) -> Ended:
    command = [sys.executable, "-m", "medcls", "run", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    return Ended(done.returncode, done.stdout, done.stderr)


def stems(*words: str) -> list[str]:
    return [path.stem for path in selected_files(words, STUDIES)]


def test_names_patterns_and_files_each_once_in_the_order_given() -> None:
    lab = ["task1a_dropout", "task1b_batch_norm", "task1c_low_learning_rate", "task1d_longer_training"]
    assert stems("task1*") == lab
    assert stems("task1d*", "task1[ab]*", "task1a_dropout") == [lab[3], lab[0], lab[1]]
    assert stems(str(STUDIES / "bonus_resnet.py"), "studies/task1a_dropout.py") == ["bonus_resnet", lab[0]]
    assert selected_files(["task1?_d*", "task1a_dropout"], STUDIES) == {STUDIES / "task1a_dropout.py": False}
    with pytest.raises(BadInputError, match=r"no study task9\*.* task1a_dropout"):
        stems("task9*")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("VALUE = 1", ["declares no STUDY"]),
        ("STUDY = 1", ["declares no STUDY"]),
        ("1 / 0", ["cannot be imported", "ZeroDivisionError"]),
        ("def broken(:", ["cannot be imported", "SyntaxError"]),
    ],
)
def test_a_file_that_declares_no_study_is_named(tmp_path: Path, text: str, words: list[str]) -> None:
    path = tmp_path / "lecture_notes.py"
    path.write_text(text)
    medcls_run(path, "--work-dir", tmp_path / "work").check_complaint(2, str(path), *words)
    assert not (tmp_path / "work").exists()


def test_a_study_with_the_name_of_another_module_is_to_be_renamed(tmp_path: Path) -> None:
    path = tmp_path / "json.py"
    path.write_text("STUDY = 1")
    medcls_run(path).check_complaint(2, str(path), "rename the study")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--set", "learner.epoch=5"], ["task1a_dropout: ", "'learner.epoch'", "learner.epochs"]),
        (["--set", "learner.epochs"], ["PATH=VALUE"]),
        (["--only", "plain"], ["task1b_batch_norm: ", "--only plain"]),
        (["--data", "nope=DIR"], ["--data nope"]),
        (["--until-decided", "3"], ["--until-decided 3", "3 seeds"]),
        (["--until-decided", "1"], ["--until-decided", "at least 2"]),
        (["--force", "--keep"], ["--force", "--keep"]),
    ],
)
def test_flags_that_do_not_fit_are_named_with_the_study(tmp_path: Path, flags: list[str], words: list[str]) -> None:
    ended = medcls_run("task1a_dropout", "task1b_batch_norm", "--work-dir", tmp_path / "work", *flags)
    ended.check_complaint(2, *words)
    assert not list(tmp_path.glob("work/*/run.json"))


def test_a_search_has_nothing_to_decide(tmp_path: Path) -> None:
    ended = medcls_run("bonus_resnet", "--until-decided", "9", "--work-dir", tmp_path / "work")
    ended.check_complaint(2, "--until-decided 9", "bonus_resnet")


def test_the_plan_of_the_laboratory_says_what_is_shared(tmp_path: Path) -> None:
    """By hand: 1b takes over 2 x 3 runs of 50 epochs, 1d 2 x 3 times 80, 2b 2 x 3 times 150."""
    ended = medcls_run("task1*", "task2*", "--plan", "--work-dir", tmp_path / "work")
    assert ended.code == 0
    total = 3 * (2 * 50 + 4 * 50 + 2 * 80 + 2 * 150 + 2 * 150 + 2 * 250)
    shared = 3 * (2 * 50 + 2 * 80 + 2 * 150)
    assert f"{shared} of {total} epochs are shared with other runs and need no training." in ended.out
    assert "All 6 studies: " in ended.out


def test_patterns_pass_over_what_trains_nothing_and_names_do_not(tmp_path: Path) -> None:
    ended = medcls_run("task1a*", "task3*", "--plan", "--work-dir", tmp_path / "work")
    assert ended.code == 0
    assert "task1a_dropout: planned runs" in ended.out
    medcls_run("task3_transforms", "--plan").check_complaint(2, "task3_transforms.py declares no STUDY")
    medcls_run("task3*", "--plan").check_complaint(2, "these train nothing")


@pytest.mark.slow
def test_the_whole_laboratory_in_one_go_tiny(tmp_path: Path) -> None:
    summary, places = tmp_path / "all.json", ["--work-dir", tmp_path / "work", "--offline"]
    ended = medcls_run("task1*", "task2*", "--smoke", *places, "--json", summary)
    assert (ended.code, ended.err) == (0, "")
    studies = json.loads(summary.read_text())["studies"]
    assert len(studies) == 6
    for each in studies:
        assert {run["status"] for run in each["runs"]} == {"finished"}
        assert all(answer["answer"].endswith(".") for answer in each["answers"])
        assert {row["verdict"] for row in each["comparisons"]} == {"one run only"}
    keys = [run["key"] for each in studies for run in each["runs"]]
    trained = [run["key"] for each in studies for run in each["runs"] if not run["reused"]]
    assert len(trained) == len(set(trained)) == len(set(keys)) < len(keys)

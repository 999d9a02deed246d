"""The medcls command, as a user types it."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from medcls.cli.main import main

Draw = Callable[..., Path]


def medcls(*arguments: str | Path, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "medcls", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=900, cwd=folder)


def called(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The same in this process, where nothing depends on a process of its own."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        try:
            code = main([*map(str, arguments)])
        except SystemExit as error:
            code = int(error.code or 0)
    return subprocess.CompletedProcess([], code, out.getvalue(), errors.getvalue())


def facts(output: str) -> dict[str, str]:
    return {line[:12].strip(): line[13:] for line in output.splitlines()}


@pytest.mark.parametrize("command", [[], ["studies"], ["ui"], ["data"], ["data", "check"]])
def test_help_answers_without_importing_anything_heavy(command: list[str]) -> None:
    code = "import sys, medcls.cli.main as c\ntry: c.main()\nexcept SystemExit: print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code, *command, "--help"], capture_output=True, text=True)
    assert done.stdout.startswith(" ".join(["usage: medcls", *command]))
    assert "medcls.cli.main" in done.stderr.split()
    assert not {"numpy", "tensorflow", "keras", "mlflow", "optuna", "sklearn"} & set(done.stderr.split())


@pytest.mark.parametrize("command", [[], ["data"], ["nonsense"], ["studies", "--nonsense"]])
def test_bad_usage_is_one_message_and_exit_code_2(command: list[str]) -> None:
    done = medcls(*command)
    assert done.returncode == 2
    assert done.stderr.startswith("medcls")
    assert len(done.stderr.splitlines()) == 1


def test_data_check_describes_a_folder(tmp_path: Path, draw: Draw) -> None:
    source = draw(
        tmp_path / "own", *(f"{part}/{name}/{n}.png" for part in ("train", "Val") for name in "AB" for n in "12")
    )
    draw(source, "train/B/3.png")
    done = called("data", "check", source, "--work-dir", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    told = facts(done.stdout)
    assert told["source"] == str(source)
    assert told["layout"] == "train/, Val/, in each CLASS/*"
    assert (told["images"], told["train"], told["validation"]) == ("9", "5: A 2, B 3", "4: A 2, B 2")
    assert (told["channels"], told["pixels"]) == ("grey 9", "10x12")
    assert told["fingerprint"].startswith("sha256:")


def test_a_work_folder_may_be_given_as_a_url(tmp_path: Path, draw: Draw) -> None:
    source = draw(tmp_path / "own", "A/1.png", "A/2.png", "B/1.png", "B/2.png")
    done = called("data", "check", source, "--work-dir", f"file://{tmp_path}/some%20runs")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "some runs").is_dir()


def test_data_check_describes_a_table_with_patients(tmp_path: Path, draw: Draw) -> None:
    names = [f"{number}.png" for number in range(8)]
    source = draw(tmp_path / "own", *names)
    rows = [f"{name},{'ab'[number % 2]},patient {number // 2}" for number, name in enumerate(names)]
    (source / "labels.csv").write_text("\n".join(["path,label,patient", *rows]))
    told = facts(called("data", "check", source, "--work-dir", tmp_path / "runs").stdout)
    assert told["layout"] == "labels.csv with patients"
    assert (told["images"], told["not split"]) == ("8 of 4 patients", "8: a 4, b 4")


@pytest.mark.parametrize(
    ("names", "layout"),
    [("A/1.png A/2.png B/1.png B/2.png", "CLASS/*"), ("A_1.png A_2.png B_1.png B_2.png", "LABEL_*")],
)
def test_data_check_names_the_layout(tmp_path: Path, draw: Draw, names: str, layout: str) -> None:
    source = draw(tmp_path / "own", *names.split())
    assert facts(called("data", "check", source, "--work-dir", tmp_path / "runs").stdout)["layout"] == layout


def test_data_check_says_that_a_phantom_is_one(tmp_path: Path) -> None:
    told = facts(called("data", "check", "xray", "--work-dir", tmp_path).stdout)
    assert told["layout"].startswith("a phantom")
    assert "C9" in told["train"]


def test_data_check_says_that_toys_are_points_and_other_studies_refuse_them(tmp_path: Path) -> None:
    done = called("data", "check", "toy2d", "--work-dir", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    told = facts(done.stdout)
    assert told["source"].startswith("points in the plane")
    assert [told[name].split(";")[0] for name in ("2blob", "blob_circle", "4blob")] == ["1000: 0 500, 1 500"] * 3
    refused = called("data", "preview", "toy2d", "--work-dir", tmp_path, "--out", tmp_path / "sheet.png")
    assert refused.returncode == 2
    assert "points in the plane and no images" in refused.stderr


def test_data_check_names_all_bad_files_and_says_that_no_study_can_run(tmp_path: Path, draw: Draw) -> None:
    source = draw(tmp_path / "own", "A/1.png", "A/2.png", "B/1.jpg", "B/2.png")
    bad = [f"A/text{number:02}.jpg" for number in range(12)]
    for number, name in enumerate(bad):
        (source / name).write_text(f"no image {number}")
    cut = source / "B" / "1.jpg"
    cut.write_bytes(cut.read_bytes()[:-200])
    done = called("data", "check", source, "--work-dir", tmp_path / "runs")
    assert done.returncode == 2
    assert done.stderr.startswith("medcls: 13 of 16 images")
    assert "--skip-bad-files" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    named = {line.split()[0] for line in done.stdout.splitlines() if line.startswith(" ")}
    assert named == {*bad, "B/1.jpg"}


@pytest.mark.parametrize("names", ["", "A/1.png A/2.png", "A/1.png A/2.png B/1.png"])
def test_data_that_no_study_can_use_is_refused_in_one_sentence(tmp_path: Path, draw: Draw, names: str) -> None:
    source = tmp_path / "own"
    source.mkdir()
    done = called("data", "check", draw(source, *names.split()), "--work-dir", tmp_path / "runs")
    assert done.returncode == 2
    assert done.stderr.startswith("medcls: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="needs a shell and a disk that is always full")
@pytest.mark.parametrize(
    ("tail", "environment", "code", "error"),
    [
        ("| true", {}, 0, ""),
        ("> /dev/full", {}, 2, "medcls: The output cannot be written (No space left on device).\n"),
        (">&-", {}, 0, ""),
        ("", {"PYTHONIOENCODING": "ascii:strict"}, 0, ""),
    ],
    ids=["nobody reads it", "no room for it", "closed", "no accents in it"],
)
def test_output_that_cannot_be_written(
    tmp_path: Path, draw: Draw, tail: str, environment: dict[str, str], code: int, error: str
) -> None:
    source = draw(tmp_path / "Größe", *(f"{name}/{number}.png" for name in "AB" for number in range(3)))
    command = f"set -o pipefail; {sys.executable} -m medcls data check {source} --work-dir {tmp_path / 'runs'} {tail}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, env={**os.environ, **environment}, timeout=900
    )
    assert (done.returncode, done.stderr) == (code, error)
    assert not done.stdout or r"Gr\xf6\xdfe" in done.stdout


def test_data_check_says_what_folds_would_do(tmp_path: Path, draw: Draw) -> None:
    source = draw(tmp_path / "own", *(f"{label}/{number}.png" for label in "AB" for number in range(4)))
    place = ["--work-dir", tmp_path / "runs"]
    assert called("data", "check", source, "--folds", "3", *place).returncode == 0
    done = called("data", "check", source, "--folds", "5", *place)
    assert done.returncode == 2
    assert "Class A has" in done.stderr
    assert "5 folds" in done.stderr


def test_data_check_warns_of_leaks_without_failing(tmp_path: Path, draw: Draw) -> None:
    names = [f"{part}/{label}/{number}.png" for part in ("train", "val") for label in "AB" for number in range(4)]
    source = draw(tmp_path / "own", *names)
    shutil.copy(source / "train/A/1.png", source / "val/A/again.png")
    shutil.copy(source / "train/A/2.png", source / "train/B/other.png")
    done = called("data", "check", source, "--work-dir", tmp_path / "runs")
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 image is the same file as one in another set, e.g. val/A/again.png = train/A/1.png." in done.stdout
    assert "1 picture lies in more than one class, e.g. train/A/2.png = train/B/other.png." in done.stdout


def test_studies_lists_questions_and_what_was_found(tmp_path: Path) -> None:
    folder, work = tmp_path / "studies", tmp_path / "runs"
    folder.mkdir()
    (folder / "one.py").write_text('"""Is one enough?\n\nMore.\n"""\nSTUDY = Study(name="one")\n')
    (folder / "helper.py").write_text('"""No study."""\n')
    assert medcls("studies", folder, "--work-dir", work).stdout == "one\n    Is one enough?\n    not finished yet\n"
    run = {"data": "mine", "variant": "plain", "seed": 0}
    summary = {
        "study": "one",
        "question": "Is one enough?",
        "smoke": False,
        "runs": [{**run, "key": "a", "status": "finished"}, {**run, "key": "b", "status": "failed"}],
        "data_sets": [{"name": "mine", "kind": "files"}],
        "best": {"mine": {"key": "a", "variant": "plain", "metric": "balanced_accuracy", "value": 0.875}},
        "answers": [],
    }
    written = work / "studies" / "key" / "summary.json"
    written.parent.mkdir(parents=True)
    written.write_text(json.dumps(summary))
    told = medcls("studies", folder, "--work-dir", work).stdout.splitlines()[2]
    assert told.endswith(": 1 of 2 runs finished on mine (files), best balanced accuracy 0.875")


def test_studies_of_this_checkout_are_found_from_any_folder(tmp_path: Path) -> None:
    done = medcls("studies", "--work-dir", tmp_path, folder=tmp_path)
    assert done.returncode == 0
    assert "bonus_resnet\n    Which N-layer residual network" in done.stdout


def test_a_folder_without_studies_is_said(tmp_path: Path) -> None:
    done = medcls("studies", tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"medcls: There is no study in {tmp_path}")

"""`medcls sync` brings into the store what ran with --offline, and trains nothing for it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlflow
import pytest
from typed_summaries import typed

from medcls.cli.main import main


def sync(place: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
    places = ["--work-dir", str(place.work), "--tracking-uri", f"sqlite:///{place.store}"]
    command = [sys.executable, "-m", "medcls", "sync", *arguments, *places]
    return subprocess.run(command, cwd=place.folder, capture_output=True, text=True, check=False)


def summary(place: Any) -> dict[str, Any]:
    (file,) = place.work.glob("studies/*/summary.json")
    content: dict[str, Any] = json.loads(file.read_text())
    return content


@pytest.mark.slow
def test_finished_runs_are_brought_into_the_store_once(finished: Any) -> None:
    before = {run["key"]: run["weights_sha256"] for run in summary(finished)["runs"]}
    done = sync(finished)
    assert (done.returncode, done.stderr) == (0, "")
    assert "--offline" not in done.stdout.splitlines()[0]
    after = summary(finished)
    assert {run["key"]: run["weights_sha256"] for run in after["runs"]} == before
    assert all(run["reused"] for run in after["runs"])
    client = mlflow.MlflowClient(f"sqlite:///{finished.store}")
    for run in after["runs"]:
        assert client.get_run(run["mlflow_run_id"]).info.status == "FINISHED"
    assert "Nothing to do" in sync(finished).stdout


@pytest.mark.slow
def test_a_study_with_unfinished_runs_is_left_to_its_own_command(finished: Any) -> None:
    (file,) = finished.work.glob("studies/*/summary.json")
    content = json.loads(file.read_text())
    content["runs"][0] |= {"status": "interrupted", "best_epoch": None}
    file.write_text(json.dumps(content))
    done = sync(finished, content["study"])
    assert done.returncode == 1
    assert "1 of its" in done.stdout
    assert content["command"] in done.stdout
    assert not finished.store.exists()


@pytest.mark.slow
def test_relative_paths_of_a_command_are_read_from_where_it_was_typed(place: Any, images: Path, tmp_path: Path) -> None:
    flags = ("--data", images.name, "--only", "narrow", "--seeds", "0", "--offline")
    assert place.run(place.TINY, *flags, cwd=images.parent).code == 0
    (trained,) = summary(place)["runs"]
    elsewhere = place.folder / "elsewhere"
    (elsewhere / images.name).mkdir(parents=True)  # empty
    command = [
        sys.executable,
        "-m",
        "medcls",
        "sync",
        "--work-dir",
        "../work",
        "--tracking-uri",
        "sqlite:///../mlflow.db",
    ]
    done = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    (brought,) = summary(place)["runs"]
    assert (brought["reused"], brought["weights_sha256"]) == (True, trained["weights_sha256"])
    client = mlflow.MlflowClient(f"sqlite:///{place.store}")
    assert client.get_run(brought["mlflow_run_id"]).info.status == "FINISHED"


@pytest.mark.parametrize("known", ["where it was typed", "a directory that is gone", "by an older medcls"])
def test_a_command_is_repeated_where_it_was_typed_if_that_is_known_and_there(
    known: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    typed_in, here = tmp_path / "typed in", tmp_path / "here"
    for folder in (typed_in, here):
        folder.mkdir()
    script = tmp_path / "says_where.py"
    script.write_text("import os; print('repeated in', os.getcwd())")
    run = {"variant": "plain", "seed": 0, "data": "scans"}
    summary = typed(
        {"command": f"python {script} --data scans --offline", "data_sets": [{"name": "scans"}], "runs": [run]}
    )
    directory = {"where it was typed": str(typed_in), "a directory that is gone": str(tmp_path / "gone")}.get(known, "")
    content = summary.as_plain() | {"directory": directory}
    if known == "by an older medcls":
        del content["directory"]
    record = tmp_path / "work" / "studies" / "0123" / "summary.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps(content))
    monkeypatch.chdir(here)
    assert main(["sync", "--work-dir", "../work", "--tracking-uri", f"sqlite:///{tmp_path}/mlflow.db"]) == 0
    out = capfd.readouterr().out
    assert f"repeated in {typed_in if known == 'where it was typed' else here}\n" in out
    assert (f"{tmp_path / 'gone'}, which is not here" in out) == (known == "a directory that is gone")


def test_without_results_there_is_nothing_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = ["--work-dir", str(tmp_path / "work"), "--tracking-uri", f"sqlite:///{tmp_path}/mlflow.db"]
    assert main(["sync", *places]) == 0
    assert "Nothing to do" in capsys.readouterr().out
    assert main(["sync", "absent", *places]) == 2
    assert "no results of absent" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []

"""`medcls sync` brings into the store what ran with --offline, and trains nothing for it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlflow
import pytest


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


def test_without_results_there_is_nothing_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from medcls.cli.main import main

    places = ["--work-dir", str(tmp_path / "work"), "--tracking-uri", f"sqlite:///{tmp_path}/mlflow.db"]
    assert main(["sync", *places]) == 0
    assert "Nothing to do" in capsys.readouterr().out
    assert main(["sync", "absent", *places]) == 2
    assert "no results of absent" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []

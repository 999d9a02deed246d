"""A study that asks its networks where they look: from its command line to folders, store, answers and report."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

STUDY = Path(__file__).parent / "heat_study.py"
FIGURES = {"heat_maps.png", "heat_methods.png", "heat_trust.png"}


def study(home: Path, *flags: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Run the study in a few images; return how it ended, and its summary."""
    places = [
        "--work-dir",
        home / "work",
        "--tracking-uri",
        f"sqlite:///{home / 'mlflow.db'}",
        "--json",
        home / "s.json",
    ]
    command = [sys.executable, *map(str, [STUDY, *places, "--smoke", *flags])]
    environment = {name: value for name, value in os.environ.items() if name != "MEDCLS_DATA"}
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=900)
    return ended, json.loads((home / "s.json").read_text()) if (home / "s.json").exists() else {}


def artifacts(home: Path) -> list[set[str]]:
    """Return the names of the artifacts of each run in the store, and of the study itself."""
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{home / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("heat_study")
    runs = client.search_runs([experiment.experiment_id])
    return [{each.path for each in client.list_artifacts(run.info.run_id)} for run in runs]


def test_maps_are_stored_and_reported_and_other_maps_need_no_training(tmp_path: Path) -> None:
    ended, summary = study(tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [(run["data"], run["heat"]["method"]) for run in summary["runs"]] == [
        ("bone", "Grad-CAM"),
        ("bone_unlettered", "Grad-CAM"),
    ]
    assert all(set(run["heat"]["regions"]) <= {"bone", "label"} for run in summary["runs"])
    assert "of the area" in summary["answers"][0]["answer"]
    assert "On bone_unlettered" in summary["answers"][0]["answer"]
    assert "rank correlation falls" in summary["answers"][1]["answer"]
    shown = artifacts(tmp_path)
    assert sum(names >= FIGURES for names in shown) == 2
    assert sum("heat_maps_1.png" in names for names in shown) == 1
    for run in summary["runs"]:
        names = {path.name for path in (tmp_path / "work" / run["key"]).glob("heat*")}
        assert names >= {"heat.npz", *FIGURES}
    (report,) = (tmp_path / "work").glob("studies/*/report.html")
    assert "Where the networks look" in report.read_text()

    again, same = study(tmp_path)
    assert again.returncode == 0
    assert [run["reused"] for run in same["runs"]] == [True, True]
    assert same["answers"] == summary["answers"]
    assert artifacts(tmp_path) == shown

    before = {run["key"]: run["weights_sha256"] for run in summary["runs"]}
    stamps = {key: (tmp_path / "work" / key / "checkpoint.npz").stat().st_mtime_ns for key in before}
    other, asked = study(tmp_path, "--set", "explain.method=hires_cam", "--set", "explain.shown=2")
    assert (other.returncode, other.stderr) == (0, "")
    assert {run["key"]: run["weights_sha256"] for run in asked["runs"]} == before
    assert {run["heat"]["method"] for run in asked["runs"]} == {"HiResCAM"}
    assert {key: (tmp_path / "work" / key / "checkpoint.npz").stat().st_mtime_ns for key in before} == stamps


def test_a_setting_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for setting, words in (
        ("explain.metod=hires_cam", "explain.method"),
        ("explain.method=magic", "explain.method=grad_cam"),
        ("explain.images=0", "at least 1"),
    ):
        ended, _ = study(tmp_path, "--set", setting)
        assert ended.returncode == 2
        assert words in ended.stderr
        assert ended.stderr.count("\n") == 1

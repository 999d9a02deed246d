"""What a run was: its environment, code and commit are recorded when it trains, and said by summary, store and card."""

import json
import os
import platform
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import mlflow
import pytest

from medcls.utils.environment import Environment
from medcls.utils.typed_json import as_plain

PERSON = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
ALONE = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


def git(folder: Path, *words: str) -> str:
    command = ["git", *PERSON, *words]
    done = subprocess.run(command, cwd=folder, env={**os.environ, **ALONE}, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def read(path: Path) -> Any:
    return json.loads(path.read_text())


@pytest.fixture
def study(place: Any, tmp_path: Path) -> Path:
    """Return the tiny study in a repository, with a change that is not committed."""
    folder = tmp_path / "project"
    folder.mkdir()
    file = folder / "tiny_study.py"
    shutil.copy(place.TINY, file)
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "begin")
    file.write_text(file.read_text() + "# changed; password = hidden-word\n")
    return file


@pytest.mark.slow
def test_environment_code_and_commit_are_recorded_and_said(place: Any, images: Path, study: Path) -> None:
    flags = ("--data", images, "--only", "narrow", "--seeds", "0")
    assert place.run(study, *flags).code == 0
    commit = git(study.parent, "rev-parse", "HEAD")
    (folder,) = place.run_folders()
    assert (read(folder / "run.json")["git_commit"], read(folder / "run.json")["git_dirty"]) == (commit, True)
    assert "+# changed" in (folder / "uncommitted.diff").read_text()
    assert "# changed" in (folder / "study.py").read_text()
    assert "hidden-word" not in (folder / "uncommitted.diff").read_text() + (folder / "study.py").read_text()

    summary = place.summary()
    assert (summary["git_commit"], summary["git_dirty"]) == (commit, True)
    (run,) = summary["runs"]
    environment = run["environment"]
    assert environment["python"] == platform.python_version()
    assert environment["versions"]["tensorflow"] == metadata.version("tensorflow")
    assert environment["threads"] == run["threads"]
    assert run["earlier_environments"] == []

    client = mlflow.MlflowClient(f"sqlite:///{place.store}")
    tags = client.get_run(run["mlflow_run_id"]).data.tags
    assert tags["mlflow.source.git.commit"] == commit
    assert f"tensorflow {metadata.version('tensorflow')}" in tags["medcls.trained_with"]
    files = {artifact.path for artifact in client.list_artifacts(run["mlflow_run_id"])}
    assert {"study.py", "uncommitted.diff"} <= files

    # More epochs in another environment, from an older run that does not say in which it was trained.
    assert place.run(study, *flags, "--set", "learner.epochs=3", environment={"OMP_NUM_THREADS": "1"}).code == 0
    (longer,) = place.summary()["runs"]
    assert longer["shared_epochs"] == 2
    assert longer["environment"]["settings"]["OMP_NUM_THREADS"] == "1"
    assert longer["earlier_environments"] == [environment]

    out = place.folder / "exported"
    exported = ("-m", "medcls", "export", "tiny_study", "--out", out, "--work-dir", place.work)
    done = subprocess.run([sys.executable, *map(str, exported)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    card = (out / "MODEL_CARD.md").read_text()
    assert f"commit {commit} with uncommitted changes" in card
    assert f"Trained with: Python {platform.python_version()}" in card
    assert "Its first epochs were trained with" in card


@pytest.mark.slow
def test_nothing_of_the_source_is_kept_where_it_is_not_wanted(place: Any, images: Path, study: Path) -> None:
    assert place.run(study, "--data", images, "--only", "narrow", "--seeds", "0", "--offline", "--no-source").code == 0
    (folder,) = place.run_folders()
    assert not (folder / "study.py").exists()
    assert not (folder / "uncommitted.diff").exists()
    assert read(folder / "run.json")["git_commit"] == git(study.parent, "rev-parse", "HEAD")


@pytest.mark.slow
def test_a_study_outside_git_has_no_commit_and_old_runs_are_read(finished: Any, tmp_path: Path) -> None:
    for folder in finished.run_folders():
        (folder / "environment.json").unlink()  # as versions left it that did not record it
        (folder / "study.py").unlink()
    assert finished.run(finished.TINY, "--data", finished.images, "--offline").code == 0
    assert {run["status"] for run in finished.summary()["runs"]} == {"finished"}
    assert not any("environment" in run for run in finished.summary()["runs"])

    study = tmp_path / "tiny_study.py"
    shutil.copy(finished.TINY, study)
    flags = ("--data", finished.images, "--offline", "--only", "narrow", "--seeds", "5")
    assert finished.run(study, *flags).code == 0
    summary = finished.summary()
    assert (summary["git_commit"], summary["git_dirty"]) == (None, False)


def test_an_environment_is_said_in_words() -> None:
    environment = Environment(
        python="3.12.1",
        system="Linux",
        processor="Some CPU",
        cores=8,
        gpus=("Some GPU",),
        threads=1,
        versions={"medcls": "1.0", "keras": "3.12"},
    )
    assert environment.software == "Python 3.12.1, medcls 1.0, keras 3.12"
    assert environment.machine == "Linux, Some CPU, 8 cores, Some GPU; 1 thread"
    assert as_plain(environment)["gpus"] == ["Some GPU"]

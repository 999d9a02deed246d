"""Training goes on from a saved model, whole or its weights only, and refuses what does not fit before it begins."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from export_commands import Trained, medcls

pytestmark = pytest.mark.slow  # real studies


def refused(trained: Trained, *flags: object) -> str:
    """Return the one sentence with which the study was refused, having begun no run."""
    before, store = trained.begun(), (trained.folder / "mlflow.db").read_bytes()
    ended = trained.run(*flags)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith("small_study: ")
    assert trained.begun() == before
    assert (trained.folder / "mlflow.db").read_bytes() == store
    return ended.stderr


def by_fold(trained: Trained) -> dict[int | None, dict[str, Any]]:
    return {run["fold"]: run for run in trained.summary()["runs"]}


def test_weights_and_the_whole_model_are_gone_on_from_alike_wherever_they_lie(copy: Trained, tmp_path: Path):
    before = by_fold(copy)
    ended = copy.run("--weights", copy.exported / "model.weights.h5", "--offline")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "small starts from the saved weights" in ended.stdout
    assert "trust only the test set" in ended.stdout  # the folds' images were trained on
    first = by_fold(copy)
    for fold, run in first.items():
        start, again = before[fold]["history"]["loss"][0], run["history"]["loss"][0]
        assert abs(again - before[None]["history"]["loss"][-1]) < 0.5 * (start - again)
        assert run["key"] != before[fold]["key"]
        assert not run["reused"]
    (whole := tmp_path / "elsewhere").mkdir()
    shutil.move(copy.exported / "model.keras", whole / "mine.keras")
    shutil.rmtree(copy.exported)
    assert copy.run("--weights", whole / "mine.keras", "--offline").returncode == 0
    assert {fold: (run["key"], run["reused"]) for fold, run in by_fold(copy).items()} == {
        fold: (run["key"], True) for fold, run in first.items()
    }
    whole.joinpath("mine.keras").unlink()
    digest = first[None]["params"]["learner.weights"]
    assert copy.run("--weights", digest, "--offline").returncode == 0
    assert all(run["reused"] for run in by_fold(copy).values())
    assert copy.run("--weights", "random", "--offline").returncode == 0
    assert {run["key"] for run in by_fold(copy).values()} == {run["key"] for run in before.values()}


def test_more_epochs_go_on_from_a_run_that_began_with_saved_weights(copy: Trained):
    weights = ("--weights", copy.exported, "--offline")
    assert copy.run(*weights, "--set", "learner.epochs=2").returncode == 0
    first = by_fold(copy)
    assert copy.run(*weights, "--set", "learner.epochs=3").returncode == 0
    for fold, run in by_fold(copy).items():
        assert run["shared_epochs"] == 2
        assert run["history"]["loss"][:2] == first[fold]["history"]["loss"]


def test_a_continued_model_is_exported_with_what_it_began_with(copy: Trained, tmp_path: Path):
    assert copy.run("--weights", copy.exported, "--offline").returncode == 0
    assert medcls("export", "small_study", "--work-dir", copy.work, "--out", tmp_path / "out") == 0
    digest = by_fold(copy)[None]["params"]["learner.weights"]
    assert f"| `learner.weights` | `{digest}` |" in (tmp_path / "out" / "MODEL_CARD.md").read_text()


def test_what_cannot_be_begun_with_is_refused_before_any_training(copy: Trained):
    whole = copy.exported / "model.keras"
    cut = copy.folder / "cut.keras"
    cut.write_bytes(whole.read_bytes()[:-500])
    text = copy.folder / "text.weights.h5"
    text.write_text("no weights")
    for file in (cut, text, copy.folder / "gone.keras", copy.images):
        assert str(file) in refused(copy, "--weights", file)
    sentence = refused(copy, "--weights", whole, "--set", "learner.model.filters=6")
    assert "layer conv2d is 3x3x1x4 + 4 there and 3x3x1x6 + 6 here" in sentence

"""The figures of a finished run: which there are, and that each is drawn of what the run's folder holds."""

import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from figure_parts import predicted

from medcls import Variant, data, training
from medcls.data.loading.decoded_cache import prepare
from medcls.report.run_figures import pictures
from medcls.spec.run import Run
from medcls.tasks import MULTICLASS
from medcls.tracking.run_dir import RunDir
from medcls.tracking.run_records import RunResult
from medcls.utils.statuses import RunStatus

VARIANT = Variant(data=partial(data.folder, source="."), learner=training.gradient, task=MULTICLASS)
FOLD = Run(VARIANT, "sha256:0", fold=1, folds=3, variant_name="tiny")
PART = ["calibration", "certain_errors", "class_scores", "confusion_matrix", "precision_recall", "roc"]
EVERY = {"learning_curves.png", *(f"{name}.png" for name in PART)}
RESULT = RunResult(RunStatus.FINISHED, best_epoch=0)


@pytest.fixture(scope="module")
def decoded(tmp_path_factory: pytest.TempPathFactory, draw) -> Path:
    """Return where the decoded images of three classes lie."""
    home = tmp_path_factory.mktemp("data")
    source = draw(home / "images", *(f"{label}/{number}.png" for label in "abc" for number in range(10)))
    bundle = data.folder(data.Hashes(home / "hashes.sqlite"), source=str(source), size=12, channels=1)
    return prepare(bundle, home / "cache")


@pytest.fixture
def folder(tmp_path: Path) -> RunDir:
    """Return the folder of a run that has predicted its comparison part and the held-out one."""
    folder = RunDir(tmp_path)
    for name, rows in (("predictions", range(0, 30, 2)), ("test", range(1, 30, 2))):
        _, probabilities = predicted(15, 3)
        folder.write_arrays(name, {"rows": np.array(rows), "predictions": probabilities})
    return folder


def names(run: Run, folder: RunDir, decoded: Path | None) -> set[str]:
    return {path.name for path in pictures(run, folder, RESULT, decoded)}


def test_only_the_refit_shows_the_held_out_part(folder: RunDir, decoded: Path) -> None:
    refit, single = replace(FOLD, fold=None), replace(FOLD, fold=None, folds=None)

    assert names(FOLD, folder, decoded) == names(single, folder, decoded) == EVERY
    assert names(refit, folder, decoded) == EVERY | {f"test_{name}.png" for name in PART}


def test_without_images_or_predictions_the_curves_are_left(folder: RunDir, decoded: Path) -> None:
    assert names(FOLD, folder, None) == {"learning_curves.png"}
    (folder.path / "predictions.npz").write_bytes(b"PK damaged")
    assert names(FOLD, folder, decoded) == {"learning_curves.png"}


def test_each_is_drawn(folder: RunDir, decoded: Path) -> None:
    drawings = pictures(replace(FOLD, fold=None), folder, RESULT, decoded)
    for path, draw in drawings.items():
        draw(path)

    drawn = {path.name: path.read_bytes() for path in drawings}
    assert all(content.startswith(b"\x89PNG") for content in drawn.values())
    assert len(set(drawn.values())) == len(drawn)  # the two parts differ


def test_what_a_killed_process_left_goes_and_what_this_one_draws_stays(tmp_path: Path):
    drawn, (left, drawing) = tmp_path / "curves.png", (tmp_path / f".{pid}.curves.png" for pid in (0, os.getpid()))
    for path in (drawn, left, drawing):
        path.touch()
    RunDir(tmp_path).tidy()
    assert sorted(tmp_path.glob("*.png")) == sorted([drawing, drawn])

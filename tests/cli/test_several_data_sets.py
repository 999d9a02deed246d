"""A study of two data sets runs every variant on both, and answers for each."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from summary_shape import read_summary

STUDY = '''"""Do more units help on either?"""
from functools import partial
from medcls import Study, Variant, data, main, training
from medcls.evaluation.answers import compare, final
from medcls.tasks import {task}
from medcls.utils.lazy import keras
def perceptron(images, *, units: int = 4):
    return keras.layers.Dense(units, activation="relu")(keras.layers.Flatten()(images))
BASE = Variant(
    data=partial(data.skin, size=8),
    learner=partial(training.gradient, model=partial(perceptron, units=2), batch_size=4, epochs=2),
    task={task},
)
STUDY = Study(
    name="two_sets",
    question="Do more units help on either?",
    variants={{"narrow": BASE, "wide": BASE.with_("learner.model.units", 4){more}}},
    data=({sets}),
    answers=(compare("narrow", "wide", "val_accuracy"), final("accuracy")),
)
if __name__ == "__main__":
    main(STUDY)
'''


LARGER = ', "coloured": BASE.with_("data.channels", 3), "large": BASE.with_("data.size", 12)'


def run(
    folder: Path,
    *flags: str,
    second: str = "bone",
    task: str = "BINARY",
    more: str = "",
    sets: str = "data.skin, data.{second}",
) -> subprocess.CompletedProcess[str]:
    (folder / "two_sets.py").write_text(STUDY.format(sets=sets.format(second=second), task=task, more=more))
    command = [sys.executable, str(folder / "two_sets.py"), "--smoke", "--offline", "--work-dir", str(folder / "runs")]
    return subprocess.run([*command, *flags], capture_output=True, text=True, timeout=900)


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("two")
    done = run(folder, "--json", str(folder / "s.json"), "--set", "learner.batch_size=8")
    assert done.returncode == 0, done.stderr
    return read_summary(folder / "s.json")


@pytest.mark.slow
def test_every_variant_runs_on_both(summary: dict[str, Any]) -> None:
    ran = {(run["data"], run["variant"]) for run in summary["runs"]}
    assert ran == {(data, variant) for data in ("skin", "bone") for variant in ("narrow", "wide")}
    assert [each["name"] for each in summary["data_sets"]] == ["skin", "bone"]
    assert {run["params"]["learner.batch_size"] for run in summary["runs"]} == {8}


@pytest.mark.slow
def test_each_data_set_has_its_best_and_its_comparisons(summary: dict[str, Any]) -> None:
    assert set(summary["best"]) == {"skin", "bone"}
    assert [row["data"] for row in summary["comparisons"]] == ["skin", "bone"]
    assert {row["verdict"] for row in summary["comparisons"]} == {"one run only"}
    assert set(summary["answers"][1]["values"]) == {"skin", "bone"}


@pytest.mark.slow
def test_the_binary_task_stores_both_classes_and_has_one_unit(summary: dict[str, Any]) -> None:
    narrow = next(run for run in summary["runs"] if run["variant"] == "narrow")
    assert narrow["parameters"]["total"] == 8 * 8 * 2 + 2 + 2 + 1
    assert {"auc", "recall/Mel", "recall/Nev"} <= set(narrow["metrics"])


def test_one_of_the_data_sets_can_be_replaced(tmp_path: Path) -> None:
    done = run(tmp_path, "--plan", "--data", "bone=skin")
    assert done.returncode == 0, done.stderr
    named = [f"{data}, {variant} seed 0" for data in ("skin", "bone") for variant in ("narrow", "wide")]
    assert [name for name in named if name not in done.stdout] == []
    other = run(tmp_path, "--plan", "--data", "gone=skin")
    assert other.returncode == 2
    assert "skin" in other.stderr


def test_a_binary_task_refuses_nine_classes(tmp_path: Path) -> None:
    done = run(tmp_path, "--plan", second="xray")
    assert done.returncode == 2
    assert done.stderr.strip().splitlines() == [
        "two_sets: xray has 9 classes, but this study expects 2. Use a data set with 2 classes."
    ]


@pytest.mark.slow
def test_one_data_set_may_be_seen_in_several_sizes_and_colours(tmp_path: Path) -> None:
    done = run(tmp_path, "--json", str(tmp_path / "s.json"), more=LARGER)
    assert done.returncode == 0, done.stderr
    summary = read_summary(tmp_path / "s.json")
    assert [each["name"] for each in summary["data_sets"]] == ["skin", "bone"]
    assert set(summary["best"]) == {"skin", "bone"}
    seen = {run["variant"]: run["parameters"]["total"] for run in summary["runs"]}
    units = {"narrow": 8 * 8, "coloured": 8 * 8 * 3, "large": 12 * 12}
    assert {name: seen[name] for name in units} == {name: 2 * pixels + 2 + 2 + 1 for name, pixels in units.items()}
    fingerprints = {(run["data"], run["params"]["data.fingerprint"]) for run in summary["runs"]}
    assert fingerprints == {(each["name"], each["fingerprint"]) for each in summary["data_sets"]}
    again = run(tmp_path, "--plan", "--set", "data.size=9", more=LARGER)
    assert "6 new, 2 sharing epochs" in again.stdout  # all as large, so two are the same


def test_two_sources_are_two_data_sets_and_one_read_in_two_ways_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path, "--plan", more=', "other": BASE.with_("data.source", "bone")', sets="")
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in ("skin, narrow seed 0", "skin, wide seed 0", "bone, other seed 0"))
    images = drawn(tmp_path / "photos")
    other = f', "other": BASE.with_("data.source", "{images}").with_("data.patients", "none")'
    done = run(tmp_path, "--plan", "--data", str(images), more=other, sets="")
    assert done.returncode == 2
    assert "patients=none" in done.stderr


def drawn(folder: Path) -> Path:
    """Draw a folder of two classes of coloured images that are wider than high; return it."""
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
        for number in range(10):
            pixels = rng.integers(0, 255, (20, 30, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


def keys(plan: str) -> set[str]:
    """Return the keys of the runs that --plan lists."""
    return set(re.findall(r"\b[0-9a-f]{20}\b", plan))


def test_a_bare_folder_is_run_once_and_called_by_its_name(tmp_path: Path) -> None:
    images = drawn(tmp_path / "photos")
    done = run(tmp_path, "--plan", "--data", str(images))
    assert done.returncode == 0, done.stderr
    assert "2 new." in done.stdout
    assert "Do more units help on either? (asked of photos in place of skin and bone)" in done.stdout
    assert "photos: note: RGB images of 30x20 pixels are read as 8x8 grey" in done.stdout
    coloured = run(tmp_path, "--plan", "--data", str(images), "--set", "data.size=30", "--set", "data.channels=3")
    assert "are read as" not in coloured.stdout
    one = run(tmp_path, "--plan", "--data", f"skin={images}")
    assert "skin, narrow seed 0" in one.stdout
    assert "asked of" not in one.stdout
    assert keys(done.stdout) < keys(one.stdout)  # a data set's name is no part of a run


def test_a_study_of_one_data_set_takes_any_name_for_it(tmp_path: Path) -> None:
    images = drawn(tmp_path / "photos")
    done = run(tmp_path, "--plan", "--data", f"clinic={images}", sets="")
    assert done.returncode == 0, done.stderr
    assert "(asked of clinic in place of skin)" in done.stdout
    assert keys(done.stdout) == keys(run(tmp_path, "--plan", "--data", str(images), sets="").stdout)
    twice = run(tmp_path, "--plan", "--data", f"clinic={images}", "--data", str(images), sets="")
    assert twice.returncode == 2
    assert "one data set" in twice.stderr

"""Studies that borrow a network: whose weights, what is said without any, and the whole path of the neighbours."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import pytest
from mlflow import MlflowClient
from summary_shape import read_summary

from medcls.cli.main import main
from medcls.execution.planning.sources import data_name
from studies import task4_augmentation_alexnet as task4
from studies import task5_augmentation_vgg as task5
from studies import task6_transfer_vgg16 as task6
from studies import task7_transfer_vs_scratch as task7

STUDY = '''"""Which learner makes more of borrowed features?"""
from functools import partial
from medcls import Study, Variant, data, main, models, training
from medcls.evaluation.answers import compare, final
from medcls.tasks import BINARY
VGG = partial(models.pretrained, backbone="vgg16", dense=(), dropout=0.0)
SEEN = partial(data.skin, size=32, channels=1)
STUDY = Study(
    name="borrowed",
    question="Which learner makes more of borrowed features?",
    variants={
        "nearest": Variant(SEEN, partial(training.neighbours, model=VGG, count=1), BINARY),
        "head": Variant(SEEN, partial(training.transfer, model=VGG, epochs=1), BINARY),
    },
    metric="accuracy",
    answers=(compare("nearest", "head", "val_accuracy"), final("accuracy", "val_accuracy")),
)
if __name__ == "__main__":
    main(STUDY)
'''


def test_task_7_compares_the_very_runs_of_tasks_4_5_and_6() -> None:
    def hashed(study: Any, variant: str, data: str) -> Any:
        found = {(name, data_name(each)): each.hashed() for name, each in study.STUDY.conditions}
        return found[variant, data]

    for data in ("skin", "bone"):
        assert hashed(task7, "transfer", data) == hashed(task6, "features", data)
        assert hashed(task7, "VGG16", data) == hashed(task5, "augmented", data)
    assert hashed(task7, "AlexNet", "skin") == hashed(task4, "grey, augmented", "skin")


def run(folder: Path, *flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "borrowed.py").write_text(STUDY)
    command = [sys.executable, str(folder / "borrowed.py"), "--work-dir", str(folder / "runs")]
    without = {"KERAS_HOME": str(folder / "keras"), "https_proxy": "http://127.0.0.1:9", **environment}
    return subprocess.run(
        [*command, *flags], env={**os.environ, **without}, capture_output=True, text=True, timeout=900
    )


@pytest.mark.slow
def test_the_whole_path_without_any_weights_under_smoke(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/mlflow.db"
    done = run(tmp_path, "--smoke", "--tracking-uri", store, "--json", str(tmp_path / "s.json"))
    assert done.returncode == 0, done.stderr
    assert "The vgg16 of nearest has random weights" in done.stdout
    summary = read_summary(tmp_path / "s.json")
    assert {run["params"]["learner.pretrained"] for run in summary["runs"]} == {"random"}
    nearest = next(run for run in summary["runs"] if run["variant"] == "nearest")
    assert (nearest["status"], nearest["epochs"]) == ("finished", 1)
    assert nearest["parameters"] == {"total": 14_714_688, "trainable": 0}
    assert nearest["history"]["accuracy"] == [1.0]
    client = MlflowClient(store)
    found = client.search_runs([client.get_experiment_by_name("borrowed").experiment_id])
    tagged = [each.data.tags.get("weights.kind") for each in found if each.data.tags["medcls.level"] == "run"]
    assert tagged == ["random", "random"]
    assert len(list((tmp_path / "runs" / "cache" / "features").glob("*.npy"))) == 1
    head = next(run["key"] for run in summary["runs"] if run["variant"] == "head")
    assert not list((tmp_path / "runs").glob("*/model.keras"))  # nobody's but the work folder's own
    places = ["--key", head, "--work-dir", str(tmp_path / "runs"), "--out", str(tmp_path / "out")]
    assert main(["export", "borrowed", *places]) == 0  # which refuses a model that predicts differently from the run
    assert (tmp_path / "out" / "model.keras").stat().st_size > 4 * 14_714_688
    places = ["--key", nearest["key"], "--work-dir", str(tmp_path / "runs"), "--out", str(tmp_path / "neighbours")]
    assert main(["export", "borrowed", *places, "--format", "keras,onnx,litert"]) == 0
    again = run(tmp_path, "--smoke", "--plan")
    assert "2 finished" in again.stdout
    assert re.search(r"nearest seed 0\W+finished\W+none\W", again.stdout)  # of a learner without epochs


@pytest.mark.slow
def test_without_a_network_the_file_to_put_is_named(tmp_path: Path) -> None:
    done = run(tmp_path, "--smoke", "--offline", "--only", "head", "--weights", "imagenet")
    assert done.returncode == 2, done.stdout
    where = tmp_path / "keras" / "models"
    assert f"put the file vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5 into {where}" in done.stderr
    assert "--weights random" in done.stderr
    cache = tmp_path / "runs" / "cache"
    assert not list(cache.glob("*-*x*x*"))  # no image is decoded for nothing


@pytest.mark.slow
def test_weights_of_another_network_stop_the_study(tmp_path: Path) -> None:
    path = tmp_path / "other.weights.h5"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(path)
    done = run(tmp_path, "--smoke", "--offline", "--only", "head", "--weights", str(path))
    assert done.returncode == 2, done.stdout
    assert f"{path} has the weights of another network: layer block1_conv1 is not there" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("way", ["flag", "variable"])
def test_a_damaged_file_stops_the_study(tmp_path: Path, way: str) -> None:
    path = tmp_path / "cut.weights.h5"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(path)
    path.write_bytes(path.read_bytes()[:-1000])
    done = (
        run(tmp_path, "--plan", "--weights", str(path))
        if way == "flag"
        else run(tmp_path, "--plan", MEDCLS_WEIGHTS=str(path))
    )
    assert done.returncode == 2, done.stdout
    assert "cut.weights.h5 cannot be read as saved weights" in done.stderr

"""Models of studies and classes with odd names in a real registry, each registered once and found again."""

import shutil
from dataclasses import replace
from pathlib import Path

import keras
import mlflow
import numpy as np
import pytest

from medcls.export.formats.keras import of_all_classes
from medcls.export.registry import fetched, placed, register
from medcls.export.standing import Standing, meaning
from medcls.tracking import sqlite_tables
from medcls.utils.naming import in_store

pytestmark = pytest.mark.filterwarnings("ignore:.*type hint:UserWarning")  # as MLflow imports itself


def sigmoid():
    keras.utils.set_random_seed(1)
    images = keras.Input((4, 4, 1))
    return keras.Model(images, keras.layers.Dense(1, "sigmoid")(keras.layers.Flatten()(images / 255)))


def standing(*classes: str) -> Standing:
    return Standing("aa", "balanced_accuracy", 0.8, "sha256:1", smoke=False, answers=meaning(classes))


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store's file with nothing in it but the tables, which take seconds to make."""
    path = tmp_path_factory.mktemp("blank") / "mlflow.db"
    sqlite_tables.make(f"sqlite:///{path}")
    return path


@pytest.fixture
def uri(blank: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(blank, tmp_path)}"


def entered(uri: str, study: str, network, stands: Standing, classes: tuple[str, ...] = ("a", "b")):
    """Register a network of a study as its command does, its run having a recall of each class at epoch 0."""
    mlflow.set_tracking_uri(uri)
    client, name = mlflow.MlflowClient(uri), f"medcls-{study}"
    if placed(uri, name, stands, promote=False) is None:
        found = client.get_experiment_by_name(study)
        place = (Path(uri.removeprefix("sqlite:///")).parent / "files" / study).as_uri()
        run = client.create_run(found.experiment_id if found else client.create_experiment(study, place)).info.run_id
        recalls = in_store(f"recall/{each}" for each in classes).values()
        for number, recall in enumerate(recalls):
            client.log_metric(run, recall, number / 2, timestamp=1_700_000_000_000, step=0)
        register(network, stands, uri, run, name, 0, lambda folder: (folder / "told").write_text(" ".join(classes)))
    return placed(uri, name, stands, promote=False)


def test_a_study_of_any_name_is_registered_once(uri: str, tmp_path: Path) -> None:
    for study in ("a'b", 'it\'s "so" `x`', "50%_x"):
        for _ in range(2):
            place = entered(uri, study, sigmoid(), standing("a", "b"))
            assert place is not None
            assert (place.version, place.champion, place.reason) == ("1", "1", "")
        assert (fetched(f"models:/medcls-{study}@champion", uri, tmp_path) / "told").read_text() == "a b"


def test_classes_that_mlflow_cannot_tell_apart_do_not_keep_a_model_out(uri: str) -> None:
    classes = ("<5mm", ">5mm", "HER2+", "HER2?", "a,b", "a|b")
    assert entered(uri, "sizes", sigmoid(), standing(*classes), classes) is not None
    client = mlflow.MlflowClient(uri)
    (model,) = client.search_logged_models([client.get_experiment_by_name("sizes").experiment_id])
    assert sorted({metric.value for metric in model.metrics}) == [number / 2 for number in range(6)]


def test_a_run_whose_scores_an_older_version_put_under_one_name_is_registered_too(uri: str) -> None:
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient(uri)
    run = client.create_run(client.create_experiment("old")).info.run_id
    for recall in (0.0, 1.0):
        client.log_metric(run, "best/val_recall/_5mm", recall, timestamp=1_700_000_000_000, step=0)
    register(sigmoid(), standing("<5mm", ">5mm"), uri, run, "medcls-old", 0, lambda folder: None)
    place = placed(uri, "medcls-old", standing("<5mm", ">5mm"), promote=False)
    assert place is not None
    assert place.champion == "1"


def test_the_champion_answers_by_the_names_that_its_study_has_now(uri: str, tmp_path: Path) -> None:
    def told() -> str:
        return (fetched("models:/medcls-mine@champion", uri, tmp_path) / "told").read_text()

    for version, classes in (("1", ("benign", "malign")), ("2", ("naevus", "wart")), ("1", ("benign", "malign"))):
        place = entered(uri, "mine", sigmoid(), standing(*classes), classes)
        assert place is not None
        assert (place.version, place.champion) == (version, version)
        assert told() == " ".join(classes)


def test_a_model_that_says_not_what_its_answers_mean_is_registered_anew(uri: str) -> None:
    entered(uri, "old", sigmoid(), replace(standing("a", "b"), answers=""))
    place = entered(uri, "old", of_all_classes(sigmoid()), standing("a", "b"))
    assert place is not None
    assert (place.version, place.champion) == ("2", "2")


def test_what_is_served_of_one_sigmoid_is_a_probability_a_class(uri: str) -> None:
    network = sigmoid()
    entered(uri, "mine", of_all_classes(network), standing("a", "b"))
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 1)).astype(np.float32)
    served = mlflow.pyfunc.load_model("models:/medcls-mine@champion")
    second = network.predict(images, verbose=0)
    np.testing.assert_allclose(served.predict(images), np.concatenate([1 - second, second], axis=1), atol=1e-6)
    assert served.metadata.signature.outputs.inputs[0].shape == (-1, 2)

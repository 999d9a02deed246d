"""Run folders and their mirror in a real store: everything once, at its own time, whatever happens between."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tracking_stores import content

from medcls.tracking.entries import Ending, Entry, EntryStatus
from medcls.tracking.mlflow_client import Store
from medcls.tracking.mlflow_sync import Mirror
from medcls.tracking.run_dir import RunDir
from medcls.tracking.run_records import CheckpointState, EpochRow, RunDescription
from medcls.tracking.store_errors import sentence
from medcls.utils.redaction import without_secrets

BEGUN = 1_700_000_000_000
Open = Callable[[], Mirror]


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store's file with nothing in it but the tables, which take seconds to make."""
    path = tmp_path_factory.mktemp("blank") / "mlflow.db"
    Store(f"sqlite:///{path}", "experiment", "A question?", path.parent)
    return path


@pytest.fixture
def uri(blank: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(blank, tmp_path)}"


@pytest.fixture
def driver(uri: str, tmp_path: Path) -> Open:
    """Return a function that opens the store as a new driver does."""

    def driver() -> Mirror:
        store = Store(uri, "experiment", "A question?", tmp_path / "files")
        store.find("study", BEGUN)
        mirror = Mirror(store)
        mirror.open(Entry("study", "study", None, BEGUN))
        return mirror

    return driver


@pytest.fixture
def folder(tmp_path: Path) -> RunDir:
    """Return the folder of a run that has begun."""
    folder = RunDir(tmp_path / "run")
    folder.describe(RunDescription(started=BEGUN + 5))
    return folder


def train(folder: RunDir, epochs: int, *, held: bool = True) -> None:
    """Journal epochs on top of those that are there, and hold them in a checkpoint."""
    first = len(folder.rows())
    for epoch in range(first, first + epochs):
        metrics = {"loss": 1 / (epoch + 1), "val_loss": 0.5}
        time = BEGUN + 1000 * epoch
        folder.append(EpochRow(epoch, metrics, time, seconds=0.25, system={"system/cpu": 7.0}))
    if held:
        folder.write_checkpoint(first + epochs, CheckpointState(), {})


def entry(folder: RunDir, parameters: Mapping[str, Any] | None = None, **tags: Any) -> Entry:
    return Entry("study/run", "run", "study", None, parameters or {"a": 1}, tags, (), folder)


def losses(epochs: int) -> list[tuple[int, int, float]]:
    return [(epoch + 1, BEGUN + 1000 * epoch, 1 / (epoch + 1)) for epoch in range(epochs)]


def test_held_epochs_come_once_with_the_journals_times(driver: Open, folder: RunDir, uri: str) -> None:
    mirror = driver()
    mirror.open(entry(folder))
    train(folder, 2)
    assert mirror.settle()
    train(folder, 3)
    train(folder, 1, held=False)
    assert mirror.settle()
    assert mirror.settle()

    metrics = content(uri)["study/run"]["metrics"]
    assert metrics["loss"] == losses(5)
    assert {name: len(values) for name, values in metrics.items()} == dict.fromkeys(metrics, 5)
    assert set(metrics) == {"loss", "val_loss", "seconds", "system/cpu"}


def test_a_run_that_waits_starts_when_it_is_at_work(driver: Open, tmp_path: Path, uri: str) -> None:
    folder, mirror = RunDir(tmp_path / "run"), driver()
    folder.describe(RunDescription(created=BEGUN))
    mirror.open(Entry("study/trial", "trial", "study"))
    mirror.open(Entry("study/trial/run", "run", "study/trial", None, folder=folder))
    assert mirror.settle()
    assert set(content(uri)) == {"study"}
    folder.describe(RunDescription(started=BEGUN + 70))
    mirror.close("study/trial/run", Ending(EntryStatus.FINISHED, BEGUN + 90))
    mirror.close("study/trial", Ending(EntryStatus.FINISHED, BEGUN + 90))
    assert mirror.settle()

    nodes = content(uri)
    assert nodes["study/trial/run"]["times"] == nodes["study/trial"]["times"] == (BEGUN + 70, BEGUN + 90)
    assert nodes["study/trial/run"]["parent"] == "study/trial"


def test_another_driver_takes_up_what_one_left(driver: Open, folder: RunDir, uri: str) -> None:
    train(folder, 3)
    first = driver()
    first.open(entry(folder, kind="x"))
    assert first.settle()
    train(folder, 2)
    second = driver()
    second.open(entry(folder, {"a": 2, "b": 3}, kind="y"))
    second.close("study/run", Ending(EntryStatus.FINISHED, BEGUN + 9, {"best/loss": 0.25}))
    assert second.settle()

    run = content(uri)["study/run"]
    assert run["metrics"]["loss"] == losses(5)
    assert run["metrics"]["best/loss"] == [(0, BEGUN + 9, 0.25)]
    assert run["parameters"] == {"a": "1", "b": "3"}  # MLflow lets no parameter change
    assert (run["status"], run["times"], run["tags"]["kind"]) == ("FINISHED", (BEGUN + 5, BEGUN + 9), "y")


def test_what_has_ended_stays_as_it_is(driver: Open, folder: RunDir, uri: str) -> None:
    train(folder, 1)
    first = driver()
    first.open(entry(folder))
    first.close("study/run", Ending(EntryStatus.FINISHED, BEGUN + 9, {"best/loss": 0.25}))
    assert first.settle()
    before, second = content(uri), driver()
    second.open(entry(folder))
    second.close("study/run", Ending(EntryStatus.FAILED, BEGUN + 99, {"best/loss": 7.0}))

    assert second.settle()
    assert second.has_ended("study/run")
    assert content(uri) == before


def test_the_interrupted_is_killed_until_it_goes_on(driver: Open, folder: RunDir, uri: str) -> None:
    train(folder, 1)
    first = driver()
    first.open(entry(folder))
    first.interrupt()
    assert first.settle()
    assert {each["status"] for each in content(uri).values()} == {"KILLED"}

    second = driver()
    second.open(entry(folder))
    assert second.settle()
    assert {each["status"] for each in content(uri).values()} == {"RUNNING"}
    train(folder, 1)
    second.close("study/run", Ending(EntryStatus.FINISHED, BEGUN + 9))
    assert second.settle()
    run = content(uri)["study/run"]
    assert (run["status"], run["times"]) == ("FINISHED", (BEGUN + 5, BEGUN + 9))
    assert run["metrics"]["loss"] == losses(2)
    assert "medcls.interrupted" not in run["tags"]


def test_the_pruned_is_killed_for_good_and_the_failed_tried_again(driver: Open, uri: str) -> None:
    first = driver()
    for name, status in (("pruned", EntryStatus.KILLED), ("failed", EntryStatus.FAILED)):
        first.open(Entry(f"study/{name}", name, "study", BEGUN))
        first.close(f"study/{name}", Ending(status, BEGUN + 9, tags={"medcls.error": "no luck"}))
    assert first.settle()
    second = driver()
    for name in ("pruned", "failed"):
        second.open(Entry(f"study/{name}", name, "study", BEGUN))
        second.close(f"study/{name}", Ending(EntryStatus.FINISHED, BEGUN + 19))
    assert second.settle()

    nodes = content(uri)
    assert (nodes["study/pruned"]["status"], nodes["study/pruned"]["times"][1]) == ("KILLED", BEGUN + 9)
    assert (nodes["study/failed"]["status"], nodes["study/failed"]["times"][1]) == ("FINISHED", BEGUN + 19)
    assert "medcls.error" not in nodes["study/failed"]["tags"]


def test_what_an_older_version_began_goes_on_with_its_own_steps(driver: Open, folder: RunDir, uri: str) -> None:
    import mlflow

    train(folder, 2)
    first = driver()
    first.open(entry(folder))
    assert first.settle()
    run_id = first.store.run_id("study/run")
    client = mlflow.MlflowClient(uri)
    assert run_id is not None
    client.delete_tag(run_id, "medcls.first_epoch")  # older versions wrote no such tag, and counted from 0
    client.log_batch(run_id, [mlflow.entities.Metric("old", 0.5, BEGUN, 0)])
    second = driver()
    second.open(entry(folder))
    assert second.settle()
    assert [step for step, _, _ in content(uri)["study/run"]["metrics"]["val_loss"]] == [0, 1, 1, 2]


def test_an_entry_that_has_ended_is_amended_and_completed(driver: Open, uri: str) -> None:
    first = driver()
    first.open(Entry("study/run", "run", "study", BEGUN, tags={"kind": "x"}))
    first.close("study/run", Ending(EntryStatus.FINISHED, BEGUN + 9, {"n": 2.0}, curves={"curve/loss": (0.5, 0.25)}))
    first.amend("study/run", {"medcls.best": True, "medcls.verdict": "better"}, "run · best")
    assert first.settle()
    run = content(uri)["study/run"]
    assert (run["name"], run["tags"]["medcls.best"]) == ("run · best", "True")
    assert run["metrics"]["curve/loss"] == [(1, BEGUN + 9, 0.5), (2, BEGUN + 9, 0.25)]

    second = driver()
    second.open(Entry("study/variant", "variant", "study", BEGUN))
    second.open(Entry("study/run", "run", "study/variant", BEGUN, tags={"kind": "y", "medcls.refit": False}))
    second.amend("study/run", {"medcls.best": None}, "run")
    assert second.settle()
    run = content(uri)["study/run"]
    assert (run["name"], run["parent"], run["status"]) == ("run", "study/variant", "FINISHED")
    assert (run["tags"]["kind"], run["tags"]["medcls.refit"]) == ("x", "False")
    assert "medcls.best" not in run["tags"]


def test_a_study_begun_anew_is_another_one(driver: Open, uri: str, tmp_path: Path) -> None:
    assert driver().settle()
    store = Store(uri, "experiment", "A question?", tmp_path)
    store.find("study", BEGUN + 1)
    assert store.run_id("study") is None


def test_no_parameter_metric_or_tag_is_too_much(driver: Open, uri: str) -> None:
    mirror = driver()
    parameters = {f"layer.{number}": number for number in range(250)}
    odd = {"empty": "", "long": "x" * 20_000, "odd (%) name, ü": None}
    mirror.open(Entry("study/run", "run", "study", BEGUN, parameters | odd, {"long": "y" * 20_000, "none": None}))
    mirror.close(
        "study/run", Ending(EntryStatus.FINISHED, BEGUN + 9, {"recall/covid+ (mild)": 0.5, "recall/no covid": 1.0})
    )

    assert mirror.settle(), mirror.lost
    run = content(uri)["study/run"]
    assert len(run["parameters"]) == 253
    assert run["parameters"]["layer.249"] == "249"
    assert run["parameters"]["odd ___ name_ ü"] == "None"
    assert run["parameters"]["long"].startswith("xxx")
    assert set(run["metrics"]) == {"recall/covid_ _mild_", "recall/no covid"}
    assert "none" not in run["tags"]
    assert mirror.refused == []


def test_a_run_deleted_in_the_store_holds_up_nothing(driver: Open, folder: RunDir, uri: str) -> None:
    import mlflow

    mirror = driver()
    mirror.open(entry(folder))
    train(folder, 1)
    assert mirror.settle()
    run_id = mirror.store.run_id("study/run")
    assert run_id is not None
    mlflow.MlflowClient(uri).delete_run(run_id)
    train(folder, 1)
    mirror.open(Entry("study/other", "other", "study", BEGUN))
    mirror.close("study/run", Ending(EntryStatus.FINISHED, BEGUN + 9))
    mirror.close("study/other", Ending(EntryStatus.FINISHED, BEGUN + 9))

    assert mirror.settle()
    assert content(uri)["study/other"]["status"] == "FINISHED"
    (refused,) = mirror.refused
    assert refused.startswith("The MLflow store refused run: ")


def test_a_figure_that_fails_costs_no_result(driver: Open, uri: str, tmp_path: Path) -> None:
    drawn: list[Path] = []

    def draw(path: Path) -> None:
        drawn.append(path)
        path.write_text("a picture")

    def fail(path: Path) -> None:
        path.write_text("half a pic")
        raise ValueError("nothing to draw")

    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    mirror = driver()
    for name in ("one", "two"):  # the same folder may belong to two nodes
        mirror.open(Entry(f"study/{name}", name, "study", BEGUN))
        mirror.close(f"study/{name}", Ending(EntryStatus.FINISHED, BEGUN + 9, drawings={good: draw, bad: fail}))

    assert mirror.settle()
    nodes = content(uri)
    assert nodes["study/one"]["files"] == nodes["study/two"]["files"] == ["good.png"]
    assert len(drawn) == 1
    assert not bad.exists()
    assert "nothing to draw" in mirror.refused[0]


def test_messages_hide_passwords_and_the_clients_own_words() -> None:
    assert without_secrets("http://name:secret@host:5000/x") == "http://host:5000/x"
    assert without_secrets("--tracking-uri=postgresql://me:pw@host/x") == "--tracking-uri=postgresql://host/x"
    assert without_secrets("sqlite:////home/a@b/mlflow.db") == "sqlite:////home/a@b/mlflow.db"
    assert (
        sentence(OSError('API failed (Caused by NewConnectionError("<x>: Connection refused"))'))
        == "Connection refused"
    )
    assert sentence(KeyError("x")) == "KeyError: 'x'"

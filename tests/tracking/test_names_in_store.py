"""Names that MLflow does not take, in a real store: every value is there, and it is said whose it is."""

import shutil
from dataclasses import replace
from pathlib import Path

import mlflow
import pytest

from medcls.evaluation.saliency_record import RegionScores, SaliencyRecord
from medcls.explain import saliency_scores as heat
from medcls.tracking import sqlite_tables
from medcls.tracking.entries import Ending, Entry, EntryStatus
from medcls.tracking.mlflow_client import Store
from medcls.tracking.mlflow_sync import Mirror
from medcls.tracking.run_table import of_best

BEGUN = 1_700_000_000_000
KINDS = {
    "signs": ("<5mm", ">5mm", "_5mm"),
    "punctuation": ("HER2+", "HER2?", "a,b", "a|b"),
    "paths": (".", "..", "/", "a/", "a//b", "a/_/b"),
    "length": ("x" * 400 + "a", "x" * 400 + "b"),
    "letters": ("größe'", 'größe"', "Größe'", "小+", "小?"),
    "bytes": ("a\udcff", "a\udcfe", "a\n", "a\x1b"),
}


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store's file with nothing in it but the tables, which take seconds to make."""
    path = tmp_path_factory.mktemp("blank") / "mlflow.db"
    sqlite_tables.make(f"sqlite:///{path}")
    return path


@pytest.fixture
def uri(blank: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(blank, tmp_path)}"


def mirrored(uri: str, folder: Path, experiment: str, entry: Entry, ending: Ending) -> mlflow.entities.Run:
    """Write a study with one entry into a store; return the entry's run there."""
    store = Store(uri, experiment, "A question?", folder)
    store.find("study", BEGUN)
    mirror = Mirror(store)
    mirror.open(Entry("study", experiment, None, BEGUN))
    mirror.open(entry)
    mirror.close(entry.id, ending)
    assert mirror.settle()
    assert mirror.refused == []
    return mlflow.MlflowClient(uri).get_run(store.run_id(entry.id))


@pytest.mark.parametrize("classes", KINDS.values(), ids=KINDS)
def test_every_class_has_its_own_metric_and_parameter(uri: str, tmp_path: Path, classes: tuple[str, ...]) -> None:
    values = {name: number / 10 for number, name in enumerate(classes)}
    metrics = {f"recall/{name}": value for name, value in values.items()} | {"minutes": 2.0}
    entry = Entry(
        "study/run", "\x1b[31mrun\n" + "x" * 400, "study", BEGUN, values | {"rate": 0.1}, {"data.leaks": "\udcff"}
    )
    run = mirrored(uri, tmp_path, "names", entry, Ending(EntryStatus.FINISHED, BEGUN + 9, metrics))

    assert sorted(run.data.metrics.values()) == sorted(metrics.values())
    assert run.data.metrics["minutes"] == 2.0
    assert sorted(run.data.params.values()) == sorted([*map(str, values.values()), "0.1"])
    assert run.data.params["rate"] == "0.1"
    client = mlflow.MlflowClient(uri)
    assert all(len(client.get_metric_history(run.info.run_id, name)) == 1 for name in run.data.metrics)
    assert run.info.run_name.startswith("\\x1b[31mrun\\nx")

    told = dict(line.split(": ", 1) for line in run.data.tags.get("medcls.names", "").splitlines())
    for name, value in metrics.items():
        (there,) = [safe for safe, found in run.data.metrics.items() if found == value]
        if there != name and len(name) < 200:
            assert told[there] == "".join(each if each.isprintable() else repr(each)[1:-1] for each in name)


def test_a_study_of_any_name_that_it_may_have_is_found_again(uri: str, tmp_path: Path) -> None:
    entry, ending = (
        Entry("study/run", "run", "study", BEGUN, {"a": 1}),
        Ending(EntryStatus.FINISHED, BEGUN + 9, {"best/loss": 0.5}),
    )
    for experiment in ("a'b", 'a"b', "a`b", "50%_x", "a, b (c) #1", 'it\'s "so"', "größe"):
        first = mirrored(uri, tmp_path, experiment, entry, ending)
        again = mirrored(uri, tmp_path, experiment, entry, ending)
        assert first.info.run_id == again.info.run_id
        assert again.data.metrics == {"best/loss": 0.5}


def test_a_deviation_over_repeats_never_stands_where_a_score_belongs() -> None:
    means = {"dice": (0.8, 0.01), "dice_sd": (0.2, 0.02), "recall/x": (0.7, 0.03), "recall/x_sd": (0.6, 0.04)}
    shown = of_best(means | {"gap": (0.1, 0.05)}, repeats=3)
    assert sorted(shown.values()) == sorted(value for pair in [*means.values(), (0.1, 0.05)] for value in pair)
    assert (shown["best/val_dice"], shown["best/val_dice_sd"]) == (0.8, 0.2)
    assert (shown["recall/x"], shown["recall/x_sd"]) == (0.7, 0.6)
    assert (shown["gap"], shown["gap_sd"]) == (0.1, 0.05)
    assert of_best({"dice": (0.8, 0.0)}, repeats=1) == {"best/val_dice": 0.8}


def test_marked_regions_that_clean_alike_have_shares_of_their_own() -> None:
    scores = RegionScores(
        images=4, share=0.5, area=0.25, times=2.0, excess=(0.25, 0.1), accuracy_filled_in=0.5, lost=(0.1, 0.1)
    )
    regions = {"lesion+": scores, "lesion?": replace(scores, share=0.25), "a b": scores}
    record = SaliencyRecord(method="grad_cam", layer="conv", images=4, warm=4, accuracy=0.5, regions=regions)
    shown = heat.scores(record)
    assert len(shown) == 6
    assert sorted(value for name, value in shown.items() if name.endswith("_share")) == [0.25, 0.5, 0.5]
    assert "heat/a_b_share" in shown

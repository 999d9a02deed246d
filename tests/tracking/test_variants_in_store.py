"""A study of variants over seeds, as its store shows it: variants above their seeds, verdicts, the best, the views."""

import base64
import json
import statistics
import zlib
from pathlib import Path
from typing import Any

import pytest
from tracking_stores import Command, content

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def command(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Return a study of two variants over two seeds that has run, first under --smoke."""
    home = tmp_path_factory.mktemp("seeds")
    code, said = Command("tracked_seeds", pictures, home, None, "--smoke").run()
    assert code == 0, said
    command = Command("tracked_seeds", pictures, home)
    code, said = command.run()
    assert code == 0, said
    assert "viewStateShareKey=medcls-variants-" in said.splitlines()[-1]
    return command


@pytest.fixture(scope="module")
def entries(command: Command) -> list[dict[str, Any]]:
    """Return the entries of the study that was run last."""
    (study,) = [entry for entry in content(command.store).values() if entry["name"] == "tracked_seeds on pictures0"]
    ours = study["tags"]["medcls.study_run"]
    return [entry for entry in content(command.store).values() if entry["tags"]["medcls.study_run"] == ours]


@pytest.fixture(scope="module")
def summary(command: Command) -> Any:
    return json.loads(command.summary.read_text())


def last(entry: dict[str, Any]) -> dict[str, float]:
    return {name: points[-1][-1] for name, points in entry["metrics"].items()}


def variant(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """Return the entry of a variant."""
    (entry,) = [
        entry
        for entry in entries
        if (entry["tags"]["medcls.level"], entry["tags"].get("medcls.variant")) == ("variant", name)
    ]
    return entry


def test_variants_stand_above_their_seeds(command: Command, entries: list[dict[str, Any]], summary: Any) -> None:
    names = {entry_id: entry["name"] for entry_id, entry in content(command.store).items()}
    (best,) = summary["best"].values()
    shown = {name: f"{name} · best" if name == best["variant"] else name for name in ("small", "smooth")}
    assert {(names.get(entry["parent"]), entry["name"]) for entry in entries} == {
        (None, "tracked_seeds on pictures0"),
        *(("tracked_seeds on pictures0", name) for name in shown.values()),
        *((shown[name], f"{name} · seed {seed}") for name in shown for seed in (0, 1)),
    }


def test_a_variant_has_mean_spread_parameters_and_verdict(entries: list[dict[str, Any]], summary: Any) -> None:
    for name in ("small", "smooth"):
        entry = variant(entries, name)
        values = [run["metrics"]["balanced_accuracy"] for run in summary["runs"] if run["variant"] == name]
        metrics = last(entry)
        assert metrics["n"] == 2
        assert metrics["mean/balanced_accuracy"] == pytest.approx(statistics.mean(values))
        assert metrics["sd/balanced_accuracy"] == pytest.approx(statistics.stdev(values))
        if statistics.stdev(values):
            half = 12.7062 * statistics.stdev(values) / 2**0.5  # Student's t of one degree of freedom
            expected = max(statistics.mean(values) - half, 0.0)
            assert metrics["ci_low/balanced_accuracy"] == pytest.approx(expected, abs=1e-4)
        assert metrics["rank/score"] == metrics["mean/balanced_accuracy"]
        curves = [run["history"]["val_loss"] for run in summary["runs"] if run["variant"] == name]
        means = [statistics.mean(epoch) for epoch in zip(*curves, strict=True)]
        assert [point[-1] for point in entry["metrics"]["curve/val_loss"]] == pytest.approx(means)
        assert [point[0] for point in entry["metrics"]["curve/val_loss"]] == [1, 2, 3]
    assert variant(entries, "small")["parameters"]["learner.schedule"] == "plateau"
    assert variant(entries, "smooth")["parameters"]["learner.schedule"] == "cosine"
    assert "learner.batch_size" not in variant(entries, "smooth")["parameters"]
    (row,) = summary["comparisons"]
    assert variant(entries, "small")["tags"]["medcls.verdict"] == "reference"
    assert variant(entries, "smooth")["tags"]["medcls.verdict"].startswith(row["verdict"])


def test_a_variant_has_one_colour_and_no_other_has_it(entries: list[dict[str, Any]]) -> None:
    colours: dict[str, set[str]] = {}
    for entry in entries:
        if "medcls.variant" in entry["tags"]:
            colours.setdefault(entry["tags"]["medcls.variant"], set()).add(entry["tags"]["mlflow.runColor"])
    assert {name: len(own) for name, own in colours.items()} == {"small": 1, "smooth": 1}
    assert colours["small"] != colours["smooth"]


def test_views_show_this_study_and_the_tiny_one_apart(command: Command, entries: list[dict[str, Any]]) -> None:
    views = views_of(command.store)
    names = {"Variants", "Best run", "Cases side by side"}
    assert set(views) == names | {f"{name} · pictures0, smoke" for name in names}
    ours = entries[0]["tags"]["medcls.study_run"]
    assert ours in views["Variants"]["searchFilter"]
    assert ours not in views["Variants · pictures0, smoke"]["searchFilter"]
    assert views["Variants"]["groupBy"]["groupByKeys"] == [{"mode": "tag", "groupByData": "medcls.variant"}]
    assert "params.`learner.schedule`" in views["Variants"]["selectedColumns"]
    assert "params.`learner.batch_size`" not in views["Variants"]["selectedColumns"]


def test_the_same_command_again_changes_nothing(command: Command) -> None:
    before, views = content(command.store), views_of(command.store)
    assert command.run()[0] == 0
    assert content(command.store) == before
    assert views_of(command.store) == views


def test_a_store_without_variants_gets_them_when_the_study_is_run_again(command: Command, tmp_path: Path) -> None:
    import mlflow

    client = mlflow.MlflowClient(command.store)
    (experiment,) = [each for each in client.search_experiments() if each.name == "tracked_seeds"]
    runs = client.search_runs([experiment.experiment_id])
    before = content(command.store)
    study = {run.info.run_id: run for run in runs if run.data.tags["medcls.level"] == "study"}
    for run in runs:  # as an older version left the store: runs right below the study, without today's tags
        tags = run.data.tags
        if tags["medcls.level"] == "variant":
            client.delete_run(run.info.run_id)
        elif tags["medcls.level"] == "run":
            (above,) = [each for each, root in study.items() if same_study(root.data.tags, tags)]
            client.set_tag(run.info.run_id, "mlflow.parentRunId", above)
            key = tags["medcls.node"].rpartition("/")[2]
            client.set_tag(run.info.run_id, "medcls.node", f"{study[above].data.tags['medcls.node']}/{key}")
            for name in ("medcls.study_run", "medcls.refit", "mlflow.runColor", "medcls.first_epoch", "medcls.best"):
                if name in tags:
                    client.delete_tag(run.info.run_id, name)
    assert command.run()[0] == 0

    after = content(command.store)
    ours = [entry for entry in after.values() if entry["parent"] or not entry["name"].endswith("smoke")]
    ours = [entry for entry in ours if "medcls.study_run" in entry["tags"]]
    names = {entry_id: entry["name"] for entry_id, entry in after.items()}
    assert {(names.get(entry["parent"]), entry["name"]) for entry in ours} == {
        (names_before.get(entry["parent"]), entry["name"])
        for names_before in [{entry_id: entry["name"] for entry_id, entry in before.items()}]
        for entry in before.values()
        if entry["tags"]["medcls.study_run"] == ours[0]["tags"]["medcls.study_run"]
    }


def same_study(study: dict[str, str], run: dict[str, str]) -> bool:
    return study["medcls.study_run"] == run["medcls.study_run"]


def views_of(uri: str) -> dict[str, dict[str, Any]]:
    """Return the state of each saved view by its name."""
    import mlflow

    (experiment,) = mlflow.MlflowClient(uri).search_experiments(filter_string="name = 'tracked_seeds'")
    views = {}
    for tag, value in experiment.tags.items():
        if tag.startswith("mlflow.sharedViewState."):
            assert len(value) <= 5000  # the longest tag of MLflow 3.10
            record = json.loads(value)
            packed = base64.b64decode(record["state"].removeprefix("deflate;"))
            views[record["name"]] = json.loads(zlib.decompress(packed))
    return views

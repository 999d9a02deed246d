"""A study that has run, as its store shows it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tracking_stores import Command, content

from medcls.data.loading.decoded_cache import open_decoded
from medcls.tracking.run_dir import RunDir

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def nodes(search: Command) -> dict[str, dict[str, Any]]:
    return content(search.store)


@pytest.fixture(scope="module")
def summary(search: Command) -> Any:
    return json.loads(search.summary.read_text())


def runs_of(nodes: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {node["tags"]["medcls.key"]: node for node in nodes.values() if "medcls.key" in node["tags"]}


def the_study(nodes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    (node,) = [node for node in nodes.values() if node["parent"] is None]
    return node


def trial_of(nodes: dict[str, dict[str, Any]], number: int) -> dict[str, Any]:
    (node,) = [node for node in nodes.values() if node["tags"].get("medcls.trial") == str(number)]
    return node


def test_study_holds_trials_that_hold_folds(nodes: dict[str, dict[str, Any]]) -> None:
    names = {identity: node["name"] for identity, node in nodes.items()}
    tree = {(names.get(node["parent"]), node["name"]) for node in nodes.values()}
    (refit,) = [name for name in names.values() if name.endswith("refit")]
    trials = [trial_of(nodes, number)["name"] for number in (0, 1)]

    assert tree == {
        (None, "tracked_search on pictures0"),
        *(("tracked_search on pictures0", name) for name in (*trials, refit)),
        *((trials[trial], f"trial {trial} · fold {fold}/2") for trial in (0, 1) for fold in (1, 2)),
    }
    assert trials[0].startswith("trial 0 · dropout 0.2, filters 4, lr 0.02")
    assert sum(name.endswith(" · best") for name in names.values()) == 1
    assert {node["status"] for node in nodes.values()} == {"FINISHED"}


def test_epochs_are_the_journals(search: Command, nodes: dict[str, dict[str, Any]]) -> None:
    for key, node in runs_of(nodes).items():
        rows = RunDir(search.work / key).rows()

        assert len(rows) == 12
        for name in {**rows[0].metrics, **rows[0].system}:
            expected = [(row.epoch + 1, row.time, {**row.metrics, **row.system}[name]) for row in rows]
            assert node["metrics"][name] == expected
        assert sum(name.startswith("system/") for name in node["metrics"]) >= 3


def test_the_run_table_has_each_runs_scores(summary: Any, nodes: dict[str, dict[str, Any]]) -> None:
    runs = runs_of(nodes)
    for run in summary["runs"]:
        latest = {name: values[-1][-1] for name, values in runs[run["key"]]["metrics"].items()}

        for name in ("accuracy", "balanced_accuracy", "macro_f1"):
            assert latest[f"best/val_{name}"] == run["metrics"][name]
        assert latest["gap"] == run["metrics"]["gap"]
        assert latest["epochs"] == run["epochs"] == 12
        assert latest["minutes"] > 0
        assert latest["best/loss"] == run["history"]["loss"][run["best_epoch"]]


def test_trials_have_the_mean_and_the_study_the_best_of_them(summary: Any, nodes: dict[str, dict[str, Any]]) -> None:
    (best,) = summary["best"].values()
    for trial in summary["trials"]:
        node = trial_of(nodes, trial["number"])
        assert node["metrics"]["best/val_balanced_accuracy"][-1][-1] == trial["value"]
        assert node["parameters"] == {path: str(value) for path, value in trial["params"].items()}
    scores = {name: values[-1][-1] for name, values in the_study(nodes)["metrics"].items()}

    assert scores["best/val_balanced_accuracy"] == best["value"]
    assert scores["best/val_balanced_accuracy_sd"] == best["mean_sd"]["balanced_accuracy"][1]
    assert scores["test/balanced_accuracy"] == best["test"]["balanced_accuracy"]["value"]
    refit = runs_of(nodes)[best["key"]]["metrics"]
    assert refit["test/balanced_accuracy"][-1][-1] == best["test"]["balanced_accuracy"]["value"]


def test_parameters_tags_and_data(summary: Any, nodes: dict[str, dict[str, Any]]) -> None:
    runs, (data,) = runs_of(nodes), summary["data_sets"]
    assert {run["mlflow_run_id"] for run in summary["runs"]}.isdisjoint({""})
    for run in summary["runs"]:
        node = runs[run["key"]]
        tags = node["tags"]

        assert node["parameters"].keys() == run["params"].keys()
        for path, value in run["params"].items():  # functions are spelt as a search spells them
            assert node["parameters"][path] in (str(value), str(value).rpartition(".")[2])
        assert node["parameters"]["learner.schedule"] == "plateau"
        assert node["parameters"]["data"] == data["name"]
        assert node["inputs"] == [(data["name"], data["fingerprint"].removeprefix("sha256:")[:36])]
        assert tags["medcls.variant"] == run["variant"]
        assert tags.get("medcls.fold", "None") == str(run["fold"])
        assert (tags["data.kind"], tags["medcls.threads"]) == ("files", "1")
        assert tags["medcls.weights_sha256"] == run["weights_sha256"]
        assert tags.get("medcls.git_commit") == summary["git_commit"]
        assert tags["medcls.git_dirty"] == str(summary["git_dirty"])
        assert len(tags["medcls.code"]) == 16


def test_files(nodes: dict[str, dict[str, Any]]) -> None:
    part = ["calibration", "certain_errors", "class_scores", "confusion_matrix", "precision_recall", "roc"]
    every = {"learning_curves.png", "result.json", "study.py", *(f"{name}.png" for name in part)}
    for node in runs_of(nodes).values():
        refit = {f"test_{name}.png" for name in part} if node["name"].endswith("refit") else set()
        files = {name for name in node["files"] if not name.startswith("images/")}
        assert files - {"uncommitted.diff"} == every | refit
    plots = {"search_history.png", "search_parallel_coordinates.png", "best_recalls.png"}
    assert plots | {"summary.json"} <= set(the_study(nodes)["files"])


def test_starts_and_ends_are_those_of_the_work(search: Command, nodes: dict[str, dict[str, Any]]) -> None:
    for key, node in runs_of(nodes).items():
        folder = RunDir(search.work / key)
        result = folder.result()
        assert result is not None
        assert node["times"] == (folder.description().started, result.ended)
        children = [each["times"] for each in nodes.values() if each["parent"] == node["parent"]]
        start, end = nodes[node["parent"]]["times"]
        assert start <= min(times[0] for times in children)
        assert end == max(times[1] for times in children)


def test_the_description_asks_answers_and_repeats(search: Command, summary: Any) -> None:
    import mlflow

    client, (best,) = mlflow.MlflowClient(search.store), summary["best"].values()
    (experiment,) = [each for each in client.search_experiments() if each.name == "tracked_search"]
    (study,) = client.search_runs([experiment.experiment_id], "tags.`medcls.level` = 'study'")
    text = study.data.tags["mlflow.note.content"]
    mean, sd = best["mean_sd"]["balanced_accuracy"]
    low, high = best["test"]["balanced_accuracy"]["ci95"]

    assert text.startswith("**Does the store show what the run folders hold? (asked of pictures0 in place of ")
    spread = f" ± {sd:.3f}" if sd else ""  # of scores that are all the same nothing is said
    assert f"**{best['variant']}**, balanced accuracy {mean:.3f}{spread}" in text
    assert f"(95% interval {low:.3f} to {high:.3f})" in text
    assert "    python tests/tiny/tracked_search.py --workers 1 --threads 1 --data " in text


@pytest.mark.filterwarnings("ignore:.*Any type hint is inferred:UserWarning")
def test_the_champion_predicts_as_the_run_did(search: Command, summary: Any) -> None:
    import mlflow

    (best,) = summary["best"].values()
    mlflow.set_tracking_uri(search.store)
    (decoded,) = [path for path in (search.work / "cache").iterdir() if path.is_dir()]
    images = open_decoded(decoded).images
    for part in ("test", "predictions"):
        kept = RunDir(search.work / best["key"]).read_arrays(part)
        assert kept is not None
        pixels = images[kept["rows"]].astype(np.float32)
        assert pixels.max() > 1
        for flavour in (mlflow.keras, mlflow.pyfunc):
            model = flavour.load_model("models:/medcls-tracked_search@champion")
            np.testing.assert_allclose(model.predict(pixels), kept["predictions"], atol=1e-6)


def test_the_same_command_again_changes_nothing(search: Command, nodes: dict[str, dict[str, Any]]) -> None:
    import mlflow

    def registered() -> list[Any]:
        client = mlflow.MlflowClient(search.store)
        versions = client.search_model_versions("name = 'medcls-tracked_search'")
        logged = client.search_logged_models([run.experiment_id for run in client.search_experiments()])
        return [(each.version, each.last_updated_timestamp) for each in versions] + [each.model_id for each in logged]

    before = registered()
    assert search.run()[0] == 0

    assert content(search.store) == nodes
    assert registered() == before
    assert len(before) == 2


def test_work_done_offline_is_brought_in_with_its_own_times(search: Command, tmp_path: Path) -> None:
    later = f"sqlite:///{tmp_path / 'later.db'}"
    assert search.run(later)[0] == 0

    assert content(later) == content(search.store)

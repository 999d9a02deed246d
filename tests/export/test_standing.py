"""Which of two models is champion: the rule alone, and in a real registry."""

from dataclasses import replace
from pathlib import Path

import keras
import mlflow
import pytest

from medcls.export.registry import Place, Standing, keeps, placed, register

OLD = Standing("aa", "balanced_accuracy", 0.8, "sha256:1", smoke=False)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"value": 0.81}, ""),
        ({"value": 0.8}, "that one has balanced accuracy 0.800, this one 0.800"),
        ({"value": 0.7}, "that one has balanced accuracy 0.800, this one 0.700"),
        (
            {"value": 0.9, "fingerprint": "sha256:2"},
            "that one was scored on other data, so the scores cannot be compared",
        ),
        ({"value": 0.9, "metric": "dice"}, "that one was chosen by another metric"),
        ({"value": 0.9, "smoke": True}, "this one was made with --smoke"),
        ({"weights_sha256": "aa", "value": 0.1}, ""),
    ],
)
def test_a_champion_yields_to_a_better_score_on_the_same_data(changes: dict, reason: str):
    assert keeps(OLD.tags, replace(OLD, **{"weights_sha256": "bb", **changes})) == reason


def test_what_was_made_to_try_a_study_out_yields_to_anything_that_was_not():
    assert keeps(replace(OLD, smoke=True).tags, replace(OLD, weights_sha256="bb", value=0.1, fingerprint="other")) == ""


@pytest.mark.filterwarnings("ignore:.*type hint:UserWarning")  # as MLflow imports itself
def test_versions_are_all_registered_and_the_alias_is_the_best_ones(tmp_path: Path):
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient(uri)
    experiment = client.create_experiment("mine", artifact_location=(tmp_path / "artifacts").as_uri())
    network = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(2, "softmax")])

    def enter(weights: str, value: float, *, promote: bool = False, **changes) -> Place | None:
        new = replace(OLD, weights_sha256=weights, value=value, **changes)
        if placed(uri, "medcls-mine", new, promote=promote) is None:
            run = client.create_run(experiment).info.run_id
            register(network, new, uri, run, "medcls-mine", 3, lambda folder: None)
        return placed(uri, "medcls-mine", new, promote=promote)

    assert enter("a", 0.8) == Place("1", "1", "")
    assert enter("b", 0.9) == Place("2", "2", "")
    assert enter("c", 0.7) == Place("3", "2", "that one has balanced accuracy 0.900, this one 0.700")
    assert enter("a", 0.8).champion == "2"  # the older command again
    assert enter("d", 0.99, fingerprint="sha256:9").champion == "2"
    assert enter("d", 0.99, fingerprint="sha256:9", promote=True) == Place("4", "4", "")
    assert enter("b", 0.9).champion == "4"
    assert len(client.search_model_versions("name = 'medcls-mine'")) == 4

"""Which of two models is champion: the rule alone, and in a real registry."""

from dataclasses import replace
from pathlib import Path

import pytest
from model_registry import Registry

from medcls.export.registry import Place, followed
from medcls.export.standing import Standing, keeps

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


REAL = replace(OLD, study="mine", data="films", kind="files")
DRAWN = replace(REAL, weights_sha256="cc", value=0.99, data="xray", kind="phantom", fingerprint="sha256:3")


def test_a_phantom_never_takes_the_alias_from_real_images_and_always_yields_to_them():
    for changes in ({}, {"data": "films"}, {"fingerprint": "sha256:1"}):
        drawn = replace(DRAWN, **changes)
        assert "phantom" in keeps(REAL.tags, drawn)
        assert keeps(drawn.tags, REAL) == ""
        assert keeps(drawn.tags, replace(REAL, smoke=True)) == ""
    assert "--smoke" in keeps(REAL.tags, replace(REAL, weights_sha256="dd", data="scans", smoke=True))
    assert keeps(REAL.tags, replace(REAL, weights_sha256="dd", data="scans", value=0.1)) == ""  # the latest


def test_what_was_made_to_try_a_study_out_yields_to_anything_that_was_not():
    assert keeps(replace(OLD, smoke=True).tags, replace(OLD, weights_sha256="bb", value=0.1, fingerprint="other")) == ""


pytestmark = pytest.mark.filterwarnings("ignore:.*type hint:UserWarning")  # as MLflow imports itself


def test_versions_are_all_registered_and_the_alias_is_the_best_ones(tmp_path: Path):
    registry = Registry(tmp_path)

    def enter(weights: str, value: float, *, promote: bool = False, **changes) -> Place | None:
        new = replace(OLD, weights_sha256=weights, value=value, **changes)
        return registry.enter("medcls-mine", new, promote=promote)

    assert enter("a", 0.8) == Place("1", "1", "")
    assert enter("b", 0.9) == Place("2", "2", "")
    assert enter("c", 0.7) == Place("3", "2", "that one has balanced accuracy 0.900, this one 0.700")
    assert enter("a", 0.8).champion == "2"  # the older command again
    assert enter("d", 0.99, fingerprint="sha256:9").champion == "2"
    assert enter("d", 0.99, fingerprint="sha256:9", promote=True) == Place("4", "4", "")
    assert enter("b", 0.9).champion == "4"
    assert len(registry.client.search_model_versions("name = 'medcls-mine'")) == 4


def test_the_champion_of_a_study_is_that_of_its_latest_real_data(tmp_path: Path):
    registry = Registry(tmp_path)

    def enter(new: Standing, *, promote: bool = False) -> Place:
        name = f"medcls-mine-{new.data}"
        registry.enter(name, new, promote=promote)
        return followed(registry.uri, name, "medcls-mine", promote=promote)

    assert enter(DRAWN) == Place("1", "1", "")
    assert enter(REAL) == Place("2", "2", "")
    for promote in (False, True):  # not even then
        place = enter(replace(DRAWN, weights_sha256="ee", value=1.0), promote=promote)
        assert (place.champion, place.can_be_promoted) == ("2", False)
        assert registry.champion("medcls-mine") == REAL.weights_sha256
    assert registry.champion("medcls-mine-xray") == "ee"
    enter(replace(REAL, weights_sha256="worse", value=0.1))
    assert registry.champion("medcls-mine") == registry.champion("medcls-mine-films") == REAL.weights_sha256
    enter(replace(REAL, weights_sha256="scan", value=0.1, data="scans", fingerprint="sha256:5"))
    assert registry.champion("medcls-mine") == "scan"
    enter(REAL)  # the older command again
    assert registry.champion("medcls-mine") == REAL.weights_sha256
    version = registry.client.get_model_version_by_alias("medcls-mine", "champion")
    assert version.description.startswith("told")
    assert version.tags["medcls.kind"] == "files"
    assert registry.client.get_registered_model("medcls-mine").description == version.description


def test_the_champion_of_an_older_store_is_known_by_its_run(tmp_path: Path):
    registry = Registry(tmp_path)
    old = replace(OLD, weights_sha256="old", fingerprint="sha256:7")
    registry.enter("medcls-mine", old, **{"data.kind": "files"})
    for tag in ("study", "data", "kind", "written"):
        registry.client.delete_model_version_tag("medcls-mine", "1", f"medcls.{tag}")
    registry.enter("medcls-mine-xray", DRAWN)
    assert "phantom" in followed(registry.uri, "medcls-mine-xray", "medcls-mine", promote=True).reason
    assert registry.champion("medcls-mine") == "old"

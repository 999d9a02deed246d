"""Registered models whose usual names coincide: each outcome has a model of its own, and is found by its name."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mlflow
import pytest
from export_commands import STUDY, Trained
from model_registry import Registry

from medcls.export.model_names import own_name, study_model
from medcls.export.registered import registered
from medcls.export.registry import followed
from medcls.export.standing import Standing

pytestmark = pytest.mark.filterwarnings("ignore:.*type hint:UserWarning")  # as MLflow imports itself

Draw = Callable[..., Path]
SCORED = Standing("aa", "balanced_accuracy", 0.8, "sha256:1", smoke=False, kind="files", written="2026-11-30T14:17:05Z")


def enter(registry: Registry, study: str, data: str, weights: str) -> tuple[str, str]:
    """Register a study's model and let it lead the study, as the study's command does; return both names."""
    new = replace(SCORED, study=study, data=data, weights_sha256=weights)
    name = own_name(registry.uri, f"{study_model(study)}-{data}", study, data)
    second = own_name(registry.uri, study_model(study), study)
    registry.enter(name, new)
    followed(registry.uri, name, second, promote=False)
    return name, second


def weights(registry: Registry, name: str) -> str:
    """Return the weights of the model that the name of an outcome means."""
    model = registered(registry.uri, name)
    assert model is not None
    return model.standing.weights_sha256


def test_studies_whose_models_would_have_one_name_keep_them_apart(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    assert enter(registry, "a-b", "c", "first") == ("medcls-a-b-c", "medcls-a-b")
    second = enter(registry, "a", "b-c", "second")
    third = enter(registry, "a", "b", "third")  # whose usual name is the first study's own
    assert second[0].startswith("medcls-a-b-c-")
    assert third[0].startswith("medcls-a-b-")
    assert second[1] == third[1] == "medcls-a"
    found = {name: weights(registry, name) for name in ("a-b@c", "a@b-c", "a@b", "a-b")}
    assert found == {"a-b@c": "first", "a@b-c": "second", "a@b": "third", "a-b": "first"}
    for name, of in (("medcls-a-b-c", "first"), ("medcls-a-b", "first"), (second[0], "second"), (third[0], "third")):
        assert registry.champion(name) == of
    assert enter(registry, "a", "b-c", "later")[0] == second[0]
    assert enter(registry, "a-b", "c", "later") == ("medcls-a-b-c", "medcls-a-b")


def test_a_study_finds_its_own_name_taken_by_a_data_set_of_another(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    assert enter(registry, "a", "b", "first") == ("medcls-a-b", "medcls-a")
    name, own = enter(registry, "a-b", "c", "second")
    assert name == "medcls-a-b-c"
    assert own.startswith("medcls-a-b-")
    assert (registry.champion("medcls-a-b"), registry.champion(own)) == ("first", "second")
    model = registered(registry.uri, "a-b")
    assert model is not None
    assert (model.name, model.standing.weights_sha256) == (name, "second")


def test_names_with_quotes_and_wildcards_are_compared_as_they_are(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    for number, study in enumerate(("it's", "it_s", "50%", "50_")):
        assert enter(registry, study, "x", str(number))[0] == f"medcls-{study}-x"


@pytest.mark.slow
def test_the_command_of_a_study_says_which_name_is_not_its_own(tmp_path: Path, draw: Draw) -> None:
    place = Trained(tmp_path)
    draw(place.images, *[f"{kind}/{number}.png" for kind in ("dark", "bright") for number in range(8)])
    said = []
    for study in ("a", "a-images"):
        file = tmp_path / f"{study}.py"
        file.write_text(STUDY.read_text().replace('name="small_study"', f'name="{study}"'))
        ended = replace(place, study=file).run("--set", "learner.epochs=1")
        assert (ended.returncode, ended.stderr) == (0, "")
        said.append(ended.stdout)
    assert "registered as medcls-a@champion and as medcls-a-images@champion.\n" in said[0]
    assert "@champion and as medcls-a-images-images@champion. medcls-a-images holds models of another " in said[1]
    names = {model.name for model in mlflow.MlflowClient(place.store).search_registered_models()}
    assert {"medcls-a", "medcls-a-images", "medcls-a-images-images"} < names
    assert len(names) == 4

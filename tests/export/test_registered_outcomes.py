"""Which registered model the name of an outcome means, in a real registry."""

from dataclasses import replace

import pytest
from registries import Registry

from medcls import BadInputError
from medcls.export.registered import registered
from medcls.export.standing import Standing

pytestmark = pytest.mark.filterwarnings("ignore:.*type hint:UserWarning")  # as MLflow imports itself
STUDY = 'it\'s "mine"@home'


def standing(data: str, minute: int, kind: str = "files", *, smoke: bool = False, study: str = STUDY) -> Standing:
    """Return the standing of a model of a study that ended at a minute; its weights are called by that minute."""
    written = f"2026-11-30T14:{minute:02}:00Z"
    return Standing(str(minute), "dice", 0.5, "sha256:1", smoke, "", study, data, kind, written)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """Return a registry with models of one study on several data sets, and one of a study with a similar name."""
    registry = Registry(tmp_path_factory.mktemp("registry"))
    for new in (
        standing("films", 1),
        standing("films", 2),
        standing("scans", 3),
        standing("scans", 4, smoke=True),
        standing("xray", 5, "phantom"),
        standing("films", 6, study=STUDY.replace("'", "x")),
    ):
        registry.enter(f"medcls-{new.study}-{new.data}", new)
    return registry


@pytest.mark.parametrize(
    ("name", "weights"),
    [(STUDY, "3"), (f"{STUDY}@films", "2"), (f"{STUDY}@scans", "3"), (f"{STUDY}@xray", "5")],
)
def test_real_data_come_first_then_whole_runs_then_the_latest(registry: Registry, name: str, weights: str):
    model = registered(registry.uri, name)
    assert model is not None
    assert model.standing.weights_sha256 == weights
    assert model.sentence.startswith(f"{STUDY}@{model.standing.data} of 2026-1")


def test_it_is_said_where_the_newest_is_not_the_champion(registry: Registry):
    model = registered(registry.uri, f"{STUDY}@films")
    assert model is not None
    assert (model.version, model.champion) == ("2", "1")  # the second is no better
    assert "the champion is version 1" in model.sentence


def test_a_name_that_nothing_has_means_nothing(registry: Registry):
    for name in ("mine", f"{STUDY}@bone", f"{STUDY}@", "@films"):
        assert registered(registry.uri, name) is None


def test_a_study_that_ended_on_two_data_sets_at_once_must_be_asked_for_one(registry: Registry):
    for data in ("skin", "bone"):
        new = replace(standing(data, 7, study="two"), weights_sha256=data)
        registry.enter(f"medcls-two-{data}", new)
    with pytest.raises(BadInputError, match="two@bone or two@skin"):
        registered(registry.uri, "two")
    model = registered(registry.uri, "two@skin")
    assert model is not None
    assert model.uri == "models:/medcls-two-skin/1"

"""A built-in name beside a folder or a file of that name: never the one where the other may have been meant."""

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from medcls import BadInputError, Study, Variant, data, models, training
from medcls.data.phantoms import PHANTOMS
from medcls.data.resolve import find, name_of
from medcls.data.segmentation_sets import any_kind
from medcls.execution.planning.sources import called, data_name, with_sources
from medcls.spec.run import Run
from medcls.spec.study import GivenData
from medcls.tasks import MULTICLASS

Draw = Callable[..., Path]
TINY = Path(__file__).parent.parent / "cli" / "tiny_study.py"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working directory, empty, of a user who has no data sets elsewhere."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MEDCLS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


@pytest.fixture
def hashes(tmp_path: Path) -> data.Hashes:
    return data.Hashes(tmp_path / "hashes")


@pytest.mark.parametrize("name", [*PHANTOMS, "mnist", "toy2d", "medmnist:pathmnist"])
@pytest.mark.parametrize("kind", ["folder", "file"])
def test_a_name_of_two_things_is_refused_and_both_are_told(name: str, kind: str, here: Path) -> None:
    (here / name).mkdir() if kind == "folder" else (here / name).touch()
    with pytest.raises(BadInputError) as refusal:
        find(name)
    assert f"{name} is a {kind} here" in str(refusal.value)
    assert f"./{name} " in str(refusal.value)
    assert f"builtin:{name} " in str(refusal.value)


def test_the_folder_and_the_built_in_set_are_both_to_be_had(hashes: data.Hashes, here: Path, draw: Draw) -> None:
    draw(here / "xray", "normal/a.png", "ill/b.png")
    folder, phantom = data.folder(hashes, source="./xray"), data.folder(hashes, source="builtin:xray")
    assert (folder.kind, folder.classes, folder.source) == ("files", ("ill", "normal"), str(here / "xray"))
    assert (phantom.kind, phantom.name, phantom.source, len(phantom.labels)) == ("phantom", "xray", "xray", 1350)
    for source in ("xray/", str(here / "xray")):
        assert data.folder(hashes, source=source).fingerprint == folder.fingerprint


@pytest.mark.parametrize(
    "read",
    [data.xray, partial(data.folder, source="xray"), partial(any_kind, source="xray")],
    ids=["own", "any", "seen"],
)
def test_a_studys_own_source_is_refused_as_well(read: Callable[..., object], hashes: data.Hashes, here: Path) -> None:
    (here / "xray").mkdir()
    with pytest.raises(BadInputError, match="xray is a folder here and a built-in name"):
        read(hashes)


def test_functions_that_know_a_name_know_it_with_the_prefix(hashes: data.Hashes, here: Path) -> None:
    for name in ("bone", "mnist", "toy2d", "lungs"):
        (here / name).mkdir()
    letters = [data.bone(hashes, source="builtin:bone"), data.bone_unlettered(hashes, source="builtin:bone")]
    assert letters[0].fingerprint != letters[1].fingerprint
    assert data.mnist(hashes, source="builtin:mnist").kind == "toolkit"
    assert data.toy2d(hashes, source="builtin:toy2d").size == 0
    assert data.lungs(hashes, source="builtin:lungs").masks is not None
    for read in (data.bone_unlettered, data.mnist, data.toy2d, data.lungs):
        with pytest.raises(BadInputError, match="is a folder here"):
            read(hashes)


@pytest.mark.parametrize("name", ["xray", "mnist"])
def test_the_folder_that_a_name_stands_for_is_no_other(name: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / name).mkdir()
    (here / name / "mnist.npz").touch()
    monkeypatch.setenv("MEDCLS_DATA", str(here))
    there = here / name / ("mnist.npz" if name == "mnist" else "")
    assert find(name) == find(f"builtin:{name}") == there
    (here / "elsewhere").mkdir()
    (here / "elsewhere" / name).symlink_to(here / name)
    monkeypatch.chdir(here / "elsewhere")
    assert find(name) == there
    (here / "elsewhere" / name).unlink()
    (here / "elsewhere" / name).mkdir()
    with pytest.raises(BadInputError, match="is a folder here"):
        find(name)


def test_an_unfinished_download_where_one_works_is_no_data_set(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "mnist").mkdir()
    (here / "mnist" / "mnist.npz.part").touch()
    monkeypatch.setenv("MEDCLS_DATA", str(here))
    with pytest.raises(BadInputError, match="medcls data fetch mnist"):
        find("mnist")


def test_the_prefix_names_nothing_else(here: Path) -> None:
    (here / "mine").mkdir()
    for source in ("builtin:mine", "builtin:", "builtin:./xray"):
        with pytest.raises(BadInputError, match=r"no built-in data set .*xray.*mnist"):
            find(source)
    with pytest.raises(BadInputError, match="Nothing is published"):
        find("builtin:medmnist:pathmnis")
    assert [name_of(f"builtin:{name}") for name in ("skin", "medmnist:pathmnist")] == ["skin", "pathmnist"]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (".", "here"),
        ("./", "here"),
        ("./labels.csv", "here"),
        ("labels.csv", "here"),
        ("scans", "scans"),
        ("scans/.", "scans"),
        ("scans/..", "here"),
        ("..", "cohort 1"),
        ("../labels.csv", "cohort 1"),
        ("linked/..", "archive"),
        ("~", "reader"),
        ("~/scans", "scans"),
    ],
)
def test_a_path_is_called_by_the_folder_that_it_leads_to(
    source: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "cohort 1" / "here"
    for folder in (here / "scans", tmp_path / "archive" / "2020", tmp_path / "reader"):
        folder.mkdir(parents=True)
    (here / "linked").symlink_to(tmp_path / "archive" / "2020")
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(tmp_path / "reader"))
    assert name_of(source) == name


@pytest.mark.parametrize("source", [".", "./.", "scans/.."])
def test_a_study_in_the_folder_of_its_images_calls_them_by_that_folder(source: str, here: Path) -> None:
    (here / "scans").mkdir()
    learner = partial(training.gradient, model=partial(models.mlp), epochs=1)
    variant = Variant(data=data.skin, learner=learner, task=MULTICLASS)
    given, ((_, replaced),) = with_sources(Study("mine", "?", {"plain": variant}), {"": source})
    assert called(replaced, given.given_data) == GivenData("here", "skin")
    own = Variant(data=partial(data.folder, source=source), learner=learner, task=MULTICLASS)
    assert data_name(own) == "here"


def test_the_prefix_is_no_part_of_a_run() -> None:
    learner = partial(training.gradient, model=partial(models.mlp), epochs=1)
    plain, told = (
        Variant(data=partial(data.folder, source=source), learner=learner, task=MULTICLASS)
        for source in ("xray", "builtin:xray")
    )
    assert plain.parameters() == told.parameters()
    assert plain.parameters()["data.source"] == "xray"
    assert Run(plain, "sha256:0").key == Run(told, "sha256:0").key
    assert Run(told, "sha256:0").parameters()["data.source"] == "xray"


def test_plan_and_check_say_it_before_anything_is_written(here: Path, tmp_path: Path, draw: Draw) -> None:
    draw(here / "xray", "a/1.png", "b/2.png")
    places = ["--work-dir", str(tmp_path / "work")]
    medcls = [sys.executable, "-m", "medcls", "data"]
    preview = [*medcls, "preview", "xray", "--out", str(tmp_path / "p.png")]
    for command in ([sys.executable, str(TINY), "--plan"], [*medcls, "check", "xray"], preview):
        data_flag = ["--data", "xray"] if "--plan" in command else []
        ended = subprocess.run([*command, *places, *data_flag], capture_output=True, text=True, env=os.environ)
        assert ended.returncode == 2, ended.stdout
        assert "xray is a folder here and a built-in name" in ended.stderr
        assert ended.stderr.count("\n") == 1
    assert not (tmp_path / "p.png").exists()

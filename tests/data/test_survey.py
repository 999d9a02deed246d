"""Every image is looked at once; what is known is known by content, whatever the files are called."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from medcls import data
from medcls.data.dataset import DatasetSpec
from medcls.data.phantoms.writing import made
from medcls.data.quality.duplicates import LEAST_SIDE
from medcls.data.quality.scan import Survey, linked, survey


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of different images, a turned and a mirrored copy, an identical file and a bad one."""
    folder = tmp_path_factory.mktemp("made") / "own"
    phantom = made("xray", seed=3, count=18)
    for row in range(18):
        place = folder / "AB"[row % 2] / f"{row}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(phantom.render(row)).save(place)
    Image.open(folder / "A/0.png").rotate(20, Image.Resampling.BICUBIC).save(folder / "A/turned.png")
    ImageOps.mirror(Image.open(folder / "B/3.png")).save(folder / "B/mirrored.jpg")
    shutil.copy(folder / "B/5.png", folder / "B/again.png")
    (folder / "A/bad.png").write_text("no image")
    return folder


def read(folder: Path, work: Path) -> DatasetSpec:
    return data.folder(data.Hashes(work / "hashes.sqlite"), source=str(folder))


def groups(bundle: DatasetSpec, seen: Survey) -> set[frozenset[str]]:
    """Return the groups of copies, by names."""
    found = (frozenset(bundle.names[row] for row in np.flatnonzero(seen.copies == group)) for group in set(seen.copies))
    return {group for group in found if len(group) > 1}


COPIES = {
    frozenset({"A/0.png", "A/turned.png"}),
    frozenset({"B/3.png", "B/mirrored.jpg"}),
    frozenset({"B/5.png", "B/again.png"}),
}


def undrawable(*_: int) -> None:
    raise AssertionError("an image was looked at again")


def test_it_finds_copies_and_bad_files(made_up: Path, tmp_path: Path) -> None:
    bundle = read(made_up, tmp_path)
    told: list[str] = []
    seen = survey(bundle, tmp_path, lambda what, done, total: told.append(what) if 0 <= done <= total else None)
    assert groups(bundle, seen) == COPIES
    assert {name for name, fault in zip(bundle.names, seen.faults, strict=True) if fault} == {"A/bad.png"}
    assert set(told) == {"looking at images", "comparing images"}


def test_a_second_look_looks_at_nothing(made_up: Path, tmp_path: Path) -> None:
    bundle = read(made_up, tmp_path)
    first = survey(bundle, tmp_path)
    again = survey(replace(bundle, render=undrawable, stored=undrawable), tmp_path)  # type: ignore[arg-type]
    assert (again.faults, again.stored) == (first.faults, first.stored)
    assert np.array_equal(again.copies, first.copies)


def test_only_new_images_are_looked_at(made_up: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(made_up, tmp_path / "own")
    survey(read(folder, tmp_path), tmp_path)
    Image.open(folder / "B/7.png").rotate(-35).save(folder / "B/new.png")
    bundle, drawn = read(folder, tmp_path), []

    def render(row: int, size: int, channels: int):
        drawn.append(bundle.names[row])
        return bundle.render(row, size, channels)

    seen = survey(replace(bundle, render=render), tmp_path)
    assert drawn == ["B/new.png"]
    assert groups(bundle, seen) == COPIES | {frozenset({"B/7.png", "B/new.png"})}


def test_it_does_not_depend_on_the_names_of_files(made_up: Path, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    renamed = {}
    for number, path in enumerate(sorted(made_up.rglob("*.*"), reverse=True)):
        name = f"{path.parent.name}/{number:03}{path.suffix}"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / name)
        renamed[path.relative_to(made_up).as_posix()] = name
    bundle = read(folder, tmp_path / "work")
    assert groups(bundle, survey(bundle, tmp_path / "work")) == {
        frozenset(renamed[name] for name in group) for group in COPIES
    }


@pytest.mark.parametrize("spoil", [lambda file: file.write_bytes(b"damaged " * 99), lambda file: file.chmod(0o400)])
def test_a_store_that_is_of_no_use_costs_time_only(
    made_up: Path, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    bundle = read(made_up, tmp_path)
    survey(replace(bundle, contents=bundle.contents[:3], names=bundle.names[:3]), tmp_path)
    spoil(tmp_path / "survey.sqlite")
    assert groups(bundle, survey(bundle, tmp_path)) == COPIES
    assert groups(bundle, survey(bundle, tmp_path)) == COPIES


def test_of_small_images_only_identical_files_are_copies(tmp_path: Path) -> None:
    phantom = made("xray", seed=3, count=18)
    for side in (LEAST_SIDE - 1, LEAST_SIDE):
        folder = tmp_path / str(side)
        for row in range(9):
            (folder / "AB"[row % 2]).mkdir(parents=True, exist_ok=True)
            image = Image.fromarray(phantom.render(row)).resize((side, 80))
            image.save(folder / "AB"[row % 2] / f"{row}.png")
        ImageOps.mirror(image).save(folder / "A/mirrored.png")
        shutil.copy(folder / "B/1.png", folder / "B/again.png")
        bundle = read(folder, tmp_path)
        identical = {frozenset({"B/1.png", "B/again.png"})}
        mirrored = {frozenset({"A/8.png", "A/mirrored.png"})} if side == LEAST_SIDE else set()
        assert groups(bundle, survey(bundle, tmp_path)) == identical | mirrored


def test_chains_of_links_make_one_group() -> None:
    numbers = linked(["c", "a", "b", "", "", "a", "d"], [("a", "b"), ("c", "b")])
    assert len({numbers[row] for row in (0, 1, 2, 5)}) == 1
    assert len(set(numbers.tolist())) == 4

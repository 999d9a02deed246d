"""`medcls data make`: what is written is what is read back, whole or not at all."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from medcls import BadInputError, data
from medcls.data.phantoms import PHANTOMS
from medcls.data.phantoms.writing import made, paths, write

LAYOUTS = {
    "skin": "train/Mel/0001.png",
    "bone": "train/AFF/0001.png",
    "xray": "train/C1_0001.png",
    "lungs": "train/images/0001.png",
    "nodules": "train/images/0001.png",
    "glands": "Train/image_01.png",
    "breast": "images/0001.png",
}
CLASSIFIED = [name for name in PHANTOMS if PHANTOMS[name]().classes]


def medcls(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "medcls", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=900)


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", PHANTOMS)
def test_every_image_and_mask_is_written_where_the_real_set_has_it(name: str, tmp_path: Path) -> None:
    phantom = made(name, count=20)
    seen = []
    write(phantom, tmp_path / "made", lambda done, total: seen.append((done, total)))
    assert seen == [(number, 20) for number in range(1, 21)]
    assert paths(phantom)[0] == LAYOUTS[name]
    for row in (0, 7, 19):
        place = paths(phantom)[row]
        np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "made" / place)), phantom.render(row))
        for mask, render in phantom.masks.items():
            written = np.asarray(Image.open(tmp_path / "made" / phantom.mask_file(place, mask)))
            np.testing.assert_array_equal(written, render(row))
    tables = 1 + (phantom.patients is not None)
    assert len(files(tmp_path / "made")) == 20 * (1 + len(phantom.masks)) + tables
    assert "No image in this folder is real" in (tmp_path / "made" / "README.txt").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


@pytest.mark.parametrize("name", CLASSIFIED)
def test_what_is_read_back_has_the_same_labels_parts_patients_and_pixels(name: str, tmp_path: Path) -> None:
    phantom = made(name, seed=3, count=40)
    write(phantom, tmp_path / name)
    bundle = data.folder(
        data.Hashes(tmp_path / "hashes"), source=str(tmp_path / name), size=phantom.shape[0], channels=3
    )
    assert bundle.classes == phantom.classes
    assert len(bundle.labels) == 40
    rows = {place: row for row, place in enumerate(paths(phantom))}
    for read, place in enumerate(bundle.names):
        row = rows[place]
        assert bundle.labels[read] == phantom.labels[row]
        assert bundle.parts[read] == phantom.parts[row]
        if phantom.patients is not None:
            assert bundle.patients is not None
            assert bundle.patients[read] == phantom.patients[row]
    for read in (0, 11, 39):
        pixels = bundle.render(read, phantom.shape[0], 3)
        drawn = phantom.render(rows[bundle.names[read]]).reshape(*phantom.shape[:2], -1)
        np.testing.assert_array_equal(pixels, np.broadcast_to(drawn, pixels.shape))


@settings(max_examples=15)
@given(name=st.sampled_from(sorted(PHANTOMS)), count=st.integers(18, 20_000), seed=st.integers(0, 3))
def test_a_count_is_kept_exactly_and_every_part_has_every_class(name: str, count: int, seed: int) -> None:
    usual, phantom = PHANTOMS[name](), made(name, seed=seed, count=count)
    assert len(phantom.parts) == count
    for part in np.unique(usual.parts):
        for label in np.unique(usual.labels):
            cell = (usual.parts == part) & (usual.labels == label)
            got = int(np.sum((phantom.parts == part) & (phantom.labels == label)))
            assert got >= 1
            assert abs(got - cell.mean() * count) <= max(0.02 * count, 18)


def test_the_command_writes_the_folder_and_says_that_it_is_not_real(tmp_path: Path) -> None:
    done = medcls("data", "make", "breast", tmp_path / "a" / "b", "--count", "12", "--seed", "4")
    assert done.returncode == 0, done.stderr
    assert "12 synthetic images of breast" in done.stdout
    with (tmp_path / "a" / "b" / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["path", "label", "patient"]
    assert [row["path"] for row in rows] == paths(made("breast", seed=4, count=12))
    checked = medcls("data", "check", tmp_path / "a" / "b", "--work-dir", tmp_path / "runs")
    assert checked.returncode == 0, checked.stderr
    assert "labels.csv with patients" in checked.stdout


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["heart", "DIR"], "'heart': give skin, bone"),
        (["skin", "DIR", "--count", "3"], "--count 3"),
        (["xray", "DIR", "--count", "17"], "at least 18"),
        (["skin", "DIR", "--seed", "-1"], "--seed -1"),
        (["skin", "DIR", "--count", "many"], "--count"),
        (["skin", "FULL"], "full is there and not empty"),
        (["skin", "FILE"], "file is there and not empty"),
        (["skin", "FILE/below"], "file/below cannot be written"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(arguments: list[str], named: str, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    before = files(tmp_path)
    places = {"DIR": "new", "FULL": "full", "FILE": "file", "FILE/below": "file/below"}
    done = medcls("data", "make", *(str(tmp_path / places[each]) if each in places else each for each in arguments))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert named in done.stderr
    assert files(tmp_path) == before
    assert not (tmp_path / "new").exists()


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write(made("glands", count=2), tmp_path / "empty")
    assert len(files(tmp_path / "empty")) == 5


def test_what_cannot_be_finished_leaves_nothing(tmp_path: Path) -> None:
    def full(done: int, total: int) -> None:
        raise OSError(28, os.strerror(28))

    with pytest.raises(BadInputError, match="No space left"):
        write(made("breast", count=30), tmp_path / "made", full)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_make_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "medcls", "data", "make", "bone", str(tmp_path / "made")]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while running.poll() is None and not list(tmp_path.rglob("0003.png")):
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    assert running.wait(300) == 130
    assert running.stderr is not None
    assert running.stderr.read() == ""
    running.stderr.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["lungs", "nodules", "glands"])
def test_masks_without_classes_are_refused_for_classification(name: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("MEDCLS_DATA", raising=False)
    with pytest.raises(BadInputError, match=f"{name} holds images with masks and no classes"):
        data.folder(data.Hashes(tmp_path / "hashes"), source=name)
    write(made(name, count=4), tmp_path / name)
    with pytest.raises(BadInputError, match="holds images with masks and no classes"):
        data.folder(data.Hashes(tmp_path / "hashes"), source=str(tmp_path / name))


@pytest.mark.parametrize(
    ("load", "name", "shape"),
    [(data.skin, "skin", (128, 128, 1)), (data.bone, "bone", (128, 128, 1)), (data.breast, "breast", (50, 50, 3))],
)
def test_the_courses_data_functions_draw_their_phantoms(load, name: str, shape: tuple, tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("MEDCLS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    bundle, phantom = load(data.Hashes(tmp_path / "hashes")), PHANTOMS[name]()
    assert (bundle.kind, bundle.name, bundle.source, bundle.classes) == ("phantom", name, name, phantom.classes)
    assert (bundle.size, bundle.channels) == (shape[0], shape[2])
    assert (bundle.patients is None) == (phantom.patients is None)
    assert bundle.render(2, bundle.size, bundle.channels).shape == shape

"""What lies in a data set's folders and is no image: counted in one line; empty folders of classes: named."""

from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from PIL import Image

from medcls import data
from medcls.data.checks import examine
from medcls.data.finding import Finding


def draw(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(crc32(path.name.encode())).integers(0, 256, (8, 8), np.uint8)).save(path)


def put(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"something else")


def found(source: Path) -> dict[str, Finding]:
    return {finding.kind: finding for finding in examine(str(source), data.Hashes(source.parent / "h")).findings}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for part in ("train", "test"):
        for label in "ab":
            for number in range(4):
                draw(tmp_path / "set" / part / label / f"{part}{label}{number}.png")
    return tmp_path / "set"


def test_other_files_are_counted_by_suffix_in_one_line(source: Path) -> None:
    others = ["train/a/x.png.bak", "train/a/y.BAK", "train/b/deep/z.raw", "test/a/notes.txt", "test/b/IMAGE", "odd.zip"]
    for name in others:
        put(source / name)
    note = found(source)["passed_over"]
    assert note.word == "note"
    assert note.sentence.startswith("6 files are of no kind that is read: .bak 2, ")
    for kind in (".raw 1", ".txt 1", ".zip 1", "without a suffix 1"):
        assert kind in note.sentence
    assert "\n" not in note.sentence


def test_a_folder_beside_the_sets_is_named(source: Path) -> None:
    for name in ("extra/0.png", "extra/c/1.png", "bone_masks/train/a/0.png"):
        draw(source / name)
    note = found(source)["unused_folders"]
    assert (note.word, note.names) == ("note", ("extra",))
    assert "extra (2)" in note.sentence


def test_one_file_of_another_kind(source: Path) -> None:
    put(source / "test/a/1.mat")
    assert found(source)["passed_over"].sentence == "1 file is of no kind that is read: .mat 1 (e.g. test/a/1.mat)."


def test_what_usually_lies_beside_a_data_set_is_not_said(source: Path) -> None:
    for name in ("README.md", "LICENSE", "labels.txt", "train/metadata.csv", "Thumbs.db", "train/a/.DS_Store"):
        put(source / name)
    put(source / "train/a/Thumbs.db")
    assert not found(source)


@pytest.mark.parametrize("inside", ["", "x.bak", "deeper/still/x.bak"])
def test_a_folder_of_a_class_without_images_is_named(source: Path, inside: str) -> None:
    (source / "train/c").mkdir()
    if inside:
        put(source / "train/c" / inside)
    finding = found(source)["empty_folders"]
    assert finding.word == "warning"
    assert finding.names == ("train/c",)
    assert "1 folder holds no image and counts as no class: train/c" in finding.sentence


def test_several_of_them_where_nothing_is_split(tmp_path: Path) -> None:
    for name in ("a/0.png", "a/1.png", "b/2.png", "b/3.png"):
        draw(tmp_path / "set" / name)
    for name in "cd":
        (tmp_path / "set" / name).mkdir()
    finding = found(tmp_path / "set")["empty_folders"]
    assert "2 folders hold no image and count as no class: c, d" in finding.sentence


def test_a_class_that_another_part_has_is_said_once(source: Path) -> None:
    for number in range(4):
        draw(source / "train/c" / f"{number}c.png")
    (source / "test/c").mkdir()
    assert "class_missing" in found(source)
    assert "empty_folders" not in found(source)


def test_folders_beside_images_that_are_labelled_by_name(tmp_path: Path) -> None:
    for name in ("A_0.png", "A_1.png", "B_0.png", "B_1.png"):
        draw(tmp_path / "set" / name)
    (tmp_path / "set/notes").mkdir()
    assert not found(tmp_path / "set")


def test_images_with_masks(tmp_path: Path) -> None:
    for number in range(4):
        draw(tmp_path / f"set/images/{number}.png")
        mask = np.kron(np.roll(np.eye(2), number, axis=0), np.full((4, 4), 255)).astype(np.uint8)
        (tmp_path / "set/masks").mkdir(exist_ok=True)
        Image.fromarray(mask).save(tmp_path / f"set/masks/{number}.png")
    put(tmp_path / "set/masks/0.roi")
    put(tmp_path / "set/scans/0.nii")
    assert "2 files are of no kind that is read: .nii 1, .roi 1" in found(tmp_path / "set")["passed_over"].sentence

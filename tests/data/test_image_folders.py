"""Folders of images -> a Bundle: layouts, order, what is passed over and what is refused."""

import os
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from medcls import BadInputError, data
from medcls.data.dataset import TEST, TRAIN, UNSPLIT, VALIDATION, DatasetSpec
from medcls.data.readers.records import Record, ordered

Draw = Callable[..., Path]
SPLIT = ("train/Mel/a.png", "train/Nev/b.png", "validation/Mel/c.png", "validation/Nev/d.png")


@pytest.fixture
def describe(tmp_path: Path) -> Callable[..., DatasetSpec]:
    """Return a function from a source to its Bundle."""
    return lambda source, **keywords: data.folder(data.Hashes(tmp_path / "hashes"), source=str(source), **keywords)


def rows(bundle: DatasetSpec) -> list[tuple[str, str, str]]:
    """Return each image's name, class and part."""
    named = (bundle.classes[label] for label in bundle.labels)
    return list(zip(bundle.names, named, bundle.parts.tolist(), strict=True))


LAYOUTS = {
    "train and validation": (SPLIT, [("Mel", TRAIN), ("Nev", TRAIN), ("Mel", VALIDATION), ("Nev", VALIDATION)]),
    "val and test": (
        ("train/A/a.png", "train/B/b.png", "val/A/c.png", "test/B/d.png"),
        [("A", TRAIN), ("B", TRAIN), ("A", VALIDATION), ("B", TEST)],
    ),
    "any case": (
        ("Train/A/a.PNG", "Train/B/b.JpEg", "VALID/A/c.JPG", "tEsT/B/d.Png"),
        [("A", TRAIN), ("B", TRAIN), ("A", VALIDATION), ("B", TEST)],
    ),
    "train alone": (("train/A/a.png", "train/B/b.png"), [("A", TRAIN), ("B", TRAIN)]),
    "classes alone": (("A/a.png", "B/b.jpg", "B/c.jpeg"), [("A", UNSPLIT), ("B", UNSPLIT), ("B", UNSPLIT)]),
    "labels in names": (
        ("train/C1_1.png", "train/C4_4662.jpg", "test/C4_2_1.png"),
        [("C1", TRAIN), ("C4", TRAIN), ("C4", TEST)],
    ),
    "labels in names alone": (("C1_1.png", "C4_4662.jpg"), [("C1", UNSPLIT), ("C4", UNSPLIT)]),
    "deeper folders": (
        ("A/patient 1/left/a.png", "A/b.png", "B/patient 2/c.png"),
        [("A", UNSPLIT), ("A", UNSPLIT), ("B", UNSPLIT)],
    ),
    "blanks and accents": (("Os fémur/été à la mer.png", "Nævus/ñ.png"), [("Os fémur", UNSPLIT), ("Nævus", UNSPLIT)]),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_says_class_and_part(layout: str, tmp_path: Path, draw: Draw, describe: Callable) -> None:
    names, expected = LAYOUTS[layout]
    source = draw(tmp_path / "source", *names)
    wanted = [(name, *rest) for name, rest in zip(names, expected, strict=True)]
    bundle = describe(source)
    assert rows(bundle) == sorted(wanted, key=lambda row: (row[2], row[1], row[0]))
    assert bundle.classes == tuple(sorted({label for label, _ in expected}))
    assert (bundle.kind, bundle.source, bundle.name, bundle.patients) == ("files", str(source), "source", None)
    for row, name in enumerate(bundle.names):
        with Image.open(source / name) as image:
            expected_pixels = np.asarray(image.resize((64, 64), Image.Resampling.BILINEAR))
        np.testing.assert_array_equal(bundle.decode(row)[:, :, 0], expected_pixels)


@given(st.permutations(["train/A/2", "train/A/10", "train/B/1", "test/A/1", "test/B/x/1", "test/B/0"]))
def test_the_order_in_which_a_file_system_lists_files_does_not_matter(names: list[str]) -> None:
    records = [Record(Path(name), name, name.split("/")[1], name.split("/")[0]) for name in names]
    expected = ["test/A/1", "test/B/0", "test/B/x/1", "train/A/10", "train/A/2", "train/B/1"]
    assert [record.name for record in ordered(Path("source"), records)] == expected


def test_what_is_no_image_is_passed_over(tmp_path: Path, draw: Draw, describe: Callable) -> None:
    source = draw(tmp_path / "source", *SPLIT, "train/Mel/.hidden.png", "train/.git/x.png", "__MACOSX/train/x.png")
    for litter in ("train/Thumbs.db", "train/Mel/.DS_Store", "validation/notes.txt", "README.md"):
        (source / litter).write_text("x")
    (source / "train" / "empty").mkdir()
    assert [name for name, *_ in rows(describe(source))] == list(SPLIT)


def test_links_are_followed_but_not_in_circles(tmp_path: Path, draw: Draw, describe: Callable) -> None:
    draw(tmp_path / "elsewhere", "a.png", "b.png")
    source = draw(tmp_path / "source", "Nev/c.png")
    (source / "Mel").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (source / "Nev" / "up").symlink_to(source / "Nev", target_is_directory=True)
    (source / "Nev" / "d.png").symlink_to(tmp_path / "elsewhere" / "a.png")
    assert sorted(name for name, *_ in rows(describe(source))) == ["Mel/a.png", "Mel/b.png", "Nev/c.png", "Nev/d.png"]


def test_a_class_is_the_same_however_its_accents_are_written(tmp_path: Path, draw: Draw, describe: Callable) -> None:
    parts = {"train": "NFC", "validation": "NFD"}
    names = [f"{part}/{unicodedata.normalize(form, label)}/a.png" for part, form in parts.items() for label in "éü"]
    assert describe(draw(tmp_path / "source", *names)).classes == ("é", "ü")


REFUSED = {
    "nothing in it": ((), "no PNG, JPEG, BMP, TIFF, PGM, PPM, TGA or DICOM image"),
    "one class": (("train/Mel/a.png", "validation/Mel/b.png"), "one class only \\(Mel\\)"),
    "train lacks a class": ((*SPLIT[:1], *SPLIT[2:]), "no image of Nev to train on \\(1 in validation\\)"),
    "no train": (SPLIT[2:], "no image of Mel to train on"),
    "no label in a name": (("train/C1_1.png", "train/C2_1.png", "test/17.png"), "17.png .* begin with a label"),
    "images beside folders": ((*SPLIT, "train/stray.png"), "stray.png.* folder of its class"),
    "masks": (("train/images/a.png", "train/masks/a.png"), "images with masks"),
    "masks beside": (("Train/image_01.png", "Train/label_01.png"), "images with masks"),
    "a folder too high": (("skin/train/A/a.png", "skin/train/B/b.png", "bone/C/c.png"), "skin .*give this folder"),
    "a part twice": ((*SPLIT, "val/Mel/e.png"), "both val and validation"),
    "classes by case": (("Mel/a.png", "Nev/b.png", "mel /c.png"), "classes .*'Mel' and 'mel'"),
    "classes by case in parts": ((*SPLIT, "test/mel/e.png"), "classes .*'Mel' and 'mel'"),
    "classes by case in names": (("c1_1.png", "C1_2.png", "C2_1.png"), "classes .*'C1' and 'c1'"),
    "other images": ((*SPLIT, "train/Mel/x.gif", "train/Mel/y.nii"), "x.gif .*1 more.* is not a PNG"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_what_fits_no_layout_is_refused_in_one_sentence(
    fault: str, tmp_path: Path, draw: Draw, describe: Callable
) -> None:
    names, message = REFUSED[fault]
    (tmp_path / "source").mkdir()
    with pytest.raises(BadInputError, match=message) as refusal:
        describe(draw(tmp_path / "source", *names))
    assert str(tmp_path / "source") in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_folder_that_may_not_be_read_is_refused() -> None:
    code = """
import os, pathlib, sys
from medcls import data
from medcls import data
from medcls import BadInputError
if hasattr(os, "geteuid") and os.geteuid() == 0:
    os.setuid(65534)  # the permissions do not bind root
root = pathlib.Path(sys.argv[1])
for source in (root / "locked", root / "inside", root / "locked" / "below"):
    try:
        data.folder(data.Hashes(root / "hashes"), source=str(source))
    except BadInputError as error:
        print(error)
"""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        for folder in ("locked/below", "inside/Mel", "inside/Nev"):
            (root / folder).mkdir(parents=True)
        locked = (root / "locked", root / "inside" / "Mel")
        for folder in locked:
            folder.chmod(0)
        done = subprocess.run([sys.executable, "-c", code, name], capture_output=True, text=True, check=True)
        for folder in locked:
            folder.chmod(0o755)
    top, inside, below = done.stdout.splitlines()
    assert f"{root / 'locked'} may not be read" in top
    assert f"{root / 'inside' / 'Mel'} may not be read" in inside
    assert "no data set or folder" in below


COUNTS = {  # train and validation, or all, by class; then patients
    "skin": ([296, 235], [74, 59], None),
    "bone": ([556, 556], [48, 48], None),
    "bone_knee": ([450, 450], [133, 133], None),
    "chest_covid": ([100, 400, 400], [24, 100, 100], None),
    "chest_pneumonia": ([450, 1200], None, 1207),
    "breast": ([800, 1600], None, 265),
}


@pytest.mark.skipif("MEDCLS_TEST_DATA" not in os.environ, reason="needs real images in MEDCLS_TEST_DATA")
@pytest.mark.parametrize("name", COUNTS)
def test_real_data_sets_are_read_completely(name: str, describe: Callable) -> None:
    train, validation, patients = COUNTS[name]
    bundle = describe(Path(os.environ["MEDCLS_TEST_DATA"]) / name, size=32, channels=3)
    first = TRAIN if validation else UNSPLIT
    assert np.bincount(bundle.labels[bundle.parts == first]).tolist() == train
    assert np.bincount(bundle.labels[bundle.parts == VALIDATION]).tolist() == (validation or [])
    assert (None if bundle.patients is None else len(set(bundle.patients))) == patients
    assert bundle.decode(len(bundle.names) - 1).std() > 0

"""Forty kinds of bad input and more: what a user has, what is typed, and what comes of it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from bad_files import (
    Make,
    blank,
    classes,
    counted,
    dicom,
    half,
    idx,
    keras_mnist,
    medmnist,
    nothing,
    picture,
    pixels,
    table,
    with_file,
    words,
)
from PIL import Image

CHECK = "medcls data check @data"
SMOKE = "tiny_study --smoke --offline --data @data"
ONE_RUN = "tiny_study --only narrow --seeds 0 --data @data"
PLAN = "bonus_resnet --plan --data @data"
FOLDS = "bonus_resnet --data @data --folds 5"
MULTI = np.zeros((20, 14), np.int64)
OBJECTS = np.array(["a", 1] * 10, object)
LINE = "{path},{label}"


@dataclass(frozen=True)
class Case:
    """One kind of bad input.

    Attributes:
        name: what is bad.
        make: makes the data in an empty folder.
        words: what the one sentence on standard error must say; or standard output, if the input is good after all.
        command: what is typed; @data stands for the folder, @here for the one that it lies in.
        code: the exit code.
        environment: what is set, or with "" unset.
    """

    name: str
    make: Make
    words: tuple[str, ...]
    command: str = CHECK
    code: int = 2
    environment: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def bad(name: str, make: Make, *said: str, command: str = CHECK, **environment: str) -> Case:
    return Case(name, make, said, command, environment=environment)


def good(name: str, make: Make, *said: str, command: str = CHECK, **environment: str) -> Case:
    return Case(name, make, said, command, code=0, environment=environment)


def empty(folder: Path) -> None:
    """Leave the folder as it is."""


def file_instead(folder: Path) -> None:
    folder.rmdir()
    folder.write_text("not a folder")


def no_folder(folder: Path) -> None:
    folder.rmdir()


def link_to_nowhere(folder: Path) -> None:
    (classes(folder) / "a" / "link.png").symlink_to(folder / "nowhere.png")


def link_to_itself(folder: Path) -> None:
    (classes(folder) / "a" / "link.png").symlink_to("link.png")


def without_training(folder: Path) -> None:
    classes(folder / "train", a=6, b=6)
    classes(folder / "test", a=6, b=6, rare=6)


def parts_twice(folder: Path) -> None:
    for part in ("val", "validation"):
        classes(folder / part)


def masks(folder: Path) -> None:
    classes(folder, images=3, masks=3)


def several_bad(folder: Path) -> None:
    """One empty, one of words, one cut: all are to be named."""
    classes(folder)
    for name, spoil in (("a/0.png", nothing), ("a/1.png", words), ("b/2.png", half)):
        (folder / name).write_bytes(spoil((folder / name).read_bytes()))


def odd(folder: Path) -> None:
    """Sizes and kinds that are seldom seen, but are images."""
    classes(folder)
    kinds = {
        "one.png": ("L", 1, 1),
        "wide.png": ("L", 20_000, 3),
        "high.bmp": ("RGB", 1, 5000),
        "print.jpg": ("CMYK", 9, 9),
    }
    for name, (mode, width, height) in kinds.items():
        blank(mode, width, height)(folder / "a" / name)


def class_of_bad_files(folder: Path) -> None:
    """All images of one class are bad, so there is nothing to go on with."""
    for path in (classes(folder) / "a").iterdir():
        path.write_bytes(words(b""))


def two_classes_of_one_picture(folder: Path) -> None:
    (classes(folder) / "b" / "same.png").write_bytes((folder / "a" / "0.png").read_bytes())


def name_of_bytes(folder: Path) -> None:
    """A name in the encoding of another system."""
    (classes(folder) / "a" / os.fsdecode(b"caf\xe9.png")).write_bytes(b"no image")


def class_of_bytes(folder: Path) -> None:
    (classes(folder) / "a").rename(folder / os.fsdecode(b"caf\xe9"))


FILES = [
    bad("png cut off", with_file("x.png", picture(), half), "1 of 13 images", "a/x.png"),
    bad("png empty", with_file("x.png", picture(), nothing), "a/x.png (empty file)"),
    bad("jpeg cut off", with_file("x.jpg", picture(), half), "a/x.jpg"),
    bad("jpeg of words", with_file("x.jpg", picture(), words), "a/x.jpg (not a PNG, JPEG"),
    bad("bmp cut off", with_file("x.bmp", picture(), half), "a/x.bmp"),
    bad("bmp of words", with_file("x.bmp", picture(), words), "a/x.bmp (not a PNG, JPEG"),
    bad("tiff cut off", with_file("x.tif", picture(), half), "a/x.tif"),
    bad(
        "tiff of two pages",
        with_file("x.tif", picture(save_all=True, append_images=[Image.new("L", (9, 9))])),
        "a/x.tif",
        "pages",
    ),
    bad("tiff with broken packing", with_file("x.tif", picture(compression="tiff_lzw"), half), "a/x.tif"),
    bad("16 bits cut off", with_file("x.png", picture(pixels(0, 64, 64, dtype=np.uint16)), half), "a/x.png"),
    bad("32 bits", with_file("x.tif", picture(np.ones((9, 9), np.float32))), "a/x.tif (32 bits"),
    bad("gif named png", with_file("x.png", picture(format="GIF")), "a/x.png (not a PNG"),
    bad("gif", with_file("x.gif", picture()), "a/x.gif", "convert it"),
    bad("dicom cut off", dicom(half), "a/image.dcm"),
    bad("dicom without an image", dicom(PixelData=None), "a/image.dcm", "without an image"),
    bad("dicom of frames", dicom(NumberOfFrames=3), "a/image.dcm", "3 frames"),
    bad("several bad files", several_bad, "3 of 12 images", "a/0.png", "a/1.png", "b/2.png"),
    good("one pixel", with_file("x.png", blank("L", 1, 1)), "1x1 to 10x12", "13"),
    good("20,000 pixels wide", with_file("x.png", blank("L", 20_000, 3)), "20000x3", "13"),
    bad("20,000 pixels square", with_file("x.png", blank("1", 20_000, 20_000)), "a/x.png", "178,956,970 pixels"),
]
ARRAYS = [
    bad("medmnist cut off", medmnist(half), "set.npz", "repair it"),
    bad("medmnist without labels", medmnist(train_labels=None), "set.npz", "no train_labels"),
    bad("medmnist with few labels", medmnist(val_labels=np.zeros((3, 1), int)), "set.npz", "20 images", "(3, 1)"),
    bad("medmnist with several labels", medmnist(train_labels=MULTI), "set.npz", "14 labels for each image"),
    bad("medmnist of objects", medmnist(train_labels=OBJECTS), "set.npz", "allow_pickle=False"),
    bad("medmnist of fractions", medmnist(train_images=np.zeros((20, 8, 8))), "set.npz", "float64", "uint8"),
    bad("mnist.npz cut off", keras_mnist(half), "mnist.npz", "repair it"),
    bad("mnist.npz without labels", keras_mnist(y_test=None), "mnist.npz", "no y_test"),
    bad("idx cut off", idx(spoil=half), "train-images-idx3-ubyte.gz", "repair it"),
    bad("idx of words", idx(spoil=words), "train-images-idx3-ubyte.gz", "repair it"),
    bad("idx without labels", idx(without="t10k-labels"), "@data", "t10k-labels"),
]
TABLES = [
    bad("a file missing", table("path,label", LINE, "a/99.png,a"), "labels.csv lists 1 missing files: a/99.png"),
    bad("a column missing", table("path,class", LINE), "labels.csv has no column label", "path, class"),
    bad("a column twice", table("path,label,label", LINE + ",x"), "labels.csv has 2 columns label"),
    bad("a value too many", table("path,label", LINE, "a/0.png,a, in situ"), "labels.csv, line 14,", "quotes"),
    bad("an image twice", table("path,label", LINE, "a/0.png,b"), "labels.csv lists a/0.png more than once"),
    bad("an unknown part", table("path,label,split", LINE + ",dev"), "labels.csv, line 2", "no split dev"),
    bad("a patient missing", table("path,label,patient", LINE + ",", "a/../b/0.png,b,p"), "labels.csv"),
    bad("another encoding", table("path,label", LINE, "é", encoding="latin-1"), "labels.csv is not in UTF-8"),
    good("a table in UTF-16", table("path\tlabel", "{path}\t{label}", encoding="utf-16"), "12: a 6, b 6"),
    good("unknown columns", table("id,path,Label,age", "7,{path},{label},50"), "12: a 6, b 6"),
    good("a table of Windows", table("\ufeffpath;label", '"{path}";"{label}"', end="\r\n"), "12: a 6, b 6"),
    good("commas in quotes", table("label,path", '"{label}, in situ","{path}"'), "a, in situ 6, b, in situ 6"),
]
FOLDERS = [
    bad("empty folder", empty, "@data holds no"),
    bad("no folder", no_folder, "There is no data set or folder '@data'", "xray", "labels.csv"),
    bad("a file instead of a folder", file_instead, "@data is not a folder", "give train/CLASS/*"),
    bad("one class", counted(only=12), "@data has one class only (only)"),
    bad("a class without training", without_training, "@data has no image of rare to train on (6 in test)"),
    bad("a part twice", parts_twice, "@data has both val and validation"),
    bad("images with masks", masks, "@data holds images with masks", command=PLAN),
    bad("link to nowhere", link_to_nowhere, "a/link.png"),
    bad("link to itself", link_to_itself, "@data", "a/link.png"),
    bad("a name in another encoding", name_of_bytes, r"a/caf\udce9.png"),
    bad("a class in another encoding", class_of_bytes, "@data has a class", "no screen can show"),
    bad("a class of one image", counted(many=12, rare=1), "Class rare", "at least 2"),
    bad("more folds than images", classes, "@data: Class a", "9 folds", command=f"{CHECK} --folds 9"),
    bad("one fold", classes, "folds=1", "at least 2", command=f"{CHECK} --folds 1"),
    good("one picture in two classes", two_classes_of_one_picture, "warning", "a/0.png = b/same.png"),
    bad("three images, three folds", counted(many=12, rare=3), "@data: Class rare", "3 folds", command=PLAN),
]
PLACES = [
    good("no HOME", classes, "12: a 6, b 6", HOME="", XDG_CACHE_HOME=""),
    bad(
        "MEDCLS_DATA is not a folder",
        empty,
        "MEDCLS_DATA is /dev/null",
        command="medcls data check xray",
        MEDCLS_DATA="/dev/null",
    ),
    bad("a set not fetched", empty, "medcls data fetch mnist", command="medcls data check mnist", MEDCLS_DATA="@here"),
    bad(
        "an unpublished set",
        empty,
        "medmnist:pneumonia",
        "medmnist:pneumoniamnist",
        command="medcls data check medmnist:pneumonia",
    ),
    good("a work folder in a file", classes, "12: a 6, b 6", command=f"{CHECK} --work-dir /dev/null/runs"),
]
STUDIES = [
    bad("bad files in a study", several_bad, "3 of 12 images", "a/0.png", "a/1.png", "b/2.png", command=SMOKE),
    bad("an empty folder in a study", empty, "@data holds no", command="bonus_resnet --data @data"),
    bad("a class of bad files", class_of_bad_files, "@data", "of a to train on", command=f"{SMOKE} --skip-bad-files"),
    bad("fewer images than folds", counted(many=12, rare=2), "@data: Class rare", "5 folds", command=FOLDS),
    pytest.param(
        good(
            "odd images and no HOME in a study",
            odd,
            "16 images of 2 classes",
            "best model",
            command=ONE_RUN,
            HOME="",
            XDG_CACHE_HOME="",
        ),
        marks=pytest.mark.slow,
    ),
]
MODELS = [
    bad("no model", classes, "There is no model @here/none", command="medcls predict @here/none @data"),
    bad("a folder without a model", classes, "@data/model.keras", command="medcls predict @data @data"),
    bad("no image to predict", empty, "@data has no image", command="medcls predict none.keras @data"),
    bad("a model of no store", classes, "There is no store", command="medcls predict models:/none@champion @data"),
    bad("export of no study", empty, "no results of none", command="medcls export none --out @data/out"),
]
CASES = [*FILES, *ARRAYS, *TABLES, *FOLDERS, *PLACES, *STUDIES, *MODELS]

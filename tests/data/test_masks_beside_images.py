"""Masks that lie beside images: pairs for segmentation, left out or refused for classification."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medcls import BadInputError, data
from medcls.data.checks import examine
from medcls.data.dataset import TEST, TRAIN, UNSPLIT, VALIDATION, DatasetSpec

ROWS, COLUMNS = np.mgrid[:32, :32]
CLASSES = ("benign", "malignant")


def make(
    folder: Path, image: str, mask: str, *, classes: tuple[str, ...] = ("",), parts: tuple[str, ...] = ("",)
) -> Path:
    """Write three images a class and part whose pixels are 200 where their masks are, and the masks."""
    number = 0
    for name in classes:
        for part in parts:
            for stem in range(3):
                number += 1
                inside = np.hypot(ROWS - 8 - number, COLUMNS - 12) < 7
                for pattern, pixels in ((image, np.where(inside, 200, 40 + number)), (mask, 255 * inside)):
                    path = folder / pattern.format(c=name, p=part, i=stem)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    Image.fromarray(pixels.astype(np.uint8)).save(path)
    return folder


def opened(read: Callable[..., DatasetSpec], folder: Path) -> DatasetSpec:
    return read(data.Hashes(folder.parent / "cache/hashes.sqlite"), source=str(folder), size=32)


def assert_pairs(folder: Path, counts: dict[str, int]) -> None:
    """Assert that a folder is read as images with their own masks."""
    bundle = opened(data.lungs, folder)
    assert {part: int(np.sum(bundle.parts == part)) for part in set(bundle.parts.tolist())} == counts
    assert bundle.masks is not None
    for row in range(len(bundle.labels)):
        assert np.array_equal(bundle.masks(row, 32) > 0, bundle.decode(row) > 120)


FOLDERS = {
    "GT": ("images/{i}.png", "GT/{i}.png"),
    "ground_truth": ("images/{i}.png", "ground_truth/{i}.png"),
    "Ground Truth": ("Original/{i}.png", "Ground Truth/{i}.png"),
    "img and gt": ("img/{i}.png", "gt/{i}_gt.png"),
    "annotation": ("image/{i}.png", "annotation/{i}.png"),
    "annotations": ("images/{i}.png", "annotations/{i}.png"),
    "segmentations": ("imgs/img_{i}.png", "segmentations/seg_{i}.png"),
    "masks within": ("{i}.png", "masks/{i}.png"),
    "numbered in nnU-Net's way": ("images/case_{i}_0000.png", "labels/case_{i}.png"),
}
BESIDE = {
    "x_mask": ("x{i}.png", "x{i}_mask.png"),
    "x_segmentation": ("x{i}.png", "x{i}_segmentation.png"),
    "x_seg": ("x{i}.png", "x{i}_seg.png"),
    "x_gt": ("x{i}.png", "x{i}_gt.png"),
    "x-mask": ("x{i}.png", "x{i}-mask.png"),
    "mask_x": ("x{i}.png", "mask_x{i}.png"),
    "x Mask": ("x{i}.png", "x{i} Mask.bmp"),
    "x_GroundTruth": ("x{i}.png", "x{i}_GroundTruth.png"),
}


@pytest.mark.parametrize("kind", [*FOLDERS, *BESIDE])
def test_pairs_are_known_by_the_names_of_files_and_folders(tmp_path: Path, kind: str):
    folder = make(tmp_path / "set", *{**FOLDERS, **BESIDE}[kind])
    assert_pairs(folder, {UNSPLIT: 3})
    assert examine(str(folder), data.Hashes(tmp_path / "cache/hashes.sqlite")).bundle.masks is not None


@pytest.mark.parametrize("kind", FOLDERS)
def test_folders_of_images_and_masks_are_no_classes(tmp_path: Path, kind: str):
    folder = make(tmp_path / "set", *FOLDERS[kind])
    with pytest.raises(BadInputError, match="holds images with masks and no classes"):
        opened(data.folder, folder)


PARTS = {
    "nnU-Net": ("images{p}/c_{i}_0000.png", "labels{p}/c_{i}.png", {"Tr": TRAIN, "Ts": TEST}),
    "underscores": ("{p}_images/{i}.png", "{p}_masks/{i}.png", {"training": TRAIN, "test": TEST}),
    "the part behind": ("images_{p}/{i}.png", "gt_{p}/{i}.png", {"train": TRAIN, "val": VALIDATION}),
    "ISIC": (
        "ISIC2018_Task1_{p}_Input/ISIC_{i}.png",
        "ISIC2018_Task1_{p}_GroundTruth/ISIC_{i}_segmentation.png",
        {"Training": TRAIN, "Validation": VALIDATION},
    ),
    "the part alone": ("{p}/{i}.png", "{p}_masks/{i}_mask.png", {"train": TRAIN}),
    "within parts": ("{p}/{i}.png", "{p}/{i}_mask.png", {"train": TRAIN, "test": TEST}),
}


@pytest.mark.parametrize("kind", PARTS)
def test_names_of_folders_tell_the_part(tmp_path: Path, kind: str):
    image, mask, parts = PARTS[kind]
    folder = make(tmp_path / "set", image, mask, parts=tuple(parts))
    assert_pairs(folder, dict.fromkeys(parts.values(), 3))
    with pytest.raises(BadInputError, match=r"masks and no classes|lies in no folder of a class"):
        opened(data.folder, folder)


def test_images_without_labels_are_said_to_be_left_out(tmp_path: Path):
    folder = make(tmp_path / "set", "imagesTr/{i}.png", "labelsTr/{i}.png")
    make(tmp_path / "other", "imagesTs/{i}.png", "none/{i}.png")
    (tmp_path / "other/imagesTs").rename(folder / "imagesTs")
    assert_pairs(folder, {TRAIN: 3})
    assert [remark.sentence for remark in opened(data.lungs, folder).remarks if remark.kind == "masks_left_out"] == [
        "imagesTs has no masks beside it and is left out."
    ]


OF_CLASSES = {
    "x_mask": ("{c}/{c} ({i}).png", "{c}/{c} ({i})_mask.png"),
    "mask-x": ("{c}/{i}.png", "{c}/mask-{i}.png"),
    "images and masks in each": ("{c}/images/{i}.png", "{c}/masks/{i}.png"),
    "masks in each": ("{c}/{i}.png", "{c}/masks/{i}_mask.png"),
    "mirrored": ("{c}/{i}.png", "lesion_masks/{c}/{i}.png"),
    "mirrored by parts": ("train/{c}/{i}.png", "train/{c}/gt/{i}.png"),
}


@pytest.mark.parametrize("kind", OF_CLASSES)
def test_masks_among_images_of_classes_are_left_out_and_said(tmp_path: Path, kind: str):
    image, mask = OF_CLASSES[kind]
    folder = make(tmp_path / "set", image, mask, classes=CLASSES)
    bare = make(tmp_path / "bare", image, "../unused/{c}{i}.png", classes=CLASSES)
    described = examine(str(folder), data.Hashes(tmp_path / "cache/hashes.sqlite"))
    assert [sum(counts.values()) for counts in described.counts().values()] == [6]
    assert described.bundle.classes == CLASSES
    (said,) = [finding for finding in described.findings if finding.kind == "masks_left_out"]
    assert said.sentence.startswith("6 files look like masks of others and are left out, e.g. ")
    assert mask.format(c="benign", i=0) + " of " + image.format(c="benign", i=0) in said.names
    assert opened(data.folder, folder).fingerprint == opened(data.folder, bare).fingerprint


@pytest.mark.parametrize("kind", ["x_mask", "images and masks in each", "masks in each"])
def test_a_study_of_masks_takes_those_beside_images_of_classes(tmp_path: Path, kind: str):
    assert_pairs(make(tmp_path / "set", *OF_CLASSES[kind], classes=CLASSES), {UNSPLIT: 6})


def test_several_masks_of_an_image_are_no_images_either(tmp_path: Path):
    folder = make(tmp_path / "set", *OF_CLASSES["x_mask"], classes=CLASSES)
    (folder / "benign/benign (0)_mask_1.png").write_bytes((folder / "benign/benign (1)_mask.png").read_bytes())
    assert len(opened(data.folder, folder).labels) == 6
    with pytest.raises(BadInputError, match=r"benign \(0\)_mask_1\.png are masks of one image: merge them"):
        opened(data.lungs, folder)


def test_a_class_of_masks_is_refused(tmp_path: Path):
    folder = make(tmp_path / "set", "{c}/{c}{i}.png", "masks/{c}{i}.png", classes=CLASSES)
    with pytest.raises(BadInputError, match=r"the folder masks looks like the masks of the other .*benign0\.png"):
        opened(data.folder, folder)


NO_MASKS = {
    "faces with masks and without": ("with_mask/{i}.png", "without_mask/{i}.png"),
    "mask and no mask": ("mask/{i}.png", "no_mask/{i}.png"),
    "without their images": ("benign/{i}_mask.png", "malignant/{i}_mask.png"),
    "a word within": ("label_a/{i}.png", "label_b/{i}.png"),
}


@pytest.mark.parametrize("kind", NO_MASKS)
def test_what_only_sounds_like_a_mask_stays_an_image(tmp_path: Path, kind: str):
    bundle = opened(data.folder, make(tmp_path / "set", *NO_MASKS[kind]))
    assert len(bundle.labels) == 6
    assert not [remark for remark in bundle.remarks if remark.kind == "masks_left_out"]


def test_a_table_is_taken_at_its_word(tmp_path: Path):
    folder = make(tmp_path / "set", *OF_CLASSES["x_mask"], classes=CLASSES)
    rows = [f"{path.relative_to(folder)},{path.parent.name}" for path in sorted(folder.rglob("*.png"))]
    (folder / "labels.csv").write_text("\n".join(["path,label", *rows]))
    assert len(opened(data.folder, folder).labels) == 12


def test_the_check_of_data_names_the_masks(tmp_path: Path):
    folder = make(tmp_path / "busi", *OF_CLASSES["x_mask"], classes=CLASSES)
    command = [sys.executable, "-m", "medcls", "data", "check", str(folder), "--work-dir", str(tmp_path / "work")]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "6: benign 3, malignant 3" in ended.stdout
    assert "benign/benign (2)_mask.png of benign/benign (2).png" in ended.stdout


WIDE = (40, 24)
TURNS = {"upside down": 3, "mirrored": 2, "on its side": 6}


def turned_set(folder: Path, orientation: int, size: tuple[int, int], *, mask_as_shown: bool) -> Path:
    """Write four images, of which the first is turned by EXIF, with masks that are not."""
    for number in range(4):
        noise = np.random.default_rng(number).integers(0, 255, size[::-1], dtype=np.uint8)
        image = Image.fromarray(noise)
        exif = image.getexif()
        if number == 0:
            exif[0x0112] = orientation
        for name in ("images", "masks"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        image.save(folder / f"images/{number}.jpg", exif=exif)
        mask = np.zeros(size[::-1], np.uint8)
        mask[3:9, 4:12] = 255
        shown = mask.T if number == 0 and mask_as_shown else mask
        Image.fromarray(np.ascontiguousarray(shown)).save(folder / f"masks/{number}.png")
    return folder


@pytest.mark.parametrize(("turn", "size"), [("upside down", WIDE), ("mirrored", WIDE), ("on its side", (30, 30))])
def test_an_image_turned_by_exif_beside_a_mask_that_is_not_is_named(tmp_path: Path, turn: str, size: tuple[int, int]):
    folder = turned_set(tmp_path / "set", TURNS[turn], size, mask_as_shown=False)
    described = examine(str(folder), data.Hashes(tmp_path / "cache/hashes.sqlite"))
    (said,) = [finding for finding in described.findings if finding.kind == "turned_apart"]
    assert said.names == (f"images/0.jpg (the image is turned (orientation {TURNS[turn]}) and its mask is not turned)",)
    assert said.word == "warning"


def test_a_mask_of_the_image_as_it_is_stored_is_refused_and_exif_named(tmp_path: Path):
    folder = turned_set(tmp_path / "set", 6, WIDE, mask_as_shown=False)
    complaint = examine(str(folder), data.Hashes(tmp_path / "cache/hashes.sqlite")).complaint
    assert "1 of 4 images" in complaint
    assert "its mask 0.png is of 40x24 pixels, the image of 24x40, for by EXIF the image is turned" in complaint


def test_a_mask_of_the_image_as_it_is_shown_is_right(tmp_path: Path):
    folder = turned_set(tmp_path / "set", 6, WIDE, mask_as_shown=True)
    described = examine(str(folder), data.Hashes(tmp_path / "cache/hashes.sqlite"))
    assert not described.complaint
    assert not [finding for finding in described.findings if finding.kind == "turned_apart"]
    assert json.dumps(described.counts()) == '{"": {"foreground": 4}}'


@pytest.mark.parametrize(
    "folders",
    [
        ("pat1", "pat2", "pat3"),
        ("TCGA_CS_4941_19960909", "TCGA_DU_5849_19950405", "TCGA_FG_5962_20000626"),
        ("case 7", "case 11", "case 12", "case 13"),
    ],
    ids=["numbers", "archive", "blanks"],
)
def test_folders_of_patients_with_masks_are_no_classes(tmp_path: Path, folders: tuple[str, ...]) -> None:
    folder = make(tmp_path / "set", "{c}/{c}_{i}.png", "{c}/{c}_{i}_mask.png", classes=folders)
    with pytest.raises(BadInputError, match=r"look like patients, not classes.*data\.patients=folder"):
        opened(data.folder, folder)
    described = examine(str(folder), data.Hashes(tmp_path / "cache/hashes.sqlite"), patients="folder")
    assert described.bundle.masks is not None
    assert described.bundle.patients is not None
    assert sorted(set(described.bundle.patients.tolist())) == sorted(folders)


def test_numbered_classes_with_masks_of_other_names_stay_classes(tmp_path: Path) -> None:
    folder = make(tmp_path / "set", "{c}/{i}.png", "{c}/{i}_mask.png", classes=("grade1", "grade2", "grade3"))
    assert opened(data.folder, folder).classes == ("grade1", "grade2", "grade3")

"""Folders of images with masks -> a Bundle: pairs by stem, masks read whatever their format, faults all named."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from medcls import BadInputError, data
from medcls.data.checks import Policy, checked, examine
from medcls.data.dataset import TEST, TRAIN, UNSPLIT, VALIDATION, DatasetSpec
from medcls.data.loading import decoded_cache
from medcls.data.masks import mask_files
from medcls.data.phantoms import lungs
from medcls.data.phantoms.writing import write
from medcls.data.readers.images import UnreadableImageError

LAYOUTS = {
    "parts": ("{part}/images/{stem}.png", "{part}/masks/{stem}.png"),
    "other suffixes": ("{part}/images/{stem}.jpg", "{part}/masks/{stem}.bmp"),
    "marked stems": ("{part}/images/{stem}.png", "{part}/masks/{stem}_mask.png"),
    "capitals": ("{Part}/Image/{stem}.png", "{Part}/Mask/{stem}.png"),
    "warwick": ("{Part}/image_{stem}.png", "{Part}/label_{stem}.png"),
}
STEMS = {"train": ["10", "9", "b", "a"], "test": ["2", "1"]}


def square(number: int, size: int = 24) -> NDArray[np.uint8]:
    """Return a mask, 255 in a square that is another for each number."""
    mask = np.zeros((size, size), np.uint8)
    mask[number : number + 8, 4 : 12 + number % 5] = 255
    return mask


def save(path: Path, pixels: NDArray[Any], mode: str | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels, mode).save(path)


def folder_of(folder: Path, layout: str) -> Path:
    """Write images whose pixels are 40 and, where their masks are, 200."""
    image, mask = LAYOUTS[layout]
    for part, stems in STEMS.items():
        for number, stem in enumerate(stems):
            words = {"part": part, "Part": part.capitalize(), "stem": stem}
            inside = square(number + 5 * (part == "test"))
            save(folder / image.format(**words), np.where(inside > 0, np.uint8(200), np.uint8(40)))
            save(folder / mask.format(**words), inside)
    return folder


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., DatasetSpec]:
    """Return a function from a source to its Bundle."""
    return lambda source, **keywords: data.lungs(data.Hashes(tmp_path / "hashes"), source=str(source), **keywords)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_image_meets_its_own_mask(tmp_path: Path, opened: Callable[..., DatasetSpec], layout: str):
    bundle = opened(folder_of(tmp_path / "set", layout), size=24)
    assert bundle.masks is not None
    assert [int(np.sum(bundle.parts == part)) for part in (TRAIN, TEST)] == [4, 2]
    for row in range(6):
        assert np.array_equal(bundle.masks(row, 24)[..., 0] > 0, bundle.decode(row)[..., 0] > 120)
    assert bundle.classes == ("foreground",)


def test_one_folder_without_parts_is_split_by_a_study(tmp_path: Path, opened: Callable[..., DatasetSpec]):
    whole = folder_of(tmp_path / "set", "parts")
    assert set(opened(whole / "train").parts) == {UNSPLIT}


def test_names_and_order_of_files_change_nothing(tmp_path: Path, opened: Callable[..., DatasetSpec]):
    one, other = folder_of(tmp_path / "one", "parts"), folder_of(tmp_path / "other", "parts")
    for kind in ("images", "masks"):
        (other / f"train/{kind}/10.png").rename(other / f"train/{kind}/zz.png")
    first, second = opened(one, size=24), opened(other, size=24)
    assert first.fingerprint == second.fingerprint
    assert [first.decode(row).tobytes() for row in range(6)] == [second.decode(row).tobytes() for row in range(6)]


def test_another_mask_is_another_data_set(tmp_path: Path, opened: Callable[..., DatasetSpec]):
    folder = folder_of(tmp_path / "set", "parts")
    before = opened(folder).fingerprint
    save(folder / "train/masks/a.png", square(9))
    assert opened(folder).fingerprint != before


@pytest.mark.parametrize(("gone", "named"), [("masks/9.png", "images/9.png"), ("images/b.png", "masks/b.png")])
def test_a_file_without_its_counterpart_is_named(
    tmp_path: Path, opened: Callable[..., DatasetSpec], gone: str, named: str
):
    folder = folder_of(tmp_path / "set", "parts")
    (folder / "train" / gone).unlink()
    with pytest.raises(BadInputError, match=f"1 file has no counterpart of the same stem .*train/{named}"):
        opened(folder)


def test_classes_in_place_of_masks_are_refused(tmp_path: Path, opened: Callable[..., DatasetSpec]):
    save(tmp_path / "set/train/Mel/a.png", square(1))
    with pytest.raises(BadInputError, match="holds no images with masks: give images/ with masks/"):
        opened(tmp_path / "set")
    with pytest.raises(BadInputError, match="built-in skin holds images of classes and no masks"):
        opened("skin")


def test_masks_in_place_of_classes_are_refused(tmp_path: Path):
    for source in (folder_of(tmp_path / "set", "parts"), "lungs"):
        with pytest.raises(BadInputError, match="holds images with masks and no classes"):
            data.folder(data.Hashes(tmp_path / "hashes"), source=str(source))


BAD = {
    "of another size": (square(1, 20), r"its mask a\.png is of 20x20 pixels, the image of 24x24"),
    "of greys": (np.arange(576, dtype=np.uint8).reshape(24, 24), r"mask a\.png: a mask that is grey in \d+% .*=grey"),
    "of labels": (
        np.arange(576, dtype=np.uint8).reshape(24, 24) // 86,
        r"several labels \(0, 1, 2.*mask_values=labels",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_masks_stop_a_study_or_are_skipped(tmp_path: Path, opened: Callable[..., DatasetSpec], kind: str):
    folder, (mask, words) = folder_of(tmp_path / "set", "parts"), BAD[kind]
    save(folder / "train/masks/a.png", mask)
    asked = {"folds": None, "split_seeds": {0}, "tell": lambda *_: None}
    bundle, hashes = opened(folder), data.Hashes(tmp_path / "hashes")
    with pytest.raises(BadInputError, match=f"1 of 6 images .*cannot be read: train/images/a.png .*{words}"):
        checked(bundle, hashes, Policy(), **asked)
    left = checked(bundle, hashes, Policy(skip_bad_files=True), **asked)
    assert len(left.bundle.labels) == 5
    assert left.skipped[0].startswith("train/images/a.png")
    assert left.bundle.masks is not None
    assert left.bundle.masks(0, 24).shape == (24, 24, 1)


def test_masks_that_mark_nothing_are_said_and_refused_if_all_do(tmp_path: Path):
    folder, hashes = folder_of(tmp_path / "set", "parts"), data.Hashes(tmp_path / "hashes")
    save(folder / "train/masks/a.png", np.zeros((24, 24), np.uint8))
    said = examine(str(folder), hashes)
    assert [each.sentence for each in said.findings if each.kind == "empty_masks"] == [
        "1 mask marks nothing: train/images/a.png."
    ]
    assert not said.complaint
    for path in folder.rglob("masks/*"):
        save(path, np.zeros((24, 24), np.uint8))
    assert "no mask marks anything" in examine(str(folder), hashes).complaint


KINDS = {
    "0 and 255": lambda inside: Image.fromarray(np.where(inside, np.uint8(255), np.uint8(0))),
    "0 and 1": lambda inside: Image.fromarray(inside.astype(np.uint8)),
    "black and white": Image.fromarray,
    "16 bit": lambda inside: Image.fromarray(np.where(inside, np.uint16(40000), np.uint16(0))),
    "RGB": lambda inside: Image.fromarray(np.repeat(np.where(inside, np.uint8(255), np.uint8(0))[..., None], 3, 2)),
    "RGBA": lambda inside: Image.fromarray(
        np.dstack([np.where(inside, np.uint8(255), np.uint8(0))] * 3 + [np.full(inside.shape, 255, np.uint8)])
    ),
    "palette": lambda inside: Image.fromarray(np.where(inside, np.uint8(255), np.uint8(0))).convert("P"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_mask_of_any_format_is_the_same_mask(tmp_path: Path, kind: str):
    inside = square(3) > 0
    KINDS[kind](inside).save(tmp_path / "mask.png")
    assert np.array_equal(mask_files.whole(tmp_path / "mask.png", mask_files.TWO), inside)
    assert np.array_equal(mask_files.whole(tmp_path / "mask.png", mask_files.LABELS), inside)


def test_grey_edges_are_cut_at_half_the_range_and_up_to_a_hundredth(tmp_path: Path):
    mask = np.zeros((100, 100), np.uint8)
    mask[20:60, 20:80] = 200
    mask[60, 20:80], mask[61, 20:59] = 101, 99  # 99 pixels of 10,000
    save(tmp_path / "mask.png", mask)
    assert np.array_equal(mask_files.whole(tmp_path / "mask.png", mask_files.TWO), mask > 100)
    mask[62, 20:22] = 99
    save(tmp_path / "mask.png", mask)
    with pytest.raises(UnreadableImageError):
        mask_files.whole(tmp_path / "mask.png", mask_files.TWO)
    assert np.array_equal(mask_files.whole(tmp_path / "mask.png", mask_files.GREY), mask > 100)
    assert np.array_equal(mask_files.whole(tmp_path / "mask.png", mask_files.LABELS), mask > 0)


@pytest.mark.parametrize("filled", [0, 255])
def test_a_mask_of_one_value_marks_all_or_nothing(tmp_path: Path, filled: int):
    save(tmp_path / "mask.png", np.full((8, 8), filled, np.uint8))
    assert mask_files.whole(tmp_path / "mask.png", mask_files.TWO).all() == bool(filled)


def test_a_mask_is_resized_as_its_image_is(tmp_path: Path, opened: Callable[..., DatasetSpec]):
    inside = np.zeros((90, 70), np.uint8)
    inside[13:61, 22:47] = 255
    save(tmp_path / "set/images/a.png", inside)
    save(tmp_path / "set/masks/a.png", inside)
    for size in (16, 32, 128):
        bundle = opened(tmp_path / "set", size=size)
        assert bundle.masks is not None
        assert np.array_equal(bundle.masks(0, size) > 0, bundle.decode(0) > 127)


def test_the_cache_holds_both_and_is_made_once(tmp_path: Path, opened: Callable[..., DatasetSpec]):
    bundle = opened(folder_of(tmp_path / "set", "parts"), size=24)
    home = decoded_cache.prepare(bundle, tmp_path / "cache")
    shutil.rmtree(tmp_path / "set")
    assert decoded_cache.prepare(bundle, tmp_path / "cache") == home
    decoded = decoded_cache.open_decoded(home)
    assert decoded.masks is not None
    assert decoded.masks.shape == (6, 24, 24, 1)
    assert np.array_equal(decoded.masks > 0, decoded.images > 120)


def test_the_phantom_as_files_is_read_as_the_phantom(tmp_path: Path, opened: Callable[..., DatasetSpec]):
    phantom = lungs.phantom(train=3, validation=2)
    write(phantom, tmp_path / "lungs")
    bundle = opened(tmp_path / "lungs", size=256)
    assert bundle.masks is not None
    drawn = {phantom.render(row).tobytes(): phantom.masks["lungs"](row) for row in range(5)}
    for row in range(5):
        assert np.array_equal(bundle.masks(row, 256)[..., 0] > 0, drawn[bundle.decode(row).tobytes()] > 0)
    assert [int(np.sum(bundle.parts == part)) for part in (TRAIN, VALIDATION)] == [3, 2]


def test_the_homework_compares_on_the_test_part(tmp_path: Path):
    folder, hashes = folder_of(tmp_path / "set", "warwick"), data.Hashes(tmp_path / "hashes")
    plain = data.glands(hashes, source=str(folder))
    as_homework = data.glands(hashes, source=str(folder), compared_on_test=True)
    assert set(plain.parts) == {TRAIN, TEST}
    assert set(as_homework.parts) == {TRAIN, VALIDATION}
    assert plain.fingerprint != as_homework.fingerprint

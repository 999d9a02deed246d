"""What the values of masks mean: decided over a whole data set, said in one line, refused where it is ambiguous."""

import io
import re
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from medcls import BadInputError, data
from medcls.data.checks import Description, examine
from medcls.data.dataset import DatasetSpec
from medcls.data.masks import mask_files
from medcls.data.masks.census import MaskFiles
from medcls.data.readers.images import UnreadableImageError
from medcls.data.readers.pairs import read_pairs

SIDE = 96
ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE]
Mask = NDArray[np.bool_]


def disc(radius: float = 25, row: float = 48, column: float = 48) -> Mask:
    return np.asarray(np.hypot(ROWS - row, COLUMNS - column) < radius)


def discs(*radii: float) -> list[Mask]:
    """Return a mask for each radius, at another place each; one of radius 0 marks nothing."""
    return [disc(radius, 44 + 2 * number) for number, radius in enumerate(radii)]


def grey(numbers: NDArray[Any]) -> Image.Image:
    return Image.fromarray(numbers.astype(np.uint8))


def valued(ground: int, target: int) -> Callable[[Mask], Image.Image]:
    return lambda mask: grey(np.where(mask, target, ground))


def folder_of(folder: Path, drawn: Sequence[Image.Image], suffix: str = "png", **how: Any) -> Path:
    """Write images, each unlike the others, with masks."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number, mask in enumerate(drawn):
        noise = np.random.default_rng(number).integers(0, 255, (mask.height, mask.width), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"images/{number}.png")
        mask.save(folder / f"masks/{number}.{suffix}", **how)
    return folder


def opened(folder: Path, mask_values: str = "two") -> DatasetSpec:
    return data.lungs(data.Hashes(folder.parent / "cache/hashes.sqlite"), source=str(folder), mask_values=mask_values)


def told(folder: Path, mask_values: str = "two") -> str:
    bundle = opened(folder, mask_values)
    assert bundle.marks is not None
    return bundle.marks(lambda *_: None).sentence


def read(folder: Path, mask_values: str = "two") -> dict[str, Mask]:
    """Return the masks of a folder as a study reads them, by the names of their images."""
    bundle = opened(folder, mask_values)
    assert bundle.masks is not None
    return {Path(name).stem: bundle.masks(row, SIDE)[..., 0] > 0 for row, name in enumerate(bundle.names)}


def checked(folder: Path) -> Description:
    return examine(str(folder), data.Hashes(folder.parent / "cache/hashes.sqlite"))


def assert_read_as(folder: Path, expected: Sequence[Mask], mask_values: str = "two") -> None:
    got = read(folder, mask_values)
    for number, mask in enumerate(expected):
        assert np.array_equal(got[str(number)], mask), number


def ringed(target: int, ring: int) -> Image.Image:
    """Return a mask with a target and a ring of two pixels around it that is to be ignored."""
    return grey(np.where(disc(25), target, np.where(disc(27), ring, 0)))


def small_in_the_middle() -> Image.Image:
    """Return a target of mid-grey of less than a hundredth of the pixels, ignored pixels being white."""
    return grey(np.where(disc(4), 128, np.where(disc(20, 70, 70), 255, 0)))


THREE = {
    "void of 255": [ringed(1, 255)] * 3,
    "a large label": [ringed(1, 10)] * 3,
    "a thin void beside the ground": [ringed(255, 1)] * 3,
    "a thin void beside the target": [ringed(255, 254)] * 3,
    "a small target of mid-grey": [small_in_the_middle()] * 3,
    "many labels and void": [grey(np.where(disc(40), COLUMNS // 12, np.where(disc(44), 255, 0)))] * 3,
}


@pytest.mark.parametrize("kind", THREE)
def test_three_labels_are_no_black_and_white(tmp_path: Path, kind: str):
    folder = folder_of(tmp_path / "set", THREE[kind])
    assert "several labels (0, " in checked(folder).complaint
    assert "mask_values=labels" in checked(folder).complaint
    assert_read_as(folder, [np.asarray(mask) > 0 for mask in THREE[kind]], "labels")


def test_what_is_wrong_with_all_masks_is_one_sentence(tmp_path: Path):
    drawn = [ringed(1, 255), ringed(1, 255), grey(np.where(disc(20), 2, np.where(disc(27), 255, 0)))]
    complaint = checked(folder_of(tmp_path / "set", drawn)).complaint
    assert complaint.count("several labels") == 1
    assert "several labels (0, 1, 2, 255)" in complaint
    assert complaint.endswith("(3 of 3: 0.png, 1.png, 2.png).")


def test_a_level_grey_area_in_a_jpeg_is_a_label(tmp_path: Path):
    folder = folder_of(tmp_path / "set", [small_in_the_middle()] * 2, "jpg", quality=95)
    assert re.search(r"several labels \(0, 1[23]\d, 255\)", checked(folder).complaint)


APART = {
    "0 and 1 here, 0 and 255 there": [valued(0, 1)(disc()), valued(0, 255)(disc())],
    "thin ones": [valued(0, 1)(disc(10) & ~disc(9)), valued(0, 255)(disc())],
    "two whites": [valued(0, 128)(disc()), valued(0, 255)(disc())],
    "one is all of a third value": [valued(1, 2)(disc()), valued(0, 2)(disc())],
    "a constant third value": [valued(0, 255)(disc()), grey(np.full((SIDE, SIDE), 1))],
}


@pytest.mark.parametrize("kind", APART)
def test_files_that_contradict_one_another_are_refused(tmp_path: Path, kind: str):
    folder = folder_of(tmp_path / "set", APART[kind])
    with pytest.raises(BadInputError, match=r"several labels \(.*mask_values=labels"):
        told(folder)
    assert_read_as(folder, [np.asarray(mask) > 0 for mask in APART[kind]], "labels")


@pytest.mark.parametrize("values", [(0, 255), (0, 1), (1, 2), (0, 37), (10, 200)])
def test_one_value_alone_is_what_it_is_in_the_other_files(tmp_path: Path, values: tuple[int, int]):
    expected = [*discs(25, 12, 3), np.zeros((SIDE, SIDE), bool), np.ones((SIDE, SIDE), bool)]
    folder = folder_of(tmp_path / "set", [valued(*values)(mask) for mask in expected])
    assert told(folder) == f"{values[0]} is ground, {values[1]} is the target"
    assert_read_as(folder, expected)
    kinds = {finding.kind: finding.names for finding in checked(folder).findings}
    assert kinds["empty_masks"] == ("images/3.png",)
    assert kinds["full_masks"] == ("images/4.png",)


def test_a_deep_mask_is_judged_by_the_others_too(tmp_path: Path):
    expected = [disc(), np.zeros((SIDE, SIDE), bool)]
    drawn = [Image.fromarray(np.where(mask, np.uint16(4000), np.uint16(1000))) for mask in expected]
    folder = folder_of(tmp_path / "set", drawn)
    assert told(folder) == "1000 is ground, 4000 is the target"
    assert_read_as(folder, expected)


def test_specks_near_the_ground_mark_nothing(tmp_path: Path):
    specks = np.zeros((SIDE, SIDE), np.uint8)
    specks[10:50:7, 20] = [1, 2, 3, 1, 2, 3]
    folder = folder_of(tmp_path / "set", [valued(0, 255)(disc()), grey(specks)])
    assert_read_as(folder, [disc(), np.zeros((SIDE, SIDE), bool)])


@pytest.mark.parametrize("values", [(7,), (0, 255)])
def test_masks_that_all_have_one_value_are_refused(tmp_path: Path, values: tuple[int, ...]):
    folder = folder_of(tmp_path / "set", [grey(np.full((SIDE, SIDE), value)) for value in values])
    with pytest.raises(BadInputError, match=r"one value all over \(" + ", ".join(map(str, values))):
        told(folder)


def smooth(mask: Mask) -> Image.Image:
    """Return a mask with the grey edges of drawing at four times the size."""
    large = np.hypot(*(np.mgrid[: 4 * SIDE, : 4 * SIDE] - 4 * 48)) < 4 * np.sqrt(mask.sum() / np.pi)
    return grey(large.reshape(SIDE, 4, SIDE, 4).mean(axis=(1, 3)) * 255)


def through_jpeg(mask: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    mask.save(file, "JPEG", quality=quality)
    return Image.open(file).copy()


@pytest.mark.parametrize("quality", [60, 75, 95])
@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_traces_of_jpeg_change_no_mask(tmp_path: Path, quality: int, suffix: str):
    expected = [*discs(25, 12), np.zeros((SIDE, SIDE), bool)]
    drawn = [through_jpeg(valued(0, 255)(mask), quality) for mask in expected]
    folder = folder_of(tmp_path / "set", drawn, suffix, quality=100)
    for number, mask in read(folder).items():
        assert np.mean(mask != expected[int(number)]) < 0.002


def test_grey_edges_are_cut_at_half_a_masks_own_range(tmp_path: Path):
    drawn = [smooth(disc(radius)) for radius in (8, 12)] + [grey(np.asarray(smooth(disc(10))) * 0.9)]
    folder = folder_of(tmp_path / "set", drawn)
    assert not checked(folder).complaint
    assert_read_as(folder, [np.asarray(mask) > np.asarray(mask).max() / 2 for mask in drawn])


def painted(mask: Mask, colour: Sequence[int], under: Sequence[int]) -> Image.Image:
    """Return a painting on nothing; `under` is the colour that is stored where it is transparent."""
    pixels = np.where(mask[..., None], np.array(colour, np.uint8), np.array(under, np.uint8))
    return Image.fromarray(np.dstack([pixels, np.where(mask, np.uint8(255), np.uint8(0))]))


def palette_with_transparency(mask: Mask) -> Image.Image:
    image = Image.fromarray(np.where(mask, np.uint8(0), np.uint8(1)), "P")
    image.putpalette([255, 255, 255, 255, 255, 255])
    image.info["transparency"] = 1
    return image


PAINTED = {
    "white on nothing": lambda mask: painted(mask, (255, 255, 255), (255, 255, 255)),
    "white on black nothing": lambda mask: painted(mask, (255, 255, 255), (0, 0, 0)),
    "red": lambda mask: painted(mask, (200, 0, 0), (200, 0, 0)),
    "grey with alpha": lambda mask: painted(mask, (255, 255, 255), (255, 255, 255)).convert("LA"),
    "palette": palette_with_transparency,
}


@pytest.mark.parametrize("kind", PAINTED)
@pytest.mark.parametrize("mask_values", ["two", "labels"])
def test_what_is_drawn_in_the_transparency_is_the_target(tmp_path: Path, kind: str, mask_values: str):
    if (kind, mask_values) == ("palette", "labels"):
        pytest.skip("its target has the number 0")
    expected = [*discs(25, 12), np.zeros((SIDE, SIDE), bool)]
    folder = folder_of(tmp_path / "set", [PAINTED[kind](mask) for mask in expected])
    assert_read_as(folder, expected, mask_values)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize("opacity", [255, 128, 0])
@pytest.mark.parametrize("mask_values", ["two", "labels"])
def test_a_transparency_that_is_everywhere_the_same_says_nothing(
    tmp_path: Path, mode: str, opacity: int, mask_values: str
):
    expected = discs(25, 12)
    drawn = []
    for mask in expected:
        image = valued(0, 1)(mask).convert(mode)
        image.putalpha(opacity)
        drawn.append(image)
    assert_read_as(folder_of(tmp_path / "set", drawn), expected, mask_values)


def test_black_paint_on_nothing_is_refused(tmp_path: Path):
    folder = folder_of(tmp_path / "set", [painted(mask, (0, 0, 0), (255, 255, 255)) for mask in discs(25, 12)])
    with pytest.raises(BadInputError, match=r"painted in black on transparent ground.*2 of 2: 0\.png, 1\.png"):
        told(folder)


def test_labels_in_jpegs_are_refused_in_one_sentence(tmp_path: Path):
    folder = folder_of(tmp_path / "set", [valued(0, 255)(mask) for mask in discs(25, 12)], "jpg", quality=90)
    with pytest.raises(BadInputError, match=r"JPEG, which blurs labels.*save the labels as PNG.*2 of 2"):
        told(folder, "labels")
    assert told(folder) == "0 is ground, 255 is the target"


def test_labels_frayed_by_jpeg_are_refused_whatever_they_are_saved_as(tmp_path: Path):
    folder = folder_of(tmp_path / "set", [through_jpeg(valued(0, 255)(disc()), 90), valued(0, 255)(disc(12))])
    with pytest.raises(BadInputError, match="frayed by values near 0"):
        told(folder, "labels")


def test_many_labels_are_labels(tmp_path: Path):
    cells = np.where(disc(45), 1 + (ROWS // 8) * 12 + COLUMNS // 8, 0)
    folder = folder_of(tmp_path / "set", [Image.fromarray(cells.astype(np.uint16)), valued(0, 3)(disc(9))])
    assert told(folder, "labels") == "0 is ground, all else is the target"
    assert_read_as(folder, [cells > 0, disc(9)], "labels")


def test_one_file_alone_is_judged_by_its_own_values(tmp_path: Path):
    ringed(1, 255).save(tmp_path / "a.png")
    with pytest.raises(UnreadableImageError, match=r"several labels \(0, 1, 255\)"):
        mask_files.whole(tmp_path / "a.png", "two")
    PAINTED["white on nothing"](disc()).save(tmp_path / "b.png")
    assert np.array_equal(mask_files.whole(tmp_path / "b.png", "two"), disc())


def test_a_second_look_decodes_nothing(tmp_path: Path):
    folder = folder_of(tmp_path / "set", [valued(1, 2)(mask) for mask in (*discs(25, 12), np.zeros_like(disc()))])
    records = read_pairs(folder)
    contents = data.Hashes(tmp_path / "hashes").sha256_of([record.path for record in records])
    looked = MaskFiles("set", records, contents, "two", tmp_path / "seen", lambda _: nullcontext())
    first = looked.marks()
    gone = [replace(record, mask=record.path.with_name("gone.png")) for record in records]
    again = MaskFiles("set", gone, contents, "two", tmp_path / "seen", lambda _: nullcontext()).marks()
    assert (first.sentence, first.sizes) == (again.sentence, again.sizes)
    assert np.array_equal(first.extents, again.extents)

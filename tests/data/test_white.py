"""What is white in images of more than 8 bits: what is said of dark ones, and what data.white makes of them."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from dicom_files import save as save_dicom
from PIL import Image

from medcls import BadInputError, data
from medcls.data.checks import Policy, checked, examine
from medcls.data.dataset import DatasetSpec
from medcls.data.levels import Levels, from_plain, white_known
from medcls.data.loading import decoded_cache
from medcls.data.readers.images import UnreadableImageError, decode

SIDE = 48
EIGHT_BITS = np.random.default_rng(5).integers(0, 256, (SIDE, SIDE), np.uint8)


def dark(number: int, largest: int = 4095) -> np.ndarray:
    """Return an image of shape (SIDE, SIDE), uint16, whose largest value is given."""
    pixels = np.random.default_rng(number).integers(0, largest, (SIDE, SIDE)).astype(np.uint16)
    pixels[0, 0] = largest
    return pixels


def folder(home: Path, count: int = 4, suffix: str = ".png", largest: int = 4095) -> Path:
    """Write images of two classes, `count` each."""
    for number, label in enumerate("ab"):
        (home / label).mkdir(parents=True)
        for image in range(count):
            Image.fromarray(dark(100 * number + image, largest)).save(home / label / f"{image}{suffix}")
    return home


def opened(source: Path, hashes: Path, **given: Any) -> DatasetSpec:
    return data.folder(data.Hashes(hashes / "hashes.sqlite"), source=str(source), size=SIDE, **given)


def shown(bundle: DatasetSpec) -> dict[str, np.ndarray]:
    return {name: bundle.decode(row)[:, :, 0].astype(int) for row, name in enumerate(bundle.names)}


def said(source: Path, hashes: Path, **given: Any) -> dict[str, str]:
    """Return the sentences that a study says of its data, by kind."""
    bundle = opened(source, hashes, **given)
    found = checked(
        bundle, data.Hashes(hashes / "hashes.sqlite"), Policy(), folds=None, split_seeds=(0,), tell=lambda *_: None
    )
    return {finding.kind: finding.sentence for finding in found.findings}


@pytest.mark.parametrize(
    ("largest", "words"),
    [
        (4095, ("largest value is 4095", "6.2% of their range", "16 grey levels", "data.white=4095")),
        (1000, ("largest value is 1000", "1.5% of their range", "4 grey levels", "data.white=1023")),
        (16383, ("largest value is 16383", "25.0% of their range", "64 grey levels", "data.white=16383")),
    ],
)
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_deep_images_that_do_not_fill_their_bits_are_a_finding(
    suffix: str, largest: int, words: tuple[str, ...], tmp_path: Path
) -> None:
    source = folder(tmp_path / "set", suffix=suffix, largest=largest)
    for found in (
        said(source, tmp_path)["dark_images"],
        next(f.sentence for f in examine(str(source), data.Hashes(tmp_path / "h")).findings if f.kind == "dark_images"),
        said(source, tmp_path)["dark_images"],  # as it is remembered
    ):
        assert all(word in found for word in ("8 images of more than 8 bits", *words)), found


def test_letters_burnt_in_at_full_white_do_not_hide_that_the_rest_is_dark(tmp_path: Path) -> None:
    source = folder(tmp_path / "set")
    lettered = dark(0)
    lettered[:2, :3] = 65535
    Image.fromarray(lettered).save(source / "a/0.png")
    assert "all but 0.5% of the pixels stay below 40" in said(source, tmp_path)["dark_images"]


def test_images_that_lie_in_a_small_part_of_the_range_away_from_black(tmp_path: Path) -> None:
    """Signed Hounsfield units that somebody has moved up by 32768, say."""
    source = folder(tmp_path / "set")
    for path in source.rglob("*.png"):
        Image.fromarray(np.asarray(Image.open(path)).astype(np.uint16) + 32768).save(path)
    sentence = said(source, tmp_path)["dark_images"]
    for word in ("8 images", "6.2% of their range", "16 grey levels", "data.white=set"):
        assert word in sentence
    assert "dark_images" not in said(source, tmp_path, white="set")
    assert all(
        pixels.min() < 5 and pixels.max() > 250 for pixels in shown(opened(source, tmp_path, white="set")).values()
    )


def test_a_dark_pgm_and_dark_colours(tmp_path: Path) -> None:
    source = folder(tmp_path / "set")
    for path in list(source.rglob("*.png")):
        values = np.asarray(Image.open(path)).astype(">u2")
        path.with_suffix(".pgm").write_bytes(b"P5 %d %d 65535\n" % (SIDE, SIDE) + values.tobytes())
        path.unlink()
    assert "largest value is 4095" in said(source, tmp_path)["dark_images"]
    for path in list(source.rglob("*.pgm")):
        values = np.asarray(Image.open(path)).astype(np.uint16)
        tifffile.imwrite(path.with_suffix(".tif"), np.stack([values] * 3, axis=2), photometric="rgb")
        path.unlink()
    sentence = said(source, tmp_path)["dark_images"]
    assert "largest value is 4095" in sentence
    assert "save them in 8 bits" in sentence
    with pytest.raises(UnreadableImageError, match=r"data\.white does nothing: save it in 8 bits"):
        opened(source, tmp_path, white=4095).decode(0)


def eight_bits(path: Path) -> None:
    Image.fromarray(EIGHT_BITS // 20).save(path.with_suffix(".png"))


def well_filled(path: Path) -> None:
    Image.fromarray((EIGHT_BITS.astype(np.uint16)) * 200).save(path.with_suffix(".png"))


def pgm_of_12_bits(path: Path) -> None:
    path.with_suffix(".pgm").write_bytes(b"P5 %d %d 4095\n" % (SIDE, SIDE) + dark(0).astype(">u2").tobytes())


def dicom(path: Path) -> None:
    save_dicom(path.with_suffix(".dcm"), dark(0), bits=16)


@pytest.mark.parametrize("write", [eight_bits, well_filled, pgm_of_12_bits, dicom])
def test_no_false_alarm(write: Callable[[Path], None], tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / "set" / label).mkdir(parents=True)
        for number in range(3):
            write(tmp_path / "set" / label / str(number))
    assert "dark_images" not in said(tmp_path / "set", tmp_path)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_number_is_white_and_what_is_above_it_too(suffix: str, tmp_path: Path) -> None:
    source = folder(tmp_path / "set", suffix=suffix)
    for name, pixels in shown(opened(source, tmp_path, white=3000)).items():
        stored = np.asarray(Image.open(source / name)).astype(float)
        np.testing.assert_allclose(pixels, np.clip(stored / 3000 * 255, 0, 255), atol=0.51)
    sentences = said(source, tmp_path, white=3000)
    assert "8 images have more than 0.5% of the pixels above data.white=3000" in sentences["above_white"]
    assert "dark_images" not in sentences
    assert not {"above_white", "dark_images"} & said(source, tmp_path, white=4095).keys()
    assert "14% of their range" in said(source, tmp_path, white=30_000)["dark_images"].replace("13.7%", "14%")


def test_a_tiff_whose_white_is_zero_and_a_pgm_have_numbers_of_their_own(tmp_path: Path) -> None:
    source = tmp_path / "set"
    for label in "ab":
        (source / label).mkdir(parents=True)
    stored = {"a/0.tif": dark(0), "b/0.pgm": dark(1, 1000)}
    tifffile.imwrite(source / "a/0.tif", stored["a/0.tif"], photometric="miniswhite")
    (source / "b/0.pgm").write_bytes(b"P5 %d %d 4095\n" % (SIDE, SIDE) + stored["b/0.pgm"].astype(">u2").tobytes())
    pixels = shown(opened(source, tmp_path, white=2000))
    np.testing.assert_allclose(pixels["a/0.tif"], 255 - np.clip(stored["a/0.tif"] / 2000 * 255, 0, 255), atol=0.51)
    np.testing.assert_allclose(pixels["b/0.pgm"], np.clip(stored["b/0.pgm"] / 2000 * 255, 0, 255), atol=0.51)


def test_percentiles_of_each_image(tmp_path: Path) -> None:
    source = folder(tmp_path / "set")
    Image.fromarray(dark(7, 800)).save(source / "b/dim.png")
    for name, pixels in shown(opened(source, tmp_path, white="image")).items():
        stored = np.asarray(Image.open(source / name)).astype(float)
        low, high = np.percentile(stored, (0.5, 99.5))
        np.testing.assert_allclose(pixels, np.clip((stored - low) / (high - low) * 255, 0, 255), atol=0.51)


def test_percentiles_of_the_training_set(tmp_path: Path) -> None:
    """The test set's images, which are brighter, have no say in what is white."""
    folder(tmp_path / "set/train")
    folder(tmp_path / "set/test", largest=60_000)
    train = [np.asarray(Image.open(path)).ravel() for path in sorted((tmp_path / "set/train").rglob("*.png"))]
    low, high = np.percentile(np.concatenate(train), (0.5, 99.5), method="inverted_cdf")
    bundle = opened(tmp_path / "set", tmp_path, white="set")
    assert bundle.levels == Levels(float(low), float(high), found=True)
    for name, pixels in shown(bundle).items():
        stored = np.asarray(Image.open(tmp_path / "set" / name)).astype(float)
        np.testing.assert_allclose(pixels, np.clip((stored - low) / (high - low) * 255, 0, 255), atol=0.51)
    assert opened(tmp_path / "set", tmp_path, white="set").levels == bundle.levels  # as it is remembered
    assert "dark_images" not in said(tmp_path / "set", tmp_path, white="set")


def test_each_white_is_a_data_set_of_its_own_and_none_leaves_it_alone(tmp_path: Path) -> None:
    source = folder(tmp_path / "set")
    plain = opened(source, tmp_path)
    np.testing.assert_array_equal(shown(plain)["a/0.png"], np.rint(dark(0) / 65535 * 255))
    whites = [None, 4095, 3000, "image", "set"]
    bundles = [opened(source, tmp_path, white=white) for white in whites]
    assert bundles[0].fingerprint == plain.fingerprint
    assert len({bundle.fingerprint for bundle in bundles}) == len(whites)
    homes = {decoded_cache.prepare(bundle, tmp_path / "cache") for bundle in bundles}
    assert len(homes) == len(whites)
    levels = [
        decoded_cache.open_decoded(decoded_cache.prepare(bundle, tmp_path / "cache")).levels for bundle in bundles
    ]
    assert levels == [replace(bundle.levels, found=False) for bundle in bundles]


def test_images_with_masks_have_a_white_too(tmp_path: Path) -> None:
    for name in ("images", "masks"):
        (tmp_path / "set" / name).mkdir(parents=True)
    for number in range(4):
        Image.fromarray(dark(number)).save(tmp_path / f"set/images/{number}.png")
        Image.fromarray(np.kron(np.eye(2), np.full((SIDE // 2, SIDE // 2), 255)).astype(np.uint8)).save(
            tmp_path / f"set/masks/{number}.png"
        )
    make = partial(data.lungs, data.Hashes(tmp_path / "h"), source=str(tmp_path / "set"), size=SIDE)
    bundle = make(white=4095)
    row = bundle.names.index("images/2.png")
    np.testing.assert_allclose(bundle.decode(row)[:, :, 0], dark(2) / 4095 * 255, atol=0.51)
    assert bundle.fingerprint != make().fingerprint
    np.testing.assert_array_equal(bundle.masks(row, SIDE), make().masks(0, SIDE))


def test_white_where_it_has_no_meaning(tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / "set" / label).mkdir(parents=True)
        for number in range(3):
            Image.fromarray(np.roll(EIGHT_BITS, number)).save(tmp_path / "set" / label / f"{label}{number}.png")
    for white in (4095, "image", "set"):
        assert "changes nothing" in said(tmp_path / "set", tmp_path, white=white)["no_deep_images"]
    np.testing.assert_array_equal(
        shown(opened(tmp_path / "set", tmp_path, white=100))["a/a1.png"], np.roll(EIGHT_BITS, 1)
    )
    with pytest.raises(BadInputError, match=r"data\.white=4095 is for image files, and skin is drawn"):
        data.skin(data.Hashes(tmp_path / "h"), white=4095)
    for wrong in (0, -1, "full", True):
        with pytest.raises(BadInputError, match=r"white=.*4095.*'image'.*'set'"):
            white_known(white=wrong)


@pytest.mark.parametrize("levels", [Levels(), Levels(10.0, 4000.0), Levels(own=True)])
def test_levels_are_read_as_they_were_written(levels: Levels) -> None:
    assert from_plain(None if levels.as_stored else levels.plain()) == levels


def test_decode_takes_levels(tmp_path: Path) -> None:
    Image.fromarray(dark(0)).save(tmp_path / "a.png")
    pixels = decode(tmp_path / "a.png", SIDE, 3, Levels(95.0, 4095.0))
    np.testing.assert_allclose(pixels[:, :, 1], np.clip((dark(0) - 95.0) / 4000 * 255, 0, 255), atol=0.51)

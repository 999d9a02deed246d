"""Which images count as copies of one another: changed in every way that people change them, and other ones not."""

import io
import os
import re
from collections.abc import Callable
from pathlib import Path

import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps

from medcls import data
from medcls.data.phantoms import PHANTOMS
from medcls.data.phantoms.writing import made
from medcls.data.quality.duplicate_candidates import _hashes, alike_by_circles, alike_by_hash
from medcls.data.quality.duplicates import copies
from medcls.data.quality.registration import SIDE, fit
from medcls.data.quality.scan import survey
from medcls.data.readers.images import fit as thumbnail

COUNT = 30
Change = Callable[[Image.Image], Image.Image]


def compressed(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


def cropped(image: Image.Image, share: float, across: float, down: float) -> Image.Image:
    width, height = (round(side * (1 - share)) for side in image.size)
    left, top = round((image.width - width) * across), round((image.height - height) * down)
    return image.crop((left, top, left + width, top + height))


def turned(image: Image.Image, degrees: float, colour: int = 0) -> Image.Image:
    return image.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=colour)


CHANGES: dict[str, Change] = {
    "half the size": lambda image: image.resize((image.width // 2, image.height // 2)),
    "stretched": lambda image: image.resize((image.width * 2, image.height)),
    "compressed": lambda image: compressed(image, 30),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.1),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.7),
    "more contrast": lambda image: ImageEnhance.Contrast(image).enhance(1.2),
    "cropped": lambda image: cropped(image, 0.03, 0.5, 0.5),
    "cropped at a corner": lambda image: cropped(image, 0.05, 1, 0),
    "cropped all around": lambda image: cropped(image, 0.08, 0.5, 0.5),
    "cropped and mirrored": lambda image: ImageOps.mirror(cropped(image, 0.05, 0, 1)),
    "mirrored": ImageOps.mirror,
    "upside down": ImageOps.flip,
    "a quarter turn": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "three quarters": lambda image: image.transpose(Image.Transpose.ROTATE_270),
    "turned": lambda image: turned(image, 15),
    "turned far": lambda image: turned(image, -50),
    "turned on white": lambda image: turned(image, 10, 255),
    "turned twice": lambda image: turned(turned(image, 15), 10),
    "turned, mirrored and compressed": lambda image: compressed(turned(ImageOps.mirror(image), 20), 40),
}


def small(image: Image.Image) -> NDArray[np.uint8]:
    return thumbnail(np.asarray(image.convert("L")), SIDE, 1)[:, :, 0]


@pytest.fixture(scope="module")
def originals() -> list[Image.Image]:
    """Return different made-up images of femurs."""
    phantom = made("bone", seed=0, count=COUNT)
    return [Image.fromarray(phantom.render(row)).convert("L") for row in range(COUNT)]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found(change: str, originals: list[Image.Image]) -> None:
    rows = [3, 11, 17, 22]
    changed = [CHANGES[change](originals[row]) for row in rows]
    found = copies(np.stack([small(image) for image in [*originals, *changed]]))
    assert found == [(row, COUNT + place) for place, row in enumerate(rows)]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(PHANTOMS))
def test_different_phantom_images_are_no_copies(name: str) -> None:
    phantom = made(name, seed=1, count=150)
    assert copies(np.stack([thumbnail(phantom.render(row), SIDE, 1)[:, :, 0] for row in range(150)])) == []


@pytest.mark.slow
@pytest.mark.skipif("MEDCLS_TEST_DATA" not in os.environ, reason="needs real images")
def test_turned_copies_of_real_images_are_found_as_their_names_say(tmp_path: Path) -> None:
    bundle = data.folder(data.Hashes(tmp_path / "hashes"), source=f"{os.environ['MEDCLS_TEST_DATA']}/bone")
    seen = survey(bundle, tmp_path)
    named = re.compile(r"(.*)/(\d+)((?:-rotated\d)+)(?:_-_Copy)?(_\(\d+\))?\.jpg")
    families: dict[tuple[str, ...], set[int]] = {}
    for name, group in zip(bundle.names, seen.copies.tolist(), strict=True):
        if found := named.fullmatch(name):
            kind = found[1].split("/")[-1]
            families.setdefault((kind, found[2], found[4] or ""), set()).add(group)
    assert len(families) > 150
    assert {family: groups for family, groups in families.items() if len(groups) > 1} == {}
    assert len({group for groups in families.values() for group in groups}) > 80  # not all in one


def test_different_phantom_images_of_one_kind_are_no_copies(originals: list[Image.Image]) -> None:
    assert copies(np.stack([small(image) for image in originals])) == []


def test_noise_and_empty_images_are_no_copies() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (20, SIDE, SIDE), np.uint8)
    assert copies(noise) == []
    assert copies(np.full((5, SIDE, SIDE), 7, np.uint8)) == []
    assert copies(noise[:1]) == []
    assert copies(noise[:0]) == []


def test_of_many_copies_enough_pairs_are_named_to_link_them_all(originals: list[Image.Image]) -> None:
    many = [turned(originals[4], degrees) for degrees in range(-60, 61, 5)]
    found = copies(np.stack([small(image) for image in [*many, *originals[10:20]]]))
    reached = {0}
    for _ in many:
        reached |= {row for pair in found if reached & set(pair) for row in pair}
    assert reached == set(range(len(many)))


@settings(max_examples=15)
@given(degrees=st.floats(-180, 180), mirror=st.booleans(), row=st.integers(0, COUNT - 1))
def test_circles_give_the_angle_at_which_the_fit_begins(
    degrees: float, mirror: bool, row: int, originals: list[Image.Image]
) -> None:
    image = ImageOps.mirror(originals[row]) if mirror else originals[row]
    pair = np.stack([small(originals[row]), small(turned(image, degrees))])
    found = alike_by_circles(pair)
    assert len(found.first) == 1
    fitted = fit(pair, *found)
    assert fitted.likeness[0] > 0.95
    linear = fitted.transforms[0, :, :2]
    assert np.linalg.det(linear) == pytest.approx(-1 if mirror else 1, abs=0.1)
    assert linear @ linear.T == pytest.approx(np.eye(2), abs=0.1)


def test_the_hashes_of_many_are_those_of_imagehash(originals: list[Image.Image]) -> None:
    noise = np.random.default_rng(5).integers(0, 256, (700, SIDE, SIDE), np.uint8)
    thumbnails = np.concatenate([noise, [small(each) for each in originals]])
    for top, left, side in ((0, 0, SIDE), (2, 4, 60)):
        window = np.ascontiguousarray(thumbnails[:, top : top + side, left : left + side])
        expected = [imagehash.phash(Image.fromarray(each)).hash for each in window]
        np.testing.assert_array_equal(_hashes(thumbnails, top, left, side), expected)
    assert _hashes(noise[:0], 0, 0).shape == (0, 8, 8)


def test_every_mirrored_and_quarter_turned_form_has_its_hash(originals: list[Image.Image]) -> None:
    for form in Image.Transpose:
        pair = np.stack([small(originals[0]), small(originals[0].transpose(form))])
        found = alike_by_hash(pair)
        assert sorted(found.first) == [0, 1], form  # from both ends
        assert fit(pair, *found).likeness.min() > 0.99, form

"""One file -> one array: colours, depths, orientations, sizes, and what is refused."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from medcls.data.readers.images import UnreadableImageError, decode, fit

SIDES = st.integers(1, 24)
GREY = st.tuples(SIDES, SIDES).flatmap(lambda shape: arrays(np.uint8, shape))


def save(folder: Path, pixels: np.ndarray, name: str = "image.png", **options: object) -> Path:
    Image.fromarray(pixels).save(folder / name, **options)
    return folder / name


@pytest.fixture
def colours() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (6, 6, 3), np.uint8)


def test_an_image_of_the_right_size_keeps_its_pixels(tmp_path: Path, colours: np.ndarray) -> None:
    grey = colours[:, :, :1]
    np.testing.assert_array_equal(decode(save(tmp_path, colours), 6, 3), colours)
    np.testing.assert_array_equal(decode(save(tmp_path, grey[:, :, 0]), 6, 1), grey)
    np.testing.assert_array_equal(decode(save(tmp_path, grey[:, :, 0]), 6, 3), np.repeat(grey, 3, axis=2))


def test_colours_become_grey_by_the_luma_of_itu_r_601(tmp_path: Path, colours: np.ndarray) -> None:
    luma = colours @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(decode(save(tmp_path, colours), 6, 1)[:, :, 0], luma, atol=0.51)


def test_sixteen_bits_are_scaled_to_eight(tmp_path: Path) -> None:
    deep = np.arange(0, 65536, 257 * 5 // 3, dtype=np.uint16)[:144].reshape(12, 12)
    deep[0, :2] = 0, 65535
    expected = np.rint(deep / 65535 * 255)
    for channels in (1, 3):
        pixels = decode(save(tmp_path, deep), 12, channels)
        np.testing.assert_array_equal(pixels, np.repeat(expected[:, :, None], channels, axis=2))


def test_sixteen_bits_are_averaged_before_they_are_rounded(tmp_path: Path) -> None:
    deep = np.where(np.indices((8, 8)).sum(axis=0) % 2, 257 * 100 + 120, 257 * 101 + 120).astype(np.uint16)
    assert decode(save(tmp_path, deep), 1, 1).item() == 101  # 100.97


def test_a_palette_with_transparent_colours_is_read(tmp_path: Path, colours: np.ndarray) -> None:
    palette = Image.fromarray(colours).quantize(8)
    alpha = np.array([0, 128, 255, *[255] * 5])
    palette.save(tmp_path / "image.png", transparency=alpha.astype(np.uint8).tobytes())
    opaque = np.asarray(palette.convert("RGB")) * (alpha[np.asarray(palette)][:, :, None] / 255)
    np.testing.assert_allclose(decode(tmp_path / "image.png", 6, 3), opaque, atol=1)


@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, lambda stored: stored),
        (2, np.fliplr),
        (3, lambda stored: np.rot90(stored, 2)),
        (4, np.flipud),
        (5, np.transpose),
        (6, lambda stored: np.rot90(stored, -1)),
        (7, lambda stored: np.rot90(stored, 2).T),
        (8, np.rot90),
    ],
)
@pytest.mark.parametrize("name", ["image.png", "image.jpg"])
def test_an_image_is_turned_as_its_exif_says(tmp_path: Path, name: str, orientation: int, upright: object) -> None:
    stored = np.kron(np.array([[0, 80], [160, 240]], np.uint8), np.ones((8, 8), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = decode(save(tmp_path, stored, name, exif=exif), 16, 1)[:, :, 0]
    np.testing.assert_allclose(pixels.astype(int), upright(stored).astype(int), atol=2)  # JPEG is nearly exact


@given(GREY, SIDES)
def test_resizing_never_leaves_the_range_of_the_pixels(pixels: np.ndarray, size: int) -> None:
    resized = fit(pixels, size, 1)
    assert resized.shape == (size, size, 1)
    assert resized.dtype == np.uint8
    assert pixels.min() <= resized.min() <= resized.max() <= pixels.max()


@given(st.integers(2, 16), st.integers(0, 3))
def test_a_fine_pattern_is_averaged_and_not_aliased(size: int, phase: int) -> None:
    stripes = np.tile(((np.arange(size * 8) + phase) // 2 % 2 * 200).astype(np.uint8), (size * 8, 1))
    inner = fit(stripes, size, 1)[:, 1:-1].astype(int)
    assert abs(inner - 100).max(initial=0) <= 7


@given(st.integers(1, 8), st.integers(0, 255))
def test_a_colour_image_keeps_its_channels_apart(size: int, level: int) -> None:
    pixels = np.zeros((9, 7, 3), np.uint8)
    pixels[:, :, 1] = level
    np.testing.assert_array_equal(fit(pixels, size, 3), np.broadcast_to([0, level, 0], (size, size, 3)))


def test_what_is_no_whole_image_is_refused_with_the_reason(tmp_path: Path, colours: np.ndarray) -> None:
    whole = save(tmp_path, np.tile(colours, (10, 10, 1)), "whole.jpg").read_bytes()
    contents = {
        "text.jpg": (b"not an image at all", "not a PNG, JPEG, BMP, TIFF, PGM, PPM, TGA or DICOM image"),
        "empty.png": (b"", "empty"),
        "cut.jpg": (whole[: len(whole) // 2], "truncated"),
    }
    for name, (content, reason) in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UnreadableImageError, match=reason):
            decode(tmp_path / name, 8, 1)
    with pytest.raises(UnreadableImageError, match="No such file"):
        decode(tmp_path / "missing.png", 8, 1)
    Image.fromarray(colours).save(tmp_path / "other.png", "GIF")
    with pytest.raises(UnreadableImageError, match="not a PNG"):
        decode(tmp_path / "other.png", 8, 1)


@given(st.sampled_from(["PNG", "JPEG"]), st.data())
def test_no_damage_raises_anything_else(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    pixels = np.random.default_rng(1).integers(0, 256, (20, 20, 3), np.uint8)
    content = bytearray(save(folder, pixels, "image", format=kind).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (folder / "image").write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with suppress(UnreadableImageError):
        assert decode(folder / "image", 4, 3).shape == (4, 4, 3)

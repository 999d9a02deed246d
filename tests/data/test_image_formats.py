"""BMP, TIFF and all the ways in which a picture may be stored: one image, the same pixels."""

import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin

from medcls.data.readers.images import MOST_PIXELS, UnreadableImageError, decode, kind_of

SIDE = 12
COLOURS = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
GREY = COLOURS[:, :, 0]
DEEP = np.linspace(0, 65535, SIDE * SIDE).astype(np.uint16).reshape(SIDE, SIDE)
KINDS = {
    "a.bmp": {},
    "raw.tif": {},
    "lzw.tiff": {"compression": "tiff_lzw"},
    "deflate.tif": {"compression": "tiff_adobe_deflate"},
    "bits.tif": {"compression": "packbits"},
    "a.PNG": {"format": "PNG"},
    "a.tga": {},
    "packed.TGA": {"compression": "tga_rle"},
    "a.ppm": {},
    "a.pnm": {"format": "PPM"},
}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("pixels", [COLOURS, GREY], ids=["RGB", "grey"])
def test_every_lossless_format_gives_the_pixels_back(name: str, pixels: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(pixels).save(tmp_path / name, **KINDS[name])
    colours = pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)
    np.testing.assert_array_equal(decode(tmp_path / name, SIDE, 3), colours)
    mode = "RGB" if pixels.ndim == 3 else "L"
    np.testing.assert_array_equal(decode(tmp_path / name, SIDE, 1)[:, :, 0], Image.fromarray(colours).convert("L"))
    assert kind_of(tmp_path / name) == ({"RGB": "RGB", "L": "grey"}[mode], (SIDE, SIDE))


@pytest.mark.parametrize("mode", ["1", "P"])
@pytest.mark.parametrize("name", ["a.bmp", "a.tif", "a.png"])
def test_black_and_white_and_palettes(name: str, mode: str, tmp_path: Path) -> None:
    stored = Image.fromarray(COLOURS).quantize(16) if mode == "P" else Image.fromarray(GREY > 99)
    stored.save(tmp_path / name)
    np.testing.assert_array_equal(decode(tmp_path / name, SIDE, 3), np.asarray(stored.convert("RGB")))


@pytest.mark.parametrize(("name", "order"), [("a.tif", "<u2"), ("big.tif", ">u2"), ("a.png", "<u2")])
def test_sixteen_bits_in_any_format(name: str, order: str, tmp_path: Path) -> None:
    if order == ">u2":
        Image.frombytes("I;16B", DEEP.shape[::-1], DEEP.astype(order).tobytes()).save(tmp_path / name)
    else:
        Image.fromarray(DEEP).save(tmp_path / name)
    np.testing.assert_array_equal(decode(tmp_path / name, SIDE, 1)[:, :, 0], np.rint(DEEP / 65535 * 255))
    assert kind_of(tmp_path / name)[0] == "grey, 16 bit"


def tagged(path: Path, pixels: np.ndarray, **tags: int) -> Path:
    """Save a grey TIFF whose header says what Pillow would not write by itself."""
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    Image.fromarray(pixels).save(path, tiffinfo=directory)
    content = bytearray(path.read_bytes())
    numbers = {"photometric": 262, "bits": 258, "format": 339, "width": 256}
    for name, value in tags.items():
        entry = content.index(numbers[name].to_bytes(2, "little"), int.from_bytes(content[4:8], "little"))
        content[entry + 8 : entry + 12] = value.to_bytes(4, "little")
    path.write_bytes(content)
    return path


def test_a_deep_tiff_whose_white_is_zero_is_turned_round(tmp_path: Path) -> None:
    path = tagged(tmp_path / "a.tif", DEEP, photometric=0)
    np.testing.assert_array_equal(decode(path, SIDE, 1)[:, :, 0], np.rint(255 - DEEP / 65535 * 255))


def test_twelve_bits_fill_the_range(tmp_path: Path) -> None:
    values = (DEEP // 16).ravel()
    pairs = values.reshape(-1, 2).astype(np.uint32)  # two values in three bytes, as TIFF packs them
    packed = np.stack([pairs[:, 0] >> 4, (pairs[:, 0] & 15) << 4 | pairs[:, 1] >> 8, pairs[:, 1] & 255], axis=1)
    path = tagged(tmp_path / "a.tif", DEEP, bits=12)
    content = path.read_bytes()
    start = content.index(DEEP.tobytes())
    path.write_bytes(content[:start] + packed.astype(np.uint8).tobytes() + content[start + packed.size :])
    np.testing.assert_array_equal(decode(path, SIDE, 1)[:, :, 0].ravel(), np.rint(values / 4095 * 255))


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_what_is_transparent_is_laid_on_black(name: str, tmp_path: Path) -> None:
    alpha = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 1), np.uint8)
    Image.fromarray(np.concatenate([COLOURS, alpha], axis=2)).save(tmp_path / name)
    np.testing.assert_allclose(decode(tmp_path / name, SIDE, 3), COLOURS * (alpha / 255), atol=1)
    Image.fromarray(np.concatenate([GREY[:, :, None], alpha], axis=2)).save(tmp_path / name)
    np.testing.assert_allclose(decode(tmp_path / name, SIDE, 1)[:, :, 0], GREY * (alpha[:, :, 0] / 255), atol=1)


def test_a_colour_that_counts_as_transparent_is_black_in_grey_and_in_colour(tmp_path: Path) -> None:
    Image.fromarray(GREY).save(tmp_path / "a.png", transparency=int(GREY[0, 0]))
    expected = np.where(GREY[0, 0] == GREY, 0, GREY)
    for channels in (1, 3):
        pixels = decode(tmp_path / "a.png", SIDE, channels)
        np.testing.assert_array_equal(pixels, np.repeat(expected[:, :, None], channels, axis=2))


def test_cmyk(tmp_path: Path) -> None:
    inks = np.kron(np.random.default_rng(2).integers(0, 256, (3, 3, 4)), np.ones((16, 16, 1))).astype(np.uint8)
    paper = (255 - inks[:, :, :3].astype(float)) * (255 - inks[:, :, 3:].astype(float)) / 255
    Image.frombytes("CMYK", (48, 48), inks.tobytes()).save(tmp_path / "a.jpg", quality=100, subsampling=0)
    Image.frombytes("CMYK", (48, 48), inks.tobytes()).save(tmp_path / "a.tif")
    np.testing.assert_allclose(decode(tmp_path / "a.jpg", 48, 3), paper, atol=6)
    np.testing.assert_allclose(decode(tmp_path / "a.tif", 48, 3), paper, atol=1.01)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_is_turned_once(orientation: int, tmp_path: Path) -> None:
    expected: dict[int, Callable[[np.ndarray], np.ndarray]] = {
        1: lambda stored: stored,
        2: np.fliplr,
        3: lambda stored: np.rot90(stored, 2),
        4: np.flipud,
        5: np.transpose,
        6: lambda stored: np.rot90(stored, -1),
        7: lambda stored: np.rot90(stored, 2).T,
        8: np.rot90,
    }
    for number, compression in enumerate((None, "tiff_lzw")):
        path = tmp_path / f"{number}.tif"
        Image.fromarray(GREY).save(path, tiffinfo={274: orientation}, compression=compression)
        np.testing.assert_array_equal(decode(path, SIDE, 1)[:, :, 0], expected[orientation](GREY))


GREYS = [Image.fromarray(GREY)] * 2
REFUSED = {
    "pages": (lambda path: GREYS[0].save(path, save_all=True, append_images=GREYS), "TIFF of several pages"),
    "floating point": (lambda path: Image.fromarray(GREY.astype(np.float32)).save(path), "nobody knows"),
    "32 bits": (lambda path: Image.fromarray(GREY.astype(np.int32)).save(path), "nobody knows"),
    "signed": (lambda path: Image.fromarray(DEEP).save(path, tiffinfo={339: 2}), "nobody knows"),
    "signed in 8 bits": (lambda path: tifffile.imwrite(path, GREY.astype(np.int8)), "signed, .*nobody knows"),
    "signed colours": (
        lambda path: tifffile.imwrite(path, COLOURS.astype(np.int8), photometric="rgb"),
        "3 x 8 bits, signed",
    ),
    "signed in 8 bits, packed": (
        lambda path: tifffile.imwrite(path, GREY.astype(np.int8), compression="zlib"),
        "signed, .*nobody knows",
    ),
    "half precision": (lambda path: tifffile.imwrite(path, GREY.astype(np.float16)), "1 x 16 bits, floating-point"),
    "double precision": (lambda path: tifffile.imwrite(path, GREY.astype(np.float64)), "1 x 64 bits, floating-point"),
    "64 bits": (lambda path: tifffile.imwrite(path, GREY.astype(np.uint64)), "1 x 64 bits, whole numbers"),
    "deep colours in planes": (
        lambda path: tifffile.imwrite(
            path, COLOURS.transpose(2, 0, 1).astype(np.uint16) * 257, photometric="rgb", planarconfig="separate"
        ),
        "16 bits with its colours in planes",
    ),
    "LAB": (lambda path: Image.new("LAB", (4, 4)).save(path), "colours LAB"),
    "a width that lies": (lambda path: tagged(path, GREY, width=4000), "damaged"),
    "a width beyond all bounds": (lambda path: tagged(path, GREY, width=2**31), "more than the 178,956,970 pixels"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_tiff_that_cannot_be_shown_is_refused_in_one_line(fault: str, tmp_path: Path, capfd) -> None:
    save, reason = REFUSED[fault]
    save(tmp_path / "a.tif")
    with pytest.raises(UnreadableImageError, match=reason) as refusal:
        decode(tmp_path / "a.tif", 8, 1)
    assert "\n" not in str(refusal.value)
    assert capfd.readouterr() == ("", "")


def test_deep_colours_and_planes_of_bytes(tmp_path: Path) -> None:
    deep = COLOURS.astype(np.uint16) * 257
    for number, order in enumerate("<>"):
        tifffile.imwrite(tmp_path / f"{number}.tif", deep, photometric="rgb", byteorder=order)
        np.testing.assert_array_equal(decode(tmp_path / f"{number}.tif", SIDE, 3), COLOURS)
    tifffile.imwrite(tmp_path / "p.tif", COLOURS.transpose(2, 0, 1), photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(decode(tmp_path / "p.tif", SIDE, 3), COLOURS)


@pytest.mark.parametrize(("largest", "kind"), [(255, np.uint8), (15, np.uint8), (4095, ">u2"), (65535, ">u2")])
def test_a_pgm_says_what_white_is(largest: int, kind: str, tmp_path: Path) -> None:
    values = (DEEP.astype(np.int64) * largest // 65535).astype(kind)
    (tmp_path / "a.pgm").write_bytes(b"P5 %d %d %d\n" % (SIDE, SIDE, largest) + values.tobytes())
    np.testing.assert_allclose(decode(tmp_path / "a.pgm", SIDE, 1)[:, :, 0], values / largest * 255, atol=0.51)
    plain = f"P2 {SIDE} {SIDE} {largest}\n" + " ".join(map(str, values.ravel().tolist()))
    (tmp_path / "b.pgm").write_text(plain)
    np.testing.assert_array_equal(decode(tmp_path / "b.pgm", SIDE, 1), decode(tmp_path / "a.pgm", SIDE, 1))


def test_black_and_white_in_a_pbm(tmp_path: Path) -> None:
    Image.fromarray(GREY > 99).save(tmp_path / "a.pbm", format="PPM")
    np.testing.assert_array_equal(decode(tmp_path / "a.pbm", SIDE, 1)[:, :, 0], (GREY > 99) * 255)


@pytest.mark.parametrize("name", ["a.jfif", "a.jpe", "a.JFI"])
def test_jpeg_by_its_other_names(name: str, tmp_path: Path) -> None:
    Image.fromarray(GREY).save(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").rename(tmp_path / name)
    assert kind_of(tmp_path / name) == ("grey", (SIDE, SIDE))


@pytest.mark.parametrize(
    ("marker", "bits", "said"), [(0xC1, 12, "a JPEG of 12 bits"), (0xC3, 16, "a lossless JPEG of 16 bits")]
)
def test_a_jpeg_that_pillow_does_not_read_is_named(marker: int, bits: int, said: str, tmp_path: Path) -> None:
    Image.fromarray(GREY).save(tmp_path / "a.jpg")
    content = bytearray((tmp_path / "a.jpg").read_bytes())
    frame = content.index(b"\xff\xc0")
    content[frame + 1], content[frame + 4] = marker, bits
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(UnreadableImageError, match=f"{said}.* save it as PNG or TIFF of 16 bits"):
        decode(tmp_path / "a.jpg", 8, 1)


@pytest.mark.parametrize("name", KINDS)
def test_what_is_cut_off_or_is_something_else_is_refused_and_nothing_else_said(
    name: str, tmp_path: Path, capfd
) -> None:
    Image.fromarray(np.tile(COLOURS, (8, 8, 1))).save(tmp_path / name, **KINDS[name])
    whole = (tmp_path / name).read_bytes()
    for content in (b"", b"no image", whole[:20], whole[: len(whole) // 2], whole[:-99]):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UnreadableImageError) as refusal:
            decode(tmp_path / name, 8, 1)
        assert "\n" not in str(refusal.value)
    assert capfd.readouterr() == ("", "")


@given(st.sampled_from(list(KINDS)), st.data())
def test_no_damage_raises_anything_else(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("damaged") / name
    Image.fromarray(COLOURS).save(path, **KINDS[name])
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with suppress(UnreadableImageError):
        assert decode(path, 4, 3).shape == (4, 4, 3)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp", "a.tif"])
def test_one_pixel_and_twenty_thousand_in_a_row(name: str, tmp_path: Path) -> None:
    Image.new("RGB", (1, 1), (200, 200, 200)).save(tmp_path / name)
    np.testing.assert_allclose(decode(tmp_path / name, 4, 3), 200, atol=1)
    ramp = np.tile(np.linspace(0, 255, 20_000).astype(np.uint8), (4, 1))
    Image.fromarray(ramp).save(tmp_path / name)
    np.testing.assert_allclose(decode(tmp_path / name, 4, 1)[0, :, 0], [32, 96, 159, 223], atol=8)


def test_a_large_image_is_read_without_a_warning_and_a_larger_one_refused(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Image.new("1", (20_000, 5_000), 1).save(tmp_path / "large.png")  # above Pillow's limit for a warning
        Image.new("1", (20_000, MOST_PIXELS // 20_000 + 1), 1).save(tmp_path / "larger.png")
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        assert decode(tmp_path / "large.png", 4, 1).min() == 255
        for read in (lambda path: decode(path, 4, 1), kind_of):
            with pytest.raises(UnreadableImageError, match="more than the 178,956,970 pixels that are read: make it"):
                read(tmp_path / "larger.png")
    assert warned == []


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_large_images_are_decoded_one_at_a_time(tmp_path: Path) -> None:
    for number in range(4):
        Image.new("RGB", (5_000, 5_000), (number, 0, 0)).save(tmp_path / f"{number}.png")  # 100 MB each in Pillow
    code = """
import pathlib, sys
from concurrent.futures import ThreadPoolExecutor
from medcls.data.readers.images import decode
def most():
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))
paths = sorted(pathlib.Path(sys.argv[1]).iterdir())
decode(paths[0], 8, 3)
alone = most()
with ThreadPoolExecutor(4) as pool:
    print(*(image[0, 0, 0] for image in pool.map(lambda path: decode(path, 8, 3), paths)), most() - alone)
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    *values, more = map(int, done.stdout.split())
    assert values == [0, 1, 2, 3]
    assert more < 80  # MB

"""DICOM: what a viewer shows is what a network sees; and what is refused."""

import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from dicom_files import dataset, save
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    RLELossless,
)

from medcls import BadInputError, data
from medcls.data.loading import decoded_cache
from medcls.data.readers.images import UnreadableImageError, decode, kind_of

SIDE = 16
HOUNSFIELD = np.linspace(-1024, 3071, SIDE * SIDE).astype(np.int16).reshape(SIDE, SIDE)
TWELVE_BITS = np.linspace(0, 4095, SIDE * SIDE).astype(np.uint16).reshape(SIDE, SIDE)
EIGHT_BITS = np.arange(SIDE * SIDE, dtype=np.uint8).reshape(SIDE, SIDE)
COLOURS = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)


def grey(path: Path) -> np.ndarray:
    """Return an image in grey at its own size."""
    return decode(path, SIDE, 1)[:, :, 0]


def linear(values: np.ndarray, centre: float, width: float) -> np.ndarray:
    """Return what PS3.3 C.11.2.1.2 says of a window, as written there, with 0 and 255 for its y_min and y_max."""
    inside = ((values - (centre - 0.5)) / (width - 1) + 0.5) * 255
    dark, bright = values <= centre - 0.5 - (width - 1) / 2, values > centre - 0.5 + (width - 1) / 2
    return np.rint(np.select([dark, bright], [0, 255], inside))


@given(
    centre=st.integers(-1000, 3000),
    width=st.integers(2, 4000),
    slope=st.sampled_from([0.5, 1, 2]),
    intercept=st.sampled_from([-1024, 0, 10.5]),
    inverted=st.booleans(),
)
def test_a_window_is_applied_to_rescaled_values(
    tmp_path_factory: pytest.TempPathFactory, centre: int, width: int, slope: float, intercept: float, inverted: bool
) -> None:
    tags = {"WindowCenter": centre, "WindowWidth": width, "RescaleSlope": slope, "RescaleIntercept": intercept}
    if inverted:
        tags["PhotometricInterpretation"] = "MONOCHROME1"
    path = save(tmp_path_factory.mktemp("window") / "a.dcm", TWELVE_BITS, bits=12, **tags)
    shown = linear(TWELVE_BITS * float(slope) + intercept, centre, width)
    np.testing.assert_allclose(grey(path), 255 - shown if inverted else shown, atol=1)  # at halves


def test_signed_values_and_the_first_of_several_windows(tmp_path: Path) -> None:
    path = save(tmp_path / "a.dcm", HOUNSFIELD, WindowCenter=[40, 600], WindowWidth=[400, 1500])
    np.testing.assert_allclose(grey(path), linear(HOUNSFIELD, 40, 400), atol=1)


def test_the_function_of_the_window(tmp_path: Path) -> None:
    tags = {"WindowCenter": 1000, "WindowWidth": 800}
    exact = save(tmp_path / "a.dcm", HOUNSFIELD, VOILUTFunction="LINEAR_EXACT", **tags)
    np.testing.assert_allclose(grey(exact), np.clip((HOUNSFIELD - 600.0) / 800, 0, 1) * 255, atol=0.51)
    sigmoid = save(tmp_path / "b.dcm", HOUNSFIELD, VOILUTFunction="SIGMOID", **tags)
    np.testing.assert_allclose(grey(sigmoid), 255 / (1 + np.exp(-(HOUNSFIELD - 1000.0) / 200)), atol=0.51)


def test_a_negative_slope_turns_brightness_round(tmp_path: Path) -> None:
    tags = {"RescaleSlope": -1, "RescaleIntercept": 4095, "WindowCenter": 2048, "WindowWidth": 4096}
    path = save(tmp_path / "a.dcm", TWELVE_BITS, bits=12, **tags)
    np.testing.assert_allclose(grey(path), (4095 - TWELVE_BITS.astype(float)) / 4095 * 255, atol=0.51)


def test_a_table_in_the_file_comes_before_its_window(tmp_path: Path) -> None:
    item = Dataset()
    item.LUTDescriptor = [4096, 0, 12]
    item.LUTData = (4095 - np.arange(4096, dtype=np.uint16)).tobytes()
    item["LUTData"].VR = "OW"
    tags = {"VOILUTSequence": Sequence([item]), "WindowCenter": 40, "WindowWidth": 400}
    path = save(tmp_path / "a.dcm", TWELVE_BITS, bits=12, **tags)
    np.testing.assert_allclose(grey(path), (4095 - TWELVE_BITS.astype(float)) / 4095 * 255, atol=0.51)


@pytest.mark.parametrize(
    "window", [{}, {"WindowCenter": None, "WindowWidth": None}, {"WindowCenter": 5, "WindowWidth": 0}]
)
def test_without_a_window_the_range_is_full(tmp_path: Path, window: dict) -> None:
    np.testing.assert_array_equal(grey(save(tmp_path / "8.dcm", EIGHT_BITS // 2, **window)), EIGHT_BITS // 2)
    for name, values in {"12": TWELVE_BITS // 3 + 7, "signed": HOUNSFIELD}.items():
        stretched = np.interp(values, (values.min(), values.max()), (0, 255))
        np.testing.assert_allclose(grey(save(tmp_path / name, values, **window)), stretched, atol=0.51)
    flat = save(tmp_path / "flat.dcm", np.full((SIDE, SIDE), 700, np.uint16), **window)
    assert np.ptp(grey(flat)) == 0


def test_grey_is_averaged_before_it_is_rounded(tmp_path: Path) -> None:
    fine = np.where(np.indices((8, 8)).sum(axis=0) % 2, 1000, 1001).astype(np.uint16)
    path = save(tmp_path / "a.dcm", fine, WindowCenter=1000.5, WindowWidth=511, VOILUTFunction="LINEAR_EXACT")
    assert decode(path, 1, 1).item() == 128  # the window's middle, 127.5, and a quarter of a step on either side


def test_colours(tmp_path: Path) -> None:
    np.testing.assert_array_equal(decode(save(tmp_path / "rgb.dcm", COLOURS), SIDE, 3), COLOURS)
    planes = save(tmp_path / "p.dcm", COLOURS, PlanarConfiguration=1, PixelData=COLOURS.transpose(2, 0, 1).tobytes())
    np.testing.assert_array_equal(decode(planes, SIDE, 3), COLOURS)
    luma = COLOURS @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(decode(planes, SIDE, 1)[:, :, 0], luma, atol=0.51)
    difference = np.asarray(Image.fromarray(COLOURS).convert("YCbCr"))
    ybr = save(tmp_path / "ybr.dcm", difference, PhotometricInterpretation="YBR_FULL")
    np.testing.assert_allclose(decode(ybr, SIDE, 3).astype(int), COLOURS, atol=3)
    deep = COLOURS.astype(np.uint16) * 257
    np.testing.assert_array_equal(decode(save(tmp_path / "deep.dcm", deep), SIDE, 3), COLOURS)


def test_a_palette(tmp_path: Path) -> None:
    tables = {f"{colour}PaletteColorLookupTableData": COLOURS.reshape(-1, 3)[:, channel].astype(np.uint16) * 257
              for channel, colour in enumerate(("Red", "Green", "Blue"))}  # fmt: skip
    tags = {name: table.tobytes() for name, table in tables.items()}
    tags |= {f"{colour}PaletteColorLookupTableDescriptor": [256, 0, 16] for colour in ("Red", "Green", "Blue")}
    path = save(tmp_path / "a.dcm", EIGHT_BITS, PhotometricInterpretation="PALETTE COLOR", **tags)
    np.testing.assert_array_equal(decode(path, SIDE, 3), COLOURS)


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, RLELossless]
)
def test_every_plain_or_run_length_syntax_gives_the_same_pixels(tmp_path: Path, syntax: str) -> None:
    written = dataset(TWELVE_BITS, bits=12)
    if syntax == RLELossless:
        written.compress(RLELossless)
    else:
        written.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:
        written.PixelData = TWELVE_BITS.byteswap().tobytes()
    written.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    np.testing.assert_allclose(grey(tmp_path / "a.dcm"), TWELVE_BITS / 4095 * 255, atol=0.51)


@pytest.mark.parametrize(("syntax", "kind"), [(JPEGBaseline8Bit, "JPEG"), (JPEG2000Lossless, "JPEG2000")])
def test_jpeg_within_dicom_needs_nothing_more(tmp_path: Path, syntax: str, kind: str) -> None:
    stream = BytesIO()
    Image.fromarray(EIGHT_BITS).save(stream, kind, **({"quality": 100} if kind == "JPEG" else {"no_jp2": True}))
    packed = encapsulate([stream.getvalue()])
    path = save(tmp_path / "a.dcm", EIGHT_BITS, syntax=syntax, PixelData=packed)
    np.testing.assert_allclose(grey(path).astype(int), EIGHT_BITS, atol=2)


def lacking(name: str) -> Callable[[Dataset], None]:
    return lambda written: delattr(written, name)


def setting(**tags: object) -> Callable[[Dataset], None]:
    return lambda written: [setattr(written, name, value) for name, value in tags.items()]


def compressed(syntax: str, frame: bytes = b"\xff\xd8nothing") -> Callable[[Dataset], None]:
    def change(written: Dataset) -> None:
        written.file_meta.TransferSyntaxUID = syntax
        written.PixelData = encapsulate([frame])

    return change


REFUSED = {
    "many frames": (setting(NumberOfFrames=3), "DICOM of 3 frames"),
    "a report": (lacking("PixelData"), "DICOM without an image"),
    "too few pixels": (setting(PixelData=b"\0" * 100), "damaged: .*pixel data"),
    "more rows than there are": (setting(Rows=60000, Columns=2000), "damaged"),
    "far more rows": (setting(Rows=60000, Columns=60000), "more than the 178,956,970 pixels"),
    "no rows": (setting(Rows=0), "DICOM without an image"),
    "odd bits": (setting(BitsAllocated=13), "damaged"),
    "no photometric interpretation": (lacking("PhotometricInterpretation"), "damaged"),
    "odd colours": (setting(PhotometricInterpretation="HSV"), "kind HSV"),
    "JPEG lossless": (compressed(JPEGLosslessSV1), "needs a plug-in: .* pylibjpeg pylibjpeg-libjpeg"),
    "JPEG of 12 bits": (
        lambda written: [setting(BitsAllocated=16, BitsStored=12)(written), compressed(JPEGExtended12Bit)(written)],
        "needs a plug-in: .* pylibjpeg pylibjpeg-libjpeg",
    ),
    "a film": (compressed(MPEG2MPML), "compressed as MPEG2.*: save it uncompressed"),
    "a broken JPEG": (compressed(JPEGBaseline8Bit), "damaged: "),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_what_holds_no_whole_image_is_refused_in_one_line(fault: str, tmp_path: Path) -> None:
    change, reason = REFUSED[fault]
    written = dataset(EIGHT_BITS)
    change(written)
    written.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    with pytest.raises(UnreadableImageError, match=reason) as refusal:
        decode(tmp_path / "a.dcm", 8, 1)
    assert "\n" not in str(refusal.value)


def test_what_ends_too_early_is_refused(tmp_path: Path) -> None:
    whole = save(tmp_path / "whole.dcm", TWELVE_BITS).read_bytes()
    for length in (0, 50, 140, 300, len(whole) - 100):
        (tmp_path / "cut.dcm").write_bytes(whole[:length])
        with pytest.raises(UnreadableImageError, match=r"damaged|empty|not a PNG|DICOM without an image"):
            decode(tmp_path / "cut.dcm", 8, 1)
    (tmp_path / "text.dcm").write_text("This is no image.")
    with pytest.raises(UnreadableImageError, match="not a PNG, JPEG, BMP, TIFF, PGM, PPM, TGA or DICOM image"):
        decode(tmp_path / "text.dcm", 8, 1)


def test_what_is_said_of_a_file(tmp_path: Path) -> None:
    assert kind_of(save(tmp_path / "a", TWELVE_BITS[:, :8], bits=12)) == ("DICOM grey, 12 bit", (8, SIDE))
    assert kind_of(save(tmp_path / "b", COLOURS)) == ("DICOM colour, 8 bit", (SIDE, SIDE))


def test_a_folder_of_a_hospital(tmp_path: Path) -> None:
    """Files without suffixes, files named by a number, an index: what has DICOM's mark is an image, and no more."""
    names = ["A/IM0001", "A/1.2.840.113619.2.55", "B/x.dcm", "B/deep/IM0002"]
    for number, name in enumerate(names):
        save(tmp_path / name, EIGHT_BITS // (number + 1))
    save(tmp_path / "A/DICOMDIR", EIGHT_BITS)
    (tmp_path / "A/LICENSE").write_text("free " * 99)
    (tmp_path / "B/licences").mkdir()
    (tmp_path / "B/licences/empty").touch()
    bundle = data.folder(data.Hashes(tmp_path / "hashes" / "h"), source=str(tmp_path), size=SIDE)
    assert sorted(bundle.names) == sorted(names)
    shown = {name: bundle.decode(row)[:, :, 0] for row, name in enumerate(bundle.names)}
    for number, name in enumerate(names):
        np.testing.assert_array_equal(shown[name], EIGHT_BITS // (number + 1))


BARE = {
    "from the first element on": lambda whole: whole[whole.index(b"\x08\0\x16\0") :],
    "from what is said of the file on": lambda whole: whole[132:],
    "from the mark on": lambda whole: whole[128:],
}


@pytest.mark.parametrize("name", ["A/a.dcm", "A/IM0007", "A/a.IMA", "A/a.dic"])
@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
@pytest.mark.parametrize("bare", BARE)
def test_what_lacks_its_preamble_is_read_where_it_is_named_as_dicom(
    bare: str, syntax: str, name: str, tmp_path: Path
) -> None:
    whole = save(tmp_path / "set/B/whole.dcm", TWELVE_BITS, bits=12, syntax=syntax)
    (tmp_path / "set/A").mkdir()
    (tmp_path / "set" / name).write_bytes(BARE[bare](whole.read_bytes()))
    np.testing.assert_array_equal(grey(tmp_path / "set" / name), grey(whole))
    bundle = data.folder(data.Hashes(tmp_path / "hashes" / "h"), source=str(tmp_path / "set"), size=SIDE)
    assert sorted(bundle.names) == [name, "B/whole.dcm"]
    (tmp_path / "set/A/x.png").write_bytes(BARE[bare](whole.read_bytes()))
    with pytest.raises(UnreadableImageError, match="not a PNG"):
        decode(tmp_path / "set/A/x.png", SIDE, 1)


def test_the_other_order_of_bytes_without_a_preamble(tmp_path: Path) -> None:
    written = dataset(TWELVE_BITS, bits=12, syntax=ExplicitVRBigEndian, PixelData=TWELVE_BITS.byteswap().tobytes())
    written.save_as(tmp_path / "whole.dcm", enforce_file_format=True)
    whole = (tmp_path / "whole.dcm").read_bytes()
    (tmp_path / "a.dcm").write_bytes(whole[whole.index(b"\0\x08\0\x16") :])
    np.testing.assert_allclose(grey(tmp_path / "a.dcm"), TWELVE_BITS / 4095 * 255, atol=0.51)


def test_what_only_begins_as_dicom_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "A").mkdir()
    save(tmp_path / "B/b.dcm", EIGHT_BITS)
    save(tmp_path / "A/a.dcm", EIGHT_BITS)
    (tmp_path / "A/weights").write_bytes(b"\x08\0\x16\0\4\0\0\0" + bytes(range(256)) * 4)
    bundle = data.folder(data.Hashes(tmp_path / "hashes" / "h"), source=str(tmp_path), size=SIDE)
    assert sorted(bundle.names) == ["A/a.dcm", "B/b.dcm"]
    (tmp_path / "c.dcm").write_bytes((tmp_path / "A/weights").read_bytes())
    with pytest.raises(UnreadableImageError, match=r"damaged|DICOM without an image"):
        decode(tmp_path / "c.dcm", SIDE, 1)


def test_compressed_pixels_that_do_not_say_how_are_refused(tmp_path: Path) -> None:
    written = dataset(TWELVE_BITS, bits=12)
    written.compress(RLELossless)
    written.save_as(tmp_path / "whole.dcm", enforce_file_format=True)
    whole = (tmp_path / "whole.dcm").read_bytes()
    (tmp_path / "a.dcm").write_bytes(whole[whole.index(b"\x08\0\x16\0") :])
    with pytest.raises(UnreadableImageError, match="compressed and does not say how"):
        decode(tmp_path / "a.dcm", SIDE, 1)


def test_a_file_without_a_suffix_that_was_cut_off_is_not_passed_over(tmp_path: Path) -> None:
    for name in ("A/IM0001", "A/IM0002", "B/IM0003"):
        save(tmp_path / name, EIGHT_BITS)
    (tmp_path / "A/IM0002").write_bytes(b"")
    bundle = data.folder(data.Hashes(tmp_path / "hashes" / "h"), source=str(tmp_path), size=SIDE)
    with pytest.raises(BadInputError, match=r"1 of 3 images .*A/IM0002 \(empty file\)"):
        decoded_cache.prepare(bundle, tmp_path / "cache")


def test_without_pydicom_one_sentence_says_how_to_get_it(tmp_path: Path) -> None:
    for name in ("A/a.dcm", "B/IM0001"):
        save(tmp_path / "set" / name, EIGHT_BITS)
    save(tmp_path / "named.png", EIGHT_BITS)
    code = """
import sys; sys.modules["pydicom"] = None
from pathlib import Path
from medcls import data
from medcls import data
from medcls.data.readers.images import decode
root = Path(sys.argv[1])
folder = lambda path: data.folder(data.Hashes(root / "h"), source=str(path))
for read, path in ((folder, root / "set"), (lambda path: decode(path, 8, 1), root / "named.png")):
    try:
        read(path)
    except Exception as error:
        print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    sentence = "DICOM, which needs pydicom: python -m pip install pydicom"
    first = f"{BadInputError.__name__} {tmp_path}/set/A/a.dcm is {sentence}."
    assert done.stdout.splitlines() == [first, f"UnreadableImageError {sentence}"]

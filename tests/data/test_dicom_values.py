"""DICOM's look-up tables and padding: the brightness that follows by hand from what the file says."""

from pathlib import Path

import numpy as np
import pytest
from dicom_files import dataset, save
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian

from medcls.data.readers.images import UnreadableImageError, decode

SIDE = 64
STORED = np.arange(SIDE * SIDE, dtype=np.uint16).reshape(SIDE, SIDE)  # every value of 12 bits once
RAMP = STORED / 4095 * 255
DISC = np.hypot(*(np.indices((SIDE, SIDE)) - 31.5)) < 28
SLOPE = np.tile(np.linspace(0, 1, SIDE), (SIDE, 1))


def grey(path: Path) -> np.ndarray:
    return decode(path, SIDE, 1)[:, :, 0].astype(int)


def table(entries: np.ndarray, first: int, bits: int, kind: str = "US", count: int | None = None) -> list[Dataset]:
    """Return a sequence with one table: "US" are numbers, "words" 16 bits each, "packed" two entries a word."""
    item = Dataset()
    item.LUTDescriptor = [len(entries) if count is None else count, first, bits]
    item["LUTDescriptor"].VR = "SS" if first < 0 else "US"
    item.LUTData = {
        "US": entries.tolist,
        "words": lambda: entries.astype("<u2").tobytes(),
        "packed": lambda: entries.astype("u1").tobytes() + b"\0" * (len(entries) % 2),
        "packed numbers": lambda: np.frombuffer(entries.astype("u1").tobytes(), "<u2").tolist(),
    }[kind]()
    item["LUTData"].VR = "OW" if isinstance(item.LUTData, bytes) else "US"
    return [item]


@pytest.mark.parametrize("sequence", ["VOILUTSequence", "ModalityLUTSequence"])
@pytest.mark.parametrize("kind", ["US", "words"])
@pytest.mark.parametrize("bits", range(8, 17))
def test_a_table_of_any_depth(sequence: str, kind: str, bits: int, tmp_path: Path) -> None:
    entries = np.arange(4096) * (2**bits - 1) // 4095
    path = save(tmp_path / "a.dcm", STORED, bits=12, **{sequence: table(entries, 0, bits, kind)})
    np.testing.assert_allclose(grey(path), entries[STORED] / (2**bits - 1) * 255, atol=0.51)


@pytest.mark.parametrize("sequence", ["VOILUTSequence", "ModalityLUTSequence"])
@pytest.mark.parametrize("kind", ["packed", "packed numbers"])
def test_a_table_of_bytes_packed_two_a_word(sequence: str, kind: str, tmp_path: Path) -> None:
    path = save(tmp_path / "a.dcm", STORED, bits=12, **{sequence: table(np.arange(4096) // 16, 0, 8, kind)})
    np.testing.assert_array_equal(grey(path), STORED // 16)


def test_packed_bytes_of_an_odd_number_and_in_the_other_order(tmp_path: Path) -> None:
    entries = 255 - np.arange(4095) // 16
    odd = save(tmp_path / "odd.dcm", STORED, bits=12, VOILUTSequence=table(entries, 0, 8, "packed"))
    np.testing.assert_array_equal(grey(odd), entries[np.minimum(STORED, 4094)])
    item = Dataset()
    item.LUTDescriptor, item.LUTData = [4096, 0, 8], (np.arange(4096) // 16).astype("u1").view("<u2").astype(">u2")
    item["LUTDescriptor"].VR, item["LUTData"].VR = "US", "OW"
    item.LUTData = item.LUTData.tobytes()
    written = dataset(STORED, bits=12, syntax=ExplicitVRBigEndian, PixelData=STORED.byteswap().tobytes())
    written.VOILUTSequence = [item]
    written.save_as(tmp_path / "big.dcm", enforce_file_format=True)
    np.testing.assert_array_equal(grey(tmp_path / "big.dcm"), STORED // 16)


@pytest.mark.parametrize(("stated", "depth"), [(16, 8), (16, 10), (16, 12), (16, 14), (12, 8), (8, 12), (10, 16)])
def test_a_descriptor_that_is_wrong_about_the_depth(stated: int, depth: int, tmp_path: Path) -> None:
    entries = np.arange(4096) * (2**depth - 1) // 4095
    path = save(tmp_path / "a.dcm", STORED, bits=12, VOILUTSequence=table(entries, 0, stated))
    np.testing.assert_allclose(grey(path), entries[STORED] / (2**depth - 1) * 255, atol=0.51)


def test_a_table_that_leaves_some_of_its_range_free_is_believed(tmp_path: Path) -> None:
    entries = np.arange(4096) * 30_000 // 4095
    path = save(tmp_path / "a.dcm", STORED, bits=12, VOILUTSequence=table(entries, 0, 16))
    np.testing.assert_allclose(grey(path), entries[STORED] / 65535 * 255, atol=0.51)


def test_a_table_of_all_65536_values(tmp_path: Path) -> None:
    stored = (STORED * 16).astype(np.uint16)
    path = save(tmp_path / "a.dcm", stored, VOILUTSequence=table(65535 - np.arange(65536), 0, 16, "words", count=0))
    np.testing.assert_allclose(grey(path), 255 - stored / 65535 * 255, atol=0.51)


@given(first=st.integers(-2048, 2047), count=st.integers(2, 3000), bits=st.integers(8, 16), written=st.booleans())
def test_a_table_begins_at_its_first_value_and_its_ends_go_on(
    tmp_path_factory: pytest.TempPathFactory, first: int, count: int, bits: int, written: bool
) -> None:
    """A negative first value may be written as a positive one of 16 bits."""
    signed = STORED.astype(np.int16) - 2048
    entries = np.linspace(2**bits - 1, 0, count).astype(int)
    there = first % 65536 if written else first
    tags = {"VOILUTSequence": table(entries, there, bits), "PixelRepresentation": 1}
    path = save(tmp_path_factory.mktemp("first") / "a.dcm", signed, **tags)
    expected = entries[np.clip(signed.astype(int) - first, 0, count - 1)] / (2**bits - 1) * 255
    np.testing.assert_allclose(grey(path), expected, atol=0.51)


def test_a_table_over_rescaled_values_begins_below_zero(tmp_path: Path) -> None:
    tags = {"RescaleSlope": 1, "RescaleIntercept": -1024}
    path = save(tmp_path / "a.dcm", STORED, bits=12, VOILUTSequence=table(np.arange(2048), -1024, 11), **tags)
    np.testing.assert_allclose(grey(path), np.minimum(STORED, 2047) / 2047 * 255, atol=0.51)


def test_a_modality_table_of_bytes_before_a_window(tmp_path: Path) -> None:
    tags = {"WindowCenter": 128, "WindowWidth": 128, "VOILUTFunction": "LINEAR_EXACT"}
    path = save(
        tmp_path / "a.dcm", STORED, bits=12, ModalityLUTSequence=table(np.arange(4096) // 16, 0, 8, "packed"), **tags
    )
    np.testing.assert_allclose(grey(path), np.clip((STORED // 16 - 64.0) / 128, 0, 1) * 255, atol=0.51)


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("stated", [8, 16])
def test_a_palette_of_more_than_256_entries(depth: int, stated: int, tmp_path: Path) -> None:
    """Each entry takes a word; some devices state the size of the word, some the depth of the colour."""
    red = np.arange(4096) * (2**depth - 1) // 4095
    tags = {}
    for colour, entries in {"Red": red, "Green": red[::-1], "Blue": red // 2}.items():
        tags[f"{colour}PaletteColorLookupTableDescriptor"] = [4096, 0, stated]
        tags[f"{colour}PaletteColorLookupTableData"] = entries.astype("<u2").tobytes()
    path = save(tmp_path / "a.dcm", STORED, bits=12, PhotometricInterpretation="PALETTE COLOR", **tags)
    expected = np.stack([red, red[::-1], red // 2], axis=-1)[STORED] / (2**depth - 1) * 255
    np.testing.assert_allclose(decode(path, SIDE, 3), expected, atol=0.51)


def test_a_table_that_lacks_entries_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.dcm", STORED, bits=12, VOILUTSequence=table(np.arange(1000), 0, 12, count=4096))
    with pytest.raises(UnreadableImageError, match="look-up table of 4096 entries holds 1000"):
        decode(path, SIDE, 1)


PADDED = {
    "a frame of the largest value": (np.uint16, 65535, 65535, {}, 0),
    "zero around what begins at 500": (np.uint16, 0, 0, {}, 500),
    "below Hounsfield's units": (np.int16, -2000, -2000, {"RescaleSlope": 1, "RescaleIntercept": 0}, -1000),
    "a negative value written as a positive one": (np.int16, 63536, -2000, {}, -1000),
    "a range of values": (np.uint16, 4000, 4050, {"PixelPaddingRangeLimit": 4095}, 100),
    "a range from its upper end": (np.int16, -1900, -1950, {"PixelPaddingRangeLimit": -2000}, -1000),
}


@pytest.mark.parametrize("colours", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("padded", PADDED)
def test_padding_is_no_part_of_the_range_and_is_the_darkest(padded: str, colours: str, tmp_path: Path) -> None:
    kind, value, filled, tags, darkest = PADDED[padded]
    stored = np.where(DISC, np.rint(darkest + SLOPE * 2000), filled).astype(kind)
    written = dataset(stored, PhotometricInterpretation=colours, **tags)
    written.add_new("PixelPaddingValue", "SS" if value < 0 else "US", value)
    if "PixelPaddingRangeLimit" in written:
        written["PixelPaddingRangeLimit"].VR = "SS" if value < 0 else "US"
    written.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    low, high = stored[DISC].min(), stored[DISC].max()
    inside = np.interp(stored, (low, high), (0, 255) if colours == "MONOCHROME2" else (255, 0))
    np.testing.assert_allclose(grey(tmp_path / "a.dcm"), np.where(DISC, inside, 0), atol=0.51)


def test_padding_of_12_signed_bits(tmp_path: Path) -> None:
    stored = np.where(DISC, np.rint(SLOPE * 2000), -2048).astype(np.int16)
    written = dataset(stored, bits=12)
    written.add_new("PixelPaddingValue", "US", 2048)
    written.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    inside = np.interp(stored, (stored[DISC].min(), stored[DISC].max()), (0, 255))
    np.testing.assert_allclose(grey(tmp_path / "a.dcm"), np.where(DISC, inside, 0), atol=0.51)


@pytest.mark.parametrize("tags", [{"WindowCenter": 1500, "WindowWidth": 2000, "VOILUTFunction": "LINEAR_EXACT"}, {}])
def test_padding_is_the_darkest_behind_a_window_or_in_8_bits_too(tags: dict, tmp_path: Path) -> None:
    picture = 500 + SLOPE * 2000 if tags else SLOPE * 200 + 20
    stored = np.where(DISC, np.rint(picture), 0).astype(np.uint16 if tags else np.uint8)
    path = save(tmp_path / "a.dcm", stored, PhotometricInterpretation="MONOCHROME1", PixelPaddingValue=0, **tags)
    bright = (stored - 500.0) / 2000 * 255 if tags else stored.astype(float)
    np.testing.assert_allclose(grey(path), np.where(DISC, 255 - bright, 0), atol=0.51)


def test_nothing_but_padding_is_black(tmp_path: Path) -> None:
    path = save(tmp_path / "a.dcm", np.full((SIDE, SIDE), 7, np.uint16), PixelPaddingValue=7)
    assert not grey(path).any()

"""A DICOM file -> brightness or colours from 0 to 255, as a viewer that follows the file's own window shows it."""

import os
import re
import zlib
from contextlib import suppress
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medcls.data.readers.dicom_tables import palette_in, table_in, white

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.uid import UID

MARK, MARK_AT = b"DICM", 128
SHORTEST = MARK_AT + len(MARK)  # bytes
SUFFIXES = frozenset({".dcm", ".dicom", ".dic", ".ima"})
FIRST_GROUPS = frozenset({b"\2\0", b"\10\0", b"\0\10"})  # of a data set: 0002, 0008, this in either order of bytes
MISSING = "DICOM, which needs pydicom: python -m pip install pydicom"
DEFLATED = "1.2.840.10008.1.2.1.99"
META = 2**12  # bytes in which a file's beginning says how the rest is stored
GROUP_LENGTH = 12  # bytes of the element that says how long that beginning is
BLOCK = 2**20
MOST_BYTES = 2**29  # of a file: the largest image that is read takes 360 MB in 16 bits
FAR = 1e9  # beyond every window


class UnsupportedError(Exception):
    """A DICOM file that holds no image of the kinds that are read: the reason, without the file's name."""


def is_named_as_dicom(path: Path) -> bool:
    """Tell whether a file is called as DICOM files are: many have no suffix, or end in the number of an image."""
    return path.suffix.lower() in SUFFIXES or has_no_suffix(path)


def has_no_suffix(path: Path) -> bool:
    """Tell whether a file's name says nothing of its kind: IM0001, 1.2.840.10008."""
    return not path.suffix or path.suffix[1:].isdecimal()


def is_dicom(path: Path) -> bool:
    """Tell whether a file begins as DICOM files do; of those named so also without preamble or mark, as some lie."""
    with path.open("rb") as file:
        start = file.read(SHORTEST)
    if start[MARK_AT:] == MARK:
        return True
    if not is_named_as_dicom(path) or not _begins_bare(start):
        return False
    return not has_no_suffix(path) or _has_rows(path)


def _begins_bare(start: bytes) -> bool:
    """Tell whether a file may begin with DICM alone, or with the first element of a data set."""
    kind, length = start[4:6], int.from_bytes(start[4:8], "little")
    plausible = (kind.isalpha() and kind.isupper()) or length < SHORTEST
    return start.startswith(MARK) or (len(start) == SHORTEST and start[:2] in FIRST_GROUPS and plausible)


def _has_rows(path: Path) -> bool:
    """Tell whether what is read of a file by force is an image's description; without pydicom, take it for one."""
    if find_spec("pydicom") is None:
        return True
    with suppress(Exception):  # what is no DICOM makes the parser raise anything
        return "Rows" in _read(path, stop_before_pixels=True)
    return False


def _read(path: Path, **how: Any) -> "Dataset":
    from pydicom import dcmread

    with path.open("rb") as file:
        start = file.read(SHORTEST)
        if os.fstat(file.fileno()).st_size > MOST_BYTES:
            raise UnsupportedError(f"DICOM of more than {MOST_BYTES >> 20:,} MB: save its image as a file of its own")
        if DEFLATED.encode() in file.read(META):
            _check_inflated(path)
    if start.startswith(MARK) and start[MARK_AT:] != MARK:
        return dcmread(BytesIO(bytes(MARK_AT) + path.read_bytes()), **how)
    return dcmread(path, force=start[MARK_AT:] != MARK, **how)


def _check_inflated(path: Path) -> None:
    """Refuse a deflated file that would take more memory than images have; pydicom inflates all at once."""
    from pydicom.filereader import read_file_meta_info

    engine, inflated = zlib.decompressobj(-zlib.MAX_WBITS), 0
    with path.open("rb") as file:
        file.seek(SHORTEST + GROUP_LENGTH + int(read_file_meta_info(path).FileMetaInformationGroupLength))
        while block := file.read(BLOCK):
            while block:
                inflated += len(engine.decompress(block, BLOCK))
                block = engine.unconsumed_tail
                if inflated > MOST_BYTES:
                    raise UnsupportedError(f"deflated DICOM of more than {MOST_BYTES >> 20:,} MB: save it uncompressed")


def opened(path: Path) -> "Dataset":
    """Return what a file says, its pixels not decoded yet.

    Raises:
        UnsupportedError: pydicom is not installed, or there is no single image in the file.
    """
    try:
        data = _read(path)
    except ImportError as error:
        raise UnsupportedError(MISSING) from error
    if "PixelData" not in data or not data.Rows or not data.Columns:
        raise UnsupportedError("DICOM without an image")
    frames = int(data.get("NumberOfFrames") or 1)
    if frames > 1:
        raise UnsupportedError(f"DICOM of {frames} frames: save the frames that matter as images of their own")
    if "TransferSyntaxUID" not in data.file_meta:
        data.file_meta.TransferSyntaxUID = _syntax_of(data)
    return data


def patient_in(path: Path) -> str:
    """Return a file's PatientID, "" if it has none; its pixels are not read."""
    data = _read(path, stop_before_pixels=True, specific_tags=["PatientID"])
    return str(data.get("PatientID") or "").strip()


def _syntax_of(data: "Dataset") -> "UID":
    """Return how the pixels of a file must be stored that does not say so."""
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    if data["PixelData"].is_undefined_length:
        raise UnsupportedError(
            "DICOM that is compressed and does not say how, for its beginning is missing: save it with one"
        )
    implicit, little_endian = data.original_encoding
    if implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if little_endian else ExplicitVRBigEndian


def kind_of(data: "Dataset") -> str:
    """Return how a file's pixels are stored, e.g. "DICOM grey, 12 bit"."""
    grey = str(data.PhotometricInterpretation).startswith("MONOCHROME")
    return f"DICOM {'grey' if grey else 'colour'}, {data.BitsStored} bit"


def pixels_of(data: "Dataset") -> NDArray[np.uint8] | NDArray[np.float32]:
    """Return the image, of shape (height, width) float32 if grey, else (height, width, 3) uint8, 0..255.

    Raises:
        UnsupportedError: compressed or coloured in a way that is not read.
        TableError: a look-up table that its descriptor does not fit.
    """
    from pydicom.pixels import apply_color_lut, pixel_array

    _check_compression(data)
    stored = pixel_array(data)
    colours = str(data.PhotometricInterpretation)
    if colours in ("MONOCHROME1", "MONOCHROME2"):
        padding = _padding(stored, data)
        bright = _windowed(stored, padding, data)
        shown = np.asarray(255 - bright if colours == "MONOCHROME1" else bright, np.float32)
        shown[padding] = 0
        return shown
    if colours == "PALETTE COLOR" and "RedPaletteColorLookupTableData" in data:
        palette = palette_in(data, little_endian=_is_little_endian(data))
        looked_up = np.stack([table.of(stored) for table in palette], axis=-1)
        return np.asarray(np.rint(looked_up * (255 / white(palette))), np.uint8)
    if colours == "PALETTE COLOR":  # in segments, which pydicom puts together
        looked_up = apply_color_lut(stored, data)[..., :3]
        return np.asarray(np.rint(looked_up * (255 / np.iinfo(looked_up.dtype).max)), np.uint8)
    if stored.ndim != 3 or stored.shape[2] != 3:
        raise UnsupportedError(f"DICOM with pixels of the kind {colours}: save it as grey or RGB")
    return np.asarray(np.rint(stored * (255 / (2 ** int(data.BitsStored) - 1))), np.uint8)


def _check_compression(data: "Dataset") -> None:
    """Refuse a file whose compression pydicom alone cannot undo, naming the plug-in that could."""
    from pydicom.pixels import get_decoder
    from pydicom.uid import JPEGExtended12Bit

    syntax = data.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated:
        return
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        raise UnsupportedError(f"DICOM compressed as {syntax.name}: save it uncompressed") from error
    alone = decoder.available_plugins == ("pillow",)  # whose JPEGs have 8 bits, whatever the file has
    if not decoder.is_available or (alone and syntax == JPEGExtended12Bit and data.BitsStored > 8):
        plug_ins = re.findall(r"pylibjpeg-\w+", " ".join(decoder.missing_dependencies))
        needed = " ".join(["pylibjpeg", *plug_ins])
        raise UnsupportedError(
            f"DICOM compressed as {syntax.name}, for which pydicom needs a plug-in: python -m pip install {needed}"
        )


def _padding(stored: NDArray[Any], data: "Dataset") -> NDArray[np.bool_]:
    """Return which pixels only fill the picture's frame: they have the file's padding value.

    Both ends of a range of padding values are compared as the pixels are stored, signed or not, however the file
    writes them.
    """
    value = data.get("PixelPaddingValue")
    if value is None:
        return np.zeros(stored.shape, np.bool_)
    limit = data.get("PixelPaddingRangeLimit")
    written = np.array([value, value if limit is None else limit], np.int64)
    if data.PixelRepresentation:  # 2048 in 12 bits is -2048
        full = 2 ** int(data.BitsStored)
        written = np.where((written >= full // 2) & (written < full), written - full, written)
    ends = written.astype(stored.dtype)  # wraps where a negative value was written as a positive one
    return np.asarray((stored >= ends.min()) & (stored <= ends.max()))


def _windowed(stored: NDArray[Any], padding: NDArray[np.bool_], data: "Dataset") -> NDArray[np.float64]:
    """Return brightness, 0..255: by the look-up table of the file, else its first window, else its full range.

    The full range is that of the stored bits up to 8 bits, so that a picture looks as in any other format. Deeper
    images seldom fill their bits: theirs goes from the smallest to the largest value, as viewers take it, padding
    left out.
    """
    from pydicom.pixels import apply_windowing

    values = _rescaled(stored, data)
    if data.get("VOILUTSequence"):
        table = table_in(data.VOILUTSequence[0], little_endian=_is_little_endian(data), signed=_may_be_negative(data))
        return np.asarray(table.of(values) * (255 / white([table])))
    if _has_window(data):
        with np.errstate(over="ignore"):  # in the tails of a sigmoid
            darkest, brightest = apply_windowing(np.array([-FAR, FAR]), data)
            shown = apply_windowing(values, data)
    else:
        shown = values.astype(np.float64)
        darkest, brightest = _range(values if padding.all() else values[~padding], data)
    return np.asarray((shown - darkest) * (255 / ((brightest - darkest) or 1)))


def _rescaled(stored: NDArray[Any], data: "Dataset") -> NDArray[Any]:
    """Return what the stored values stand for, e.g. Hounsfield units: by the file's table, else its slope."""
    from pydicom.pixels import apply_modality_lut

    if not data.get("ModalityLUTSequence"):
        return apply_modality_lut(stored, data)
    signed = bool(data.PixelRepresentation)
    return table_in(data.ModalityLUTSequence[0], little_endian=_is_little_endian(data), signed=signed).of(stored)


def _may_be_negative(data: "Dataset") -> bool:
    """Tell whether what stored values stand for may lie below zero: then a table's first value may do so, too."""
    if data.get("ModalityLUTSequence"):
        return False
    bits = int(data.BitsStored)
    ends = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] if data.PixelRepresentation else [0, 2**bits - 1]
    return bool(_rescaled(np.array(ends, np.int64), data).min() < 0)


def _is_little_endian(data: "Dataset") -> bool:
    return bool(data.file_meta.TransferSyntaxUID.is_little_endian)


def _range(values: NDArray[Any], data: "Dataset") -> tuple[float, float]:
    if data.BitsStored <= 8 and not data.PixelRepresentation:
        ends = _rescaled(np.array([0, 2 ** int(data.BitsStored) - 1], np.uint8), data)
        return float(ends.min()), float(ends.max())
    return float(values.min()), float(values.max())


def _has_window(data: "Dataset") -> bool:
    """Tell whether there is a window that can be used: some files hold an empty one, or one of no width."""
    try:
        centre, width = (np.atleast_1d(data.get(name)).astype(float)[0] for name in ("WindowCenter", "WindowWidth"))
    except (TypeError, ValueError, IndexError):
        return False
    exact = str(data.get("VOILUTFunction") or "LINEAR").upper() != "LINEAR"
    return bool(np.isfinite(centre) and (width > 0 if exact else width > 1))

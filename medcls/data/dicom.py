"""A DICOM file -> brightness or colours from 0 to 255, as a viewer that follows the file's own window shows it."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pydicom import Dataset

MARK, MARK_AT = b"DICM", 128
SHORTEST = MARK_AT + len(MARK)  # bytes
SUFFIXES = frozenset({".dcm", ".dicom"})
MISSING = "DICOM, which needs pydicom: python -m pip install pydicom"
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
    """Tell whether a file begins as DICOM files do."""
    with path.open("rb") as file:
        return file.read(SHORTEST)[MARK_AT:] == MARK


def opened(path: Path) -> "Dataset":
    """Return what a file says, its pixels not decoded yet.

    Raises:
        UnsupportedError: pydicom is not installed, or there is no single image in the file.
    """
    try:
        from pydicom import dcmread
    except ImportError as error:
        raise UnsupportedError(MISSING) from error
    data = dcmread(path)
    if "PixelData" not in data or not data.Rows or not data.Columns:
        raise UnsupportedError("DICOM without an image")
    frames = int(data.get("NumberOfFrames") or 1)
    if frames > 1:
        raise UnsupportedError(f"DICOM of {frames} frames: save the frames that matter as images of their own")
    return data


def kind_of(data: "Dataset") -> str:
    """Return how a file's pixels are stored, e.g. "DICOM grey, 12 bit"."""
    grey = str(data.PhotometricInterpretation).startswith("MONOCHROME")
    return f"DICOM {'grey' if grey else 'colour'}, {data.BitsStored} bit"


def pixels_of(data: "Dataset") -> NDArray[np.uint8] | NDArray[np.float32]:
    """Return the image, of shape (height, width) float32 if grey, else (height, width, 3) uint8, 0..255.

    Raises:
        UnsupportedError: compressed or coloured in a way that is not read.
    """
    from pydicom.pixels import apply_color_lut, pixel_array

    _check_compression(data)
    stored = pixel_array(data)
    colours = str(data.PhotometricInterpretation)
    if colours in ("MONOCHROME1", "MONOCHROME2"):
        bright = _windowed(stored, data)
        return np.asarray(255 - bright if colours == "MONOCHROME1" else bright, np.float32)
    if colours == "PALETTE COLOR":
        looked_up = apply_color_lut(stored, data)
        return np.asarray(np.rint(looked_up * (255 / np.iinfo(looked_up.dtype).max)), np.uint8)
    if stored.ndim != 3 or stored.shape[2] != 3:
        raise UnsupportedError(f"DICOM with pixels of the kind {colours}: save it as grey or RGB")
    return np.asarray(np.rint(stored * (255 / (2 ** int(data.BitsStored) - 1))), np.uint8)


def _check_compression(data: "Dataset") -> None:
    """Complain where pydicom alone cannot undo the compression, naming the plug-in that could."""
    from pydicom.pixels import get_decoder

    syntax = data.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated:
        return
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        raise UnsupportedError(f"DICOM compressed as {syntax.name}: save it uncompressed") from error
    if not decoder.is_available:
        plug_ins = re.findall(r"pylibjpeg-\w+", " ".join(decoder.missing_dependencies))
        needed = " ".join(["pylibjpeg", *plug_ins])
        raise UnsupportedError(
            f"DICOM compressed as {syntax.name}, for which pydicom needs a plug-in: python -m pip install {needed}"
        )


def _windowed(stored: NDArray[Any], data: "Dataset") -> NDArray[np.floating[Any]]:
    """Return brightness, 0..255: by the look-up table of the file, else its first window, else its full range.

    The full range is that of the stored bits up to 8 bits, so that a picture looks as in any other format. Deeper
    images seldom fill their bits: theirs goes from the smallest to the largest value, as viewers take it.
    """
    from pydicom.pixels import apply_modality_lut, apply_voi, apply_windowing

    values = apply_modality_lut(stored, data)
    if data.get("VOILUTSequence"):
        depth = data.VOILUTSequence[0].LUTDescriptor[2]
        return np.asarray(apply_voi(np.rint(values).astype(np.int64), data) * (255 / (2**depth - 1)))
    if _has_window(data):
        with np.errstate(over="ignore"):  # in the tails of a sigmoid
            darkest, brightest = apply_windowing(np.array([-FAR, FAR]), data)
            shown = apply_windowing(values, data)
    else:
        shown = values.astype(np.float64)
        darkest, brightest = _range(values, data)
    return np.asarray((shown - darkest) * (255 / ((brightest - darkest) or 1)))


def _range(values: NDArray[Any], data: "Dataset") -> tuple[float, float]:
    from pydicom.pixels import apply_modality_lut

    if data.BitsStored <= 8 and not data.PixelRepresentation:
        ends = apply_modality_lut(np.array([0, 2 ** int(data.BitsStored) - 1], np.uint8), data)
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

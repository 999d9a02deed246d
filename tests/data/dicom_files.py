"""DICOM files for tests: small, whole, and of every kind that is read."""

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid


def dataset(
    pixels: np.ndarray, *, syntax: str = ExplicitVRLittleEndian, bits: int | None = None, **tags: Any
) -> Dataset:
    """Return a data set that holds an image of shape (height, width) or (height, width, 3), of whole numbers."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = SecondaryCaptureImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid(entropy_srcs=["medcls"])
    data.Rows, data.Columns = pixels.shape[:2]
    data.SamplesPerPixel = 1 if pixels.ndim == 2 else 3
    data.PhotometricInterpretation = "MONOCHROME2" if pixels.ndim == 2 else "RGB"
    if pixels.ndim == 3:
        data.PlanarConfiguration = 0
    data.BitsAllocated = 8 * pixels.dtype.itemsize
    data.BitsStored = bits or data.BitsAllocated
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    data.PixelData = pixels.tobytes()
    data["PixelData"].VR = "OB" if pixels.dtype.itemsize == 1 else "OW"
    for name, value in tags.items():
        setattr(data, name, value)
    return data


def save(path: Path, pixels: np.ndarray, **tags: Any) -> Path:
    """Write an image as a DICOM file and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset(pixels, **tags).save_as(path, enforce_file_format=True)
    return path

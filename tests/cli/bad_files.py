"""Makers of bad input: each takes an empty folder and leaves in it what a user might."""

import gzip
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

Make = Callable[[Path], object]
Bytes = Callable[[bytes], bytes]


def pixels(number: int, *shape: int, dtype: type[Any] = np.uint8) -> np.ndarray:
    """Return noise."""
    return np.random.default_rng(number).integers(0, np.iinfo(dtype).max, shape or (12, 10), dtype)


def classes(folder: Path, **counts: int) -> Path:
    """Draw a folder of so many images for each class."""
    for place, (name, count) in enumerate((counts or {"a": 6, "b": 6}).items()):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            Image.fromarray(pixels(100 * place + number)).save(folder / name / f"{number}.png")
    return folder


def counted(**counts: int) -> Make:
    return lambda folder: classes(folder, **counts)


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def nothing(content: bytes) -> bytes:
    return b""


def words(content: bytes) -> bytes:
    return b"This is no image."


def with_file(name: str, write: Callable[[Path], object], spoil: Bytes = bytes) -> Make:
    """Return the maker of two good classes, one of which has a file more, written and then spoilt."""

    def make(folder: Path) -> None:
        write(classes(folder) / "a" / name)
        spoilt(folder / "a" / name, spoil)

    return make


def spoilt(path: Path, spoil: Bytes) -> None:
    path.write_bytes(spoil(path.read_bytes()))


def picture(array: np.ndarray | None = None, **options: Any) -> Callable[[Path], None]:
    """Return a writer of an image in the format that its file's name says."""
    return lambda path: Image.fromarray(pixels(0, 64, 64) if array is None else array).save(path, **options)


def blank(mode: str, width: int, height: int) -> Callable[[Path], None]:
    return lambda path: Image.new(mode, (width, height)).save(path)


def dicom(spoil: Bytes = bytes, **changed: Any) -> Make:
    """Return the maker of two good classes, one of which has a DICOM file more; None takes an element away."""

    def write(path: Path) -> None:
        pydicom = pytest.importorskip("pydicom")
        data = pydicom.Dataset()
        elements = dict(Rows=12, Columns=10, SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2")  # noqa: C408
        elements |= dict(BitsAllocated=16, BitsStored=12, HighBit=11, PixelRepresentation=0)  # noqa: C408
        elements |= dict(SOPClassUID="1.2.840.10008.5.1.4.1.1.7", SOPInstanceUID="1.2.3")  # noqa: C408
        elements["PixelData"] = (pixels(0, dtype=np.uint16) & 4095).tobytes()
        for name, value in {**elements, **changed}.items():
            if value is not None:
                setattr(data, name, value)
        data.file_meta = pydicom.dataset.FileMetaDataset()
        data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
        data.save_as(path, enforce_file_format=True)

    return with_file("image.dcm", write, spoil)


def medmnist(spoil: Bytes = bytes, **changed: np.ndarray | None) -> Make:
    """Return the maker of a set as MedMNIST writes it, some of its arrays changed or (None) left out."""
    arrays: dict[str, np.ndarray] = {}
    for part in ("train", "val", "test"):
        arrays[f"{part}_images"] = pixels(0, 20, 8, 8)
        arrays[f"{part}_labels"] = np.arange(20).reshape(-1, 1) % 2
    return archive("set.npz", arrays | changed, spoil)


def keras_mnist(spoil: Bytes = bytes, **changed: np.ndarray | None) -> Make:
    """Return the maker of an mnist.npz as Keras has it, some of its arrays changed or (None) left out."""
    arrays: dict[str, np.ndarray] = {}
    for part in ("train", "test"):
        arrays[f"x_{part}"] = pixels(0, 20, 8, 8)
        arrays[f"y_{part}"] = np.arange(20, dtype=np.uint8) % 2
    return archive("mnist.npz", arrays | changed, spoil)


def archive(name: str, arrays: Mapping[str, np.ndarray | None], spoil: Bytes) -> Make:
    def make(folder: Path) -> None:
        np.savez(folder / name, **{key: array for key, array in arrays.items() if array is not None})
        spoilt(folder / name, spoil)

    return make


def idx(without: str = "", spoil: Bytes = bytes) -> Make:
    """Return the maker of MNIST's four files, one of them left out, the training images spoilt."""

    def make(folder: Path) -> None:
        for part in ("train", "t10k"):
            images, labels = pixels(0, 20, 8, 8), np.arange(20, dtype=np.uint8) % 2
            write_idx(folder / f"{part}-images-idx3-ubyte", images)
            write_idx(folder / f"{part}-labels-idx1-ubyte", labels)
        packed = folder / "train-images-idx3-ubyte"
        (folder / f"{packed.name}.gz").write_bytes(spoil(gzip.compress(packed.read_bytes())))
        packed.unlink()
        for path in folder.glob(f"{without}*") if without else ():
            path.unlink()

    return make


def write_idx(path: Path, array: np.ndarray) -> None:
    path.write_bytes(struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes())


def table(header: str, line: str, more: str = "", *, end: str = "\n", encoding: str = "utf-8") -> Make:
    """Return the maker of twelve images and a labels.csv with a line for each, and one line more."""

    def make(folder: Path) -> None:
        classes(folder)
        lines = [line.format(path=f"{label}/{n}.png", label=label) for label in "ab" for n in range(6)]
        text = end.join([header, *lines, *([more] if more else []), ""])
        (folder / "labels.csv").write_bytes(text.encode(encoding))

    return make

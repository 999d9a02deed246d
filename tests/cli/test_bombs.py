"""Files that are none, and small files that unpack to gigabytes: refused in a sentence before anything is filled."""

import gzip
import os
import socket
import sqlite3
import threading
import time
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from medcls import BadInputError, data, training
from medcls.data.readers.images import UnreadableImageError, decode, kind_of
from medcls.data.readers.table import read_table
from medcls.execution.planning.weights import kept
from medcls.spec.overrides import set_text
from medcls.training.saved_weights import content, digest
from medcls.utils.reachability import PATIENCE, reach

LONG = 20.0  # seconds, on a machine that is busy: what fills memory takes longer


def refused(call: Callable[[], Any], *words: str) -> None:
    """Check that a call ends soon and in one short sentence with these words."""
    began = time.monotonic()
    with pytest.raises((BadInputError, UnreadableImageError)) as refusal:
        call()
    assert time.monotonic() - began < LONG
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 700
    for word in words:
        assert word in str(refusal.value)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("device", "a pipe or a device"),
        ("pipe", "a pipe or a device"),
        ("empty", "an empty file"),
        ("folder", "There are no saved weights"),
        ("text", "damaged, or a file of another kind"),
        ("packed zeros", "would take 0.6 GB of memory"),
        ("sparse", "would take 64.0 GB of memory"),
        ("shape", "would take 4,000.0 GB of memory"),
        ("texts", "holds no numbers"),
        ("elsewhere", "holds no numbers"),
    ],
)
def test_what_is_no_file_of_weights(tmp_path: Path, kind: str, words: str) -> None:
    path = tmp_path / "w.weights.h5"
    if kind == "device":
        path = Path("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "packed zeros":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("model.weights.h5", "w") as file:
            for _ in range(600):
                file.write(bytes(10**6))
    elif kind == "sparse":
        path.touch()
        os.truncate(path, 64 * 10**9)
    elif kind in ("shape", "texts", "elsewhere"):
        with h5py.File(path, "w") as file:
            if kind == "shape":
                file.create_dataset("layers/a/vars/0", (10**12,), "f4", chunks=(10**6,))
            elif kind == "texts":
                file.create_dataset("layers/a/vars/0", data=["a"], dtype=h5py.string_dtype())
            else:
                (tmp_path / "other").write_bytes(bytes(400))
                file.create_dataset("layers/a/vars/0", (100,), "f4", external=[(str(tmp_path / "other"), 0, 400)])
    else:
        path.write_bytes(b"" if kind == "empty" else b"some text")
    refused(lambda: kept(str(path), tmp_path / "work"), str(path), words)
    assert not (tmp_path / "work").exists()


def test_weights_of_zeros_are_weights(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.weights.h5", "w") as file:
        file.create_dataset("layers/a/vars/0", data=np.zeros((500, 500), np.float32), compression="gzip")
    assert len(digest(content(tmp_path / "a.weights.h5"))) == 64


def opened(path: Path) -> Any:
    return data.folder(data.Hashes(path.parent / "hashes"), source=str(path), size=8)


@pytest.mark.parametrize("name", ["train_images", "train_labels"])
def test_arrays_that_unpack_to_gigabytes(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.npz"
    small = {"train_images": np.zeros((4, 8, 8), np.uint8), "train_labels": np.array([0, 1, 0, 1], np.uint8)}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, array in small.items():
            with archive.open(f"{each}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array)
                if each == name:
                    block = bytes(10**7)
                    for _ in range(220):
                        file.write(block)
    refused(lambda: opened(path), str(path), "would unpack to 2.2 GB")


@pytest.mark.parametrize("name", ["train_images", "train_labels"])
def test_arrays_whose_header_says_more_than_there_is(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.npz"
    small = {"train_images": np.zeros((4, 8, 8), np.uint8), "train_labels": np.array([0, 1, 0, 1], np.uint8)}
    with zipfile.ZipFile(path, "w") as archive:
        for each, array in small.items():
            with archive.open(f"{each}.npy", "w") as file:
                shape = (10**12, *array.shape[1:]) if each == name else array.shape
                np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
                file.write(array.tobytes())
    refused(lambda: opened(path), str(path), f"{name}.npy is not as long as its header says")


@pytest.mark.parametrize("bomb", ["images", "labels"])
def test_idx_files_whose_header_says_gigabytes(tmp_path: Path, bomb: str) -> None:
    for part in ("train", "t10k"):
        sides = [2**31, 2**31] if bomb == "images" else [8, 8]
        count = 2**32 - 1 if bomb == "labels" else 4
        images = bytes([0, 0, 8, 3]) + np.array([4, *sides], ">u4").tobytes() + bytes(256)
        labels = bytes([0, 0, 8, 1]) + np.array([count], ">u4").tobytes() + bytes(4)
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
        (tmp_path / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
    refused(lambda: opened(tmp_path), f"-{bomb}-")


def test_a_dicom_file_that_inflates_to_gigabytes(tmp_path: Path) -> None:
    pydicom = pytest.importorskip("pydicom")
    path = tmp_path / "a.dcm"
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
    image = pydicom.Dataset()
    image.Rows = image.Columns = 8
    image.BitsAllocated = image.BitsStored = 8
    image.PixelRepresentation, image.SamplesPerPixel, image.PhotometricInterpretation = 0, 1, "MONOCHROME2"
    image.PixelData = bytes(64)
    image.file_meta = meta
    image.save_as(path, enforce_file_format=True)
    with path.open("r+b") as file:
        head = file.read(132 + 12 + int(pydicom.dcmread(path).file_meta.FileMetaInformationGroupLength))
        engine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        file.seek(len(head))
        for _ in range(110):
            file.write(engine.compress(bytes(10**7)))
        file.write(engine.flush())
    refused(lambda: decode(path, 8, 1), "deflated DICOM of more than 512 MB")
    refused(lambda: kind_of(path), "deflated DICOM of more than 512 MB")


@pytest.mark.parametrize("look", [kind_of, partial(decode, size=8, channels=1)])
def test_images_that_are_pipes_devices_or_folders(tmp_path: Path, look: Any) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "folder.png").mkdir()
    for name in ("pipe.png", "zero.png", "folder.png"):
        refused(lambda name=name: look(tmp_path / name), "no file but")


def test_tables_that_are_pipes_or_devices(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "labels.csv")
    refused(lambda: read_table(tmp_path / "labels.csv"), "labels.csv is a pipe or a device, not a file")
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    refused(lambda: read_table(tmp_path / "zero.csv"), "zero.csv is a pipe or a device, not a file")


@pytest.mark.parametrize("path", ["learner.epochs", "learner.share", "learner.optimizer.learning_rate", "learner"])
@pytest.mark.parametrize(
    "text", ["9" * 5000, "9" * 4000, "[" * 100_000, "1e99999", "a(b=" + "[" * 100_000, "-" * 10**6]
)
def test_settings_without_end(path: str, text: str) -> None:
    refused(lambda: set_text("learner", training.gradient, path, text), path)


def test_settings_of_lists_are_numbers_too() -> None:
    for text in ("[1e999]", "[" + "9" * 4000 + "]", "[NaN]"):
        refused(lambda text=text: set_text("learner", training.neighbours, "learner.candidates", text), "candidates")


def test_a_folder_or_a_pipe_as_a_file_of_sqlite(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.db")
    refused(lambda: reach(f"sqlite:///{tmp_path}", print), str(tmp_path), "a folder")
    refused(lambda: reach(f"sqlite:///{tmp_path}/pipe.db", print), "pipe.db", "a pipe or a device")
    sqlite3.connect(tmp_path / "sound.db").close()
    for name in ("sound.db", "new.db"):
        reach(f"sqlite:///{tmp_path}/{name}?timeout=5", print)


@pytest.mark.slow
def test_a_database_that_is_down_is_waited_for_in_a_line_and_not_for_long(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(BadInputError, match=f"127.0.0.1:{port} cannot be reached") as refusal:
        reach(f"postgresql+psycopg://keeper:secret@127.0.0.1:{port}/db", print)
    assert time.monotonic() - began < 3 * PATIENCE
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert f"s for the store at 127.0.0.1:{port}" in said
    assert "secret" not in said + str(refusal.value)


def test_a_database_that_starts_late_is_reached() -> None:
    server = socket.socket()
    server.bind(("127.0.0.1", 0))

    def answer() -> None:
        time.sleep(1)
        server.listen()
        connection, _ = server.accept()
        connection.recv(8)
        connection.sendall(b"N")
        connection.close()

    thread = threading.Thread(target=answer)
    thread.start()
    reach(f"postgresql://127.0.0.1:{server.getsockname()[1]}/db", lambda _: None)
    thread.join()
    server.close()

"""Features of all images of a data set: computed once, batch by batch, and mapped into memory by every run."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from medcls.data.dataset import Dataset
from medcls.data.loading.sealed import is_sound, seal
from medcls.data.memmap_reader import Reader
from medcls.models.backbones import features as computed
from medcls.spec.parameters import arguments_of
from medcls.tracking.run_dir import RunDir
from medcls.training.backbone import origin
from medcls.utils.code_digest import code_digest
from medcls.utils.hashing import digest
from medcls.utils.tensors import KerasModel, KerasTensor

BATCH = 8  # images that pass through a network at a time: what lies in its maps is many times larger
Features = NDArray[np.float32]
Progress = Callable[[int, int], None]


def features_file(cache: Path, data: Dataset, weights: str, preprocessing: str) -> Path:
    """Return the file of a data set's features; its name has a digest of all that the features depend on.

    Args:
        cache: the work directory's cache.
        data: the data set.
        weights: the name of the body's weights in the work directory.
        preprocessing: how the images are scaled before the body.
    """
    identity = [data.fingerprint, list(data.images.shape), weights, preprocessing, code_digest([computed])]
    return cache / "features" / f"{weights[:60]}-{digest(identity)}.npy"


def shared_features(
    body: Callable[[], KerasModel], data: Dataset, run_dir: RunDir, model: Callable[..., KerasTensor], pretrained: str
) -> Features:
    """Return the features of every image, of shape (n, ...), which all runs of a work directory share.

    Args:
        body: returns the network from images to features; it is not called where the features are there already.
        data: the data set.
        run_dir: the run directory, which shows how far the computation is.
        model: `models.pretrained` with its parameters.
        pretrained: "imagenet", "random", or the digest of a file of weights.
    """
    weights = origin(model, pretrained).file(data.images.shape[1:])
    path = features_file(run_dir.cache, data, weights, arguments_of(model)["preprocessing"])
    return features(body, data, path, lambda done, count: run_dir.write_status(f"features of {done} of {count} images"))


def features(body: Callable[[], KerasModel], data: Dataset, path: Path, progress: Progress) -> Features:
    """Return the features of every image, of shape (n, ...), float32, from a file that is written if it is not there.

    One process computes and others wait for it. A computation that was killed continues after its last whole batch;
    a damaged file is computed again.

    Args:
        body: returns the network from images, 0..255, to features.
        data: the images.
        path: the file.
        progress: called with the number of images that are done and the number of all.

    Raises:
        OSError: the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):
        if not is_sound(path):
            if path.exists():
                print(f"{path} is damaged, or of an earlier version: computing the features again.")
            _compute(body(), data, path, progress)
    mapped: Features = np.load(path, mmap_mode="r")
    return mapped


def _compute(body: KerasModel, data: Dataset, path: Path, progress: Progress) -> None:
    """Write the batches that the file lacks.

    They are written, not mapped: a full disk ends a process that writes into a memory map.

    Args:
        body: the network from images, 0..255, to features.
        data: the images.
        path: the file.
        progress: called with the number of images that are done and the number of all.
    """
    shape = (len(data.images), *body.output_shape[1:])
    unfinished, header = path.with_suffix(".unfinished"), _header(shape)
    row = int(np.prod(shape[1:])) * 4
    if path.exists() and path.stat().st_size < len(header) + shape[0] * row:
        path.replace(unfinished)  # an incomplete file
    path.unlink(missing_ok=True)
    unfinished.touch()
    with unfinished.open("r+b") as file:
        first = _rows_held(file, header, shape)
        file.truncate(len(header) + first * row if first else 0)
        if not first:
            file.seek(0)
            file.write(header)
        file.seek(len(header) + first * row)
        read = Reader(data.images)
        for start in range(first, shape[0], BATCH):
            progress(start, shape[0])
            images = np.asarray(read(np.arange(start, min(start + BATCH, shape[0]))), np.float32)
            file.write(np.ascontiguousarray(body.predict_on_batch(images), np.float32).tobytes())
            file.flush()
            os.fsync(file.fileno())
    seal(path, unfinished)
    unfinished.replace(path)
    progress(shape[0], shape[0])


def _rows_held(file: IO[bytes], header: bytes, shape: tuple[int, ...]) -> int:
    """Return how many images' features an unfinished file holds in whole batches.

    Args:
        file: the open file.
        header: the bytes with which it must begin.
        shape: of the features of all images.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if file.read(len(header)) != header:
        return 0
    return int(min((size - len(header)) // (int(np.prod(shape[1:])) * 4), shape[0])) // BATCH * BATCH


def _header(shape: tuple[int, ...]) -> bytes:
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return head.getvalue()

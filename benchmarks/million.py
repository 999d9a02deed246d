"""Benchmark of a million images: writing the cache, the time to the first batch, and the memory of a worker.

    python -m benchmarks.million [IMAGES]

The images, of 64x64 gray pixels, are generated while the cache is written, as files would be decoded. A worker then
opens the cache, draws its first batch, trains a small network on a fiftieth of the images and validates on all, so that
each is read once, and reports its peak memory. Resident memory includes the mapped part of the cache.
"""

import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.workload import finish
from medcls import augmentation, data, models, training
from medcls.data.dataset import TRAIN, VALIDATION, DatasetSpec
from medcls.data.loading import batches
from medcls.data.loading.decoded_cache import open_decoded, prepare
from medcls.execution.executors.local import LocalExecutor
from medcls.execution.job import Job
from medcls.spec.run import Run
from medcls.spec.variant import Variant
from medcls.tasks import MULTICLASS
from medcls.tracking.run_dir import RunDir
from medcls.tracking.run_records import RunDescription

SIDE, SHARE, BATCH = 64, 50, 100
MIB = 2**20


def main(count: int) -> None:
    """Measure on `count` images, and print the times and the memory."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        started = time.perf_counter()
        images = prepare(made(count), work / "cache")
        taken = time.perf_counter() - started
        print(f"{count:,} images written to the cache in {taken:.0f} s, {count / taken:,.0f} per second", flush=True)
        executor = LocalExecutor(1, 1)
        executor.ask(int)  # importing TensorFlow does not count
        started = time.perf_counter()
        inside = executor.ask(first_batch, images)
        outside = time.perf_counter() - started
        print(f"first batch {outside:.1f} s after the request, including {inside:.1f} s for opening and drawing")
        learner = partial(
            training.gradient, model=partial(models.cnn, filters=(2, 2), dense=()), batch_size=BATCH, epochs=1
        )
        run = Run(Variant(data.xray, learner, MULTICLASS), "", data_name="million", variant_name="cnn")
        job = Job(run, images, work / run.key, 1)
        RunDir(job.folder).describe(RunDescription(key=run.key))
        taken = finish(executor, [job])
        memory = RunDir(job.folder).rows()[-1].system
        executor.stop()
        print(f"{count // SHARE:,} trained and {count:,} validated in {taken:.0f} s; memory of the worker: {memory}")


def made(count: int) -> DatasetSpec:
    """Return a data set of `count` gratings, one in fifty in the training set."""
    labels = np.arange(count, dtype=np.int64) % 2
    return DatasetSpec(
        name="million",
        source="gratings",
        layout="made on the fly",
        kind="phantom",
        classes=("level", "upright"),
        labels=labels,
        parts=np.where(np.arange(count) % SHARE < 2, TRAIN, VALIDATION),
        patients=None,
        names=tuple(map(str, range(count))),
        contents=("",) * count,
        fingerprint=f"sha256:{count:064x}",
        size=SIDE,
        channels=1,
        render=grating,
        stored=lambda _: ("L", (SIDE, SIDE)),
    )


def grating(row: int, size: int, channels: int) -> NDArray[np.uint8]:
    """Return an image of horizontal or vertical stripes.

    Args:
        row: the number of the image; determines direction, width and brightness.
        size: height and width, in pixels.
        channels: 1 or 3.
    """
    stripes = ((np.arange(size) // (2 + row % 7)) % 2 * (100 + row % 101)).astype(np.uint8)
    image = np.broadcast_to(stripes if row % 2 else stripes[:, None], (size, size))
    return np.repeat(image[:, :, None], channels, axis=2)


def first_batch(images: Path) -> float:
    """Return how many seconds it takes to open the cache and draw a batch from all images."""
    started = time.perf_counter()
    decoded = open_decoded(images)
    rows = np.arange(len(decoded.labels))
    targets = np.eye(2, dtype=np.float32)[decoded.labels]
    examples = batches.Examples(decoded.images, rows, targets, np.ones(len(rows), np.float32))
    order = batches.shuffled(decoded.labels, 0)
    next(iter(batches.training(examples, order, augmentation.none().batch, 0, BATCH, range(1))))
    return time.perf_counter() - started


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)

"""A million images: how they get into the cache, how soon the first batch comes, and what a worker holds in memory.

    python -m benchmarks.million [IMAGES]

The images, of 64x64 grey pixels, are made on the fly while the cache is written, as files would be decoded. A worker
then opens it, draws its first batch, trains a small network on a fiftieth of them (with all of them as validation, so
that each is read once), and says what it held at most: resident memory counts what it has mapped of the cache too.
"""

import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

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
    """Print the times and the memory."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        started = time.perf_counter()
        images = prepare(made(count), work / "cache")
        taken = time.perf_counter() - started
        print(f"{count:,} images into the cache in {taken:.0f} s, {count / taken:,.0f} a second", flush=True)
        executor = LocalExecutor(1, 1)
        executor.ask(int)  # TensorFlow's import is no part of it
        started = time.perf_counter()
        inside = executor.ask(first_batch, images)
        outside = time.perf_counter() - started
        print(f"first batch {outside:.1f} s after the worker was asked, {inside:.1f} s of it opening and drawing")
        learner = partial(
            training.gradient, model=partial(models.cnn, filters=(2, 2), dense=()), batch_size=BATCH, epochs=1
        )
        run = Run(Variant(data.xray, learner, MULTICLASS), "", data_name="million", variant_name="cnn")
        job = Job(run, images, work / run.key, 1)
        RunDir(job.folder).describe(RunDescription(key=run.key))
        taken = finish(executor, [job])
        held = RunDir(job.folder).rows()[-1].system
        executor.stop()
        print(f"{count // SHARE:,} trained and {count:,} validated in {taken:.0f} s; held by the worker: {held}")


def made(count: int) -> DatasetSpec:
    """Return a data set of gratings, one in fifty for training."""
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


def grating(row: int, size: int, channels: int) -> Any:
    """Return stripes, level or upright, of a width and brightness that come with the row."""
    stripes = ((np.arange(size) // (2 + row % 7)) % 2 * (100 + row % 101)).astype(np.uint8)
    image = np.broadcast_to(stripes if row % 2 else stripes[:, None], (size, size))
    return np.repeat(image[:, :, None], channels, axis=2)


def first_batch(images: Path) -> float:
    """Return after how many seconds a worker has its first batch of all images."""
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

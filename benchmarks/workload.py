"""The runs that the benchmarks time: a residual network on the xray phantom, with medcls and in bare Keras."""

import time
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from medcls import data, models, training
from medcls.data.content_hashes import Hashes
from medcls.data.loading.decoded_cache import open_decoded, prepare
from medcls.data.split import split
from medcls.execution.executors.local import LocalExecutor
from medcls.execution.job import Job
from medcls.spec.run import Run
from medcls.spec.variant import Variant
from medcls.tasks import MULTICLASS
from medcls.tracking.run_dir import RunDir
from medcls.tracking.run_records import RunDescription
from medcls.training.network import network


def variant(base: int, epochs: int, depth: int = 14, size: int = 48) -> Variant:
    """Return a variant of a residual network without augmentation.

    Args:
        base: filters of the first convolution.
        epochs: how long it is trained.
        depth: the number of layers.
        size: height and width of the images, in pixels.
    """
    learner = partial(
        training.gradient, model=partial(models.resnet, depth=depth, base=base), batch_size=16, epochs=epochs
    )
    return Variant(data=partial(data.xray, size=size), learner=learner, task=MULTICLASS)


def decoded(work: Path, chosen: Variant) -> tuple[Path, str]:
    """Return the directory of the decoded images of a variant's data set, and its fingerprint."""
    bundle = chosen.data(Hashes(work / "hashes.sqlite"))
    return prepare(bundle, work / "cache"), bundle.fingerprint


def job(work: Path, chosen: Variant, seed: int, threads: int) -> Job:
    """Return a job for the first of three folds.

    Args:
        work: the work directory.
        chosen: the variant.
        seed: of the run.
        threads: of the run.
    """
    images, fingerprint = decoded(work, chosen)
    run = Run(chosen, fingerprint, seed=seed, fold=0, folds=3, data_name="xray", variant_name="benchmark")
    folder = RunDir(work / run.key)
    folder.describe(RunDescription(key=run.key))
    return Job(run, images, folder.path, threads)


def finish(executor: LocalExecutor, jobs: list[Job]) -> float:
    """Carry out jobs and return how many seconds they took together."""
    started = time.perf_counter()
    for pending in jobs:
        executor.submit(pending)
    while not executor.idle:
        executor.wait(1.0)
    for finished in jobs:
        result = RunDir(finished.folder).result()
        assert result is not None
        assert result.is_finished, result.error
    return time.perf_counter() - started


def epoch_ends(folder: Path) -> list[float]:
    """Return when a run's epochs ended, in seconds since 1970."""
    return [row.time / 1000 for row in RunDir(folder).rows()]


def bare(chosen: Variant, images: Path, seed: int) -> dict[str, Any]:
    """Train a variant in bare Keras on arrays in memory.

    Args:
        chosen: the variant.
        images: the directory of the decoded images.
        seed: of the run.

    Returns:
        "seconds" of the whole run, and "ends": when each epoch ended, in seconds since 1970.
    """
    dataset = open_decoded(images)
    rows = split(dataset.labels, dataset.parts, dataset.patients, fold=0, folds=3, seed=0)
    pixels, targets = np.asarray(dataset.images, np.float32), MULTICLASS.target(dataset, np.arange(len(dataset.labels)))
    ends: list[float] = []
    mark = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: ends.append(time.time()))  # noqa: ARG005
    started = time.perf_counter()
    keras.utils.set_random_seed(seed)
    built = network(chosen.get("learner.model"), MULTICLASS, pixels.shape[1:], len(dataset.classes))
    metrics = MULTICLASS.metrics(len(dataset.classes))
    built.compile("adam", "categorical_crossentropy", metrics=metrics, jit_compile=False)
    built.fit(
        pixels[rows.train],
        targets[rows.train],
        batch_size=chosen.get("learner.batch_size"),
        epochs=chosen.get("learner.epochs"),
        validation_data=(pixels[rows.validation], targets[rows.validation]),
        validation_batch_size=64,
        verbose=0,
        callbacks=[mark],
    )
    return {"seconds": time.perf_counter() - started, "ends": ends}

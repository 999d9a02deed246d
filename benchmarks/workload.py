"""The runs that the benchmarks time: a residual network on the xray phantom, through medcls and in bare Keras."""

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
    """Return a variant without augmentation, as bare Keras would be used."""
    learner = partial(
        training.gradient, model=partial(models.resnet, depth=depth, base=base), batch_size=16, epochs=epochs
    )
    return Variant(data=partial(data.xray, size=size), learner=learner, task=MULTICLASS)


def decoded(work: Path, chosen: Variant) -> tuple[Path, str]:
    """Return the decoded images of a variant's data set and its fingerprint."""
    bundle = chosen.data(Hashes(work / "hashes.sqlite"))
    return prepare(bundle, work / "cache"), bundle.fingerprint


def job(work: Path, chosen: Variant, seed: int, threads: int) -> Job:
    """Return a fresh job: the first of three folds."""
    images, fingerprint = decoded(work, chosen)
    run = Run(chosen, fingerprint, seed=seed, fold=0, folds=3, data_name="xray", variant_name="benchmark")
    folder = RunDir(work / run.key)
    folder.describe(RunDescription(key=run.key))
    return Job(run, images, folder.path, threads)


def finish(executor: LocalExecutor, jobs: list[Job]) -> float:
    """Carry jobs out and return the seconds that they took together."""
    started = time.perf_counter()
    for each in jobs:
        executor.submit(each)
    while not executor.idle:
        executor.wait(1.0)
    for each in jobs:
        result = RunDir(each.folder).result()
        assert result is not None
        assert result.is_finished, result.error
    return time.perf_counter() - started


def epoch_ends(folder: Path) -> list[float]:
    """Return when a run's epochs ended, in seconds since 1970."""
    return [row.time / 1000 for row in RunDir(folder).rows()]


def bare(chosen: Variant, images: Path, seed: int) -> dict[str, Any]:
    """Train what a variant says in bare Keras, on arrays in memory; return its seconds and its epochs' ends."""
    found = open_decoded(images)
    rows = split(found.labels, found.parts, found.patients, fold=0, folds=3, seed=0)
    pixels, targets = np.asarray(found.images, np.float32), MULTICLASS.target(found, np.arange(len(found.labels)))
    ends: list[float] = []
    mark = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: ends.append(time.time()))  # noqa: ARG005
    started = time.perf_counter()
    keras.utils.set_random_seed(seed)
    net = network(chosen.get("learner.model"), MULTICLASS, pixels.shape[1:], len(found.classes))
    metrics = MULTICLASS.metrics(len(found.classes))
    net.compile("adam", "categorical_crossentropy", metrics=metrics, jit_compile=False)
    net.fit(
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

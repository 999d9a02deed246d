"""How fast this machine trains: one number, measured in milliseconds and corrected by trainings, kept for the user.

Work is counted in thousand millions of multiply-adds on one thread. What a training does beside them (to start steps,
to write checkpoints, to build a network) counts as the multiply-adds that would take as long.
"""

import math
import platform
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median

import numpy as np

from medcls.execution.executors.local import available_cores
from medcls.execution.planning.network_size import counted_operations
from medcls.execution.planning.plan import StudyPlan
from medcls.execution.threads import threads_for
from medcls.spec.parameters import arguments_of
from medcls.spec.variant import Variant
from medcls.utils.files import user_cache, write_json
from medcls.utils.records import DamagedError, read_record

BACKWARD = 3  # a training step takes about three times the multiply-adds of a prediction
STEP, EPOCH = 0.7, 14.0  # beside the multiply-adds, of AlexNets and ResNets on two cores
COMPILED, FOLLOWING = 380.0, 60.0  # to start a training, the first of its network or one that follows it
TRAINING = 1.5  # thousand millions of multiply-adds a second in training, where the product below has one
SIDE, TIMES, TRIES = 64, 200, 20  # of the product of matrices that is timed; larger ones use several threads


def epoch_work(plan: StudyPlan, variant: Variant, *, is_fold: bool) -> float | None:
    """Return the work of one epoch of a variant; None where its network cannot be counted.

    Args:
        plan: of the study.
        variant: it has the network and the batch size.
        is_fold: whether one fold of the training set is the validation set.
    """
    source = plan.sources.of(variant)
    operations = counted_operations(variant, source.bundle.shape, len(source.bundle.classes))
    if operations is None:
        return None
    parts = plan.parts[source.name]
    training, validation = parts.get("train", 0), parts.get("validation", 0)
    if is_fold and plan.study.folds:
        validation = training // plan.study.folds
        training -= validation
    batch_size = int(arguments_of(variant.learner).get("batch_size") or 1)
    threads = plan.options.threads or threads_for(operations, batch_size, available_cores())
    computed = operations * (BACKWARD * training + validation) / 1e9 / threads
    return EPOCH + STEP * math.ceil(training / batch_size) + computed


def side_by_side(plan: StudyPlan) -> int:
    """Return how many runs of a study this machine trains at a time; 1 where a network cannot be counted."""
    cores = available_cores()
    workers = plan.options.workers or cores
    for _, variant in plan.study.conditions:
        source = plan.sources.of(variant)
        threads = plan.options.threads
        if threads is None:
            operations = counted_operations(variant, source.bundle.shape, len(source.bundle.classes))
            if operations is None:
                return 1
            threads = threads_for(operations, int(arguments_of(variant.learner).get("batch_size") or 1), cores)
        workers = min(workers, max(1, cores // threads))
    return workers


def rate(observed: Sequence[float]) -> float:
    """Return the work that this machine does in a second, and keep the highest such number for other studies.

    A lower one comes of what else the machine had to do at the time.

    Args:
        observed: that trainings of a study have done in a second; none where there was no training.
    """
    file = _file()
    kept = None if file is None else _read(file)
    if kept is not None and not observed:
        return kept
    found = median(observed) if observed else _measured()
    if file is not None:
        with suppress(OSError):  # what cannot be kept is measured again
            file.parent.mkdir(parents=True, exist_ok=True)
            write_json(file, {"machine": platform.node(), "rate": max(found, kept or 0.0)})
    return found


def _read(file: Path) -> float | None:
    """Return the rate that a file has of this machine, None where it has none: homes may be shared by machines."""
    try:
        record = read_record(file, {"machine": str, "rate": float})
    except DamagedError:
        return None
    if record is None or record["machine"] != platform.node() or record["rate"] <= 0:
        return None
    return float(record["rate"])


def _file() -> Path | None:
    cache = user_cache()
    return None if cache is None else cache / "pace.json"


def _measured() -> float:
    """Return an estimate of the rate from the product of two small matrices on one thread, the fastest of some."""
    matrix = np.ones((SIDE, SIDE), np.float32)
    product = np.empty_like(matrix)
    fastest = math.inf
    for _ in range(TRIES):
        started = time.perf_counter()
        for _ in range(TIMES):
            np.matmul(matrix, matrix, out=product)
        fastest = min(fastest, time.perf_counter() - started)
    return TRAINING * TIMES * SIDE**3 / fastest / 1e9

"""One run, from its value to its result: the only place where data, learner and task meet."""

import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from medcls import scoring
from medcls.data.cache import open_decoded
from medcls.data.split import split
from medcls.data.types import Decoded, Split
from medcls.errors import BadInputError, TrainingError
from medcls.files import is_full
from medcls.pictures import draw_all
from medcls.redaction import text_without_secrets
from medcls.spec import Run, Variant
from medcls.tracing import told, whole
from medcls.tracking.journal import HEAT, RunFolder
from medcls.training import borrowed, kept
from medcls.training.fitted import Fitted
from medcls.training.network import network, operations
from medcls.training.saved import Fit, fit_of

OUTPUT = "output.txt"  # in a run's folder: what its process prints


@dataclass(frozen=True)
class Explanation:
    """What a run's network is asked when it has been trained.

    Attributes:
        function: (network, data, rows, predictions, what is marked) -> arrays for the run's folder.
        marked: region -> (row -> its mask), of the job's data.
        digest: of the function, its parameters and code: another one is asked anew.
    """

    function: Callable[..., Any]
    marked: Mapping[str, Callable[[int], Any]]
    digest: str


@dataclass(frozen=True)
class Job:
    """A run with all that a worker needs to carry it out, on this machine or another.

    `data` is the folder of decoded images, `folder` the run's; with `test` the held-out test part is predicted
    too, which the search never asks for; `explain` is what its network is asked at the end; `resources` are what it
    needs of a cluster beside its threads: "gpu", also a part of one, and "memory" in bytes; with `figures` they are
    drawn as soon as it has ended; `depot` is the URL of the work folder's copy, if it has one.
    """

    run: Run
    data: Path
    folder: Path
    threads: int
    test: bool = False
    explain: Explanation | None = None
    resources: Mapping[str, float] = field(default_factory=dict)
    figures: bool = False
    depot: str = ""


def carry_out(job: Job) -> None:
    """Train the run to its end, or go on where its folder stands, and write its result.

    What goes wrong in training is the run's result too: status "failed", the sentence and the traceback.
    """
    folder = RunFolder(job.folder)
    with folder.lock():
        if is_done(job):
            return
        started = time.time()
        try:
            folder.begin()
            _train(job, folder, started)
        except Exception as error:  # noqa: BLE001 - any failure is this run's alone
            trace = text_without_secrets(whole(error))
            print(trace, file=sys.stderr, flush=True)  # which a run's own process writes into output.txt
            folder.finish(_failure(job, folder, error, trace), {})
        if job.figures:
            draw_all(job.run, folder, job.data)


def is_done(job: Job) -> bool:
    """Tell whether the job's folder holds all that the job is to leave there."""
    folder = RunFolder(job.folder)
    result = folder.result()
    if result is None or not folder.is_finished() or not folder.predictions.exists():
        return False
    if not (kept.file(folder) or result.get("unsaved")):
        return False
    return is_explained(job) and (not job.test or folder.read_arrays("test") is not None)


def is_explained(job: Job) -> bool:
    """Tell whether the job's folder holds what its network was to be asked.

    One that could not be saved is asked nothing, and neither is one that learnt nothing by gradients and has none:
    the nearest neighbours.
    """
    folder = RunFolder(job.folder)
    result = folder.result() or {}
    if job.explain is None or result.get("unsaved") or result.get("parameters", {}).get("trainable", 1) == 0:
        return True
    known = folder.read_arrays(HEAT, "digest")
    return known is not None and str(known["digest"]) == job.explain.digest


def is_over(job: Job) -> bool:
    """Tell whether the job has ended, well or badly; it has not if its process died."""
    result = RunFolder(job.folder).result()
    return result is not None and (result["status"] != "finished" or is_done(job))


def _fit(job: Job, folder: RunFolder) -> tuple[Decoded, Split, Fitted]:
    run, data = job.run, open_decoded(job.data)
    rows = split(data.labels, data.parts, data.patients, fold=run.fold, folds=run.folds, seed=run.split_seed)
    return data, rows, run.variant.learner(data, rows, run.variant.task, folder, run.seed)


def _train(job: Job, folder: RunFolder, started: float) -> None:
    data, rows, fitted = _fit(job, folder)
    unsaved = _save(fitted, folder)
    if job.test and len(rows.test):
        folder.write_arrays("test", {"rows": rows.test, "predictions": fitted.predict(rows.test)})
    if not folder.is_finished() or not folder.predictions.exists():
        predictions = fitted.predict(rows.validation)
        result = {**_result(job, folder, data, rows, fitted, predictions), "unsaved": unsaved}
        timing = {"ended": int(time.time() * 1000), "seconds": round(time.time() - started, 3)}
        folder.finish({**result, **timing}, {"rows": rows.validation, "predictions": predictions})
    if job.explain is not None and not is_explained(job):
        _explain(job.explain, folder, data, rows, fitted)


def _explain(explain: Explanation, folder: RunFolder, data: Decoded, rows: Split, fitted: Fitted) -> None:
    """Write what the network says when asked; figures of an earlier answer go."""
    known = folder.read_arrays("predictions", "rows", "predictions")
    if known is None:
        known = {"rows": rows.validation, "predictions": fitted.predict(rows.validation)}
    answer = explain.function(fitted.model, data, known["rows"], known["predictions"], explain.marked)
    for drawn in folder.path.glob(f"{HEAT}_*.png"):
        drawn.unlink()
    folder.write_arrays(HEAT, {**answer, "digest": np.array(explain.digest)})


def _save(fitted: Fitted, folder: RunFolder) -> str | None:
    """Write the model into the folder; return why it cannot be written, which costs no result."""
    if fitted.model is None:
        return "its learner makes no Keras network"
    try:
        kept.keep(fitted.model, fitted.body, folder)
    except OSError:
        raise  # the disk's fault, not the model's
    except Exception as error:  # noqa: BLE001 - a layer of the user's own may raise anything
        return f"{type(error).__name__}: {error}"
    return None


def _result(
    job: Job, folder: RunFolder, data: Decoded, rows: Split, fitted: Fitted, predictions: Any
) -> dict[str, Any]:
    task = job.run.variant.task
    scores = scoring.scores(task, data, rows.validation, predictions)
    last = {name: values[fitted.best_epoch] for name, values in folder.history().items()}
    measured = f"val_{task.measure}"
    gap = {"gap": last[task.measure] - last[measured]} if measured in last else {}
    return {
        "status": "finished",
        "epochs": fitted.epochs,
        "best_epoch": fitted.best_epoch,
        "metrics": {**scores, **gap},
        "parameters": fitted.parameters,
        "weights_sha256": fitted.weights_sha256,
        "images": {"train": len(rows.train), "validation": len(rows.validation)},
        "error": None,
    }


def interrupted(folder: RunFolder) -> dict[str, Any]:
    """Return what a run that is being interrupted has come to: its finished epochs, no scores."""
    return _without_scores(folder, "interrupted", None)


def obituary(job: Job, exit_code: int | None) -> dict[str, Any]:
    """Return the result of a job whose process died of what no code could catch, more than once."""
    killed = exit_code is not None and exit_code < 0
    death = f"was killed by signal {-exit_code}" if killed and exit_code else f"ended with exit code {exit_code}"
    error = TrainingError(
        f"Its process {death} again and again; {job.folder / OUTPUT} has what it printed (out of memory?)."
    )
    return _failure(job, RunFolder(job.folder), error, "")


def _failure(job: Job, folder: RunFolder, error: Exception, trace: str) -> dict[str, Any]:
    sentence = str(error)
    if is_full(error):
        sentence = f"No room left to write in {job.folder.parent}: free some space and run the same command again."
    elif not isinstance(error, TrainingError | BadInputError):
        sentence = f"{told(error)} (the traceback is in {job.folder / OUTPUT})."
    return {**_without_scores(folder, "failed", text_without_secrets(sentence)), "traceback": trace}


def _without_scores(folder: RunFolder, status: str, sentence: str | None) -> dict[str, Any]:
    return {
        "status": status,
        "epochs": folder.epochs_held(),
        "best_epoch": None,
        "metrics": {},
        "parameters": {},
        "weights_sha256": "",
        "error": sentence,
        "ended": int(time.time() * 1000),
        "seconds": 0.0,
    }


def measure(variant: Variant, shape: tuple[int, ...], classes: int) -> dict[str, int]:
    """Return the multiply-adds an image and the parameters of a variant's network, by building it."""
    built = network(variant.get("learner.model"), variant.task, shape, classes)
    return {"operations": operations(built), "parameters": int(built.count_params())}


def fitting(variant: Variant, shape: tuple[int, ...], classes: int, weights: Path) -> Fit:
    """Return how a file of saved weights fits a variant's network."""
    return fit_of(network(variant.get("learner.model"), variant.task, shape, classes), weights)


def lay_in(variant: Variant, shape: tuple[int, ...], classes: int, path: Path, file: Path) -> str:
    """Write the weights that a variant's network borrows to `path`, from `file` where they are a file's.

    Returns:
        What is wrong with them in a sentence, "" if nothing is.
    """
    try:
        borrowed.lay_in(
            variant.get("learner.model"), variant.task, variant.get("learner.pretrained"), shape, classes, path, file
        )
    except OSError as error:
        if is_full(error):
            raise
        return str(error)
    except Exception as error:  # noqa: BLE001 - Keras raises all kinds where it cannot download
        return str(error)
    return ""


def set_threads(threads: int) -> None:
    """Give this process's TensorFlow its number of threads; must come before its first operation."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    np.seterr(all="ignore")

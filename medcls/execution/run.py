"""One run, from its value to its result: the only place where data, learner and task meet."""

import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np

from medcls.data.dataset import Dataset, Split
from medcls.data.loading.decoded_cache import open_decoded
from medcls.data.split import split
from medcls.execution.job import Explanation, Job, is_done, is_explained
from medcls.report.run_figures import draw_all
from medcls.tasks import scoring
from medcls.tracking.run_dir import HEAT, RunDir
from medcls.tracking.run_records import RunResult
from medcls.training import model_files
from medcls.training.result import Fitted
from medcls.utils.errors import BadInputError, TrainingError
from medcls.utils.files import is_full
from medcls.utils.redaction import text_without_secrets
from medcls.utils.statuses import RunStatus
from medcls.utils.tracing import told, whole

OUTPUT = "output.txt"  # in a run's folder: what its process prints


def execute_job(job: Job) -> None:
    """Train the run to its end, or go on where its folder stands, and write its result.

    What goes wrong in training is the run's result too: status "failed", the sentence and the traceback.
    """
    folder = RunDir(job.folder)
    with folder.lock():
        if is_done(job):
            return
        started = time.time()
        try:
            folder.mark_started()
            _train(job, folder, started)
        except Exception as error:  # noqa: BLE001 - any failure is this run's alone
            trace = text_without_secrets(whole(error))
            print(trace, file=sys.stderr, flush=True)  # which a run's own process writes into output.txt
            folder.finish(_failure(job, folder, error, trace), {})
        if job.figures:
            draw_all(job.run, folder, job.data)


def _fit(job: Job, folder: RunDir) -> tuple[Dataset, Split, Fitted]:
    run, data = job.run, open_decoded(job.data)
    rows = split(data.labels, data.parts, data.patients, fold=run.fold, folds=run.folds, seed=run.split_seed)
    return data, rows, run.variant.learner(data, rows, run.variant.task, folder, run.seed)


def _train(job: Job, folder: RunDir, started: float) -> None:
    data, rows, fitted = _fit(job, folder)
    unsaved = _save(fitted, folder)
    if job.test and len(rows.test):
        folder.write_arrays("test", {"rows": rows.test, "predictions": fitted.predict(rows.test)})
    if not folder.is_finished() or not folder.predictions.exists():
        predictions = fitted.predict(rows.validation)
        result = replace(
            _result(job, folder, data, rows, fitted, predictions),
            unsaved=unsaved,
            ended=int(time.time() * 1000),
            seconds=round(time.time() - started, 3),
        )
        folder.finish(result, {"rows": rows.validation, "predictions": predictions})
    if job.explain is not None and not is_explained(job):
        _explain(job.explain, folder, data, rows, fitted)


def _explain(explain: Explanation, folder: RunDir, data: Dataset, rows: Split, fitted: Fitted) -> None:
    """Write what the network says when asked; figures of an earlier answer go."""
    known = folder.read_arrays("predictions", "rows", "predictions")
    if known is None:
        known = {"rows": rows.validation, "predictions": fitted.predict(rows.validation)}
    answer = explain.function(fitted.model, data, known["rows"], known["predictions"], explain.marked)
    for drawn in folder.path.glob(f"{HEAT}_*.png"):
        drawn.unlink()
    folder.write_arrays(HEAT, {**answer, "digest": np.array(explain.digest)})


def _save(fitted: Fitted, folder: RunDir) -> str | None:
    """Write the model into the folder; return why it cannot be written, which costs no result."""
    if fitted.model is None:
        return "its learner makes no Keras network"
    try:
        model_files.keep(fitted.model, fitted.body, folder)
    except OSError:
        raise  # the disk's fault, not the model's
    except Exception as error:  # noqa: BLE001 - a layer of the user's own may raise anything
        return f"{type(error).__name__}: {error}"
    return None


def _result(job: Job, folder: RunDir, data: Dataset, rows: Split, fitted: Fitted, predictions: Any) -> RunResult:
    task = job.run.variant.task
    scores = scoring.scores(task, data, rows.validation, predictions)
    last = {name: values[fitted.best_epoch] for name, values in folder.history().items()}
    measured = f"val_{task.measure}"
    gap = {"gap": last[task.measure] - last[measured]} if measured in last else {}
    return RunResult(
        status=RunStatus.FINISHED,
        epochs=fitted.epochs,
        best_epoch=fitted.best_epoch,
        metrics={**scores, **gap},
        parameters=fitted.parameters,
        weights_sha256=fitted.weights_sha256,
        images={"train": len(rows.train), "validation": len(rows.validation)},
    )


def interrupted(folder: RunDir) -> RunResult:
    """Return what a run that is being interrupted has come to: its finished epochs, no scores."""
    return RunResult(RunStatus.INTERRUPTED, epochs=folder.epochs_held(), ended=int(time.time() * 1000))


def crashed_result(job: Job, exit_code: int | None) -> RunResult:
    """Return the result of a job whose process died of what no code could catch, more than once."""
    killed = exit_code is not None and exit_code < 0
    death = f"was killed by signal {-exit_code}" if killed and exit_code else f"ended with exit code {exit_code}"
    error = TrainingError(f"The worker {death} repeatedly (out of memory?). Its output is in {job.folder / OUTPUT}.")
    return _failure(job, RunDir(job.folder), error, "")


def _failure(job: Job, folder: RunDir, error: Exception, trace: str) -> RunResult:
    sentence = str(error)
    if is_full(error):
        sentence = f"No space left in {job.folder.parent}: free some space and run the same command again."
    elif not isinstance(error, TrainingError | BadInputError):
        sentence = f"{told(error)} (the traceback is in {job.folder / OUTPUT})."
    return RunResult(
        RunStatus.FAILED,
        epochs=folder.epochs_held(),
        error=text_without_secrets(sentence),
        ended=int(time.time() * 1000),
        traceback=trace,
    )

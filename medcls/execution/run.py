"""Carries one run out, from its description to its result: the only place where data, learner and task meet."""

import sys
import time

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import Dataset, Split
from medcls.data.loading.decoded_cache import open_decoded
from medcls.data.split import split
from medcls.execution.job import Explanation, Job, is_done, is_explained
from medcls.report.run_figures import draw_all
from medcls.tasks import scoring
from medcls.tasks.base import Task
from medcls.tracking.run_dir import HEAT, RunDir
from medcls.tracking.run_records import RunResult
from medcls.training import model_files
from medcls.training.result import Fitted
from medcls.utils.errors import BadInputError, TrainingError
from medcls.utils.files import is_full
from medcls.utils.redaction import text_without_secrets
from medcls.utils.statuses import RunStatus
from medcls.utils.tracing import told, whole

OUTPUT = "output.txt"  # in a run directory: what the run's process prints


def execute_job(job: Job) -> None:
    """Train a run to its end, from its checkpoint if it has one, and write its result.

    An exception is a result too: the status "failed", a sentence and the traceback.
    """
    run_dir = RunDir(job.folder)
    with run_dir.lock():
        if is_done(job):
            return
        started = time.time()
        try:
            run_dir.mark_started()
            _train_and_evaluate(job, run_dir, started)
        except Exception as error:  # noqa: BLE001 - any failure is this run's alone
            trace = text_without_secrets(whole(error))
            print(trace, file=sys.stderr, flush=True)  # in a run's own process this goes to output.txt
            run_dir.finish(_failed_result(job, run_dir, error, trace), {})
        if job.figures:
            draw_all(job.run, run_dir, job.data)


def _train_and_evaluate(job: Job, run_dir: RunDir, started: float) -> None:
    """Train the run's network, and write everything that the job is to leave in the run directory.

    Args:
        job: what is carried out.
        run_dir: the run directory.
        started: the time at which the job started, in seconds since 1970.
    """
    run, data = job.run, open_decoded(job.data)
    rows = split(data.labels, data.parts, data.patients, fold=run.fold, folds=run.folds, seed=run.split_seed)
    fitted = run.variant.learner(data, rows, run.variant.task, run_dir, run.seed)
    unsaved = _save(fitted, run_dir)
    if job.test and len(rows.test):
        run_dir.write_arrays("test", {"rows": rows.test, "predictions": fitted.predict(rows.test)})
    if not run_dir.is_finished() or not run_dir.predictions.exists():
        predictions = fitted.predict(rows.validation)
        result = RunResult(
            status=RunStatus.FINISHED,
            epochs=fitted.epochs,
            best_epoch=fitted.best_epoch,
            metrics=_metrics(run.variant.task, run_dir, data, rows, fitted, predictions),
            parameters=fitted.parameters,
            weights_sha256=fitted.weights_sha256,
            images={"train": len(rows.train), "validation": len(rows.validation)},
            unsaved=unsaved,
            ended=int(time.time() * 1000),
            seconds=round(time.time() - started, 3),
        )
        run_dir.finish(result, {"rows": rows.validation, "predictions": predictions})
    if job.explain is not None and not is_explained(job):
        _explain(job.explain, run_dir, data, rows, fitted)


def _save(fitted: Fitted, run_dir: RunDir) -> str | None:
    """Write the network into the run directory; return why it cannot be saved, None where it is saved.

    Raises:
        OSError: the file cannot be written.
    """
    if fitted.model is None:
        return "its learner makes no Keras network"
    try:
        model_files.keep(fitted.model, fitted.body, run_dir)
    except OSError:
        raise  # the disk's fault, not the network's
    except Exception as error:  # noqa: BLE001 - a layer of the user's own may raise anything
        return f"{type(error).__name__}: {error}"
    return None


def _metrics(
    task: Task, run_dir: RunDir, data: Dataset, rows: Split, fitted: Fitted, predictions: NDArray[np.float32]
) -> dict[str, float]:
    """Return the scores on the validation set, and "gap": the training score minus the validation score.

    Args:
        task: what a target means.
        run_dir: the run directory, whose journal has both scores at the best epoch.
        data: the data set.
        rows: the rows of its training, validation and test sets.
        fitted: what the learner returned.
        predictions: for the validation set, one row an image.
    """
    metrics = dict(scoring.scores(task, data, rows.validation, predictions))
    history, validation_name = run_dir.history(), f"val_{task.measure}"
    if validation_name in history:
        best = fitted.best_epoch
        metrics["gap"] = history[task.measure][best] - history[validation_name][best]
    return metrics


def _explain(explain: Explanation, run_dir: RunDir, data: Dataset, rows: Split, fitted: Fitted) -> None:
    """Call the explanation with the trained network, write its answer, and remove the figures of an earlier answer.

    Args:
        explain: what is called.
        run_dir: the run directory.
        data: the data set.
        rows: the rows of its training, validation and test sets.
        fitted: what the learner returned.
    """
    validation = run_dir.read_arrays("predictions", "rows", "predictions")
    if validation is None:
        validation = {"rows": rows.validation, "predictions": fitted.predict(rows.validation)}
    answer = explain.function(fitted.model, data, validation["rows"], validation["predictions"], explain.marked)
    for figure in run_dir.path.glob(f"{HEAT}_*.png"):
        figure.unlink()
    run_dir.write_arrays(HEAT, {**answer, "digest": np.array(explain.digest)})


def interrupted_result(run_dir: RunDir) -> RunResult:
    """Return the result of a run that is being interrupted: the epochs that its checkpoint holds, and no scores."""
    return RunResult(RunStatus.INTERRUPTED, epochs=run_dir.epochs_held(), ended=int(time.time() * 1000))


def crashed_result(job: Job, exit_code: int | None) -> RunResult:
    """Return the result of a job whose process died repeatedly of something that no code could catch.

    Args:
        job: that was carried out.
        exit_code: of its process, negative for a signal, None where it is not known.
    """
    if exit_code is not None and exit_code < 0:
        death = f"was killed by signal {-exit_code}"
    else:
        death = f"ended with exit code {exit_code}"
    error = TrainingError(f"The worker {death} repeatedly (out of memory?). Its output is in {job.folder / OUTPUT}.")
    return _failed_result(job, RunDir(job.folder), error, "")


def _failed_result(job: Job, run_dir: RunDir, error: Exception, trace: str) -> RunResult:
    """Return the result of a run that failed.

    Args:
        job: that was carried out.
        run_dir: the run directory.
        error: why it failed.
        trace: the traceback, "" for none.
    """
    if is_full(error):
        sentence = f"No space left in {job.folder.parent}: free some space and run the same command again."
    elif isinstance(error, TrainingError | BadInputError):
        sentence = str(error)
    else:
        sentence = f"{told(error)} (the traceback is in {job.folder / OUTPUT})."
    return RunResult(
        RunStatus.FAILED,
        epochs=run_dir.epochs_held(),
        error=text_without_secrets(sentence),
        ended=int(time.time() * 1000),
        traceback=trace,
    )

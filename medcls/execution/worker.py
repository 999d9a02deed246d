"""The worker, the process of one run: it ends with its driver, and carries the run out, from its job to its result."""

import faulthandler
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing import connection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.data.dataset import Dataset, Split
from medcls.data.loading.decoded_cache import open_decoded
from medcls.data.split import split
from medcls.execution.failures import failed_result
from medcls.execution.job import Explanation, Job, is_done, is_explained
from medcls.report.case_images import draw_cases
from medcls.report.run_figures import draw_all
from medcls.tasks import scoring
from medcls.tasks.base import Task
from medcls.tracking.run_dir import HEAT, RunDir
from medcls.tracking.run_origin import note_environment
from medcls.tracking.run_records import RunResult
from medcls.training import model_files, programs
from medcls.training.result import Fitted
from medcls.utils.environment import this_environment
from medcls.utils.redaction import text_without_secrets
from medcls.utils.statuses import RunStatus
from medcls.utils.tracing import told, whole


def prepare_process(environment: Mapping[str, str]) -> None:
    """Let this process, which has just been started, end with its driver and leave Ctrl-C to it.

    Args:
        environment: variables that are added to the environment.
    """
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver handles Ctrl-C
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _die_with_driver()


def answer(target: Callable[..., Any], arguments: tuple[Any, ...], reply: Any, environment: Mapping[str, str]) -> None:
    """Call a function in this process, which has just been started, and send what the function returns.

    Args:
        target: the function.
        arguments: its arguments.
        reply: the connection; what is sent is (return value, None), or (None, sentence) if the function raised.
        environment: variables that are added to the environment.
    """
    prepare_process(environment)
    redirect(Path(os.devnull))
    set_threads(1)
    try:
        reply.send((target(*arguments), None))
    except Exception as error:  # noqa: BLE001 - the driver reports any error
        reply.send((None, told(error)))


def _die_with_driver() -> None:
    """Exit at once when the driver has ended: a new command must never train beside an orphan."""
    driver = multiprocessing.parent_process()
    if driver is None:
        return

    def watch() -> None:
        connection.wait([driver.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def redirect(output: Path) -> None:
    """Append to a file what this process prints from now on."""
    file = output.open("a")
    os.dup2(file.fileno(), 1)
    os.dup2(file.fileno(), 2)
    sys.stdout = sys.stderr = file
    faulthandler.enable(file)


def set_threads(threads: int) -> None:
    """Set the number of TensorFlow's threads in this process, which must come before its first operation."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    np.seterr(all="ignore")


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
            if not run_dir.is_finished():
                note_environment(run_dir, this_environment())
            with programs.of_program(job.program):
                _train_and_evaluate(job, run_dir, started)
        except Exception as error:  # noqa: BLE001 - any failure is this run's alone
            trace = text_without_secrets(whole(error))
            print(trace, file=sys.stderr, flush=True)  # in a run's own process this goes to output.txt
            run_dir.finish(failed_result(job, run_dir, error, trace), {})
        if job.figures:
            draw_all(job.run, run_dir, job.data)
            draw_cases(job.run, run_dir, job.data)


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
    if not programs.are_ours([explain.function]):
        programs.forget()  # who knows what it does to the network
    answer = explain.function(fitted.model, data, validation["rows"], validation["predictions"], explain.marked)
    for figure in run_dir.path.glob(f"{HEAT}_*.png"):
        figure.unlink()
    run_dir.write_arrays(HEAT, {**answer, "digest": np.array(explain.digest)})

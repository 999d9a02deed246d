"""The results of runs that have no scores: interrupted, crashed or failed."""

import time

from medcls.execution.job import OUTPUT, Job
from medcls.tracking.run_dir import RunDir
from medcls.tracking.run_records import RunResult
from medcls.utils.errors import BadInputError, TrainingError
from medcls.utils.files import is_full
from medcls.utils.redaction import text_without_secrets
from medcls.utils.statuses import RunStatus
from medcls.utils.tracing import defined_at, told, users_frame


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
    return failed_result(job, RunDir(job.folder), error, "")


def failed_result(job: Job, run_dir: RunDir, error: Exception, trace: str) -> RunResult:
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
        sentence = f"{told(error)} (the traceback is in {job.folder / OUTPUT}).{_own_functions(job, error)}"
    return RunResult(
        RunStatus.FAILED,
        epochs=run_dir.epochs_held(),
        error=text_without_secrets(sentence),
        ended=int(time.time() * 1000),
        traceback=trace,
    )


def _own_functions(job: Job, error: Exception) -> str:
    """Return which functions of the user's own a run has, where no line of theirs raised its error; "" for none."""
    if users_frame(error) is not None:
        return ""
    names: dict[str, None] = {}
    for function in job.run.variant.functions():
        place = defined_at(function)
        if place:
            names[f"{function.__name__}{place}"] = None
    if not names:
        return ""
    return f" Your own functions in this run, one of which may have returned something else: {', '.join(names)}."

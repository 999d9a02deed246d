"""Finds the damaged records of a run directory, so that a command can name them before it does without them."""

from medcls.tracking import record_shapes
from medcls.tracking.run_dir import RunDir
from medcls.utils.records import DamagedError, read_arrays, read_record
from medcls.utils.statuses import RunStatus


def faults(run_dir: RunDir, *, whole: bool = False) -> list[DamagedError]:
    """Return what is wrong with a run's records, the first fault of each file.

    Args:
        run_dir: the run directory; a record that is not there is no fault.
        whole: whether the arrays of the checkpoint are read too, and not only its number of epochs.
    """
    checks = [_check_description, _check_result, _check_journal, _check_predictions]
    if whole:
        checks.append(_check_checkpoint)
    damaged: list[DamagedError] = []
    for check in checks:
        try:
            check(run_dir)
        except FileNotFoundError:
            continue
        except DamagedError as error:
            if not any(error.path == earlier.path for earlier in damaged):
                damaged.append(error)
    return damaged


def _check_description(run_dir: RunDir) -> None:
    read_record(run_dir.path / "run.json", {}, record_shapes.DESCRIPTION)


def _check_result(run_dir: RunDir) -> None:
    path = run_dir.path / "result.json"
    result = read_record(path, record_shapes.RESULT, record_shapes.RESULT_MAY_HOLD)
    if result is not None and result["status"] == RunStatus.FINISHED:
        read_record(path, record_shapes.FINISHED_RESULT)


def _check_journal(run_dir: RunDir) -> None:
    epochs, rows = run_dir.epochs_saved(), len(run_dir.rows())
    if rows < epochs:
        raise DamagedError(run_dir.path / "journal.jsonl", f"{rows} of {epochs} epochs can be read")


def _check_predictions(run_dir: RunDir) -> None:
    if run_dir.is_finished():
        read_arrays(run_dir.predictions)


def _check_checkpoint(run_dir: RunDir) -> None:
    run_dir.read_checkpoint()

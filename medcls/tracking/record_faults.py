"""What is wrong with the records in a run's folder: for who says so before they are done without."""

from medcls.tracking import record_shapes
from medcls.tracking.run_dir import RunDir
from medcls.utils.records import DamagedError, read_arrays, read_record


def faults(folder: RunDir, *, whole: bool = False) -> list[DamagedError]:
    """Return what is wrong with a run's records, none where they are sound or not there.

    Args:
        folder: the run's.
        whole: whether the checkpoint is read to its end, and not what it says of itself alone.
    """
    found: list[DamagedError] = []
    for look in (_description, _result, _journal, _predictions, *((_checkpoint,) if whole else ())):
        try:
            look(folder)
        except FileNotFoundError:
            continue
        except DamagedError as error:
            found += [] if error.path in {each.path for each in found} else [error]
    return found


def _description(folder: RunDir) -> None:
    read_record(folder.path / "run.json", {}, record_shapes.DESCRIPTION)


def _result(folder: RunDir) -> None:
    path = folder.path / "result.json"
    result = read_record(path, record_shapes.RESULT, record_shapes.RESULT_MAY_HOLD)
    if result is not None and result["status"] == "finished":
        read_record(path, record_shapes.FINISHED_RESULT)


def _journal(folder: RunDir) -> None:
    epochs, rows = folder.epochs_saved(), len(folder.rows())
    if rows < epochs:
        raise DamagedError(folder.path / "journal.jsonl", f"{rows} of {epochs} epochs can be read")


def _predictions(folder: RunDir) -> None:
    if folder.is_finished():
        read_arrays(folder.predictions)


def _checkpoint(folder: RunDir) -> None:
    folder.read_checkpoint()

"""What the JSON records in a run directory must hold."""

from collections.abc import Iterable
from pathlib import Path
from types import MappingProxyType
from typing import Any

from numpy.typing import NDArray

from medcls.tracking.run_records import CheckpointState, EpochRow
from medcls.utils.files import parsed_json
from medcls.utils.records import DamagedError, Shape, checked, is_count, is_numbers, said
from medcls.utils.statuses import RunStatus

MOST_THREADS = 4096
STATUSES = (RunStatus.FINISHED, RunStatus.FAILED, RunStatus.INTERRUPTED)


def _is_status(value: Any) -> bool:
    return value in STATUSES


def _is_threads(value: Any) -> bool:
    return is_count(value) and 1 <= value <= MOST_THREADS


def _has_numbers(value: Any) -> bool:
    return is_numbers(value) and bool(value)


def _has_mappings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)


DESCRIPTION: Shape = MappingProxyType(
    {
        "key": str,
        "trajectory": str,
        "parameters": dict,
        "code": str,
        "threads": _is_threads,
        "created": is_count,
        "started": is_count,
        "shared_epochs": is_count,
        "shared_from": str | None,
    }
)
"""Of run.json; an older one may lack some."""

RESULT: Shape = MappingProxyType({"status": _is_status})
RESULT_MAY_HOLD: Shape = MappingProxyType(
    {
        "epochs": is_count,
        "best_epoch": int | None,
        "metrics": is_numbers,
        "parameters": is_numbers,
        "weights_sha256": str,
        "error": str | None,
        "unsaved": str | None,
        "ended": is_count,
        "seconds": int | float,
    }
)
FINISHED_RESULT: Shape = MappingProxyType(
    {
        **{name: RESULT_MAY_HOLD[name] for name in ("parameters", "weights_sha256", "error", "ended")},
        "epochs": is_count,
        "best_epoch": is_count,
        "metrics": _has_numbers,
    }
)
"""Of result.json: of any, what it may hold, and what it holds where the run has finished."""

ROW: Shape = MappingProxyType({"epoch": is_count, "metrics": _has_numbers})
ROW_MAY_HOLD: Shape = MappingProxyType({"time": is_count, "seconds": int | float, "system": is_numbers})
META: Shape = MappingProxyType({"epochs": is_count, "state": dict})
STATE: Shape = MappingProxyType({"callbacks": _has_mappings, "stopped": bool})
STATE_MAY_HOLD: Shape = MappingProxyType({"began": is_count})


def rows_of(lines: Iterable[bytes]) -> list[EpochRow]:
    """Return a journal's epochs, one a line, up to a line that is torn or is not the next epoch."""
    rows: list[EpochRow] = []
    for line in lines:
        try:
            row = EpochRow.from_record(checked(parsed_json(line), ROW, ROW_MAY_HOLD))
        except ValueError:
            break
        has_all_metrics = not rows or row.metrics.keys() >= rows[0].metrics.keys()
        if not line.endswith(b"\n") or row.epoch != len(rows) or not has_all_metrics:
            break
        rows.append(row)
    return rows


def meta_of(path: Path, array: NDArray[Any]) -> tuple[int, CheckpointState]:
    """Return how many epochs a checkpoint holds, and its state that is no array.

    Args:
        path: the checkpoint, for the error.
        array: its entry "meta", JSON in bytes, uint8.

    Raises:
        DamagedError: the entry is not what a checkpoint has.
    """
    try:
        meta = checked(parsed_json(array.tobytes()), META)
        state = checked(meta["state"], STATE, STATE_MAY_HOLD)
    except ValueError as error:
        raise DamagedError(path, said(error)) from error
    return meta["epochs"], CheckpointState.from_record(state)

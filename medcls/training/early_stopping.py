"""When to stop, and which epoch's weights to keep: a task -> Keras callbacks."""

from typing import Any

from medcls.evaluation.metrics import METRICS, metric, missing
from medcls.spec.constraints import at_least, constrained
from medcls.tasks.base import Task
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import keras

__all__ = ["early", "keep_best", "never"]


def never(task: Task) -> list[Any]:  # noqa: ARG001
    """Train every epoch and keep the last one's weights."""
    return []


def _check_mode(*, monitor: str, mode: str, **_: Any) -> None:
    if mode not in ("", "min", "max"):
        raise BadInputError(f"mode={mode!r} must be min or max, or nothing for what the table of metrics says.")
    if monitor and not mode and _better(monitor) is None:
        curves = [f"val_{row.name}" for row in METRICS.values() if row.curve]
        raise BadInputError(
            f"monitor: {missing(monitor, curves)} For a metric of your own, mode=min or max says which way it gets "
            "better."
        )


@constrained(_check_mode)
def keep_best(task: Task, *, monitor: str = "", mode: str = "") -> list[Any]:
    """Train every epoch and keep the best one's weights, by a name in the history: "" for what the task monitors.

    Of equally good epochs the first is kept. `mode`, "min" or "max", says which way a metric of one's own gets better;
    what is in the table of metrics needs no word.
    """
    if not monitor:
        return early(task, patience=10**9)
    way = mode or ("max" if _better(monitor) else "min")
    return [keras.callbacks.EarlyStopping(monitor, patience=10**9, mode=way, restore_best_weights=True)]


def _better(monitor: str) -> bool | None:
    """Return whether a score of the history is the better the higher, None where that is not known."""
    row = metric(monitor)
    return None if row is None else row.higher_is_better


@constrained(at_least(0, "patience", "minimum_gain"))
def early(task: Task, *, patience: int = 10, minimum_gain: float = 0.0) -> list[Any]:
    """Stop after `patience` epochs without a gain in what the task monitors; keep the best epoch's weights."""
    stopping = keras.callbacks.EarlyStopping(
        task.monitor, minimum_gain, patience, mode=task.mode, restore_best_weights=True
    )
    return [stopping]

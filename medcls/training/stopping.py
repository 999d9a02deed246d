"""When to stop, and which epoch's weights to keep: a task -> Keras callbacks."""

from typing import Any

from medcls.lazy import lazy
from medcls.limits import at_least, limited
from medcls.task import Task

keras = lazy("keras")

__all__ = ["early", "keep_best", "never"]


def never(task: Task) -> list[Any]:  # noqa: ARG001
    """Train every epoch and keep the last one's weights."""
    return []


def keep_best(task: Task, *, monitor: str = "") -> list[Any]:
    """Train every epoch and keep the best one's weights, by a name in the history: "" for what the task monitors.

    Of equally good epochs the first is kept. A loss is the better the lower it is, anything else the higher.
    """
    if not monitor:
        return early(task, patience=10**9)
    mode = "min" if "loss" in monitor else "max"
    return [keras.callbacks.EarlyStopping(monitor, patience=10**9, mode=mode, restore_best_weights=True)]


@limited(at_least(0, "patience", "minimum_gain"))
def early(task: Task, *, patience: int = 10, minimum_gain: float = 0.0) -> list[Any]:
    """Stop after `patience` epochs without a gain in what the task monitors; keep the best epoch's weights."""
    stopping = keras.callbacks.EarlyStopping(
        task.monitor, minimum_gain, patience, mode=task.mode, restore_best_weights=True
    )
    return [stopping]

"""When to stop, and which epoch's weights to keep: a task -> Keras callbacks."""

from medcls.evaluation.metrics import METRICS, metric, missing
from medcls.spec.constraints import at_least, constrained
from medcls.tasks.base import Task
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import keras
from medcls.utils.tensors import Callback

__all__ = ["early", "keep_best", "never"]


def never(task: Task) -> list[Callback]:  # noqa: ARG001
    """Train every epoch and keep the last one's weights."""
    return []


def _check_mode(*, monitor: str, mode: str, **_: object) -> None:
    if mode not in ("", "min", "max"):
        raise BadInputError(f"mode={mode!r} must be min or max, or nothing to take it from the table of metrics.")
    if monitor and not mode and _better(monitor) is None:
        curves = [f"val_{row.name}" for row in METRICS.values() if row.curve]
        raise BadInputError(
            f"monitor: {missing(monitor, curves)} For a metric of your own, mode=min or max says which way it gets "
            "better."
        )


@constrained(_check_mode)
def keep_best(task: Task, *, monitor: str = "", mode: str = "") -> list[Callback]:
    """Train every epoch and keep the weights of the best one; of equally good epochs, the first.

    Args:
        task: what a target means.
        monitor: the name in the history that decides, such as "val_accuracy"; "" for the one that the task monitors.
        mode: "min" or "max", the direction in which a metric of your own gets better; "" to take the direction from
            the table of metrics.
    """
    if not monitor:
        return early(task, patience=10**9)
    way = mode or ("max" if _better(monitor) else "min")
    return [keras.callbacks.EarlyStopping(monitor, patience=10**9, mode=way, restore_best_weights=True)]


def _better(monitor: str) -> bool | None:
    """Return whether a higher value of a metric is better; None for a metric that is not in the table."""
    row = metric(monitor)
    return None if row is None else row.higher_is_better


@constrained(at_least(0, "patience", "minimum_gain"))
def early(task: Task, *, patience: int = 10, minimum_gain: float = 0.0) -> list[Callback]:
    """Stop when the metric that the task monitors no longer gets better; keep the weights of the best epoch.

    Args:
        task: what a target means.
        patience: how many epochs without a gain are trained before the training stops.
        minimum_gain: a smaller change of the metric is no gain.
    """
    stopping = keras.callbacks.EarlyStopping(
        task.monitor, minimum_gain, patience, mode=task.mode, restore_best_weights=True
    )
    return [stopping]

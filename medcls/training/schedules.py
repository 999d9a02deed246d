"""Learning-rate schedules: the optimizer's learning rate -> a Keras callback that sets it, epoch by epoch.

A schedule that takes `total_epochs` depends on how long the run is: its first epochs differ from the first epochs of
a longer run, so such runs do not share a trajectory. With any other schedule, they do.
"""

import math

from medcls.spec.constraints import above, at_least, constrained, rates
from medcls.tasks.base import Task
from medcls.utils.lazy import keras
from medcls.utils.tensors import Callback

__all__ = ["constant", "cosine", "plateau", "step"]


def constant(learning_rate: float, task: Task) -> Callback:  # noqa: ARG001
    """Return a callback that keeps the learning rate."""
    return keras.callbacks.LearningRateScheduler(lambda epoch: learning_rate)  # noqa: ARG005


@constrained(at_least(1, "every"), above(0, "factor"))
def step(learning_rate: float, task: Task, *, every: int = 30, factor: float = 0.1) -> Callback:  # noqa: ARG001
    """Return a callback that multiplies the learning rate by `factor` after each `every` epochs.

    Args:
        learning_rate: the optimizer's learning rate.
        task: what a target means; it is not used.
        every: a number of epochs.
        factor: above 0.
    """
    return keras.callbacks.LearningRateScheduler(lambda epoch: learning_rate * factor ** (epoch // every))


@constrained(at_least(0, "patience"), rates("factor"))
def plateau(learning_rate: float, task: Task, *, patience: int = 3, factor: float = 0.5) -> Callback:  # noqa: ARG001
    """Return a callback that multiplies the learning rate by `factor` after `patience` epochs without progress.

    Args:
        learning_rate: the optimizer's learning rate.
        task: what a target means; progress is measured by the metric that it monitors.
        patience: a number of epochs.
        factor: at least 0 and below 1.
    """
    return keras.callbacks.ReduceLROnPlateau(task.monitor, factor, patience, mode=task.mode, min_lr=0.0)


@constrained(at_least(0, "warmup_epochs"))
def cosine(learning_rate: float, task: Task, total_epochs: int, *, warmup_epochs: int = 2) -> Callback:  # noqa: ARG001
    """Return a callback that warms up linearly and then falls along half a cosine to zero (Loshchilov and Hutter 2017).

    Args:
        learning_rate: the optimizer's learning rate.
        task: what a target means; it is not used.
        total_epochs: the number of epochs of the run.
        warmup_epochs: the number of epochs in which the rate rises.
    """

    def rate(epoch: int) -> float:
        if epoch < warmup_epochs:
            return learning_rate * (epoch + 1) / (warmup_epochs + 1)
        passed = (epoch - warmup_epochs) / max(1, total_epochs - warmup_epochs)
        return learning_rate * (1 + math.cos(math.pi * passed)) / 2

    return keras.callbacks.LearningRateScheduler(rate)

"""Optimizers: hyper-parameters -> a fresh Keras optimizer."""

from medcls.spec.constraints import above, at_least, constrained, rates
from medcls.utils.lazy import keras
from medcls.utils.tensors import Optimizer

__all__ = ["adam", "adamw", "sgd"]


@constrained(above(0, "learning_rate"))
def adam(*, learning_rate: float = 1e-3) -> Optimizer:
    """Return Adam (Kingma and Ba 2015)."""
    return keras.optimizers.Adam(learning_rate)


@constrained(above(0, "learning_rate"), at_least(0, "weight_decay"))
def adamw(*, learning_rate: float = 1e-3, weight_decay: float = 1e-4) -> Optimizer:
    """Return Adam with decoupled weight decay (Loshchilov and Hutter 2019)."""
    return keras.optimizers.AdamW(learning_rate, weight_decay=weight_decay)


@constrained(above(0, "learning_rate"), rates("momentum"), at_least(0, "weight_decay"))
def sgd(
    *, learning_rate: float = 1e-2, momentum: float = 0.9, nesterov: bool = False, weight_decay: float = 0.0
) -> Optimizer:
    """Return stochastic gradient descent with momentum (Polyak 1964; Sutskever et al. 2013).

    Args:
        learning_rate: the size of a step.
        momentum: the share of the last step that is added to the next one, at least 0 and below 1.
        nesterov: evaluates the gradient after the momentum's step (Nesterov 1983).
        weight_decay: the share of each weight, times the learning rate, that a step takes away; 0 for none.
    """
    return keras.optimizers.SGD(learning_rate, momentum, nesterov, weight_decay=weight_decay or None)

"""A network so small that a training takes a moment."""

from collections.abc import Callable
from typing import Any

import keras

from medcls.tracking.run_dir import RunDir
from medcls.training.result import Fitted

Fit = Callable[..., tuple[Fitted, RunDir]]


def features(images: Any, *, dropout: float = 0.3, norm: bool = True) -> Any:
    """All that a checkpoint must hold: weights, moving averages, the state of dropout."""
    values = keras.layers.Dense(6, activation="relu")(keras.layers.Flatten()(images))
    values = keras.layers.BatchNormalization()(values) if norm else values
    return keras.layers.Dropout(dropout)(values) if dropout else values

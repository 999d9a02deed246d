"""What a learner returns."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcls.utils.tensors import KerasModel


@dataclass(frozen=True)
class Fitted:
    """A trained model, and what is recorded about it.

    Attributes:
        model: the Keras network, for exporting; None where it is none.
        predict: rows of the data set -> predictions, one row an image.
        epochs: how many epochs were trained.
        best_epoch: the epoch (from 0) whose weights the model holds.
        parameters: the number of parameters, "total" and "trainable".
        weights_sha256: over the weights in `model.weights` order as float32 bytes.
        body: the name in the work directory of the weights that the model's pretrained body still has; "" if it has no
            such body.
    """

    model: KerasModel
    predict: Callable[[NDArray[np.int64]], NDArray[np.float32]]
    epochs: int
    best_epoch: int
    parameters: dict[str, int]
    weights_sha256: str
    body: str = ""


def weights_sha256(weights: list[NDArray[np.float32]]) -> str:
    """Return the SHA-256 of a list of arrays as float32 bytes."""
    digest = hashlib.sha256()
    for weight in weights:
        digest.update(np.ascontiguousarray(weight, dtype=np.float32).tobytes())
    return digest.hexdigest()

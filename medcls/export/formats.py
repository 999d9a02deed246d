"""The formats that a model is exported in, and whether what is loaded again answers as the model did."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.errors import BadInputError
from medcls.files import write_atomically
from medcls.lazy import lazy

keras = lazy("keras")

BATCH = 64  # images predicted at once
TOLERANCE = 1e-5  # by which a probability may differ from the one that the run has stored

Predict = Callable[[NDArray[Any]], NDArray[np.float32]]


@dataclass(frozen=True)
class Format:
    """One format: what writes a network to a file, and what reads the file again, given the network too."""

    write: Callable[[Any, Path], None]
    read: Callable[[Any, Path], Predict]


def _write_whole(network: Any, path: Path) -> None:
    write_atomically(path, lambda file: network.save(file.name))


def _read_whole(network: Any, path: Path) -> Predict:  # noqa: ARG001
    return predictor(load(path))


def _write_weights(network: Any, path: Path) -> None:
    write_atomically(path, lambda file: network.save_weights(file.name))


def _read_weights(network: Any, path: Path) -> Predict:
    rebuilt = type(network).from_config(network.get_config())
    rebuilt.load_weights(path)
    return predictor(rebuilt)


FORMATS = MappingProxyType(
    {
        "keras": Format(_write_whole, _read_whole),
        "weights": Format(_write_weights, _read_weights),
    }
)


def load(path: Path) -> Any:
    """Return the network of a Keras file, without loss and metrics.

    Raises:
        BadInputError: missing, damaged, or with layers that Keras does not know.
    """
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:  # a damaged file makes Keras raise anything
        first = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        reason = first if zipfile.is_zipfile(path) else "damaged, or of another kind"
        raise BadInputError(f"{path} cannot be read as a Keras model ({reason}): export it again.") from error


def predictor(network: Any) -> Predict:
    """Return the function from a batch of images, of shape (n, height, width, channels), to the network's answers."""
    return lambda images: np.asarray(network.predict_on_batch(np.asarray(images, np.float32)))


def by_class(answers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a network's answers as one probability a class: a single one is the second class's."""
    return np.concatenate([1 - answers, answers], axis=1) if answers.shape[1] == 1 else answers


def parity(
    predict: Predict, images: NDArray[np.uint8], rows: NDArray[np.int64], answers: NDArray[np.float32]
) -> dict[str, float | int]:
    """Compare a network's answers to some rows of `images` with those expected, of shape (rows, classes).

    Returns:
        "largest_difference" of a probability; "classes_changed": of how many images another class comes first,
        those left out whose two first classes were no further apart than the tolerance.
    """
    batches = (images[rows[start : start + BATCH]] for start in range(0, len(rows), BATCH))
    found, expected = by_class(np.concatenate([predict(batch) for batch in batches])), by_class(answers)
    before, now, each = expected.argmax(axis=1), found.argmax(axis=1), np.arange(len(rows))
    apart = expected[each, before] - expected[each, now] > TOLERANCE
    return {"largest_difference": float(np.abs(found - expected).max()), "classes_changed": int(apart.sum())}


def agrees(found: dict[str, float | int]) -> bool:
    """Tell whether what `parity` found is close enough."""
    return found["largest_difference"] <= TOLERANCE and found["classes_changed"] == 0

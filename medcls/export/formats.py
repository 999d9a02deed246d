"""The formats that a model is exported in, and whether what is loaded again answers as the model did."""

import math
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

BATCH = 64  # images predicted at once,
PIXELS = 2**20  # or fewer, so that large ones fit into memory
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


def at_once(shape: tuple[int, ...]) -> int:
    """Return how many images of a shape, (height, width, channels), to predict at once."""
    return max(min(BATCH, PIXELS // math.prod(shape[:2])), 1)


def by_class(answers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a network's answers as one probability a class: a single one is the second class's, or the target's."""
    return np.concatenate([1 - answers, answers], axis=-1) if answers.shape[-1] == 1 else answers


def parity(
    predict: Predict, images: NDArray[np.uint8], rows: NDArray[np.int64], answers: NDArray[np.float32]
) -> dict[str, float | int]:
    """Compare a network's answers to some rows of `images` with those expected.

    Answers are of shape (rows, classes), or (rows, height, width, 1) where every pixel has one.

    Returns:
        "largest_difference" of a probability; "classes_changed": of how many images (or pixels) another class comes
        first, those left out whose two first classes were no further apart than the tolerance.
    """
    largest, changed, count = 0.0, 0, at_once(images.shape[1:])
    for start in range(0, len(rows), count):
        some = slice(start, start + count)
        found, expected = by_class(predict(images[rows[some]])), by_class(answers[some])
        before, now = (np.expand_dims(each.argmax(axis=-1), -1) for each in (expected, found))
        apart = np.take_along_axis(expected, before, -1) - np.take_along_axis(expected, now, -1) > TOLERANCE
        largest = max(largest, float(np.abs(found - expected).max()))
        changed += int(apart.sum())
    return {"largest_difference": largest, "classes_changed": changed}


def agrees(found: dict[str, float | int]) -> bool:
    """Tell whether what `parity` found is close enough."""
    return found["largest_difference"] <= TOLERANCE and found["classes_changed"] == 0

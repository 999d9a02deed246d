"""Saved weights that a training starts from: reading a file, its digest, whether it fits a network, loading it."""

import hashlib
import io
import math
import tempfile
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medcls.spec.variant import Variant
from medcls.training.network import network
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import h5py
from medcls.utils.tensors import KerasModel

IN_KERAS = "model.weights.h5"  # the name of the weights in a .keras file
MOST_BYTES = 2**35  # of weights
SMALL, SHRINKING = 2**28, 50  # bytes that any file may unpack to, and how many times its size a larger one may
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """A layer in a file of weights: the name that it had, and the shapes of its weights."""

    name: str
    shapes: tuple[Shape, ...]


@dataclass(frozen=True)
class Fit:
    """How saved weights fit a network.

    Attributes:
        head: why they do not fit its last layer, "" if they do.
        misfit: why they do not fit another layer, "" if they do.
    """

    head: str = ""
    misfit: str = ""


class UnfitError(ValueError):
    """A file holds no weights, or more than memory can hold; its message is the reason in a few words."""


def content(path: Path) -> bytes:
    """Return the bytes of a Keras weights file, which may be within a .keras file or an exported directory.

    Raises:
        UnfitError: the path is a pipe or a device, or the file is empty, too large, or unpacks to too much.
        OSError, KeyError, BadZipFile: the file does not exist or is damaged.
    """
    if path.is_dir():
        files = [path / name for name in (IN_KERAS, "model.keras")]
        path = next((file for file in files if file.exists()), files[-1])
    size = path.stat().st_size
    if not path.is_file():
        raise UnfitError("a pipe or a device")
    if not size:
        raise UnfitError("an empty file")
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as whole:
            size = whole.getinfo(IN_KERAS).file_size
            _check_size(size, path.stat().st_size)
            return whole.read(IN_KERAS)
    _check_size(size, size)
    return path.read_bytes()


def _check_size(size: int, stored: int) -> None:
    """Refuse more bytes than any weights have, and files that are compressed far more than weights can be."""
    if size > MOST_BYTES or size > max(SMALL, SHRINKING * stored):
        raise UnfitError(f"it would take {size / 1e9:,.1f} GB of memory")


def digest(weights_file: bytes) -> str:
    """Return the SHA-256 of the weights in a Keras weights file, which does not depend on how they are stored.

    Raises:
        OSError, RuntimeError, KeyError, ValueError: the file is damaged.
    """
    total = hashlib.sha256()
    with h5py.File(io.BytesIO(weights_file)) as weights:
        arrays = sorted(_arrays(weights), key=lambda item: item[0])
        _check_size(sum(math.prod(array.shape) * array.dtype.itemsize for _, array in arrays), len(weights_file))
        for path, array in arrays:
            if array.dtype.kind == "O" or array.external:
                raise UnfitError(f"{path} holds no numbers")
            values = np.ascontiguousarray(array)
            total.update(f"{path} {values.dtype.str} {values.shape};".encode())
            total.update(values.tobytes())
    return total.hexdigest()


def digest_of(network: KerasModel) -> str:
    """Return the digest of a network's weights, equal to the digest of a file in which they are saved."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "own.weights.h5"
        network.save_weights(path)
        return digest(path.read_bytes())


def parameters(path: Path) -> int:
    """Return how many numbers a file of weights holds.

    Raises:
        OSError: the file does not exist or is damaged.
    """
    total = 0
    for layer in _layers(path).values():
        total += sum(math.prod(shape) for shape in layer.shapes)
    return total


def begin_with(network: KerasModel, path: Path) -> None:
    """Load a network's weights from a file; where only the last layer does not fit, that layer keeps its own.

    Raises:
        BadInputError: the file does not exist, or another layer does not fit.
    """
    if not path.exists():
        raise BadInputError(f"The saved weights {path} are gone: run the same command again, which brings them back.")
    fit = fit_of(network, path)
    if fit.misfit:
        raise BadInputError(f"The saved weights do not fit: {fit.misfit}.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the last layer, which is skipped
        network.load_weights(path, skip_mismatch=bool(fit.head))


def fit_of(network: KerasModel, path: Path) -> Fit:
    """Compare a network's layers with those in a file of weights."""
    order = {layer.name: number for number, layer in enumerate(network.layers)}
    saved_layers = _layers(path)
    own_layers = sorted(_own_layers(network).items(), key=lambda item: order.get(item[1].name, 0))
    head = ""
    for key, layer in own_layers:
        saved = saved_layers.pop(key, None)
        if saved is not None and saved.shapes == layer.shapes:
            continue
        misfit = _misfit(layer, saved)
        if layer.name != network.layers[-1].name:
            return Fit(misfit=misfit)
        head = head or misfit
    for layer in saved_layers.values():  # the network has none of these
        return Fit(misfit=f"layer {layer.name} is {_shapes(layer)} there and is not here")
    return Fit(head=head)


def _misfit(own: Layer, saved: Layer | None) -> str:
    there = "is not there" if saved is None else f"is {_shapes(saved)} there"
    return f"layer {own.name} {there} and {_shapes(own)} here"


def _shapes(layer: Layer) -> str:
    return " + ".join("x".join(map(str, shape)) for shape in layer.shapes)


def _own_layers(network: KerasModel) -> Mapping[str, Layer]:
    """Return a network's layers by the keys under which Keras writes them; a file is written to learn these."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "own.weights.h5"
        network.save_weights(path)
        return _layers(path)


def _layers(path: Path) -> dict[str, Layer]:
    with h5py.File(path) as weights:
        shapes: dict[str, list[Shape]] = {}
        for path_in_file, array in _arrays(weights):
            shapes.setdefault(path_in_file.rpartition("/")[0], []).append(tuple(array.shape))
        names = {key: str(weights[key].attrs.get("name", key)) for key in shapes}
    return {key: Layer(names[key], tuple(layer_shapes)) for key, layer_shapes in shapes.items()}


def _arrays(weights: "h5py.File") -> Iterator[tuple[str, "h5py.Dataset"]]:
    """Yield (path in the file, array) for all weights of the layers, without those of an optimizer."""
    items: list[tuple[str, h5py.HLObject]] = []
    weights.visititems(lambda path, item: items.append((path, item)))
    for path, item in items:
        if isinstance(item, h5py.Dataset) and not path.startswith("optimizer/"):
            yield path, item


def fitting(variant: Variant, shape: tuple[int, ...], classes: int, weights: Path) -> Fit:
    """Return how a file of saved weights fits a variant's network.

    Args:
        variant: it has the model and the task.
        shape: of an image (height, width, channels), or of a point (coordinates,).
        classes: the number of classes.
        weights: the file.
    """
    return fit_of(network(variant.get("learner.model"), variant.task, shape, classes), weights)

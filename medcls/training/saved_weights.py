"""Saved weights that a training begins with: what a file holds, whether a network can take it, and taking it."""

import hashlib
import io
import math
import tempfile
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medcls.spec.variant import Variant
from medcls.training.network import network
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import h5py

IN_KERAS = "model.weights.h5"  # what a .keras file has its weights in
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
    """What of a network saved weights do not fit: its last layer alone, or more; "" where they fit."""

    head: str = ""
    misfit: str = ""


class UnfitError(ValueError):
    """What is no file of weights that a computer can hold: the reason in a few words."""


def content(path: Path) -> bytes:
    """Return the Keras weights file that a path is, or that lies within it: in a .keras file or an exported folder.

    Raises:
        UnfitError: a pipe, a device, an empty file, or one that is too large or unpacks to too much.
        OSError, KeyError, BadZipFile: no such file, or a damaged one.
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
    """Refuse more bytes than weights have, and many bytes that are stored in few: weights hardly shrink."""
    if size > MOST_BYTES or size > max(SMALL, SHRINKING * stored):
        raise UnfitError(f"it would take {size / 1e9:,.1f} GB of memory")


def digest(weights_file: bytes) -> str:
    """Return 64 hex digits over the weights in a Keras weights file: over what they are, not how they are stored.

    Raises:
        OSError, RuntimeError, KeyError, ValueError: a damaged file.
    """
    total = hashlib.sha256()
    with h5py.File(io.BytesIO(weights_file)) as weights:
        found = sorted(_arrays(weights), key=lambda each: str(each[0]))
        _check_size(sum(math.prod(array.shape) * array.dtype.itemsize for _, array in found), len(weights_file))
        for path, array in found:
            if array.dtype.kind == "O" or array.external:
                raise UnfitError(f"{path} holds no numbers")
            values = np.ascontiguousarray(array)
            total.update(f"{path} {values.dtype.str} {values.shape};".encode())
            total.update(values.tobytes())
    return total.hexdigest()


def digest_of(network: Any) -> str:
    """Return the digest of a network's weights, as of the file that it would be saved in."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "own.weights.h5"
        network.save_weights(path)
        return digest(path.read_bytes())


def parameters(path: Path) -> int:
    """Return how many numbers a file of weights holds.

    Raises:
        OSError: there is no such file, or a damaged one.
    """
    return sum(math.prod(shape) for layer in _layers(path).values() for shape in layer.shapes)


def begin_with(network: Any, path: Path) -> None:
    """Give a network the weights in a file; its last layer stays as it is where it alone does not fit.

    Raises:
        BadInputError: there is no such file, or another layer does not fit.
    """
    if not path.exists():
        raise BadInputError(f"The saved weights {path} are gone: run the same command again, which brings them back.")
    fit = fit_of(network, path)
    if fit.misfit:
        raise BadInputError(f"The saved weights do not fit: {fit.misfit}.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the last layer, which is skipped
        network.load_weights(path, skip_mismatch=bool(fit.head))


def fit_of(network: Any, path: Path) -> Fit:
    """Compare a network's layers with those in a file of weights."""
    names = [layer.name for layer in network.layers]
    theirs, ours = _layers(path), _own_layers(network)
    ours = dict(sorted(ours.items(), key=lambda each: names.index(each[1].name) if each[1].name in names else 0))
    unfit = [each for each in ours if each not in theirs or theirs[each].shapes != ours[each].shapes]
    unused = [theirs[each] for each in theirs if each not in ours]
    for each in unfit:
        if ours[each].name != network.layers[-1].name:
            return Fit(misfit=_misfit(ours[each], theirs.get(each)))
    for layer in unused:
        return Fit(misfit=f"layer {layer.name} is {_told(layer)} there and is not here")
    return Fit(head=_misfit(ours[unfit[0]], theirs.get(unfit[0]))) if unfit else Fit()


def _misfit(ours: Layer, theirs: Layer | None) -> str:
    there = "is not there" if theirs is None else f"is {_told(theirs)} there"
    return f"layer {ours.name} {there} and {_told(ours)} here"


def _told(layer: Layer) -> str:
    return " + ".join("x".join(map(str, shape)) for shape in layer.shapes)


def _own_layers(network: Any) -> Mapping[str, Layer]:
    """Return a network's layers by the places that Keras gives them in a file: by writing one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "own.weights.h5"
        network.save_weights(path)
        return _layers(path)


def _layers(path: Path) -> dict[str, Layer]:
    with h5py.File(path) as weights:
        shapes: dict[str, list[Shape]] = {}
        for place, array in _arrays(weights):
            shapes.setdefault(place.rpartition("/")[0], []).append(tuple(array.shape))
        names = {place: str(weights[place].attrs.get("name", place)) for place in shapes}
    return {place: Layer(names[place], tuple(each)) for place, each in shapes.items()}


def _arrays(weights: Any) -> Iterator[tuple[str, Any]]:
    """Yield (place, array) for all weights of the layers, without an optimizer's."""
    found = []
    weights.visititems(lambda place, each: found.append((place, each)) if isinstance(each, h5py.Dataset) else None)
    for place, each in found:
        if not place.startswith("optimizer/"):
            yield place, each


def fitting(variant: Variant, shape: tuple[int, ...], classes: int, weights: Path) -> Fit:
    """Return how a file of saved weights fits a variant's network."""
    return fit_of(network(variant.get("learner.model"), variant.task, shape, classes), weights)

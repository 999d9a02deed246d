"""The type of an export format: how a network is written to a file, and how the file is loaded again."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medcls.data.dataset import Images
from medcls.export.parity import Predict
from medcls.utils.tensors import KerasModel


@dataclass(frozen=True)
class Loaded:
    """A model that was loaded from a file.

    Attributes:
        predict: images of shape (n, height, width, channels), 0..255 -> predictions.
        takes: the shape of its input: (None, height, width, channels).
        gives: the shape of its output: (None, classes) or (None, height, width, 1).
        network: the Keras network, None for other formats.
    """

    predict: Predict
    takes: tuple[int | None, ...]
    gives: tuple[int | None, ...]
    network: Any = None


@dataclass(frozen=True)
class Format:
    """An export format.

    Attributes:
        write: (network, path, some training images) -> None; writes a file or a directory.
        read: (path, network that was written, None if it is not at hand) -> the model in the file.
        exact: whether it must predict as the network does; if not, the loss of accuracy is measured.
        check: raises BadInputError if a package that it needs is not installed.
    """

    write: Callable[[KerasModel, Path, Images], None]
    read: Callable[[Path, Any], Loaded]
    exact: bool = True
    check: Callable[[], None] = lambda: None


def plain_shape(shape: Iterable[object]) -> tuple[int | None, ...]:
    """Return a library's shape with None for each dimension of any length (a name, -1 or None in that library)."""
    return tuple(length if isinstance(length, int) and length > 0 else None for length in shape)

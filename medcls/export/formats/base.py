"""What a format of models is: how a network is written in it, and what is loaded of it again."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medcls.data.dataset import Images
from medcls.export.parity import Predict


@dataclass(frozen=True)
class Loaded:
    """What a file holds: its answers to a batch, the shapes of both, and the Keras network if it is one.

    `takes` is (None, height, width, channels), `gives` (None, classes) or (None, height, width, 1).
    """

    predict: Predict
    takes: tuple[int | None, ...]
    gives: tuple[int | None, ...]
    network: Any = None


@dataclass(frozen=True)
class Format:
    """One format of models.

    Attributes:
        write: (network, path, some images that it was trained on) -> nothing; writes a file or a folder.
        read: (path, the network that was written, or None where it is not at hand) -> what is loaded again.
        exact: whether it must answer as the network does; if not, what that costs is measured.
        check: raises BadInputError where what it needs is not installed.
    """

    write: Callable[[Any, Path, Images], None]
    read: Callable[[Path, Any], Loaded]
    exact: bool = True
    check: Callable[[], None] = lambda: None


def whole(shape: Any) -> tuple[int | None, ...]:
    """Return a shape as a library tells it, with None for what may be of any length (a name, -1 or None there)."""
    return tuple(each if isinstance(each, int) and each > 0 else None for each in shape)

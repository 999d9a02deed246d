"""What counts as black and as white in images of more than 8 bits, which seldom fill their bits."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.utils.errors import BadInputError

IMAGE, SET = "image", "set"
PERCENTILES = (0.5, 99.5)  # of the pixels: what lies beyond is as a rule a speck, a letter or a defect
White = float | str | None


@dataclass(frozen=True)
class Levels:
    """What counts as black and as white in images of more than 8 bits.

    Attributes:
        black: the stored value that is shown as 0.
        white: the stored value that is shown as 255; None for what the file's own bits hold.
        own: each image goes from its own lower percentile to its upper one instead.
        found: black and white are percentiles of the training set, not what somebody said.
    """

    black: float = 0.0
    white: float | None = None
    own: bool = False
    found: bool = False

    @property
    def as_stored(self) -> bool:
        """Whether the bits of the file alone decide."""
        return self == AS_STORED

    def shown(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return stored values as brightness, 0..255, for levels that are not the file's own."""
        black, white = np.percentile(values, PERCENTILES) if self.own else (self.black, self.white or 0.0)
        return np.asarray(np.clip((values - black) * (255 / ((white - black) or 1)), 0, 255), np.float32)

    def marked(self, content: str) -> str:
        """Return the hash of what an image with some content is with these levels; "" for what cannot be read."""
        if self.as_stored or not content:
            return content
        return hashlib.sha256(f"{content} {self.black!r} {self.white!r} {self.own}".encode()).hexdigest()

    def plain(self) -> dict[str, Any]:
        """Return the levels as they are written in a file."""
        return {"percentiles": list(PERCENTILES)} if self.own else {"black": self.black, "white": self.white}


AS_STORED = Levels()


def from_plain(written: Mapping[str, Any] | None) -> Levels:
    """Return the levels that were written in a file, AS_STORED if none were."""
    if written is None:
        return AS_STORED
    return Levels(own=True) if "percentiles" in written else Levels(written["black"], written["white"])


def white_known(*, white: White, **_: object) -> None:
    """Check the parameter that says what white is.

    Raises:
        BadInputError: it is neither a number above 0 nor "image" nor "set".
    """
    if white is None or white in (IMAGE, SET):
        return
    if isinstance(white, bool) or not isinstance(white, int | float) or white <= 0:
        raise BadInputError(
            f"white={white!r}: give the value that is white in images of more than 8 bits, e.g. 4095, or {IMAGE!r} or "
            f"{SET!r} for the percentiles {PERCENTILES[0]} and {PERCENTILES[1]} of each image or of the training set."
        )

"""What a source on the command line means: a built-in name, or a path."""

import os
from pathlib import Path

from medcls.data.layouts import KNOWN
from medcls.data.phantoms import PHANTOMS
from medcls.data.phantoms.types import Phantom
from medcls.errors import BadInputError

VARIABLE = "MEDCLS_DATA"


def find(source: str) -> Path | Phantom:
    """Return what a source stands for.

    A name with a phantom is built in: its images are looked for in `$MEDCLS_DATA/NAME`, else the phantom
    stands in for them. Anything else is a path.

    Raises:
        BadInputError: neither a built-in name nor an existing path.
    """
    if source in PHANTOMS:
        folder = _images_of(source)
        return PHANTOMS[source]() if folder is None else folder
    path = Path(source).expanduser()
    if not source or not os.path.exists(path):  # noqa: PTH110 - Path.exists raises where it may not look
        names = ", ".join(sorted(PHANTOMS))
        raise BadInputError(f"There is no data set or folder {source!r}: give a built-in name ({names}), or {KNOWN}.")
    return path.absolute()


def _images_of(name: str) -> Path | None:
    """Return the folder of a built-in name's images, None where the user has none."""
    home = os.environ.get(VARIABLE)
    if not home:
        return None
    folder = Path(home).expanduser().absolute()
    if not folder.is_dir():
        raise BadInputError(
            f"{VARIABLE} is {home}, which is no folder: set it to the folder of your data sets or unset it."
        )
    return folder / name if (folder / name).exists() else None

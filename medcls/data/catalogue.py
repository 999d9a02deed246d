"""What a source on the command line means: a built-in name, or a path."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from medcls.data.download import LOCK, PART
from medcls.data.layouts import KNOWN
from medcls.data.phantoms import PHANTOMS
from medcls.data.phantoms.types import Phantom
from medcls.data.published import MEDMNIST, PUBLISHED
from medcls.data.toy2d import SOURCE as POINTS
from medcls.errors import BadInputError
from medcls.files import user_cache

VARIABLE = "MEDCLS_DATA"
AS_USUAL: Mapping[str, Any] = MappingProxyType({})


def find(source: str, drawing: Mapping[str, Any] = AS_USUAL) -> Path | Phantom:
    """Return what a source stands for.

    A name with a phantom or a published file is built in: it is looked for in `$MEDCLS_DATA`, then in the
    download cache; else the phantom stands in for it, drawn with the parameters in `drawing`. Anything else is
    a path.

    Raises:
        BadInputError: neither a built-in name nor an existing path, points, or a published file not fetched yet.
    """
    if source in PHANTOMS or source in PUBLISHED:
        path = located(source)
        if path is None and source in PUBLISHED and source not in PHANTOMS:
            raise _not_fetched(source)
        return path or PHANTOMS[source](**drawing)
    if source.startswith(MEDMNIST):
        raise unpublished(source)
    if source == POINTS:
        raise BadInputError(f"{POINTS} are points in the plane and no images: the study toy_boundaries makes its own.")
    path = _expanded(source)
    if not source or not _exists(path):
        names = ", ".join([*sorted(PHANTOMS), "mnist", f"{MEDMNIST}NAME"])
        raise BadInputError(f"There is no data set or folder {source!r}: give a built-in name ({names}), or {KNOWN}.")
    return path.absolute()


def located(name: str) -> Path | None:
    """Return where the images of a built-in name lie, None where they do not."""
    return next((place for home in homes() for place in _places(home, name)), None)


def name_of(source: str) -> str:
    """Return what a source is called where the study has no name for it: "pathmnist" for "medmnist:pathmnist"."""
    if source in PUBLISHED:
        return source.removeprefix(MEDMNIST)
    path = Path(source).absolute()
    return path.parent.name if path.suffix.lower() == ".csv" else path.name


def homes() -> list[Path]:
    """Return the folders in which built-in names are looked for; what is fetched goes into the first.

    Raises:
        BadInputError: the user's folder of data sets is no folder.
    """
    own = os.environ.get(VARIABLE)
    if not own:
        return _downloads()
    folder = _expanded(own).absolute()
    if not folder.is_dir():
        raise BadInputError(
            f"{VARIABLE} is {own}, which is no folder: set it to the folder of your data sets or unset it."
        )
    return [folder, *_downloads()]


def _downloads() -> list[Path]:
    cache = user_cache()
    return [] if cache is None else [cache]


def unpublished(name: str) -> BadInputError:
    """Return the complaint about a name under which nothing is published."""
    names = ", ".join(each for each in PUBLISHED if "_" not in each)
    return BadInputError(
        f"Nothing is published as {name!r}: give {names}; of medmnist also larger ones, with _64, _128 or _224."
    )


def _places(home: Path, name: str) -> Iterator[Path]:
    """Yield where a built-in name's images lie below a folder, if they do."""
    if name in PUBLISHED:
        file = home / PUBLISHED[name].file
        if _exists(file):
            yield file
        elif _holds_data(home / name):
            yield home / name
    elif _exists(home / name):
        yield home / name


def _holds_data(folder: Path) -> bool:
    """Tell whether there is more in a folder than an unfinished download."""
    try:
        return not all(path.name.endswith((PART, LOCK)) for path in folder.iterdir())
    except PermissionError:
        return True  # whoever reads it will say so
    except OSError:
        return False


def _exists(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110 - Path.exists raises where it may not look


def _expanded(path: str) -> Path:
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path.expanduser raises where the user has no home


def _not_fetched(name: str) -> BadInputError:
    file = PUBLISHED[name].file
    where = " or ".join(str(home / file) for home in homes()) or f"${VARIABLE}/{file}"
    return BadInputError(f"{name} is not there yet: type medcls data fetch {name}, or put its file at {where}.")

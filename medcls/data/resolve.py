"""What a source on the command line means: a built-in name, or a path."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from medcls.data.download import LOCK, PART
from medcls.data.phantoms import PHANTOMS
from medcls.data.phantoms.types import Phantom
from medcls.data.published import MEDMNIST, PUBLISHED
from medcls.data.readers.layouts import KNOWN
from medcls.spec.variant import BUILTIN
from medcls.utils.errors import BadInputError
from medcls.utils.files import user_cache

VARIABLE = "MEDCLS_DATA"
POINTS = "toy2d"
AS_USUAL: Mapping[str, object] = MappingProxyType({})


def find(source: str, drawing: Mapping[str, object] = AS_USUAL) -> Path | Phantom:
    """Return what a source stands for.

    A name with a phantom or a published file is built in: it is looked for in `$MEDCLS_DATA`, then in the
    download cache; else the phantom stands in for it, drawn with the parameters in `drawing`. Anything else is
    a path.

    Raises:
        BadInputError: neither a built-in name nor an existing path, both at once, points, or a published file not
            fetched yet.
    """
    name = builtin(source)
    if name is None:
        path = _expanded(source)
        if not source or not _exists(path):
            raise BadInputError(f"There is no data set or folder {source!r}: give {_names()}, or {KNOWN}.")
        return path.absolute()
    if name == POINTS:
        raise BadInputError(f"{POINTS} are points in the plane and no images: the study toy_boundaries makes its own.")
    there = located(name)
    if there is None and name not in PHANTOMS:
        raise _not_fetched(name)
    return there or PHANTOMS[name](**drawing)


def builtin(source: str) -> str | None:
    """Return the built-in name that a source stands for, None where it is a path.

    `builtin:NAME` is a built-in name whatever lies in the working directory.

    Raises:
        BadInputError: no such built-in name, or something else of that name lies in the working directory.
    """
    name = source.removeprefix(BUILTIN)
    if name.startswith(MEDMNIST) and name not in PUBLISHED:
        raise unpublished(name)
    if name in PHANTOMS or name in PUBLISHED or name == POINTS:
        if source == name:
            _refuse_ambiguous(name)
        return name
    if source != name:
        raise BadInputError(f"There is no built-in data set {name!r}: give {_names()}.")
    return None


def _refuse_ambiguous(name: str) -> None:
    """Never take a built-in data set for what the user has under its name in the working directory."""
    here = Path(name)
    if not _exists(here):
        return
    for path in _meant(name):
        if _exists(path) and here.samefile(path):
            return
    kind = "folder" if here.is_dir() else "file"
    raise BadInputError(
        f"{name} is a {kind} here and a built-in name: write ./{name} for the {kind} or {BUILTIN}{name} for the "
        "built-in data set."
    )


def _meant(name: str) -> list[Path]:
    """Return the places of a built-in name: its images, and the folder of a published file."""
    there = located(name)
    if there is None:
        return [home / name for home in homes()]
    return [there, there.parent] if name in PUBLISHED else [there]


def _names() -> str:
    names = ", ".join([*sorted(PHANTOMS), "mnist", f"{MEDMNIST}NAME"])
    return f"a built-in name ({names})"


def located(name: str) -> Path | None:
    """Return where the images of a built-in name lie, None where they do not."""
    for home in homes():
        for path in _places(home, name):
            return path
    return None


def name_of(source: str) -> str:
    """Return what a source is called where the study has no name for it: "pathmnist" for "medmnist:pathmnist".

    A path is called by its last folder or file, "." and ".." by the folder that they stand for, a table by its folder.
    """
    name = source.removeprefix(BUILTIN)
    if name in PUBLISHED:
        return name.removeprefix(MEDMNIST)
    path = _expanded(name).absolute()
    if path.suffix.lower() in (".csv", ".tsv"):
        path = path.parent
    return path.resolve().name if path.name == ".." else path.name


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
            f"{VARIABLE} is {own}, which is not a folder: set it to the folder of your data sets or unset it."
        )
    return [folder, *_downloads()]


def _downloads() -> list[Path]:
    cache = user_cache()
    return [] if cache is None else [cache]


def unpublished(name: str) -> BadInputError:
    """Return the error for a name under which nothing is published."""
    names = ", ".join(published for published in PUBLISHED if "_" not in published)
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

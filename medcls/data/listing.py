"""What lies in a folder, in an order that does not depend on the file system."""

import os
from collections.abc import Iterator
from pathlib import Path

from medcls.errors import BadInputError

READ = frozenset({".png", ".jpg", ".jpeg"})
NOT_READ = frozenset({".bmp", ".tif", ".tiff", ".gif", ".webp", ".dcm", ".dicom"})
LITTER = frozenset({"thumbs.db", "desktop.ini", "__macosx"})


def folders_in(folder: Path) -> list[Path]:
    """Return the folders in a folder, sorted by name, without hidden ones.

    Raises:
        BadInputError: the folder cannot be listed.
    """
    return _contents(folder)[0]


def images_in(folder: Path) -> list[Path]:
    """Return the image files in a folder, sorted by name, without hidden ones.

    Raises:
        BadInputError: the folder cannot be listed, or holds images of a kind that is not read.
    """
    return _images_among(_contents(folder)[1])


def images_below(folder: Path) -> list[Path]:
    """Return the image files in a folder and in all folders below; a link back up is not followed."""
    return list(_images_below(folder, frozenset()))


def _images_below(folder: Path, above: frozenset[str]) -> Iterator[Path]:
    real = os.path.realpath(folder)
    if real in above:
        return
    folders, files = _contents(folder)
    yield from _images_among(files)
    for below in folders:
        yield from _images_below(below, above | {real})


def _images_among(files: list[Path]) -> list[Path]:
    others = [file for file in files if file.suffix.lower() in NOT_READ]
    if others:
        more = f" (and {len(others) - 1} more there)" if len(others) > 1 else ""
        raise BadInputError(f"{others[0]}{more} is neither PNG nor JPEG: convert it or take it away.")
    return [file for file in files if file.suffix.lower() in READ]


def _contents(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the folders and the files in a folder."""
    folders: list[Path] = []
    files: list[Path] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.name.lower() not in LITTER:
                    (folders if entry.is_dir() else files).append(folder / entry.name)
    except PermissionError as error:
        raise BadInputError(f"{folder} may not be read: give yourself the right to list it.") from error
    except OSError as error:
        raise BadInputError(f"{folder} cannot be listed: {error.strerror or error}.") from error
    return sorted(folders, key=_name), sorted(files, key=_name)


def _name(path: Path) -> str:
    return path.name

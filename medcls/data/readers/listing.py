"""What lies in a folder, in an order that does not depend on the file system."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from medcls.data.readers.dicom import SHORTEST, SUFFIXES, has_no_suffix, is_dicom
from medcls.data.readers.images import READABLE
from medcls.utils.errors import BadInputError

JPEGS = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif"})
PNMS = frozenset({".pgm", ".ppm", ".pbm", ".pnm"})
READ = frozenset({".png", ".bmp", ".tif", ".tiff", ".tga", *JPEGS, *PNMS, *SUFFIXES})
NOT_READ = frozenset({".gif", ".webp", ".jp2", ".heic", ".avif", ".nii", ".mha", ".mhd", ".nrrd", ".svs"})
LITTER = frozenset({"thumbs.db", "desktop.ini", "__macosx", "dicomdir"})


def folders_in(folder: Path) -> list[Path]:
    """Return the folders in a folder, sorted by name, without hidden ones.

    Raises:
        BadInputError: the folder cannot be listed.
    """
    return _contents(folder)[0]


def files_in(folder: Path) -> list[Path]:
    """Return the files in a folder, of whatever kind, sorted by name, without hidden ones.

    Raises:
        BadInputError: the folder cannot be listed.
    """
    return _contents(folder)[1]


def images_in(folder: Path) -> list[Path]:
    """Return the image files in a folder, sorted by name, without hidden ones.

    Raises:
        BadInputError: the folder cannot be listed, or holds images of a kind that is not read.
    """
    return _images_among(_contents(folder)[1])


def images_below(folder: Path) -> list[Path]:
    """Return the image files in a folder and in all folders below; a link back up is not followed.

    Raises:
        BadInputError: a folder cannot be listed, or holds images of a kind that is not read.
    """
    images: list[Path] = []
    for files in _below(folder, _above(folder)):
        images += _images_among(files)
    return images


def images_and_others_below(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the image files in a folder and in all folders below, and all other files there, without hidden ones."""
    images: list[Path] = []
    others: list[Path] = []
    for files in _below(folder, _above(folder)):
        readable = _readable(files)
        images += readable
        image_files = set(readable)
        others += [file for file in files if file not in image_files]
    return images, others


def _above(folder: Path) -> frozenset[str]:
    parent = Path(os.path.realpath(folder.parent))
    return frozenset(map(str, (parent, *parent.parents)))


def _below(folder: Path, above: frozenset[str]) -> Iterator[list[Path]]:
    """Yield the files of a folder, then those of each folder below."""
    real = os.path.realpath(folder)
    if real in above:
        return
    folders, files = _contents(folder)
    yield files
    for below in folders:
        yield from _below(below, above | {real})


def _images_among(files: list[Path]) -> list[Path]:
    others = [file for file in files if file.suffix.lower() in NOT_READ]
    if others:
        more = f" (and {len(others) - 1} more there)" if len(others) > 1 else ""
        raise BadInputError(f"{others[0]}{more} is not a {READABLE} image: convert it or take it away.")
    return _readable(files)


def _readable(files: list[Path]) -> list[Path]:
    nameless = {file for file in files if has_no_suffix(file)}
    dicoms = {file for file in nameless if _is_nameless_dicom(file)}
    if dicoms:  # beside them, a file too short for any DICOM image is one that was cut off
        dicoms |= {file for file in nameless - dicoms if file.stat().st_size < SHORTEST}
    return [file for file in files if file.suffix.lower() in READ or file in dicoms]


def _is_nameless_dicom(file: Path) -> bool:
    """Tell whether a file is an image although its name does not say so, as in the archives of hospitals."""
    try:
        return stat.S_ISREG(file.stat().st_mode) and is_dicom(file)
    except FileNotFoundError as error:
        raise BadInputError(f"{file} is a link that leads nowhere: repair or remove it.") from error
    except PermissionError:
        return True  # reported together with other files that cannot be read
    except OSError as error:
        raise BadInputError(f"{file} cannot be read ({error.strerror or error}): repair or remove it.") from error


def _contents(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the folders and the files in a folder."""
    folders: list[Path] = []
    files: list[Path] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name.lower() in LITTER:
                    continue
                if _is_folder(entry):
                    folders.append(folder / entry.name)
                else:
                    files.append(folder / entry.name)
    except PermissionError as error:
        raise BadInputError(f"{folder} may not be read: give yourself the right to list it.") from error
    except OSError as error:
        raise BadInputError(f"{folder} cannot be listed: {error.strerror or error}.") from error
    return sorted(folders, key=_name), sorted(files, key=_name)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or into a folder that may not be entered
        return False


def _name(path: Path) -> str:
    return path.name

"""Small files with JSON records or NumPy arrays, which are checked when they are read; damage is one sentence."""

import errno
import io
import json
import os
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType, UnionType
from typing import IO, Any
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from medcls.utils.errors import BadInputError
from medcls.utils.files import parsed_json

Check = type | UnionType | Callable[[Any], bool]
Shape = Mapping[str, Check]
LARGEST = 10**15
ENDING = 22  # bytes at an archive's end that say how many entries there are
MANY = 0xFFFF  # said of more entries than two bytes can count
AGAIN = "remove it and run the same command again"


class DamagedError(BadInputError):
    """A damaged file: one sentence that names the file and says what to do.

    Args:
        path: the file.
        reason: what is wrong with the file, in a few words.
        remedy: what to do.
    """

    def __init__(self, path: Path, reason: str, remedy: str = AGAIN) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path} is damaged ({reason}): {remedy}.")


def read_record(
    path: Path, fields: Shape, optional: Shape = MappingProxyType({}), remedy: str = AGAIN
) -> dict[str, Any] | None:
    """Return the JSON object in a file, None if there is no such file.

    Args:
        path: the file.
        fields: required fields: name -> a type, or a function that returns whether a value is valid.
        optional: optional fields in the same form; other fields are not checked.
        remedy: what to do about a damaged file.

    Raises:
        DamagedError: the file has no JSON object, or a field is missing or not valid.
    """
    try:
        if path.exists() and not path.is_file():
            raise DamagedError(path, "not a file", remedy)
        return checked(parsed_json(path.read_bytes()), fields, optional)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError as error:
        raise DamagedError(path, said(error), remedy) from error


def checked(value: Any, fields: Shape, optional: Shape = MappingProxyType({})) -> dict[str, Any]:
    """Return a JSON value after checking that it is an object with the given fields.

    Raises:
        ValueError: the value is not an object, or a field is missing or not valid.
    """
    if not isinstance(value, dict):
        raise ValueError("it has no JSON object")
    for name, check in fields.items():
        if name not in value:
            raise ValueError(f"it lacks {name}")
        _check(name, value[name], check)
    for name, check in optional.items():
        if name in value:
            _check(name, value[name], check)
    return value


def is_shaped(value: Any, fields: Shape) -> bool:
    """Return whether a JSON value is an object with the given fields."""
    try:
        checked(value, fields)
    except ValueError:
        return False
    return True


def _check(name: str, value: Any, check: Check) -> None:
    if isinstance(check, type | UnionType):
        right = isinstance(value, check) and (check is bool or not isinstance(value, bool))
    else:
        right = check(value)
    if not right:
        shown = json.dumps(value)
        raise ValueError(f"its {name} is {shown if len(shown) <= 30 else shown[:30] + '...'}")


def is_count(value: Any) -> bool:
    """Return whether a JSON value is a whole number of at least 0 that can count epochs or milliseconds."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < LARGEST


def is_numbers(value: Any) -> bool:
    """Return whether a JSON value is an object whose values are numbers."""
    return isinstance(value, dict) and all(
        isinstance(number, int | float) and not isinstance(number, bool) for number in value.values()
    )


def read_arrays(path: Path, *only: str) -> dict[str, NDArray[Any]]:
    """Return the arrays of an .npz file, or `only` some of them, after checking their checksums.

    Raises:
        FileNotFoundError: there is no such file.
        DamagedError: the file is damaged or not an .npz file, or it lacks one of the arrays.
    """
    try:
        if path.exists() and not path.is_file():
            raise DamagedError(path, "not a file")
        with path.open("rb") as file, ZipFile(file) as archive:
            _check_count(file, archive)
            names = only or tuple(name.removesuffix(".npy") for name in archive.namelist())
            return {name: _array(archive, f"{name}.npy") for name in names}
    except NotADirectoryError as error:
        raise FileNotFoundError(path) from error
    except DamagedError:
        raise
    except Exception as error:  # a damaged archive makes the readers raise anything
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise  # the file is not to blame
        raise DamagedError(path, said(error)) from error


def _check_count(file: IO[bytes], archive: ZipFile) -> None:
    """Raise ValueError if the directory of an archive has lost an entry, which zipfile does not notice."""
    file.seek(-ENDING, os.SEEK_END)
    ending = file.read()
    count = int.from_bytes(ending[10:12], "little")
    if not ending.startswith(b"PK\5\6") or count not in (len(set(archive.namelist())), MANY):
        raise ValueError("its directory is not what was written")


def _array(archive: ZipFile, member: str) -> NDArray[Any]:
    """Return an array of an archive; NumPy's own reader does not check the checksum if the directory is damaged."""
    content, entry = archive.read(member), archive.getinfo(member)
    if len(content) != entry.file_size or zlib.crc32(content) != entry.CRC:
        raise ValueError(f"{member} is not what was written")
    file = io.BytesIO(content)
    array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    if file.read(1):
        raise ValueError(f"{member} holds more than its header says")
    return array


def said(error: Exception) -> str:
    """Return the message of an error in one short line."""
    text = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return text if len(text) <= 80 else f"{text[:80]}..."

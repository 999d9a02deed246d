"""Writing files so that a kill or a full disk leaves the old one or the new one, never half of one."""

import errno
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from medcls.errors import BadInputError


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file beside `path`, flush it to disk and rename it to `path`.

    `write` may as well write to the open file's name, which ends as `path` does.

    Raises:
        OSError: the disk is full or the folder is not writable; the file beside is removed.
    """
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        with beside.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def check_writable(flag: str, path: Path) -> None:
    """Check that a file can be written at `path`, which the user gave with `flag`.

    Raises:
        BadInputError: it is a folder, there is no folder to put it into, or that cannot be written to.
    """
    folder = path.absolute().parent
    if path.is_dir():
        raise BadInputError(f"{flag} {path} is a folder: give the name of a file.")
    if not folder.is_dir():
        raise BadInputError(f"{flag} {path}: there is no folder {folder}; make it or give another file.")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise BadInputError(f"{flag} {path}: {folder} cannot be written to ({error.strerror}).") from error


def is_full(error: BaseException) -> bool:
    """Tell whether something could not be written for want of room: on the disk, in the quota or by a limit."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_json(path: Path, value: Any) -> None:
    """Write a JSON value atomically; a number that JSON has no word for is refused."""
    text = json.dumps(value, indent=1, allow_nan=False)
    write_atomically(path, lambda file: file.write(text.encode()))


def read_json(path: Path) -> Any:
    """Return a file's JSON value, None where there is no such file or it is damaged."""
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError, UnicodeDecodeError):
        return None

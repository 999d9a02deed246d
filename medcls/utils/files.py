"""Files that are written completely or not at all, even if the process is killed or the disk is full; JSON files."""

import errno
import glob
import json
import math
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import platformdirs

from medcls.utils.errors import BadInputError
from medcls.utils.lazy import psutil

UNFINISHED = ".unfinished"
MADE = re.compile(r"(\d{1,9})\.[0-9a-f]{32}\.unfinished")  # the number is that of the process
LONGEST = 10  # digits of the number of a process
LONGEST_NUMBER = 19  # characters of a whole number in a record


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a temporary file beside `path`, flush it to disk and rename it to `path`, which keeps its permissions.

    The name of the temporary file is new and ends as `path` does, so no file is overwritten and no link is followed.

    Args:
        path: the file.
        write: writes the content to the open temporary file, or to a file of that name.

    Raises:
        OSError: the disk is full, or the directory cannot be written to; the temporary file is removed.
    """
    beside = path.with_name(f".{os.getpid()}.{secrets.token_hex(4)}.{path.name}")
    try:
        with beside.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            if path.is_file() and not path.is_symlink():
                beside.chmod(stat.S_IMODE(path.stat().st_mode) & 0o777)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def remove_unfinished(folder: Path, *, of: Callable[[int], bool]) -> None:
    """Remove temporary files that `write_atomically` has left in a directory.

    Args:
        folder: the directory.
        of: the number of a process -> whether its temporary files are removed.
    """
    for beside in folder.glob(".*.*"):
        writer = beside.name.split(".")[1]
        if writer.isdecimal() and len(writer) < LONGEST and of(int(writer)):
            beside.unlink(missing_ok=True)


def is_dead(process: int) -> bool:
    """Return whether no process on this machine has a number."""
    return not psutil.pid_exists(process)


def draw_whole(path: Path, figure: Callable[[Path], object]) -> None:
    """Write a file, completely or not at all, with a function that takes the path to write to."""
    write_atomically(path, lambda file: figure(Path(file.name)))


def check_empty(flag: str, folder: Path) -> None:
    """Check that a folder that the user has given with a flag does not exist yet, or is empty.

    Raises:
        BadInputError: the folder has content, is a file, or is the working directory.
    """
    try:
        taken = folder.exists() and (not folder.is_dir() or any(folder.iterdir()) or folder.resolve() == Path.cwd())
    except OSError as error:
        raise BadInputError(f"{flag} {folder} cannot be used ({error.strerror}): name another folder.") from error
    if taken:
        raise BadInputError(f"{flag} {folder} already exists and is not an empty folder: name a new one.")


@contextmanager
def written_whole(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder that is renamed to `folder` at the end, or removed after an error.

    `folder` must not exist, or be empty.

    Raises:
        OSError: the folder cannot be written or renamed.
    """
    home = folder.resolve()
    for left in home.parent.glob(f".{glob.escape(home.name)}.*{UNFINISHED}"):
        made = MADE.fullmatch(left.name.removeprefix(f".{home.name}."))
        if made and is_dead(int(made.group(1))):
            shutil.rmtree(left, ignore_errors=True)  # a killed command has left it
    beside = home.with_name(f".{home.name}.{os.getpid()}.{secrets.token_hex(16)}{UNFINISHED}")
    beside.mkdir(parents=True)
    try:
        yield beside
        beside.replace(home)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def user_cache() -> Path | None:
    """Return the directory where medcls keeps downloads and the like for a user; None for a user without a home."""
    try:
        cache = platformdirs.user_cache_path("medcls", appauthor=False)
    except RuntimeError:
        return None
    return cache if cache.is_absolute() else None  # how older versions of platformdirs say that there is no home


def is_full(error: BaseException) -> bool:
    """Return whether an error says that the disk, the quota or a limit of file sizes is exhausted."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_json(path: Path, value: Any) -> None:
    """Write a JSON value atomically.

    Raises:
        ValueError: the value contains NaN or an infinite number, which JSON does not have.
    """
    content = as_json(value)
    write_atomically(path, lambda file: file.write(content))


def as_json(value: Any) -> bytes:
    """Return the content of a JSON file with a value.

    Raises:
        ValueError: the value contains NaN or an infinite number, which JSON does not have.
    """
    return json.dumps(value, indent=1, allow_nan=False).encode()


def read_json(path: Path) -> Any:
    """Return the JSON value in a file; None if there is no such file, or if it is damaged."""
    try:
        return parsed_json(path.read_bytes()) if path.is_file() else None  # to read a pipe would block
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def parsed_json(content: bytes) -> Any:
    """Return the value of a JSON text in UTF-8.

    Raises:
        ValueError: text that is not JSON, that is nested too deeply, or that has numbers which are infinite, NaN or
            too large.
    """
    try:
        return json.loads(content.decode(), parse_constant=_refused, parse_float=_finite, parse_int=_small)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refused(word: str) -> Any:
    raise ValueError(f"{word} is not a finite number of usual size")


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refused(digits[:20])


def _small(digits: str) -> int:
    return int(digits) if len(digits) <= LONGEST_NUMBER else _refused(f"{digits[:20]}...")

"""Writing files so that a kill or a full disk leaves the old one or the new one, never half of one."""

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
MADE = re.compile(r"(\d{1,9})\.[0-9a-f]{32}\.unfinished")  # by the process with a number
LONGEST = 10  # digits of a process's number
LONGEST_NUMBER = 19  # characters of a whole number in a record


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file beside `path`, flush it to disk and rename it to `path`, which keeps its permissions.

    `write` may as well write to the open file's name, which ends as `path` does. That name is new: nothing that lies
    there is overwritten, and no link is followed.

    Raises:
        OSError: the disk is full or the folder is not writable; the file beside is removed.
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
    """Remove what `write_atomically` has not finished in a folder, by the processes whose numbers `of` tells."""
    for beside in folder.glob(".*.*"):
        writer = beside.name.split(".")[1]
        if writer.isdecimal() and len(writer) < LONGEST and of(int(writer)):
            beside.unlink(missing_ok=True)


def is_dead(process: int) -> bool:
    """Tell whether this machine has no process of this number."""
    return not psutil.pid_exists(process)


def draw_whole(path: Path, figure: Callable[[Path], object]) -> None:
    """Write a file by a function that takes the path to write to, whole or not at all."""
    write_atomically(path, lambda file: figure(Path(file.name)))


def check_empty(flag: str, folder: Path) -> None:
    """Check that nothing lies where a folder is to be written to, which the user gave with `flag`.

    Raises:
        BadInputError: something does.
    """
    try:
        taken = folder.exists() and (not folder.is_dir() or any(folder.iterdir()) or folder.resolve() == Path.cwd())
    except OSError as error:
        raise BadInputError(f"{flag} {folder} cannot be used ({error.strerror}): give another folder.") from error
    if taken:
        raise BadInputError(f"{flag} {folder} is there already and not an empty folder: give a new one.")


@contextmanager
def written_whole(folder: Path) -> Iterator[Path]:
    """Give a folder to write into that is then renamed to `folder`, which is not there or empty; or removed.

    Raises:
        OSError: it cannot be written or renamed.
    """
    home = folder.resolve()
    for left in home.parent.glob(f".{glob.escape(home.name)}.*{UNFINISHED}"):
        made = MADE.fullmatch(left.name.removeprefix(f".{home.name}."))
        if made and is_dead(int(made.group(1))):
            shutil.rmtree(left, ignore_errors=True)  # of a command that was killed
    beside = home.with_name(f".{home.name}.{os.getpid()}.{secrets.token_hex(16)}{UNFINISHED}")
    beside.mkdir(parents=True)
    try:
        yield beside
        beside.replace(home)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def user_cache() -> Path | None:
    """Return the folder of what medcls keeps for a user, such as downloads; None for a user without a home."""
    try:
        cache = platformdirs.user_cache_path("medcls", appauthor=False)
    except RuntimeError:
        return None
    return cache if cache.is_absolute() else None  # as older platformdirs say that there is no home


def is_full(error: BaseException) -> bool:
    """Tell whether something could not be written for want of room: on the disk, in the quota or by a limit."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_json(path: Path, value: Any) -> None:
    """Write a JSON value atomically; a number that JSON has no word for is refused."""
    content = as_json(value)
    write_atomically(path, lambda file: file.write(content))


def as_json(value: Any) -> bytes:
    """Return a value as a file of JSON has it.

    Raises:
        ValueError: it holds a number that JSON has no word for.
    """
    return json.dumps(value, indent=1, allow_nan=False).encode()


def read_json(path: Path) -> Any:
    """Return a file's JSON value, None where there is no such file or it is damaged."""
    try:
        return parsed_json(path.read_bytes()) if path.is_file() else None  # a pipe would be waited for
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def parsed_json(content: bytes) -> Any:
    """Return the value of a JSON text in UTF-8, every number of which a computer can work with.

    Raises:
        ValueError: it is no such text: torn, nested too deeply, or with numbers that are not finite or too large.
    """
    try:
        return json.loads(content.decode(), parse_constant=_refused, parse_float=_finite, parse_int=_small)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refused(word: str) -> Any:
    raise ValueError(f"{word} is no number to work with")


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refused(digits[:20])


def _small(digits: str) -> int:
    return int(digits) if len(digits) <= LONGEST_NUMBER else _refused(f"{digits[:20]}...")

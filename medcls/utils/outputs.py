"""Writing to what a user names: a file, a link to a file, a device, or a pipe."""

import errno
import io
import os
import re
import stat
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from medcls.utils.errors import BadInputError
from medcls.utils.files import write_atomically

DESCRIPTORS = re.compile(r"/proc/(\d+)/(?:task/\d+/)?fd|/dev/fd")
LINKS = 40  # links in a row, as many as Linux follows
PATIENCE = 60.0  # seconds to wait for a reader of a pipe


def write_output(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write to a path that the user has named: a file completely or not at all; a device or a pipe as it is.

    A link stays a link: the file that it leads to is written. `/dev/stdout` is this process's standard output,
    wherever that goes.

    Args:
        path: the path.
        write: writes the content to an open file.

    Raises:
        OSError: the path cannot be written to, or nobody reads from the pipe.
    """
    descriptor = _descriptor(path)
    if descriptor is None and not _is_special(path):
        write_atomically(path.resolve() if path.is_symlink() else path, write)
        return
    content = io.BytesIO()
    write(content)
    if descriptor is not None and sys.stdout is not None:
        sys.stdout.flush()  # so that earlier output comes first
    opened = os.dup(descriptor) if descriptor is not None else _opened(path)
    with os.fdopen(opened, "wb") as file:
        file.write(content.getvalue())


def check_writable(flag: str, path: Path) -> None:
    """Check that a path that the user has given with a flag can be written to.

    Raises:
        BadInputError: the path is a folder, a disk or a socket, its folder does not exist, or writing is forbidden.
    """
    if path.is_dir():
        raise BadInputError(f"{flag} {path} is a folder: give the name of a file.")
    if _descriptor(path) is not None or _is_special(path):
        if path.is_block_device() or path.is_socket():
            kind = "disk" if path.is_block_device() else "socket"
            raise BadInputError(f"{flag} {path} is a {kind}: give the name of a file.")
        if not os.access(path, os.W_OK):
            raise BadInputError(f"{flag} {path} cannot be written to: name another file.")
        return
    folder = (path.resolve() if path.is_symlink() else path.absolute()).parent
    if not folder.is_dir():
        raise BadInputError(f"{flag} {path}: there is no folder {folder}. Create it, or name another file.")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise BadInputError(
            f"{flag} {path}: {folder} cannot be written to ({error.strerror}). Name another file."
        ) from error


def _descriptor(path: Path) -> int | None:
    """Return the file descriptor of this process that a path such as /dev/stdout stands for; None for other paths."""
    for _ in range(LINKS):
        parent = os.path.realpath(path.parent)
        owner = DESCRIPTORS.fullmatch(parent)
        if owner and path.name.isdecimal() and owner.group(1) in (None, str(os.getpid())):
            return int(path.name)
        if not path.is_symlink():
            return None
        path = Path(parent, path.readlink())
    return None


def _is_special(path: Path) -> bool:
    """Return whether a path exists and is neither a file nor a folder."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _opened(path: Path) -> int:
    """Open a device, or a pipe as soon as it has a reader; return the file descriptor."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            opened = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError as error:
            if error.errno != errno.ENXIO or time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            os.set_blocking(opened, True)
            return opened

"""Reports to the driver what goes wrong while a worker starts, before it can write into the run directory.

A worker first imports the user's script. An exception there ends the worker inside of multiprocessing. The hook below,
which the server of workers sets, writes the exception into a directory that the driver has made.
"""

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import NoReturn

from medcls.utils.errors import BadInputError
from medcls.utils.files import read_json, write_json
from medcls.utils.tracing import told, whole

FOLDER = "MEDCLS_STARTUP"
"""The environment variable with the path of that directory."""

DRIVER = "MEDCLS_DRIVER"
"""The environment variable with the number of the process that started the server of workers."""


def prepare() -> None:
    """Note which process is the driver; make the directory, unless there is one, until this process ends."""
    os.environ[DRIVER] = str(os.getpid())
    if not Path(os.environ.get(FOLDER, "")).is_dir() or not os.environ.get(FOLDER):
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="medcls-startup-")
        atexit.register(_remove, os.environ[FOLDER], os.getpid())


def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Report an exception that ends this process to the driver; print it where that is impossible.

    Args:
        kind: the exception's class.
        error: the exception.
        trace: its traceback.
    """
    try:
        write_json(_file(os.getpid()), {"sentence": _sentence(error), "traceback": whole(error)})
    except OSError:
        sys.__excepthook__(kind, error, trace)


def end(error: Exception) -> NoReturn:
    """Report an exception to the driver and end this process, even where the exception would be caught."""
    hook(type(error), error, error.__traceback__)
    os._exit(1)


def failure(process: int | None) -> Mapping[str, str] | None:
    """Return the "sentence" and the "traceback" that a process has reported; None if the process did start.

    Args:
        process: the number of the process.
    """
    if process is None or FOLDER not in os.environ:
        return None
    report: Mapping[str, str] | None = read_json(_file(process))
    _file(process).unlink(missing_ok=True)  # a later process may get the same number
    return report


def _file(process: int) -> Path:
    return Path(os.environ[FOLDER]) / f"{process}.json"


def _sentence(error: BaseException) -> str:
    if isinstance(error, BadInputError):
        return str(error)
    return (
        f"The worker processes cannot import the study ({told(error)}): define everything that runs use at the top "
        'level of its file, and put what only the command does below if __name__ == "__main__":.'
    )


def _remove(folder: str, process: int) -> None:
    if os.getpid() == process:  # and not in a process that was forked off
        shutil.rmtree(folder, ignore_errors=True)

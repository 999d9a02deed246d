"""What goes wrong while the process of a run starts, before it can write into the run's folder: told to the driver.

Such a process first imports the user's script. What that raises ends the process inside of multiprocessing; the hook
below, which the server of workers sets, leaves it in a folder that the driver made.
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
"""The environment variable by which the processes know the folder."""


def prepare() -> None:
    """Make the folder, unless there is one, and have it removed when this process ends."""
    if not Path(os.environ.get(FOLDER, "")).is_dir() or not os.environ.get(FOLDER):
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="medcls-startup-")
        atexit.register(_remove, os.environ[FOLDER], os.getpid())


def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Leave an error that ends this process for the driver; print it, as ever, where that is impossible."""
    try:
        write_json(_file(os.getpid()), {"sentence": _sentence(error), "traceback": whole(error)})
    except OSError:
        sys.__excepthook__(kind, error, trace)


def end(error: Exception) -> NoReturn:
    """Leave an error for the driver and end this process, whatever would catch the error."""
    hook(type(error), error, error.__traceback__)
    os._exit(1)


def failure(process: int | None) -> Mapping[str, str] | None:
    """Return the "sentence" and the "traceback" that a process has left, None if it came to its work."""
    if process is None or FOLDER not in os.environ:
        return None
    left: Mapping[str, str] | None = read_json(_file(process))
    _file(process).unlink(missing_ok=True)  # another process may come to have this number
    return left


def _file(process: int) -> Path:
    return Path(os.environ[FOLDER]) / f"{process}.json"


def _sentence(error: BaseException) -> str:
    if isinstance(error, BadInputError):
        return str(error)
    return (
        f"The processes of runs cannot import the study ({told(error)}): what runs use must be there at the top level "
        'of its file, and what the command alone does stands below if __name__ == "__main__":.'
    )


def _remove(folder: str, process: int) -> None:
    if os.getpid() == process:  # not a process that was forked off
        shutil.rmtree(folder, ignore_errors=True)

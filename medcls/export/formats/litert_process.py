"""A LiteRT model in a process of its own: a damaged file ends that process, not this one."""

import contextlib
import os
import subprocess
import sys
import weakref
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.export.formats.base import Loaded, plain_shape
from medcls.export.formats.litert_interpreter import receive, send
from medcls.utils.errors import BadInputError

CODE = "from medcls.export.formats.litert_interpreter import serve; serve()"
PATIENCE = 600.0  # seconds for a batch, and for importing TensorFlow and loading the file


def apart(path: Path) -> Loaded:
    """Return the model of a LiteRT file that may be damaged or harmful.

    Raises:
        BadInputError: the file cannot be read, or ended the process that read it.
    """
    model = _Apart(path)
    takes = plain_shape(model.answer().tolist())
    gives = plain_shape(model.answer().tolist())
    return Loaded(model.predict, takes, gives)


class _Apart:
    """A model in a process of its own, which ends with this object or with this process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pipe, theirs = Pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", CODE, str(theirs.fileno()), str(path)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "TF_CPP_MIN_LOG_LEVEL": "3"},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        theirs.close()
        weakref.finalize(self, _end, self._pipe, self._process)

    def predict(self, images: NDArray[Any]) -> NDArray[Any]:
        """Return the predictions for a batch of images.

        Raises:
            BadInputError: the process has ended or does not reply.
        """
        with contextlib.suppress(OSError):  # if the process has ended, `answer` says why
            send(self._pipe, np.asarray(images, np.float32))
        return self.answer()

    def answer(self) -> NDArray[Any]:
        """Return the next array that the process sends.

        Raises:
            BadInputError: the process has ended or does not reply.
        """
        with contextlib.suppress(EOFError, OSError, ValueError):
            if self._pipe.poll(PATIENCE):
                return receive(self._pipe)
        raise BadInputError(f"{self._path} cannot be read as a LiteRT model ({self._ending()}): export it again.")

    def _ending(self) -> str:
        """End the process, and return why it did not reply."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self._process.wait(timeout=5)
            return f"it killed its reader by signal {-code}" if code < 0 else "damaged, or of another kind"
        self._process.kill()
        return "its reader did not come to an end"


def _end(pipe: Connection, process: "subprocess.Popen[bytes]") -> None:
    pipe.close()
    process.kill()
    process.wait()

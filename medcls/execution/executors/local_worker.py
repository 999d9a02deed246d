"""A worker of this machine: a process that carries out the jobs which its driver sends, one after another.

A worker keeps what it has compiled, so it is sent runs of one program only, all with its number of threads.
"""

import gc
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

from medcls.execution.executors import startup
from medcls.execution.executors.notebook_pickle import portable_call
from medcls.execution.executors.remote_job import run_and_upload
from medcls.execution.job import OUTPUT, Job
from medcls.execution.worker import prepare_process, redirect, set_threads
from medcls.training import programs
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import psutil
from medcls.utils.tracing import told

GROWTH = 1.5  # times the memory after its first job, and a worker is replaced


@dataclass(frozen=True)
class Reply:
    """What a worker answers when it has carried a job out.

    Attributes:
        is_kept: whether it keeps a compiled network for the next run of the program.
        memory: how many bytes of memory it uses.
    """

    is_kept: bool
    memory: int


class LocalWorker:
    """The driver's side of a worker.

    Args:
        process: that serves the other end of the connection.
        connection: to the process.
        program: of the runs that it is sent.
        threads: of TensorFlow in the process.
    """

    def __init__(self, process: Any, connection: Connection, program: str, threads: int) -> None:
        self.process, self.program, self.threads = process, program, threads
        self.pid: int = process.pid
        self.connection, self._first_memory = connection, 0

    def send(self, packed: bytes) -> bool:
        """Send a packed job; return whether the process was there to take it."""
        try:
            self.connection.send_bytes(packed)
        except OSError:
            return False
        return True

    @property
    def is_busy(self) -> bool:
        """Whether it is at work on a job, neither done nor dead."""
        return self.process.is_alive() and not self.connection.poll()

    def reply(self) -> Reply | None:
        """Return what the worker has answered, None if it died instead; `is_busy` must be False."""
        try:
            reply: Reply | None = self.connection.recv() if self.connection.poll() else None
        except (EOFError, OSError):
            return None
        return reply

    def can_go_on(self, reply: Reply) -> bool:
        """Tell whether another run of the program is worth sending: the network is kept, and memory has not grown."""
        self._first_memory = self._first_memory or reply.memory
        return reply.is_kept and self.program != "" and reply.memory <= GROWTH * self._first_memory

    def end(self) -> int | None:
        """Kill the process, should it still live, and return its exit code."""
        self.connection.close()
        self.process.kill()
        self.process.join()
        code: int | None = self.process.exitcode
        self.process.close()
        return code


def packed_job(job: Job) -> bytes:
    """Return what is sent to a worker so that it carries a job out.

    Raises:
        BadInputError: what the run uses cannot be pickled.
    """
    target, arguments = portable_call(run_and_upload, (job,))
    try:
        return bytes(ForkingPickler.dumps((target, arguments, job.threads, job.folder / OUTPUT)))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise unpicklable(error) from error


def unpicklable(error: Exception) -> BadInputError:
    """Return the error that says what cannot be sent to a worker."""
    return BadInputError(
        f"What the runs use cannot be sent to their processes ({told(error)}): use functions that are defined at the "
        "top level of a file, and values of plain types."
    )


def serve(connection: Connection, environment: Mapping[str, str]) -> None:
    """Carry out the jobs that the driver sends to this process, which has just been started, until the driver hangs up.

    Args:
        connection: to the driver.
        environment: variables that are added to the environment.
    """
    prepare_process(environment)
    has_threads = False
    while True:
        call = _received(connection)
        if call is None:
            return
        target, arguments, threads, output = call
        redirect(output)
        if not has_threads:
            set_threads(threads)
            has_threads = True
        target(*arguments)
        gc.collect()  # networks and their layers refer to each other
        connection.send(Reply(programs.is_kept(), psutil.Process().memory_info().rss))


def _received(connection: Connection) -> tuple[Callable[..., Any], tuple[Any, ...], int, Path] | None:
    """Return a call, its number of threads and the file for what it prints; None where the driver has hung up."""
    try:
        call: tuple[Callable[..., Any], tuple[Any, ...], int, Path] = connection.recv()
    except EOFError:
        return None
    except Exception as error:  # noqa: BLE001 - a module of the user's own may raise anything when it is imported
        startup.end(error)
    return call

"""Runs as processes of this machine: one process a run, as many side by side as their threads fit the cores."""

import contextlib
import multiprocessing
import os
import pickle
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from multiprocessing import connection
from typing import Any

from medcls.execution.executors import startup
from medcls.execution.executors.base import TRIES, Executor
from medcls.execution.executors.notebook_pickle import travelling
from medcls.execution.executors.remote_job import run_and_upload
from medcls.execution.executors.worker import DRIVER, answer, work
from medcls.execution.job import Job, is_over
from medcls.execution.run import OUTPUT, crashed_result
from medcls.tracking.run_dir import RunDir
from medcls.tracking.run_records import RunResult
from medcls.utils.errors import BadInputError, TrainingError
from medcls.utils.lazy import psutil
from medcls.utils.signals import ignore_signals
from medcls.utils.tracing import told

ATTEMPTS, PAUSE = 6, 0.1  # to start a process, and seconds between the first two; then twice as long each time


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class LocalExecutor(Executor):
    """Carries jobs out on this machine, in the order in which they were submitted.

    Args:
        cores: how many threads may be at work in all.
        workers: how many runs may be at work at most.
        environment: variables that their processes have beside this one's.
    """

    def __init__(self, cores: int, workers: int, environment: Mapping[str, str] | None = None) -> None:
        super().__init__(cores, cores, workers)
        self._environment = dict(environment or {})
        method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
        self._context: Any = multiprocessing.get_context(method)
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # the server and its children inherit it
        if method == "forkserver":
            self._context.set_forkserver_preload(["medcls.execution.executors.preload"])

    def warm_up(self) -> None:
        """Start the server that imports TensorFlow once, without waiting for it."""
        os.environ[DRIVER] = str(os.getpid())
        startup.prepare()
        with contextlib.suppress(ImportError):
            from multiprocessing import forkserver, resource_tracker

            resource_tracker.ensure_running()
            with _without_interruption():
                forkserver.ensure_running()

    def ask(self, target: Callable[..., Any], *arguments: Any) -> Any:
        """Return `target(*arguments)` from a process of its own, which may use TensorFlow.

        Raises:
            TrainingError: the call raised, or its process died more than once.
            BadInputError: the process could not begin, as it cannot import the user's script.
        """
        for _ in range(TRIES):
            receiver, sender = self._context.Pipe(duplex=False)
            process = self._process(answer, *travelling(target, arguments), sender, self._environment)
            sender.close()
            try:
                value, error = receiver.recv()
                died = False
            except EOFError:
                died = True
            finally:
                process.kill()  # it has nothing more to say, or nobody listens any more
                process.join()
                receiver.close()
            if died:
                _check_begun(process.pid)
                continue
            if error is not None:
                raise TrainingError(f"{target.__name__}: {error}")
            return value
        raise TrainingError(f"{target.__name__}: its process died again and again")

    def rehearse(self, needed: Sequence[Any]) -> None:
        """Check that a process can be started and given what runs need, before anything is begun.

        Raises:
            BadInputError: it cannot, e.g. as it cannot import the user's script.
        """
        self.ask(len, needed)

    def see_through(self, job: Job) -> int | None:
        """Carry one job out, whatever else is at work; return the exit code of its process."""
        process = self._begun(job)
        process.join()
        code: int | None = process.exitcode
        _check_begun(process.pid, job)
        process.close()
        return code

    def drain(self, seconds: float) -> bool:
        """Wait for at most so long; return whether some are still at work. Who has ended stays among `running`."""
        alive = [process for process in self._running if process.is_alive()]
        connection.wait([process.sentinel for process in alive], seconds)
        return any(process.is_alive() for process in alive)

    def stop(self) -> None:
        """End all work at once, whatever Ctrl-C follows; what the checkpoints hold is kept."""
        ignore_signals()
        self._waiting.clear()
        for process in self._running:
            process.kill()
        for process in self._running:
            process.join()
        self._running.clear()
        _end_server()

    def _begun(self, job: Job) -> Any:
        output = job.folder / OUTPUT
        return self._process(work, *travelling(run_and_upload, (job,)), job.threads, output, self._environment)

    def _ended(self, seconds: float) -> list[Any]:
        connection.wait([process.sentinel for process in self._running], seconds)
        return [process for process in self._running if not process.is_alive()]

    def _obituary(self, handle: Any, job: Job) -> RunResult | None:
        code, process = handle.exitcode, handle.pid
        handle.close()
        _check_begun(process, job)
        return obituary_of(job, code)

    def _process(self, target: Callable[..., Any], *arguments: Any) -> Any:
        """Start a process, and the server anew should that have died, which on a busy machine takes it a while."""
        for attempt in range(ATTEMPTS):
            self.warm_up()
            process = self._context.Process(target=target, args=arguments, daemon=True)
            try:
                process.start()
            except (ConnectionError, EOFError):
                time.sleep(PAUSE * 2**attempt)
                continue
            except (pickle.PicklingError, AttributeError, TypeError) as error:
                raise BadInputError(
                    f"What runs use cannot be handed to their processes ({told(error)}): name functions that stand at "
                    "the top level of a file, and values of plain types."
                ) from error
            return process
        raise OSError("The server of worker processes died again and again (out of memory?)")


def obituary_of(job: Job, exit_code: int | None) -> RunResult | None:
    """Return the result of a job whose process died, None if it came to its own end, well or badly."""
    died = RunDir(job.folder).result() is None if exit_code == 0 else not is_over(job)
    return crashed_result(job, exit_code) if died else None


def _check_begun(process: int | None, job: Job | None = None) -> None:
    """Check that a process which has ended came to its work; where a run's did not, its folder keeps the traceback.

    Raises:
        BadInputError: it could not begin.
    """
    left = startup.failure(process)
    if left is None:
        return
    if job is not None:
        with (job.folder / OUTPUT).open("a") as output:
            output.write(left["traceback"])
    raise BadInputError(left["sentence"])


def _end_server() -> None:
    """End the server of workers, which while it imports would outlive its driver by seconds."""
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if any("multiprocessing.forkserver" in part for part in child.cmdline()):
                child.kill()


@contextlib.contextmanager
def _without_interruption() -> Iterator[None]:
    """Keep Ctrl-C from the processes that are started meanwhile: it is the driver's to handle."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

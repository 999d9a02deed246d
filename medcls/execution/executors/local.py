"""The executor of this machine: one process for each run, as many side by side as their threads fit the cores."""

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
from medcls.execution.executors.notebook_pickle import portable_call
from medcls.execution.executors.remote_job import run_and_upload
from medcls.execution.failures import crashed_result
from medcls.execution.job import OUTPUT, Job, is_over
from medcls.execution.worker import answer, work
from medcls.tracking.run_dir import RunDir
from medcls.tracking.run_records import RunResult
from medcls.utils.errors import BadInputError, TrainingError
from medcls.utils.lazy import psutil
from medcls.utils.signals import ignore_signals
from medcls.utils.tracing import told

ATTEMPTS = 6  # to start a process
PAUSE = 0.1  # seconds between the first two attempts, then twice as long each time


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class LocalExecutor(Executor):
    """Carries jobs out on this machine, in the order in which they were submitted.

    Args:
        cores: the largest number of threads at work at the same time.
        workers: the largest number of runs at work at the same time.
        environment: variables that are added to the environment of their processes.
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
        """Start the server of workers, which imports TensorFlow once, without waiting for it."""
        startup.prepare()
        with contextlib.suppress(ImportError):
            from multiprocessing import forkserver, resource_tracker

            resource_tracker.ensure_running()
            with _without_interruption():
                forkserver.ensure_running()

    def ask(self, target: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function in another process, which may use TensorFlow, and return what the function returns.

        Args:
            target: the function.
            *arguments: its arguments.

        Raises:
            TrainingError: the function raised, or its process died repeatedly.
            BadInputError: the process could not start, because it cannot import the user's script.
        """
        for _ in range(TRIES):
            receiver, sender = self._context.Pipe(duplex=False)
            process = self._process(answer, *portable_call(target, arguments), sender, self._environment)
            sender.close()
            try:
                value, error = receiver.recv()
                died = False
            except EOFError:
                died = True
            finally:
                process.kill()  # it has replied, or nobody waits for its reply any more
                process.join()
                receiver.close()
            if died:
                _check_started(process.pid)
                continue
            if error is not None:
                raise TrainingError(f"{target.__name__}: {error}")
            return value
        raise TrainingError(f"{target.__name__}: its process died repeatedly")

    def rehearse(self, needed: Sequence[Any]) -> None:
        """Check that a process can be started and can receive what runs need, before any run is started.

        Args:
            needed: what runs need, such as variants and functions.

        Raises:
            BadInputError: no process can be started, e.g. because it cannot import the user's script.
        """
        self.ask(len, needed)

    def run_and_wait(self, job: Job) -> int | None:
        """Carry one job out, whatever else is at work; return the exit code of its process."""
        process = self._launch(job)
        process.join()
        code: int | None = process.exitcode
        _check_started(process.pid, job)
        process.close()
        return code

    def drain(self, seconds: float) -> bool:
        """Wait for the jobs at work, `seconds` at most; return whether some are still at work."""
        alive = [process for process in self._running if process.is_alive()]
        connection.wait([process.sentinel for process in alive], seconds)
        return any(process.is_alive() for process in alive)

    def stop(self) -> None:
        """Kill the jobs at work, whatever Ctrl-C follows; what the checkpoints hold is kept."""
        ignore_signals()
        self._waiting.clear()
        for process in self._running:
            process.kill()
        for process in self._running:
            process.join()
        self._running.clear()
        _end_server()

    def _launch(self, job: Job) -> Any:
        output = job.folder / OUTPUT
        target, arguments = portable_call(run_and_upload, (job,))
        return self._process(work, target, arguments, job.threads, output, self._environment)

    def _ended(self, seconds: float) -> list[Any]:
        connection.wait([process.sentinel for process in self._running], seconds)
        return [process for process in self._running if not process.is_alive()]

    def _result_of_death(self, handle: Any, job: Job) -> RunResult | None:
        code, process = handle.exitcode, handle.pid
        handle.close()
        _check_started(process, job)
        return result_of_death(job, code)

    def _process(self, target: Callable[..., Any], *arguments: Any) -> Any:
        """Start a process; should the server of workers have died, start that again, which takes a while.

        Args:
            target: the function that the process calls.
            *arguments: the function's arguments.

        Raises:
            BadInputError: the arguments cannot be pickled.
            OSError: the server died repeatedly.
        """
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
                    f"What the runs use cannot be sent to their processes ({told(error)}): use functions that are "
                    "defined at the top level of a file, and values of plain types."
                ) from error
            return process
        raise OSError("The server of worker processes died repeatedly (out of memory?)")


def result_of_death(job: Job, exit_code: int | None) -> RunResult | None:
    """Return the result of a job whose process died; None if the job ended by itself, well or badly.

    Args:
        job: that was carried out.
        exit_code: of its process, negative for a signal.
    """
    has_died = RunDir(job.folder).result() is None if exit_code == 0 else not is_over(job)
    return crashed_result(job, exit_code) if has_died else None


def _check_started(process: int | None, job: Job | None = None) -> None:
    """Check that a process which has ended did start; otherwise keep the traceback in its run directory.

    Args:
        process: the number of the process.
        job: that it was to carry out, None for none.

    Raises:
        BadInputError: the process could not start.
    """
    failure = startup.failure(process)
    if failure is None:
        return
    if job is not None:
        with (job.folder / OUTPUT).open("a") as output:
            output.write(failure["traceback"])
    raise BadInputError(failure["sentence"])


def _end_server() -> None:
    """Kill the server of workers, which would outlive its driver by seconds while it imports."""
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if any("multiprocessing.forkserver" in part for part in child.cmdline()):
                child.kill()


@contextlib.contextmanager
def _without_interruption() -> Iterator[None]:
    """Keep Ctrl-C from the processes that are started in the meantime: the driver handles it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

"""The executor of this machine: workers that carry out runs, as many side by side as their threads fit the cores.

A worker whose next run has the same program trains it without compiling it again. So jobs are spread such that few
workers compile the same program, but no core waits for that.
"""

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
from medcls.execution.executors.local_worker import LocalWorker, packed_job, serve, unpicklable
from medcls.execution.executors.notebook_pickle import portable_call
from medcls.execution.failures import crashed_result
from medcls.execution.job import OUTPUT, Job, is_over
from medcls.execution.worker import answer
from medcls.tracking.run_dir import RunDir
from medcls.tracking.run_records import RunResult
from medcls.utils.errors import BadInputError, TrainingError
from medcls.utils.lazy import psutil
from medcls.utils.signals import ignore_signals

ATTEMPTS = 6  # to start a process
PAUSE = 0.1  # seconds between the first two attempts, then twice as long each time


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class LocalExecutor(Executor):
    """Carries jobs out on this machine.

    Args:
        cores: the largest number of threads at work at the same time.
        workers: the largest number of runs at work at the same time.
        environment: variables that are added to the environment of their processes.
    """

    def __init__(self, cores: int, workers: int, environment: Mapping[str, str] | None = None) -> None:
        super().__init__(cores, cores, workers)
        self._environment = dict(environment or {})
        self._idle: list[LocalWorker] = []
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
        """Carry one job out, whatever else is at work; return the exit code of its process, 0 if it answered."""
        worker = self._start_worker(job, packed_job(job))
        connection.wait([worker.connection, worker.process.sentinel])
        code = 0 if worker.reply() is not None else worker.end()
        _check_started(worker.pid, job)
        return code

    def drain(self, seconds: float) -> bool:
        """Wait for the jobs at work, `seconds` at most; return whether some are still at work."""
        busy = [worker for worker in self._running if worker.is_busy]
        _wait_for(busy, seconds)
        return any(worker.is_busy for worker in busy)

    def stop(self) -> None:
        """Kill the jobs at work, whatever Ctrl-C follows; what the checkpoints hold is kept."""
        ignore_signals()
        self._waiting.clear()
        for worker in (*self._running, *self._idle):
            worker.end()
        self._running.clear()
        self._idle.clear()
        _end_server()

    def _next_job(self) -> Job:
        """Return the first waiting job whose program an idle worker has, else the first whose program no worker has.

        Where there is no such job it is the first of all. Only jobs with as many threads as the first are considered.
        """
        threads = self._waiting[0].threads
        candidates = [job for job in self._waiting if job.threads == threads]
        idle = {(worker.program, worker.threads) for worker in self._idle}
        for job in candidates:
            if (job.program, job.threads) in idle:
                return job
        at_work = {worker.program for worker in self._running}
        for job in candidates:
            if job.program not in at_work:
                return job
        return candidates[0]

    def _launch(self, job: Job) -> LocalWorker:
        packed = packed_job(job)
        for worker in self._idle:
            if (worker.program, worker.threads) == (job.program, job.threads) and worker.send(packed):
                self._idle.remove(worker)
                return worker
        while self._idle and len(self._idle) + len(self._running) >= self._workers:
            self._idle.pop(0).end()
        return self._start_worker(job, packed)

    def _start_worker(self, job: Job, packed: bytes) -> LocalWorker:
        """Start a worker and send it its first job; a worker that cannot take it will be found dead.

        Args:
            job: its first job.
            packed: the same, packed.
        """
        ours, theirs = self._context.Pipe()
        process = self._process(serve, theirs, self._environment)
        theirs.close()
        worker = LocalWorker(process, ours, job.program, job.threads)
        worker.send(packed)
        return worker

    def _ended(self, seconds: float) -> list[LocalWorker]:
        _wait_for(list(self._running), seconds)
        return [worker for worker in self._running if not worker.is_busy]

    def _result_of_death(self, handle: LocalWorker, job: Job) -> RunResult | None:
        reply = handle.reply()
        if reply is not None and handle.can_go_on(reply):
            self._idle.append(handle)
            return result_of_death(job, 0)
        code = handle.end()
        _check_started(handle.pid, job)
        return result_of_death(job, 0 if reply is not None else code)

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
                raise unpicklable(error) from error
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


def _wait_for(workers: Sequence[LocalWorker], seconds: float) -> None:
    """Wait until one of some workers has answered or died, `seconds` at most."""
    waited_for: list[Any] = [worker.process.sentinel for worker in workers]
    waited_for += [worker.connection for worker in workers]
    connection.wait(waited_for, seconds)


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

"""Runs as processes of this machine: one process a run, as many side by side as their threads fit the cores."""

import contextlib
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator
from multiprocessing import connection
from pathlib import Path
from typing import Any

from medcls.compute.travelling import travelling
from medcls.compute.worker import DRIVER, answer, work
from medcls.errors import TrainingError
from medcls.interruption import settle
from medcls.lazy import lazy
from medcls.one_run import Job, carry_out, is_over, obituary
from medcls.tracking.journal import RunFolder

psutil = lazy("psutil")

TRIES = 3  # a worker that dies (killed, out of memory) without a new epoch is started again so often


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class LocalExecutor:
    """Carries jobs out on this machine, in the order in which they were submitted.

    Args:
        cores: how many threads may be at work in all.
        workers: how many runs may be at work at most.
    """

    def __init__(self, cores: int, workers: int) -> None:
        self.cores = cores
        self.workers = workers
        self._waiting: deque[Job] = deque()
        self._running: dict[Any, Job] = {}
        self._tries: dict[Path, tuple[int, int]] = {}
        method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
        self._context: Any = multiprocessing.get_context(method)
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # the server and its children inherit it
        if method == "forkserver":
            self._context.set_forkserver_preload(["medcls.compute.preload"])

    def warm_up(self) -> None:
        """Start the server that imports TensorFlow once, without waiting for it."""
        os.environ[DRIVER] = str(os.getpid())
        with contextlib.suppress(ImportError):
            from multiprocessing import forkserver, resource_tracker

            resource_tracker.ensure_running()
            with _without_interruption():
                forkserver.ensure_running()

    def submit(self, job: Job) -> None:
        """Queue a job."""
        self._waiting.append(job)

    @property
    def running(self) -> list[Job]:
        """The jobs at work, oldest first."""
        return list(self._running.values())

    @property
    def idle(self) -> bool:
        """Whether nothing is at work and nothing waits."""
        return not self._running and not self._waiting

    def wait(self, seconds: float) -> list[Job]:
        """Start what fits, wait for at most so long, and return the jobs that ended.

        A job whose process died of something that no code could catch is started again from its checkpoint; if
        that does not help, it has failed.
        """
        self._start()
        connection.wait([process.sentinel for process in self._running], seconds)
        jobs = []
        for process in [each for each in self._running if not each.is_alive()]:
            job, code = self._running.pop(process), process.exitcode
            process.close()
            if not _died(job, code):
                jobs.append(job)
            elif self._tries[job.folder][0] < TRIES:
                self._waiting.appendleft(job)
            else:
                RunFolder(job.folder).finish(obituary(job, code), {})
                jobs.append(job)
        self._start()
        return jobs

    def ask(self, target: Callable[..., Any], *arguments: Any) -> Any:
        """Return `target(*arguments)` from a process of its own, which may use TensorFlow.

        Raises:
            TrainingError: the call raised, or its process died more than once.
        """
        for _ in range(TRIES):
            receiver, sender = self._context.Pipe(duplex=False)
            process = self._process(answer, *travelling(target, arguments), sender)
            sender.close()
            try:
                value, error = receiver.recv()
            except EOFError:
                continue
            finally:
                process.kill()  # it has nothing more to say, or nobody listens any more
                process.join()
                receiver.close()
            if error is not None:
                raise TrainingError(f"{target.__name__}: {error}")
            return value
        raise TrainingError(f"{target.__name__}: its process died again and again")

    def wind_down(self) -> None:
        """Start nothing more, and let those at work end after their epochs."""
        self._waiting.clear()
        for job in self.running:
            RunFolder(job.folder).wind_down()

    def drain(self, seconds: float) -> bool:
        """Wait for at most so long; return whether some are still at work. Who has ended stays among `running`."""
        alive = [process for process in self._running if process.is_alive()]
        connection.wait([process.sentinel for process in alive], seconds)
        return any(process.is_alive() for process in alive)

    def stop(self) -> None:
        """End all work at once, whatever Ctrl-C follows; what the checkpoints hold is kept."""
        settle()
        self._waiting.clear()
        for process in self._running:
            process.kill()
        for process in self._running:
            process.join()
        self._running.clear()
        _end_server()

    def _start(self) -> None:
        while self._waiting and len(self._running) < self.workers:
            used = sum(job.threads for job in self._running.values())
            if self._running and used + self._waiting[0].threads > self.cores:
                return
            job = self._waiting.popleft()
            self._count_try(job)
            job.folder.mkdir(parents=True, exist_ok=True)
            RunFolder(job.folder).go_on()
            process = self._process(work, *travelling(carry_out, (job,)), job.threads, job.folder / "output.txt")
            self._running[process] = job

    def _process(self, target: Callable[..., Any], *arguments: Any) -> Any:
        """Start a process, and the server anew should that have died."""
        for _ in range(TRIES):
            self.warm_up()
            process = self._context.Process(target=target, args=arguments, daemon=True)
            try:
                process.start()
            except (ConnectionError, EOFError):
                continue
            return process
        raise OSError("The server of worker processes died again and again (out of memory?)")

    def _count_try(self, job: Job) -> None:
        held = RunFolder(job.folder).epochs_held()
        tries, before = self._tries.get(job.folder, (0, held))
        self._tries[job.folder] = (tries + 1 if held == before else 1, held)


def _died(job: Job, exit_code: int | None) -> bool:
    return RunFolder(job.folder).result() is None if exit_code == 0 else not is_over(job)


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

"""Runs as processes of this machine: one process a run, as many side by side as their threads fit the cores."""

import contextlib
import multiprocessing
import os
from collections import deque
from collections.abc import Callable
from multiprocessing import connection
from pathlib import Path
from typing import Any

from medcls.compute.worker import answer, work
from medcls.errors import TrainingError
from medcls.run import Job, carry_out, obituary
from medcls.tracking.journal import RunFolder

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
        with contextlib.suppress(ImportError):
            from multiprocessing import forkserver

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
        ended = [process for process in self._running if not process.is_alive()]
        jobs = []
        for process in ended:
            job = self._running.pop(process)
            process.join()
            died = process.exitcode != 0 and RunFolder(job.folder).result() is None
            if died and self._tries[job.folder][0] < TRIES:
                self._waiting.appendleft(job)
            else:
                if died:
                    RunFolder(job.folder).finish(obituary(job, process.exitcode), {})
                jobs.append(job)
            process.close()
        self._start()
        return jobs

    def ask(self, target: Callable[..., Any], *arguments: Any) -> Any:
        """Return `target(*arguments)` from a process of its own, which may use TensorFlow.

        Raises:
            TrainingError: the call raised, or its process died.
        """
        receiver, sender = self._context.Pipe(duplex=False)
        process = self._context.Process(target=answer, args=(target, arguments, sender))
        process.start()
        sender.close()
        try:
            value, error = receiver.recv()
        except EOFError:
            value, error = None, "its process died"
        process.join()
        if error is not None:
            raise TrainingError(f"{target.__name__}: {error}")
        return value

    def stop(self) -> None:
        """End all work at once; what the checkpoints hold is kept."""
        self._waiting.clear()
        for process in self._running:
            process.terminate()
        for process in self._running:
            process.join(5)
            process.kill()
            process.join()
        self._running.clear()

    def _start(self) -> None:
        while self._waiting and len(self._running) < self.workers:
            used = sum(job.threads for job in self._running.values())
            if self._running and used + self._waiting[0].threads > self.cores:
                return
            job = self._waiting.popleft()
            self._count_try(job)
            process = self._context.Process(
                target=work, args=(carry_out, (job,), job.threads, job.folder / "output.txt"), daemon=True
            )
            job.folder.mkdir(parents=True, exist_ok=True)
            process.start()
            self._running[process] = job

    def _count_try(self, job: Job) -> None:
        held = RunFolder(job.folder).epochs_held()
        tries, before = self._tries.get(job.folder, (0, held))
        self._tries[job.folder] = (tries + 1 if held == before else 1, held)

"""What carries jobs out: one queue of jobs, whether this machine works on it or a cluster."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from medcls.execution.executors.remote_job import request_stop
from medcls.execution.job import Job
from medcls.tracking.run_dir import RunDir
from medcls.tracking.run_records import RunResult

TRIES = 3  # a job whose process dies (killed, out of memory) without a new epoch is begun again so often


class Executor(ABC):
    """Carries jobs out, in the order in which they were submitted.

    Args:
        cores: how many threads one run may have.
        room: how many threads may be at work in all.
        workers: how many runs may be at work at most.
    """

    def __init__(self, cores: int, room: int, workers: int) -> None:
        self.cores, self._room, self._workers = cores, room, workers
        self._waiting: deque[Job] = deque()
        self._running: dict[Any, Job] = {}
        self._tries: dict[Path, tuple[int, int]] = {}

    def submit(self, job: Job) -> None:
        """Queue a job."""
        self._waiting.append(job)

    @property
    def slots(self) -> int:
        """How many runs of one thread may be at work at once."""
        return max(1, min(self._room, self._workers))

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

        A job whose process died of something that no code could catch is begun again from its checkpoint; if that
        does not help, it has failed.
        """
        self._start()
        jobs = []
        for handle in self._ended(seconds):
            job = self._running.pop(handle)
            obituary = self._obituary(handle, job)
            if obituary is not None and self._tries[job.folder][0] < TRIES:
                self._waiting.appendleft(job)
                continue
            if obituary is not None:
                RunDir(job.folder).finish(obituary, {})
            jobs.append(job)
        self._start()
        return jobs

    def wind_down(self) -> None:
        """Start nothing more, and let those at work end after their epochs."""
        self._waiting.clear()
        for job in self.running:
            request_stop(job, stop=True)

    def _start(self) -> None:
        while self._waiting and len(self._running) < self._workers:
            used = sum(job.threads for job in self._running.values())
            if self._running and used + self._waiting[0].threads > self._room:
                return
            job = self._waiting.popleft()
            self._count_try(job)
            job.folder.mkdir(parents=True, exist_ok=True)
            request_stop(job, stop=False)
            self._running[self._begun(job)] = job

    def _count_try(self, job: Job) -> None:
        held = RunDir(job.folder).epochs_held()
        tries, before = self._tries.get(job.folder, (0, held))
        self._tries[job.folder] = (tries + 1 if held == before else 1, held)

    def rehearse(self, needed: Sequence[Any]) -> None:  # noqa: B027 - a cluster's machines say so themselves
        """Check, where that is possible, that a process can be started and given what runs need: before any is begun.

        Raises:
            BadInputError: it cannot.
        """

    @abstractmethod
    def ask(self, target: Callable[..., Any], *arguments: Any) -> Any:
        """Return `target(*arguments)` from a process of its own, which may use TensorFlow.

        Raises:
            TrainingError: the call raised, or its process died more than once.
        """

    @abstractmethod
    def drain(self, seconds: float) -> bool:
        """Wait for at most so long; return whether some are still at work. Who has ended stays among `running`."""

    @abstractmethod
    def stop(self) -> None:
        """End all work at once, whatever Ctrl-C follows; what the checkpoints hold is kept."""

    @abstractmethod
    def _begun(self, job: Job) -> Any:
        """Begin a job; return what it is known by from now on."""

    @abstractmethod
    def _ended(self, seconds: float) -> Iterable[Any]:
        """Wait for at most so long; return by what those are known that have ended."""

    @abstractmethod
    def _obituary(self, handle: Any, job: Job) -> RunResult | None:
        """Return the result of a job whose process or machine died, None if it came to its own end, well or badly."""

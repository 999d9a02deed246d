"""The queue of jobs that executors share, whether this machine works on it or a cluster."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from medcls.execution.executors.remote_job import request_stop
from medcls.execution.job import Job
from medcls.tracking.run_dir import RunDir
from medcls.tracking.run_records import RunResult

TRIES = 3  # how often a job is started whose process dies (killed, out of memory) without a new epoch


class Executor(ABC):
    """Carries jobs out, about in the order in which they were submitted.

    Args:
        cores: the largest number of threads of one run.
        room: the largest number of threads at work at the same time.
        workers: the largest number of runs at work at the same time.
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
        """How many runs of one thread may be at work at the same time."""
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
        """Start the jobs that fit, wait until some job ends, and return the jobs that have ended.

        A job whose process died of something that no code could catch is started again from its checkpoint. If its
        process dies repeatedly, the job has failed.

        Args:
            seconds: the longest time to wait.
        """
        self._start()
        jobs = []
        for handle in self._ended(seconds):
            job = self._running.pop(handle)
            result = self._result_of_death(handle, job)
            if result is not None and self._tries[job.folder][0] < TRIES:
                self._waiting.appendleft(job)
                continue
            if result is not None:
                RunDir(job.folder).finish(result, {})
            jobs.append(job)
        return jobs  # the cores that are free now wait for what follows from these: it may go to the same worker

    def wind_down(self) -> None:
        """Start no more jobs, and ask those at work to end after the current epoch."""
        self._waiting.clear()
        for job in self.running:
            request_stop(job, stop=True)

    def _start(self) -> None:
        """Start waiting jobs as long as their threads fit."""
        while self._waiting and len(self._running) < self._workers:
            used = sum(job.threads for job in self._running.values())
            if self._running and used + self._waiting[0].threads > self._room:
                return
            job = self._next_job()
            self._waiting.remove(job)
            self._count_try(job)
            job.folder.mkdir(parents=True, exist_ok=True)
            request_stop(job, stop=False)
            self._running[self._launch(job)] = job

    def _next_job(self) -> Job:
        """Return the waiting job that is started next; it has as many threads as the first one."""
        return self._waiting[0]

    def _count_try(self, job: Job) -> None:
        """Count how often a job was started without a new epoch."""
        held = RunDir(job.folder).epochs_held()
        tries, held_before = self._tries.get(job.folder, (0, held))
        self._tries[job.folder] = (tries + 1 if held == held_before else 1, held)

    def rehearse(self, needed: Sequence[Any]) -> None:  # noqa: B027 - the machines of a cluster report it themselves
        """Check that a process can be started and can receive what runs need, before any run is started.

        Args:
            needed: what runs need, such as variants and functions.

        Raises:
            BadInputError: no process can be started, or it cannot receive that.
        """

    @abstractmethod
    def ask(self, target: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function in another process, which may use TensorFlow, and return what the function returns.

        Args:
            target: the function.
            *arguments: its arguments.

        Raises:
            TrainingError: the function raised, or its process died repeatedly.
        """

    @abstractmethod
    def drain(self, seconds: float) -> bool:
        """Wait for the jobs at work, `seconds` at most; return whether some are still at work.

        The jobs that have ended stay in `running`.
        """

    @abstractmethod
    def stop(self) -> None:
        """Kill the jobs at work, whatever Ctrl-C follows; what the checkpoints hold is kept."""

    @abstractmethod
    def _launch(self, job: Job) -> Any:
        """Start a job and return its handle."""

    @abstractmethod
    def _ended(self, seconds: float) -> Iterable[Any]:
        """Wait for the jobs at work, `seconds` at most; return the handles of those that have ended."""

    @abstractmethod
    def _result_of_death(self, handle: Any, job: Job) -> RunResult | None:
        """Return the result of a job whose process or machine died; None if the job ended by itself, well or badly."""

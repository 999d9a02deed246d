"""Runs as Ray tasks (Moritz et al. 2018): on a Ray started here, or on a cluster whose machines see the work folder.

Ray places, distributes and starts; what a run does and what is kept of it is the same as on one machine. A task whose
process or node dies is given out again, and goes on from the run's last checkpoint.
"""

import os
import socket
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from medcls.compute.worker import answer, work
from medcls.errors import BadInputError, TrainingError
from medcls.interruption import settle
from medcls.lazy import lazy
from medcls.one_run import Job, carry_out, is_over, obituary
from medcls.tracking.journal import RunFolder

ray = lazy("ray")

HERE = "ray"
TRIES = 4  # a task that dies without a new epoch is given out again so often
STARTING = 120.0  # seconds that a cluster may take to answer


class RayExecutor:
    """Carries jobs out as Ray tasks, each in a fresh process.

    Args:
        address: "ray" for a Ray on this machine's cores, started here; "auto" or "ray://HOST:PORT" for one there is.
        workers: how many runs may be at work at most; None for as many as the cluster has room for.

    Raises:
        BadInputError: Ray is not installed, or there is none at the address.
    """

    def __init__(self, address: str, workers: int | None) -> None:
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        passed = {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)), "TF_CPP_MIN_LOG_LEVEL": "3"}
        passed |= {name: value for name, value in os.environ.items() if name.startswith(("MEDCLS_", "TF_ENABLE_"))}
        given = {"runtime_env": {"env_vars": passed}, "log_to_driver": False, "logging_level": "ERROR"}
        try:
            ray.init(**({"include_dashboard": False} if address == HERE else {"address": address}), **given)
        except ImportError as error:
            raise BadInputError(
                'For --executor ray, Ray must be installed: python -m pip install -e ".[ray]".'
            ) from error
        except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
            raise BadInputError(
                f"There is no Ray at --executor {address} ({_first_line(error)}): start one, or say ray for one here."
            ) from error
        counts = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
        self.cores, self._all = max(counts, default=1) or 1, sum(counts)
        self._workers = workers or max(self._all, 1)
        self._waiting: deque[Job] = deque()
        self._running: dict[Any, Job] = {}
        self._tries: dict[Path, tuple[int, int]] = {}
        self._work = ray.remote(max_calls=1, max_retries=0)(_carried_out)
        self._answer = ray.remote(max_calls=1, max_retries=TRIES)(_answered)

    def warm_up(self) -> None:
        """Do nothing: Ray has its own processes."""

    def submit(self, job: Job) -> None:
        """Queue a job."""
        self._waiting.append(job)

    @property
    def running(self) -> list[Job]:
        """The jobs that Ray has, oldest first."""
        return list(self._running.values())

    def wait(self, seconds: float) -> list[Job]:
        """Hand out what fits, wait for at most so long, and return the jobs that ended.

        A job whose process or node died is handed out again; if that does not help, it has failed.
        """
        self._start()
        if not self._running:
            return []
        done, _ = ray.wait(list(self._running), num_returns=1, timeout=seconds)
        jobs = []
        for reference in done:
            job = self._running.pop(reference)
            sentence = _end_of(reference)
            if is_over(job):
                jobs.append(job)
            elif self._tries[job.folder][0] < TRIES and not sentence.startswith(UNSEEN):
                self._waiting.appendleft(job)
            else:
                RunFolder(job.folder).finish({**obituary(job, None), "error": sentence}, {})
                jobs.append(job)
        self._start()
        return jobs

    def ask(self, target: Callable[..., Any], *arguments: Any) -> Any:
        """Return `target(*arguments)` from a process of its own, which may use TensorFlow.

        Raises:
            TrainingError: the call raised, or its process died more than once.
        """
        try:
            value, error = ray.get(self._answer.options(num_cpus=1).remote(target, arguments))
        except ray.exceptions.RayError as died:
            raise TrainingError(f"{target.__name__}: its process died again and again") from died
        if error is not None:
            raise TrainingError(f"{target.__name__}: {error}")
        return value

    def wind_down(self) -> None:
        """Hand nothing more out, and let those at work end after their epochs."""
        self._waiting.clear()
        for job in self.running:
            RunFolder(job.folder).wind_down()

    def drain(self, seconds: float) -> bool:
        """Wait for at most so long; return whether some are still at work. Who has ended stays among `running`."""
        _, busy = (
            ray.wait(list(self._running), num_returns=len(self._running), timeout=seconds)
            if self._running
            else ([], [])
        )
        return bool(busy)

    def stop(self) -> None:
        """End all work at once, whatever Ctrl-C follows; what the checkpoints hold is kept."""
        settle()
        self._waiting.clear()
        for reference in self._running:
            ray.cancel(reference, force=True)
        self._running.clear()
        ray.shutdown()

    def _start(self) -> None:
        while self._waiting and len(self._running) < self._workers:
            used = sum(job.threads for job in self._running.values())
            if self._running and used + self._waiting[0].threads > self._all:
                return
            job = self._waiting.popleft()
            held = RunFolder(job.folder).epochs_held()
            tries, before = self._tries.get(job.folder, (0, held))
            self._tries[job.folder] = (tries + 1 if held == before else 1, held)
            job.folder.mkdir(parents=True, exist_ok=True)
            RunFolder(job.folder).go_on()
            asked = {"num_cpus": min(job.threads, self.cores), **_as_ray_says(job)}
            self._running[self._work.options(**asked).remote(job)] = job


UNSEEN = "The worker"


def _as_ray_says(job: Job) -> dict[str, float]:
    names = {"gpu": "num_gpus", "memory": "memory"}
    return {names[name]: amount for name, amount in job.resources.items() if name in names}


def _carried_out(job: Job) -> str:
    """Carry a job out, in a process of Ray's; return why that is impossible here, "" if it is not."""
    for place in (job.folder, job.data):
        if not place.is_dir():
            return (
                f"{UNSEEN} on {socket.gethostname()} cannot see {place}: give a --work-dir that all machines of the "
                "cluster share."
            )
    work(carry_out, (job,), job.threads, job.folder / "output.txt")
    return ""


def _answered(target: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, str | None]:
    reply = _Reply()
    answer(target, arguments, reply)
    return reply.sent


class _Reply:
    """Keeps what is sent."""

    sent: tuple[Any, str | None] = (None, "it said nothing")

    def send(self, value: tuple[Any, str | None]) -> None:
        self.sent = value


def _end_of(reference: Any) -> str:
    try:
        return str(ray.get(reference))
    except ray.exceptions.RayError as error:
        return f"Its process or its node died again and again ({_first_line(error)})."


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")

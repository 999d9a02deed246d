"""The executor that runs jobs as Ray tasks (Moritz et al. 2018), on a Ray started here or on a cluster.

Ray only decides where a job runs; what a run does and writes does not depend on it. A task whose process or machine
dies is submitted again and resumes from the run's last checkpoint. A process of Ray's serves many tasks: each task
starts the run's own process from a server of workers, as on one machine, so TensorFlow is imported once.
"""

import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from medcls.execution.executors.base import TRIES, Executor
from medcls.execution.executors.local import LocalExecutor, result_of_death
from medcls.execution.executors.ray_connection import connect
from medcls.execution.executors.remote_job import fetch_inputs
from medcls.execution.failures import crashed_result
from medcls.execution.job import Job, is_over
from medcls.tracking.remote_sync import PERIOD, RemoteSync
from medcls.tracking.run_records import RunResult
from medcls.utils.errors import BadInputError, TrainingError, first_line
from medcls.utils.lazy import ray
from medcls.utils.signals import ignore_signals

SMALL = 20_000_000  # bytes of a file that is fetched while its run is at work
DEVICES = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")  # Ray sets them for each task


class RayExecutor(Executor):
    """Carries jobs out as Ray tasks, each in a fresh process.

    Args:
        address: "ray" starts a Ray on this machine's cores; "auto" or "ray://HOST:PORT" joins an existing one.
        workers: the largest number of runs at work at the same time, None for as many as the cluster has room for.
        remote: the copy of the work directory that the cluster's machines see, None where they share the directory.

    Raises:
        BadInputError: Ray is not installed, or there is none at the address.
    """

    def __init__(self, address: str, workers: int | None, remote: RemoteSync | None = None) -> None:
        connect(address)
        counts = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
        room = max(sum(counts), 1)
        super().__init__(max([1, *counts]), room, workers or room)
        self._work = ray.remote(max_retries=0)(_run_job)
        self._answer = ray.remote(max_retries=TRIES)(_call)
        self._remote, self._looked = remote, 0.0
        self._here = LocalExecutor(1, 1) if remote is not None else None

    def ask(self, target: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function in another process, which may use TensorFlow, and return what the function returns.

        Args:
            target: the function.
            *arguments: its arguments.

        Raises:
            TrainingError: the function raised, or its process died repeatedly.
        """
        if self._here is not None:  # the function writes into this machine's own directory
            return self._here.ask(target, *arguments)
        try:
            value, error = ray.get(self._answer.options(num_cpus=1).remote(target, arguments))
        except ray.exceptions.RayError as died:
            raise TrainingError(f"{target.__name__}: its process died repeatedly") from died
        if error:
            raise TrainingError(error)
        return value

    def drain(self, seconds: float) -> bool:
        """Wait for the jobs at work, `seconds` at most; return whether some are still at work."""
        return len(self._done(seconds, len(self._running))) < len(self._running)

    def stop(self) -> None:
        """Kill the jobs at work, whatever Ctrl-C follows; what the checkpoints hold is kept."""
        ignore_signals()
        self._waiting.clear()
        for reference in self._running:
            ray.cancel(reference, force=True)
        self._running.clear()
        ray.shutdown()
        if self._here is not None:
            self._here.stop()

    def _launch(self, job: Job) -> Any:
        return self._work.options(num_cpus=min(job.threads, self.cores), **_ray_resources(job)).remote(job)

    def _ended(self, seconds: float) -> list[Any]:
        if not self._running:
            time.sleep(seconds)  # Ray answers at once
        return self._done(seconds, 1)

    def _done(self, seconds: float, count: int) -> list[Any]:
        """Wait until `count` tasks have ended, `seconds` at most; return those that have ended."""
        ended: list[Any] = []
        if self._running:
            ended, _ = ray.wait(list(self._running), num_returns=count, timeout=seconds)
        if self._remote is not None:
            self._download(self._remote, ended)
        return ended

    def _download(self, remote: RemoteSync, ended: Sequence[Any]) -> None:
        """Download the run directories of tasks that have ended, and now and then the small files of the others."""
        for task in ended:
            remote.download(self._running[task].folder.name)
        if time.monotonic() - self._looked > PERIOD:
            for task in self._running.keys() - set(ended):
                remote.download(self._running[task].folder.name, SMALL)
            self._looked = time.monotonic()

    def _result_of_death(self, handle: Any, job: Job) -> RunResult | None:
        try:
            return result_of_death(job, ray.get(handle))
        except ray.exceptions.RayTaskError as error:
            return replace(crashed_result(job, None), error=f"{first_line(error.cause or error)}.")
        except ray.exceptions.RayError as error:
            sentence = f"The worker or its machine died repeatedly ({first_line(error)})."
            return None if is_over(job) else replace(crashed_result(job, None), error=sentence)


def _ray_resources(job: Job) -> dict[str, float]:
    """Return the resources of a job by Ray's names."""
    resources: dict[str, float] = {}
    for name, ray_name in (("gpu", "num_gpus"), ("memory", "memory")):
        if name in job.resources:
            resources[ray_name] = job.resources[name]
    return resources


def _run_job(job: Job) -> int | None:
    """Carry a job out in a task of Ray's; return the exit code of the run's own process.

    Raises:
        BadInputError: this machine does not see the job's directories.
    """
    if job.remote_url:
        job = fetch_inputs(job)
    for directory in (job.folder, job.data):
        if not directory.is_dir():
            raise BadInputError(
                f"{socket.gethostname()} cannot see {directory}: "
                "give a --work-dir that all machines of the cluster share."
            )
    return _executor_of_this_machine().run_and_wait(job)


def _call(target: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, str]:
    """Call a function in another process of this machine; return (return value, ""), or (None, what went wrong)."""
    try:
        return _executor_of_this_machine().ask(target, *arguments), ""
    except TrainingError as error:
        return None, str(error)


def _executor_of_this_machine() -> LocalExecutor:
    """Return the executor that starts processes for this task of Ray's; its server of workers outlives the task."""
    vars(sys.modules["__main__"]).pop("__file__", None)  # or each would import the script that Ray started this one by
    return LocalExecutor(1, 1, {name: os.environ[name] for name in DEVICES if name in os.environ})

"""Runs as Ray tasks (Moritz et al. 2018): on a Ray started here, or on a cluster whose machines see the work folder.

Ray places, distributes and starts; what a run does and what is kept of it is the same as on one machine. A task whose
process or node dies is given out again, and goes on from the run's last checkpoint. A process of Ray's serves many
tasks: each starts the run's own one from a server of workers, as on one machine, so TensorFlow is imported once.
"""

import contextlib
import ipaddress
import logging
import os
import secrets
import socket
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from medcls.execution.executors.base import TRIES, Executor
from medcls.execution.executors.local import LocalExecutor, obituary_of
from medcls.execution.executors.remote_job import fetch_inputs
from medcls.execution.job import Job, is_over
from medcls.execution.run import crashed_result
from medcls.tracking.remote_sync import PERIOD, RemoteSync
from medcls.tracking.run_records import RunResult
from medcls.utils.errors import BadInputError, TrainingError, first_line
from medcls.utils.lazy import ray
from medcls.utils.redaction import text_without_secrets
from medcls.utils.signals import ignore_signals

HERE = "ray"
SMALL = 20_000_000  # bytes of a file that is fetched while its run is at work
PRIVATE = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"  # 0 keeps a Ray to the loopback addresses, on every system
OURS = ("MEDCLS_STORAGE",)  # variables that the driver alone needs
NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY
DEVICES = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")  # what Ray gives a task changes


class RayExecutor(Executor):
    """Carries jobs out as Ray tasks, each in a fresh process.

    Args:
        address: "ray" for a Ray on this machine's cores, started here; "auto" or "ray://HOST:PORT" for one there is.
        workers: how many runs may be at work at most; None for as many as the cluster has room for.
        depot: where the cluster's machines leave what they make, if they share no folder.

    Raises:
        BadInputError: Ray is not installed, or there is none at the address.
    """

    def __init__(self, address: str, workers: int | None, depot: RemoteSync | None = None) -> None:
        _connect(address)
        counts = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
        room = max(sum(counts), 1)
        super().__init__(max([1, *counts]), room, workers or room)
        self._work = ray.remote(max_retries=0)(_carried_out)
        self._answer = ray.remote(max_retries=TRIES)(_answered)
        self._depot, self._looked = depot, 0.0
        self._here = LocalExecutor(1, 1) if depot is not None else None

    def ask(self, target: Callable[..., Any], *arguments: Any) -> Any:
        """Return `target(*arguments)` from a process of its own, which may use TensorFlow.

        Raises:
            TrainingError: the call raised, or its process died more than once.
        """
        if self._here is not None:  # what is asked for is written into this machine's own folder
            return self._here.ask(target, *arguments)
        try:
            value, error = ray.get(self._answer.options(num_cpus=1).remote(target, arguments))
        except ray.exceptions.RayError as died:
            raise TrainingError(f"{target.__name__}: its process died again and again") from died
        if error:
            raise TrainingError(error)
        return value

    def drain(self, seconds: float) -> bool:
        """Wait for at most so long; return whether some are still at work. Who has ended stays among `running`."""
        return len(self._done(seconds, len(self._running))) < len(self._running)

    def stop(self) -> None:
        """End all work at once, whatever Ctrl-C follows; what the checkpoints hold is kept."""
        ignore_signals()
        self._waiting.clear()
        for reference in self._running:
            ray.cancel(reference, force=True)
        self._running.clear()
        ray.shutdown()
        if self._here is not None:
            self._here.stop()

    def _begun(self, job: Job) -> Any:
        return self._work.options(num_cpus=min(job.threads, self.cores), **_as_ray_says(job)).remote(job)

    def _ended(self, seconds: float) -> list[Any]:
        if not self._running:
            time.sleep(seconds)  # Ray answers at once
        return self._done(seconds, 1)

    def _done(self, seconds: float, count: int) -> list[Any]:
        """Wait for so many tasks and at most so long; return those that have ended."""
        ended = list(ray.wait(list(self._running), num_returns=count, timeout=seconds)[0]) if self._running else []
        if self._depot is not None:
            self._look(self._depot, ended)
        return ended

    def _look(self, depot: RemoteSync, ended: Sequence[Any]) -> None:
        """Fetch what the tasks have made: all of those that have ended, of the others now and then what is small."""
        for task in ended:
            depot.fetch(self._running[task].folder.name)
        if time.monotonic() - self._looked > PERIOD:
            for task in self._running.keys() - set(ended):
                depot.fetch(self._running[task].folder.name, SMALL)
            self._looked = time.monotonic()

    def _obituary(self, handle: Any, job: Job) -> RunResult | None:
        try:
            return obituary_of(job, ray.get(handle))
        except ray.exceptions.RayTaskError as error:
            return replace(crashed_result(job, None), error=f"{first_line(error.cause or error)}.")
        except ray.exceptions.RayError as error:
            sentence = f"The worker or its machine died repeatedly ({first_line(error)})."
            return None if is_over(job) else replace(crashed_result(job, None), error=sentence)


def _connect(address: str) -> None:
    """Start a Ray here, or join one.

    Raises:
        BadInputError: Ray is not installed, there is none at the address, or none can be started here.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # a client says in many words that it waited
            if address == HERE:
                _start()
            else:
                # Its processes get variables by a way that Ray logs for all users of a machine to read.
                ray.init(address, runtime_env={"env_vars": _passed()}, log_to_driver=False, logging_level=logging.ERROR)
    except ImportError as error:
        raise BadInputError('For --executor ray, Ray must be installed: python -m pip install -e ".[ray]".') from error
    except (OSError, RuntimeError, ValueError) as error:
        if address == HERE:
            raise BadInputError(f"--executor ray: no Ray can be started here ({first_line(error)}).") from error
        raise BadInputError(
            f"There is no Ray at --executor {address} ({first_line(error)}): start one, or say ray for one here."
        ) from error


def _start() -> None:
    """Start a Ray that takes calls from this machine alone."""
    _check_temporary()
    _make_token()
    variables = {
        **_passed(),
        **dict.fromkeys(OURS),
        PRIVATE: "0",
        "RAY_USAGE_STATS_ENABLED": os.environ.get("RAY_USAGE_STATS_ENABLED", "0"),  # nothing leaves unasked
    }
    # Without an address Ray would look for one of this machine that may have died. What it starts inherits the
    # environment: so it need not first start an agent that makes one for its processes.
    with _kept_private(), _environment(variables):
        ray.init("local", include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    _check_private()


@contextlib.contextmanager
def _kept_private() -> Iterator[None]:
    """Have this process's own part of Ray keep to the loopback addresses; it read the environment when imported."""
    from ray._private import ray_constants

    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


def _passed() -> dict[str, str]:
    """Return the variables that the processes of a Ray need, of which none holds a password."""
    passed = {"PYTHONPATH": os.pathsep.join(_ours(sys.path)), "TF_CPP_MIN_LOG_LEVEL": "3"}
    for name, value in os.environ.items():
        is_open = name not in OURS and text_without_secrets(f"{name}={value}") == f"{name}={value}"
        if name.startswith(("MEDCLS_", "TF_ENABLE_")) and is_open:
            passed[name] = value
    return passed


def _make_token() -> None:
    """Make the token that Ray asks of whoever wants work done, where the user has none, readable by the user alone.

    Ray itself would let all users of the machine read it.
    """
    if os.environ.get("RAY_AUTH_TOKEN") or os.environ.get("RAY_AUTH_TOKEN_PATH"):
        return
    file = Path("~/.ray/auth_token").expanduser()
    with contextlib.suppress(OSError):  # Ray says what is wrong
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError), os.fdopen(os.open(file, NEW, 0o600), "w") as new:
            new.write(secrets.token_hex(32))
        file.chmod(0o600)


def _check_private() -> None:
    """Check that the Ray that was started here takes calls from this machine alone.

    Raises:
        BadInputError: it listens to others too.
    """
    address = ray.util.get_node_ip_address()
    if not ipaddress.ip_address(address).is_loopback:
        ray.shutdown()
        raise BadInputError(
            f"--executor ray: this Ray would take calls from other machines (at {address}); install the one that was "
            'tested, python -m pip install -c constraints.txt -e ".[ray]".'
        )


def _check_temporary() -> None:
    """Refuse a place for Ray's temporary files in which its processes would end at once and it wait for them for good.

    Raises:
        BadInputError: it lies in the virtual environment.
    """
    place = Path(os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp").resolve()
    environment = os.environ.get("VIRTUAL_ENV")
    if environment and place.is_relative_to(Path(environment).resolve()):
        raise BadInputError(
            f"--executor ray: Ray keeps no temporary files within a virtual environment, and {place} is in one: "
            "set TMPDIR to another folder, with a short name."
        )


@contextlib.contextmanager
def _environment(variables: Mapping[str, str | None]) -> Iterator[None]:
    """Have variables in the environment for a while, and those that are None not in it."""
    before = {name: os.environ.get(name) for name in variables}
    _set(variables)
    try:
        yield
    finally:
        _set(before)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _ours(places: Sequence[str]) -> list[str]:
    """Return where the user's own modules lie: what Python and its packages bring, each machine has of its own."""
    installed = {Path(prefix).resolve() for prefix in (sys.prefix, sys.base_prefix)}
    found = (Path(place).resolve() for place in places)
    return [str(place) for place in found if place.is_dir() and installed.isdisjoint([place, *place.parents])]


def _as_ray_says(job: Job) -> dict[str, float]:
    names = {"gpu": "num_gpus", "memory": "memory"}
    return {names[name]: amount for name, amount in job.resources.items() if name in names}


def _carried_out(job: Job) -> int | None:
    """Carry a job out, asked by a process of Ray's; return the exit code of the run's own process.

    Raises:
        BadInputError: this machine does not see the job's folders.
    """
    job = fetch_inputs(job) if job.depot else job
    for place in (job.folder, job.data):
        if not place.is_dir():
            raise BadInputError(
                f"{socket.gethostname()} cannot see {place}: give a --work-dir that all machines of the cluster share."
            )
    return _of_this_machine().see_through(job)


def _answered(target: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, str]:
    """Return (what a call returns in a process of its own, "") or (None, what went wrong)."""
    try:
        return _of_this_machine().ask(target, *arguments), ""
    except TrainingError as error:
        return None, str(error)


def _of_this_machine() -> LocalExecutor:
    """Return what starts processes for the task that this process of Ray's has; their server outlives the task."""
    vars(sys.modules["__main__"]).pop("__file__", None)  # or each would import the script that Ray started this one by
    return LocalExecutor(1, 1, {name: os.environ[name] for name in DEVICES if name in os.environ})

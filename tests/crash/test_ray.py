"""Runs on a real Ray: the same bits as on this machine alone, whatever dies: a worker, a node, the driver."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import crash_outcomes as outcomes
import psutil
import pytest
import ray
from crash_commands import Command, Running, kill, until

from medcls import BadInputError, TrainingError, Variant, data, models, training
from medcls.execution.executors.ray import RayExecutor, _run_job
from medcls.execution.job import Job
from medcls.spec.run import Run
from medcls.tasks import MULTICLASS
from medcls.tracking.run_dir import RunDir

pytestmark = pytest.mark.slow

VARIANT = Variant(partial(data.xray), partial(training.gradient, model=models.resnet), MULTICLASS)
EPOCHS = 200
CLUSTER = """
import sys
from ray.cluster_utils import Cluster
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
nodes = [cluster.add_node(num_cpus=1, num_gpus=1) for _ in range(2)]
print(cluster.address, flush=True)
for line in sys.stdin:
    cluster.remove_node(nodes.pop(), allow_graceful=False)
    print("lost", flush=True)
"""


def on_ray(command: Command, home: Path, executor: str = "ray") -> Command:
    flags = (*command.flags, "--executor", executor)
    return replace(command, home=home, flags=flags, environment={"MEDCLS_CALLED_FROM": str(home)})


def at_work(command: Command) -> list[psutil.Process]:
    """Return the processes of Ray that have a run of the command's; another test may have some too."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if "ray::_run_job" in " ".join(process.info["cmdline"] or ()):
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.environ().get("MEDCLS_CALLED_FROM") == str(command.home):
                    found.append(process)
    return found


def training(command: Command) -> list[psutil.Process]:
    """Return the processes that train the command's runs: those that the servers below Ray's have started."""
    found = []
    for process in at_work(command):
        with contextlib.suppress(psutil.NoSuchProcess):
            found += [run for server in process.children() for run in server.children()]
    return found


def epochs_held(command: Command) -> int:
    return max((RunDir(path.parent).epochs_held() for path in command.work.glob("*/run.json")), default=0)


def longer(run: Command, home: Path) -> Command:
    """Return the run with so many epochs that it can be killed several times."""
    flags = [flag.replace("epochs=40", f"epochs={EPOCHS}").replace("patience=12", "patience=999") for flag in run.flags]
    return replace(run, home=home, flags=tuple(flags))


def goes_on(command: Command, running: Running) -> bool:
    """Wait until some epochs more are held; tell whether the command is still at work then."""
    held = epochs_held(command)
    until(lambda: epochs_held(command) > held + 2 or running.process.poll() is not None)
    return running.process.poll() is None


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Yield a cluster of a head without cores and two nodes of one, which loses a node for every line it is told."""
    process = subprocess.Popen(
        [sys.executable, "-c", CLUSTER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    address = next(line.strip() for line in process.stdout if line.startswith(("127.", "1", "2")))
    monkeypatch.setenv("RAY_ADDRESS", address)
    yield process
    for child in psutil.Process(process.pid).children(recursive=True):
        kill(child)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def test_a_search_on_ray_has_the_bits_of_a_local_one(search: Command, tmp_path: Path):
    command = on_ray(search, tmp_path)
    ended = command.run()
    assert (ended.code, ended.errors) == (0, "")
    assert outcomes.summary(command) == outcomes.summary(search)
    assert outcomes.run_folders(command) == outcomes.run_folders(search)
    assert outcomes.trials(command) == outcomes.trials(search)


def test_a_killed_worker_and_a_killed_driver_cost_nothing(run: Command, tmp_path: Path):
    alone = longer(run, tmp_path / "alone")
    assert alone.run().code == 0
    command = on_ray(alone, tmp_path / "ray")
    running = command.start()
    for processes in (training, at_work):  # the run's own process alone; then Ray's, above it
        assert goes_on(command, running)
        assert until(lambda processes=processes: processes(command) != [])
        for process in processes(command):
            kill(process)
    assert goes_on(command, running)
    left = training(command)
    assert left != []
    running.kill()
    assert until(lambda: at_work(command) == [], 60)  # Ray ends what belongs to a driver that is gone
    assert until(lambda: not any(process.is_running() for process in left), 10)
    held = epochs_held(command)
    assert 0 < held < EPOCHS
    again = command.run()
    assert (again.code, again.errors) == (0, "")
    assert outcomes.run_folders(command) == outcomes.run_folders(alone)
    assert outcomes.summary(command) == outcomes.summary(alone)


def test_a_lost_node_costs_nothing(run: Command, tmp_path: Path, cluster: Any):
    command = on_ray(run, tmp_path, "auto")
    running = command.start()
    assert until(lambda: epochs_held(command) >= 3)
    cluster.stdin.write("lose one\n")
    cluster.stdin.flush()
    assert "lost" in cluster.stdout.readline()
    ended = running.wait()
    assert (ended.code, ended.errors) == (0, "")
    assert outcomes.run_folders(command) == outcomes.run_folders(run)
    assert outcomes.summary(command) == outcomes.summary(run)


def test_a_ray_that_died_here_is_not_joined(run: Command, tmp_path: Path):
    """Ray leaves a note of the last cluster of a machine; without an address it would try to reach that for minutes."""
    with tempfile.TemporaryDirectory(dir="/tmp") as short:  # a socket's name has at most 107 characters
        (Path(short) / "ray").mkdir()
        (Path(short) / "ray" / "ray_current_cluster").write_text("127.0.0.1:9")
        ended = replace(on_ray(run, tmp_path), environment={"RAY_TMPDIR": short}).run()
    assert (ended.code, ended.errors) == (0, "")
    assert outcomes.run_folders(on_ray(run, tmp_path)) == outcomes.run_folders(run)


def test_runs_share_a_server_of_workers_and_see_the_devices_that_ray_gives_them(cluster: Any):
    executor = RayExecutor("auto", 1)
    try:
        servers = {executor.ask(os.getppid) for _ in range(6)}
        with pytest.raises(TrainingError, match=r"^remove: FileNotFoundError"):
            executor.ask(os.remove, "/nowhere/at/all")
        asked = executor._answer.options(num_gpus=0.5).remote(os.getenv, ("CUDA_VISIBLE_DEVICES",))
        assert ray.get(asked) == ("0", "")
    finally:
        executor.stop()
    assert len(servers) <= 2  # one on each node, not one a call
    assert until(lambda: not any(psutil.pid_exists(server) for server in servers), 20)


def test_no_cluster_is_said_in_one_sentence(run: Command, tmp_path: Path):
    ended = on_ray(run, tmp_path, "ray://127.0.0.1:9").run()
    assert ended.code == 2
    assert ended.errors.count("\n") == 1
    assert "--executor ray://127.0.0.1:9" in ended.errors


def test_temporary_files_in_the_virtual_environment_are_refused(run: Command, tmp_path: Path):
    """Ray's processes would end at once there, and Ray wait for them for good."""
    (tmp_path / "tmp").mkdir()
    places = {"VIRTUAL_ENV": str(tmp_path), "TMPDIR": str(tmp_path / "tmp")}
    ended = replace(on_ray(run, tmp_path / "home"), environment=places).run()
    assert ended.code == 2
    assert ended.errors.count("\n") == 1
    assert f"{tmp_path / 'tmp'} is in one: set TMPDIR" in ended.errors


def test_a_socket_with_too_long_a_name_is_said_in_one_sentence(run: Command, tmp_path: Path):
    (deep := tmp_path / ("deep" * 20)).mkdir()
    ended = replace(on_ray(run, tmp_path / "home"), environment={"RAY_TMPDIR": str(deep)}).run()
    assert ended.code == 2
    assert ended.errors.count("\n") == 1
    assert "no Ray can be started here" in ended.errors


def test_a_machine_that_does_not_see_the_work_folder_says_so(tmp_path: Path):
    job = Job(Run(VARIANT, "sha256:0"), tmp_path, tmp_path / "elsewhere" / "run", 1)
    with pytest.raises(BadInputError, match=r"cannot see .*/elsewhere/run: give a --work-dir that all machines"):
        _run_job(job)

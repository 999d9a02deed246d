"""A Ray that medcls starts is for its user on this machine alone, and its logs, which all may read, hold no secret."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path

import psutil
import pytest
from crash_commands import LIMIT, Command
from test_ray import on_ray

from medcls.execution.executors.ray_connection import PRIVATE

pytestmark = pytest.mark.slow

PASSWORD = "tiramisu"
HOLD = """
import os, sys
if sys.argv[1] == "imported":
    import ray
from medcls.execution.executors.ray import RayExecutor
if __name__ == "__main__":
    executor = RayExecutor("ray", 2)
    executor.ask(os.getpid)
    import ray
    print(ray.get_runtime_context().gcs_address, flush=True)
    sys.stdin.read()
    executor.stop()
"""
CALL = """
import sys, ray
ray.init(sys.argv[1], log_to_driver=False, logging_level="ERROR")
print("came in", ray.get(ray.remote(lambda: 6 * 7).remote()))
"""


@dataclass(frozen=True)
class Held:
    """A Ray at work: the process that started it, where it is, its temporary files, the home of its user."""

    process: "subprocess.Popen[str]"
    address: str
    temporary: Path
    home: Path

    def family(self) -> list[psutil.Process]:
        """Return the process and all that it has started."""
        started = psutil.Process(self.process.pid)
        return [started, *started.children(recursive=True)]


@pytest.fixture(params=["", "imported"])
def held(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Held]:
    script, home = tmp_path / "hold.py", tmp_path / "home"
    script.write_text(HOLD)
    home.mkdir()
    with tempfile.TemporaryDirectory(dir="/tmp") as short:  # a socket's name has at most 107 characters
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        environment |= {"RAY_TMPDIR": short, "HOME": str(home)}
        environment |= {"MEDCLS_STORAGE": f"postgresql://me:{PASSWORD}@host/name", "MEDCLS_OTHER_TOKEN": PASSWORD}
        command = [sys.executable, str(script), str(request.param)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, env=environment, **pipes) as process:  # type: ignore[call-overload]
            yield Held(process, process.stdout.readline().strip(), Path(short), home)
            process.communicate("", timeout=60)
            assert process.returncode == 0


def test_it_listens_on_loopback_addresses_only(held: Held) -> None:
    listening = set()
    for process in held.family():
        for connection in process.net_connections(kind="inet"):
            if connection.status == psutil.CONN_LISTEN:
                listening.add((process.name(), connection.laddr.ip))
    assert len(listening) > 3  # the driver's, the raylet's, the store's and the workers'
    assert [pair for pair in listening if not ip_address(pair[1].removeprefix("::ffff:")).is_loopback] == []


def test_who_has_not_its_token_cannot_have_work_done(held: Held, tmp_path: Path) -> None:
    token = held.home / ".ray" / "auth_token"
    assert token.stat().st_mode & 0o077 == 0  # nobody but the user may read it
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    here = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    here |= {PRIVATE: "0"}  # all call from this machine, as a Ray that keeps to it must be called
    guessed, owner = ({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": text} for text in ("guessed", token.read_text()))
    for credentials in ({}, {"RAY_AUTH_MODE": "disabled"}, guessed, owner):
        environment = {**here, "HOME": str(stranger), "RAY_TMPDIR": str(held.temporary), **credentials}
        command = [sys.executable, "-c", CALL, held.address]
        patience = LIMIT if credentials is owner else 30.0  # a stranger asks again and again
        try:
            ended = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=patience, check=False
            )
            said = ended.stdout
        except subprocess.TimeoutExpired:
            said = ""
        assert ("came in 42" in said) == (credentials is owner), credentials


def test_its_logs_hold_no_secret(held: Held) -> None:
    files = [path for path in held.temporary.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert [path for path in files if PASSWORD.encode() in path.read_bytes()] == []


@pytest.mark.parametrize("way", ["flag", "variable"])
def test_a_search_on_ray_writes_its_database_s_password_nowhere(
    way: str, search: Command, database: str, tmp_path: Path
) -> None:
    """Neither below the work folder, in the store nor in Ray's logs, however the URL is given."""
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        command = on_ray(search, tmp_path / "home")
        environment = {**command.environment, "RAY_TMPDIR": short}
        if way == "flag":
            command = replace(command, flags=(*command.flags, "--storage", database), environment=environment)
        else:
            command = replace(command, environment={**environment, "MEDCLS_STORAGE": database})
        ended = command.run()
        assert (ended.code, ended.errors) == (0, "")
        files = [path for place in (tmp_path, Path(short)) for path in place.rglob("*") if path.is_file()]
        assert any(path.name == "raylet.out" for path in files)
        assert any(path.name == "summary.json" for path in files)
        assert [path for path in files if PASSWORD.encode() in path.read_bytes()] == []

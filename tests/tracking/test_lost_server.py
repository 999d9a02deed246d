"""A tracking server that goes away in the middle of a study: nothing is lost, nothing doubled, nobody waits."""

import contextlib
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tracking_stores import LIMIT, Command, Server, content

pytestmark = pytest.mark.slow


def until(condition: Callable[[], bool], process: subprocess.Popen[str], command: Command) -> None:
    """Wait for what the command does in the end; tell what it said if it stops before."""
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert process.poll() is None, ended(process, command)
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ask(server: Server, query: str) -> int:
    """Return a number from the server's database, which can be read while the server is away."""
    with contextlib.closing(sqlite3.connect(server.home / "server.db")) as database:
        return int(database.execute(query).fetchone()[0])


def has_epochs(server: Server) -> bool:
    return ask(server, "select count(*) from metrics where key = 'loss'") > 0


def finished(server: Server) -> int:
    return ask(server, "select count(*) from runs where status = 'FINISHED'")


def results(command: Command) -> int:
    return len(list(command.work.glob("*/result.json")))


def ended(process: subprocess.Popen[str], command: Command) -> tuple[int, str]:
    output, _ = process.communicate(timeout=LIMIT * 3)
    return process.returncode, output + (command.home / "errors").read_text()


def test_a_server_that_dies_is_caught_up_with(server: Server, pictures: Path, tmp_path: Path) -> None:
    command = Command("tracked_search", pictures, tmp_path, server.uri)
    process = command.start()
    until(lambda: has_epochs(server), process, command)
    server.kill()
    code, said = ended(process, command)
    assert code == 0, said
    assert "Lost the connection to the MLflow store (" in said
    assert "Run the same command again" in said
    assert finished(server) < 8

    server.start()
    code, said = command.run()
    assert code == 0, said
    assert "Lost the connection" not in said
    elsewhere = f"sqlite:///{tmp_path / 'undisturbed.db'}"
    assert command.run(elsewhere)[0] == 0
    assert finished(server) == 8
    assert content(server.uri) == content(elsewhere)


def test_a_server_that_comes_back_has_all_at_the_end(server: Server, pictures: Path, tmp_path: Path) -> None:
    command = Command("tracked_search", pictures, tmp_path, server.uri, "--trials", "6")
    process = command.start()
    until(lambda: has_epochs(server), process, command)
    server.kill()
    there = results(command)
    until(lambda: results(command) > there, process, command)
    server.start()
    code, said = ended(process, command)

    assert code == 0, said
    assert "Lost the connection" not in said
    elsewhere = f"sqlite:///{tmp_path / 'undisturbed.db'}"
    assert command.run(elsewhere)[0] == 0
    assert content(server.uri) == content(elsewhere)


def test_a_server_that_hangs_holds_up_nothing(server: Server, pictures: Path, tmp_path: Path) -> None:
    command = Command("tracked_search", pictures, tmp_path, server.uri)
    process = command.start()
    until(lambda: has_epochs(server), process, command)
    server.signal(signal.SIGSTOP)
    code, said = ended(process, command)

    assert code == 0, said
    assert "Lost the connection to the MLflow store (" in said
    assert results(command) == 5


def test_an_unreachable_server_is_bad_input(pictures: Path, tmp_path: Path) -> None:
    command = Command("tracked_search", pictures, tmp_path, "http://me:secret@127.0.0.1:9")
    code, said = command.run()

    (sentence,) = [line for line in said.splitlines() if line.startswith("tracked_search: ")]
    assert code == 2
    assert sentence.startswith("tracked_search: The MLflow store http://127.0.0.1:9 cannot be reached (")
    assert "--offline" in sentence
    assert "Traceback" not in said
    assert results(command) == 0


def test_many_drivers_open_one_fresh_store(pictures: Path, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'shared' / 'mlflow.db'}"
    few = ("--smoke", "--trials", "1")
    commands = [Command("tracked_search", pictures, tmp_path / str(number), store, *few) for number in range(4)]
    processes = [command.start() for command in commands]

    for process, command in zip(processes, commands, strict=True):
        code, said = ended(process, command)
        assert code == 0, said
        assert "is registered as medcls-tracked_search@champion" in said
    assert experiments(store) == ["Default", "tracked_search"]


def experiments(store: str) -> list[str]:
    import mlflow

    return sorted(each.name for each in mlflow.MlflowClient(store).search_experiments())

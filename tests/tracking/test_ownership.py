"""One driver at a time in a work folder: leases under kills, pauses and races, by real processes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from medcls import BadInputError, TrainingError
from medcls.tracking.lock import LAPSED, LOCK, RECORD, Lease, described, work_dir_lock
from medcls.tracking.record_file import LocalRecordFile

BEAT = 0.2
OWNER = """
import signal, sys, time
from pathlib import Path
from medcls.utils.signals import install_handlers as listen
from medcls.tracking.lock import Lease
from medcls.tracking.record_file import LocalRecordFile
listen()
lease = Lease(LocalRecordFile(Path(sys.argv[1])), float(sys.argv[3]), machine=sys.argv[2])
try:
    print("another's" if lease.take() else "mine", flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    signal.setitimer(signal.ITIMER_REAL, 0)
    print("lost" if lease.lost else "ended", flush=True)
    lease.leave()
"""
FOLDER = """
import sys
from pathlib import Path
from medcls import BadInputError, TrainingError
from medcls.tracking.lock import work_dir_lock as owned
try:
    with owned(Path(sys.argv[1]), wait="wait" in sys.argv, tell=print):
        print("mine", flush=True)
        sys.stdin.readline()
except (BadInputError, TrainingError) as error:
    print(error)
"""


@contextmanager
def owner(record: Path, machine: str, beat: float = BEAT) -> Iterator[subprocess.Popen[str]]:
    """Start a process of another machine that wants the record."""
    command = [sys.executable, "-c", OWNER, str(record), machine, str(beat)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def until(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_a_folder_is_made_held_and_left_without_a_record(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "runs"
    with work_dir_lock(folder, wait=False, tell=print):
        record = json.loads((folder / RECORD).read_text())
        assert record["process"] == os.getpid()
    assert not (folder / RECORD).exists()


def test_the_record_names_the_command_without_its_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["__main__"], "__file__", "study.py", raising=False)
    monkeypatch.setattr(sys, "argv", ["study.py", "--tracking-uri", "postgresql://me:secret@host/store"])
    with work_dir_lock(tmp_path, wait=False, tell=print):
        assert json.loads((tmp_path / RECORD).read_text())["command"].endswith(
            "study.py --tracking-uri postgresql://host/store"
        )


def test_a_second_command_of_this_machine_is_told_who_owns_the_folder(tmp_path: Path) -> None:
    with work_dir_lock(tmp_path, wait=False, tell=print):
        done = subprocess.run([sys.executable, "-c", FOLDER, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"Another command is using {tmp_path}: ")
    assert f"(process {os.getpid()}, since " in done.stdout
    assert "--wait" in done.stdout
    assert "--work-dir" in done.stdout


def test_a_command_that_waits_goes_on_when_the_owner_has_been_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FOLDER, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as first, subprocess.Popen([*command, "wait"], **pipes) as second:  # type: ignore[call-overload]
        # Whoever came first, one of them has the folder; kill the first and the second has it in the end.
        time.sleep(1)
        first.kill()
        first.wait()
        lines = [said(second)]
        while lines[-1] != "mine":
            assert lines[-1].startswith("waiting for ")
            lines.append(said(second))
        assert len(lines) <= 2  # it says so once, not at every look
        second.communicate("\n", timeout=60)
    assert not (tmp_path / RECORD).exists()


def test_an_owner_elsewhere_is_respected_while_it_lives_and_followed_when_it_is_dead(tmp_path: Path) -> None:
    record = tmp_path / RECORD
    with owner(record, "first") as first, owner(record, "second") as second:
        assert {said(first), said(second)} == {"mine", "another's"}
    kept = json.loads(record.read_text())
    began = time.monotonic()
    said_of: list[str] = []
    lease = Lease(LocalRecordFile(record), BEAT, machine="third", tell=said_of.append)
    assert lease.take() is None
    assert said_of[0].startswith("checking for up to 1 s whether ")
    assert time.monotonic() - began >= LAPSED * BEAT  # a clock's look, not the file's time
    assert json.loads(record.read_text())["token"] != kept["token"]
    lease.leave()
    assert not record.exists()


def test_an_owner_that_slept_too_long_stops_when_it_wakes(tmp_path: Path) -> None:
    record = tmp_path / RECORD
    with owner(record, "first") as first:
        assert said(first) == "mine"
        first.send_signal(signal.SIGSTOP)
        lease = Lease(LocalRecordFile(record), BEAT, machine="second")
        assert lease.take() is None
        first.send_signal(signal.SIGCONT)
        assert said(first) == "lost"
        time.sleep(3 * BEAT)
        assert not lease.lost
        assert json.loads(record.read_text())["machine"] == "second"  # who has lost it leaves it alone
        lease.leave()


@pytest.mark.parametrize("lapsed", [False, True])
def test_of_many_that_come_at_once_one_becomes_the_owner(tmp_path: Path, lapsed: bool) -> None:
    record = tmp_path / RECORD
    if lapsed:
        record.write_text(json.dumps({"token": "of the dead", "machine": "none"}))
    processes = [owner(record, f"machine {number}", 0.5) for number in range(5)]
    entered = [each.__enter__() for each in processes]
    try:
        words = sorted(map(said, entered))
        assert words == ["another's"] * 4 + ["mine"]
    finally:
        for each in processes:
            each.__exit__(None, None, None)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"token": 3}'])
def test_a_damaged_record_holds_up_for_as_long_as_a_dead_owner(tmp_path: Path, content: str) -> None:
    record = tmp_path / RECORD
    record.write_text(content)
    lease = Lease(LocalRecordFile(record), 0.02, machine="this")
    assert lease.take() is None
    lease.leave()
    assert not record.exists()
    assert described(content) == "another command"


def test_a_record_of_this_machine_without_its_lock_is_of_the_dead(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert said(first) == "mine"
        first.kill()
    assert (tmp_path / RECORD).exists()
    began = time.monotonic()
    with work_dir_lock(tmp_path, wait=False, tell=print):
        assert time.monotonic() - began < 5.0  # at once, not after six beats of five seconds


def taken_over(folder: Path) -> None:
    with work_dir_lock(folder, wait=False, tell=print):
        (folder / RECORD).write_text(json.dumps({"token": "another's"}))
        time.sleep(60)


def test_what_was_taken_over_is_no_interruption(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="now belongs to another command"):
        taken_over(tmp_path)


def test_a_folder_that_cannot_be_made_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(BadInputError, match=r"--work-dir .* cannot be written to"),
        work_dir_lock(tmp_path / "file" / "runs", wait=False, tell=print),
    ):
        pass
    assert not (tmp_path / LOCK).exists()

"""Study commands in sessions of their own, so that whatever they start can be found, killed and counted."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

STUDIES = Path(__file__).parents[1] / "tiny"
LIMIT = 600.0  # seconds, after which a command counts as hanging


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code and what it wrote."""

    code: int
    output: str
    errors: str


def in_short(text: str) -> str:
    """Return what faulthandler printed of all threads in a line, the innermost call of each first; else the end."""
    threads = re.split(r"^(?:Current thread|Thread) .*$", text, flags=re.MULTILINE)[1:]
    calls = [re.findall(r'File ".*?([^/"]+)", line (\d+) in (\S+)', thread) for thread in threads]
    told = [" < ".join(f"{function} {file}:{line}" for file, line, function in thread[:12]) for thread in calls]
    return " | ".join(told) or text[-500:]


@dataclass
class Running:
    """A command under way."""

    process: subprocess.Popen[bytes]
    home: Path

    def members(self) -> list[psutil.Process]:
        """Return the processes of the command's session that live, the command's own first."""
        return sorted(self._parents(), key=lambda process: process.pid != self.process.pid)

    def workers(self) -> list[psutil.Process]:
        """Return the processes that the server of workers has started."""
        parents = self._parents()
        servers = {process.pid for process, parent in parents.items() if parent == self.process.pid}
        return [process for process, parent in parents.items() if parent in servers]

    def _parents(self) -> dict[psutil.Process, int]:
        """Return the processes of the command's session that live, with their parents; any may end meanwhile."""
        found = {}
        for process in psutil.process_iter():
            try:
                if os.getsid(process.pid) == self.process.pid and process.status() != psutil.STATUS_ZOMBIE:
                    found[process] = process.ppid()
            except (ProcessLookupError, psutil.NoSuchProcess):
                continue
        return found

    def wait(self) -> Ended:
        """Wait for the command to end; of one that hangs, say where it and its processes stand."""
        try:
            code = self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            pytest.fail(f"It hangs.\n{self._stacks()}", pytrace=False)
        return Ended(code, (self.home / "output").read_text(), (self.home / "errors").read_text())

    def _stacks(self) -> str:
        """Make all processes of the command say where they stand, end them, and return what they said."""
        command, table = psutil.Process(self.process.pid), []
        processes = [command, *command.children(recursive=True)]
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                words = " ".join(process.cmdline())[-150:]
                table.append(f"{process.pid} below {process.ppid()}, {process.status()}: {words}")
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGABRT)  # faulthandler prints all threads
        time.sleep(3.0)
        for process in processes:
            kill(process)
        self.process.wait()
        said = [self.home / "output", self.home / "errors", *sorted(self.home.rglob("output.txt"))]
        return "\n".join([*table, *(f"{path.name}: {in_short(path.read_text())}" for path in said if path.exists())])

    def kill(self) -> None:
        """Kill the command as nothing can prevent."""
        self.process.kill()
        self.process.wait()

    def leaves_nothing(self) -> bool:
        """Tell whether no process is left soon."""
        return until(lambda: not self.members(), 60.0)


@dataclass(frozen=True)
class Command:
    """The command of a study, or of several whose names a space divides; work folder, store and summary in `home`.

    `place` is the URL of a work folder elsewhere.
    """

    study: str
    images: Path
    home: Path
    flags: tuple[str, ...] = field(default=("--workers", "2", "--threads", "1"))
    place: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    def start(self) -> Running:
        """Start the command."""
        self.home.mkdir(parents=True, exist_ok=True)
        work = self.place or self.work
        places = {"--data": self.images, "--work-dir": work, "--json": self.summary, "--tracking-uri": self.store}
        arguments = [str(part) for place in places.items() for part in place]
        with (self.home / "output").open("w") as output, (self.home / "errors").open("w") as errors:
            files = [str(STUDIES / f"{name}.py") for name in self.study.split()]
            together = ["-m", "medcls", "run"] if len(files) > 1 else []
            line = [sys.executable, *together, *files, *arguments, *self.flags]
            mine = {**os.environ, "PYTHONFAULTHANDLER": "1", **self.environment}
            process = subprocess.Popen(line, stdout=output, stderr=errors, start_new_session=True, env=mine)
        return Running(process, self.home)

    def run(self) -> Ended:
        """Run the command to its end."""
        return self.start().wait()

    @property
    def work(self) -> Path:
        """The folder of run folders."""
        return self.home / "runs"

    @property
    def summary(self) -> Path:
        """The summary's file."""
        return self.home / "summary.json"

    @property
    def store(self) -> str:
        """The MLflow store."""
        return f"sqlite:///{self.home / 'mlflow.db'}"


def until(condition: Callable[[], bool], seconds: float = LIMIT) -> bool:
    """Wait until the condition holds; return whether it does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def kill(process: psutil.Process) -> None:
    """Kill a process that may be gone already."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(signal.SIGKILL)

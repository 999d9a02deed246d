"""Lets one driver at a time use a work directory: a file lock on one machine, a lease between machines.

The file system's lock works at once and reliably, but on a shared path it may hold on one machine only. So the owner
of a work directory also keeps a record of itself in a file and renews it every few seconds: a lease (Gray and Cheriton
1989). A command that finds the record of another machine watches, by its own clock, whether the record is still
renewed. An owner that finds the record of another owner in place of its own stops.
"""

import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from medcls.tracking.record_file import LocalRecordFile, RecordFile
from medcls.utils.errors import BadInputError, TrainingError
from medcls.utils.provenance import command

LOCK, RECORD = "driver.lock", "owner.json"
BEAT = 5.0  # seconds between two renewals
LAPSED = 6  # how many renewals in a row are missing until the owner counts as dead
POLL = 2.0  # seconds between two tries of a command that waits


@contextmanager
def work_dir_lock(
    folder: Path, *, wait: bool, tell: Callable[[str], None], record: RecordFile | None = None, named: str = ""
) -> Iterator[bool]:
    """Own a work directory, which is created if it does not exist; yield whether another command was waited for.

    Args:
        folder: the work directory.
        wait: whether to wait until another command has left the directory.
        tell: prints which command is waited for.
        record: of the owner, None for a file in the directory itself.
        named: what the directory is called in messages, "" for its path.

    Raises:
        BadInputError: another command owns the directory, or it cannot be written to.
        TrainingError: a command on another machine took the directory over while this one could not renew its record.
    """
    printed: set[str] = set()
    tell = _once(tell, printed)
    name = named or str(folder)
    if record is None:
        record = LocalRecordFile(folder / RECORD)
    lock = _file_lock(folder, name, record, wait=wait, tell=tell)
    lease = Lease(record, tell=tell)
    try:
        while (owner := lease.take()) is not None:
            _leave_or_wait(name, owner, wait=wait, tell=tell)
        yield bool(printed)
    except KeyboardInterrupt:
        if lease.lost:
            raise TrainingError(
                f"{name} now belongs to {described(record.read())}, because this command did not renew its record in "
                "time. All completed epochs are saved."
            ) from None
        raise
    finally:
        lease.leave()
        if lock is not None:
            lock.release()


def described(record: Any) -> str:
    """Return the command, host, process and start of an owner from its record, as one phrase."""
    try:
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(record["since"]))
        return f"{record['command']} on {record['host']} (process {record['process']}, since {since})"
    except (TypeError, KeyError, ValueError, OverflowError, OSError):
        return "another command"


class Lease:
    """The owner's record of a work directory, which a thread renews until the owner leaves.

    Args:
        record: the file.
        beat: seconds between two renewals.
        machine: what distinguishes this machine from others, None to find out.
        tell: prints that a command on another machine is watched.

    Attributes:
        lost: whether another owner has replaced the record; this process has then been interrupted.
    """

    def __init__(
        self,
        record: RecordFile,
        beat: float = BEAT,
        machine: str | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._file, self._beat, self._tell = record, beat, tell
        self._own = {
            "token": uuid.uuid4().hex,
            "machine": machine or _machine(),
            "host": socket.gethostname(),
            "process": os.getpid(),
            "command": command(),
            "since": int(time.time()),
        }
        self._left = threading.Event()
        self._thread: threading.Thread | None = None
        self.lost = False

    def take(self) -> Any:
        """Become the owner and return None; or return the record of a command on another machine that is alive.

        To see whether that command is alive takes up to six renewals. On this machine no other command is alive, as
        the file lock is held.
        """
        if not self._file.create(self._stamped()):
            owner = self._read()
            is_remote = owner.get("machine") != self._own["machine"]
            if is_remote:
                seconds = LAPSED * self._beat
                self._tell(f"checking for up to {seconds:.0f} s whether {described(owner)} is still at work")
                if self._is_renewed(owner):
                    return self._read()
            self._renew()
            if is_remote:  # of several commands that find the record lapsed at the same time, the last to write wins
                time.sleep(2 * self._beat)
            if self._is_lost():
                return self._read()
        self._thread = threading.Thread(target=self._keep, name="owner", daemon=True)
        self._thread.start()
        return None

    def leave(self) -> None:
        """Stop being the owner and remove the record; do nothing if this process was not the owner."""
        self._left.set()
        if self._thread is not None:
            self._thread.join()
            if not self.lost and not self._is_lost():
                self._file.remove()

    def _is_renewed(self, owner: Any) -> bool:
        """Watch a record for six renewals; return whether it was renewed."""
        until = time.monotonic() + LAPSED * self._beat
        while time.monotonic() < until:
            time.sleep(self._beat / 4)
            if not self._file.exists():
                return False  # its owner has left
            if self._read() != owner:
                return True
        return False

    def _keep(self) -> None:
        while not self._left.wait(self._beat):
            try:
                if self._is_lost():
                    self.lost = True
                    _interrupt_this_process()
                    return
                self._renew()
            except Exception:  # noqa: BLE001 - a full disk, a path that is away: the next renewal tries again
                continue

    def _is_lost(self) -> bool:
        """Tell whether another owner has replaced the record."""
        token = self._own["token"]
        return bool(self._read().get("token", token) != token)

    def _read(self) -> Any:
        """Return the record in the file, an empty one where the file is missing or damaged."""
        record = self._file.read()
        return record if isinstance(record, dict) else {}

    def _renew(self) -> None:
        self._file.write(self._stamped())

    def _stamped(self) -> dict[str, Any]:
        return {**self._own, "renewed": time.time()}


def _file_lock(
    folder: Path, name: str, record: RecordFile, *, wait: bool, tell: Callable[[str], None]
) -> FileLock | None:
    """Acquire and return the file lock; None on a file system without locks, where only the lease decides.

    Args:
        folder: the work directory.
        name: what the directory is called in messages.
        record: of the owner.
        wait: whether to wait until another command has left the directory.
        tell: prints which command is waited for.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK, timeout=0)
        while True:
            try:
                lock.acquire()
            except Timeout:
                _leave_or_wait(name, record.read(), wait=wait, tell=tell)
            else:
                return lock
    except NotImplementedError:
        return None
    except OSError as error:
        raise BadInputError(f"--work-dir {folder} cannot be written to: {error.strerror}.") from error


def _leave_or_wait(name: str, owner: Any, *, wait: bool, tell: Callable[[str], None]) -> None:
    if not wait:
        raise BadInputError(
            f"Another command is using {name}: {described(owner)}. "
            "Add --wait to wait until it ends, or use another --work-dir."
        )
    tell(f"waiting for {described(owner)} to leave {name}")
    time.sleep(POLL)


def _once(tell: Callable[[str], None], printed: set[str]) -> Callable[[str], None]:
    """Return a function that prints each line only the first time, and collects the lines in `printed`."""

    def tell_once(line: str) -> None:
        if line not in printed:
            printed.add(line)
            tell(line)

    return tell_once


def _interrupt_this_process() -> None:
    """Interrupt this process by SIGTERM, or by Ctrl-C in a notebook, which SIGTERM would end."""
    handled = callable(signal.getsignal(signal.SIGTERM))
    os.kill(os.getpid(), signal.SIGTERM if handled else signal.SIGINT)


def _machine() -> str:
    """Return the boot id of this machine, which its containers share as they share its locks; else the host's name."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return f"{socket.gethostname()} {uuid.getnode()}"

"""One driver at a time in a work folder: a lock on one machine, a record that is renewed where machines share it.

The file system's lock is at once and sure, but on shared paths it may hold on one machine alone. So whoever owns a work
folder also says so in a file and renews that every few seconds: a lease (Gray and Cheriton 1989). Who finds the record
of another machine looks, by a clock of its own, whether it is still renewed; an owner that finds another's record in
the place of its own stops.
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

from medcls.tracking.record_file import FileSlip, RecordFile
from medcls.utils.errors import BadInputError, TrainingError
from medcls.utils.provenance import command

LOCK, RECORD = "driver.lock", "owner.json"
BEAT = 5.0  # seconds between two renewals
LAPSED = 6  # missed renewals in a row, after which the owner counts as dead
POLL = 2.0  # seconds between two looks of a command that waits


@contextmanager
def work_dir_lock(
    folder: Path, *, wait: bool, tell: Callable[[str], None], slip: RecordFile | None = None, named: str = ""
) -> Iterator[bool]:
    """Hold a work folder, which is made if it is not there; yield whether another command was waited for.

    Args:
        folder: the work folder.
        wait: whether to wait until another command has left it.
        tell: shows that it waits, and for whom.
        slip: where its owner says so, if not in the folder itself.
        named: what the folder is called, if not by its path.

    Raises:
        BadInputError: another command owns it, or it cannot be written to.
        TrainingError: another machine's command took it over while this one could not renew its record.
    """
    said: set[str] = set()
    tell = _once(tell, said)
    slip, name = slip or FileSlip(folder / RECORD), named or str(folder)
    lock = _locked(folder, name, slip, wait=wait, tell=tell)
    lease = Lease(slip, tell=tell)
    try:
        while (owner := lease.take()) is not None:
            _leave_or_wait(name, owner, wait=wait, tell=tell)
        yield bool(said)
    except KeyboardInterrupt:
        if lease.lost:
            raise TrainingError(
                f"{name} now belongs to {described(slip.read())}, as this command did not renew its "
                "record in time. Every finished epoch is kept."
            ) from None
        raise
    finally:
        lease.leave()
        if lock is not None:
            lock.release()


def described(record: Any) -> str:
    """Return in a few words who a record says the owner is."""
    try:
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(record["since"]))
        return f"{record['command']} on {record['host']} (process {record['process']}, since {since})"
    except (TypeError, KeyError, ValueError, OverflowError, OSError):
        return "another command"


class Lease:
    """A record that says who owns its folder, and is renewed by a thread until it is left.

    Args:
        slip: the record.
        beat: seconds between two renewals.
        machine: what tells this machine from others.
        tell: shows that it looks whether another machine's command is alive.

    Attributes:
        lost: whether another's record took the place of this one's; the process has then been interrupted.
    """

    def __init__(
        self,
        slip: RecordFile,
        beat: float = BEAT,
        machine: str | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._slip, self._beat, self._tell = slip, beat, tell
        self._record = {
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
        """Become the owner and return None; or return the record of another machine's command, which is alive.

        Whether it is alive takes up to six renewals to see. On this machine the lock has said already that it is not.
        """
        if not self._slip.create(self._stamped()):
            found = self._found()
            elsewhere = found.get("machine") != self._record["machine"]
            if elsewhere:
                self._tell(f"looking for up to {LAPSED * self._beat:.0f} s whether {described(found)} is still at work")
                if self._is_renewed(found):
                    return self._found()
            self._renew()
            if elsewhere:  # of several that find it lapsed at the same time, the last to write has it
                time.sleep(2 * self._beat)
            if self._is_anothers():
                return self._found()
        self._thread = threading.Thread(target=self._keep, name="owner", daemon=True)
        self._thread.start()
        return None

    def leave(self) -> None:
        """Be the owner no more; without having been, do nothing."""
        self._left.set()
        if self._thread is not None:
            self._thread.join()
            if not self.lost and not self._is_anothers():
                self._slip.remove()

    def _is_renewed(self, found: Any) -> bool:
        until = time.monotonic() + LAPSED * self._beat
        while time.monotonic() < until:
            time.sleep(self._beat / 4)
            if not self._slip.exists():
                return False  # it was left
            if self._found() != found:
                return True
        return False

    def _keep(self) -> None:
        while not self._left.wait(self._beat):
            try:
                if self._is_anothers():
                    self.lost = True
                    _stop_this()
                    return
                self._renew()
            except Exception:  # noqa: BLE001 - a full disk, a path that is away for a while: the next beat tries again
                continue

    def _is_anothers(self) -> bool:
        own = self._record["token"]
        return bool(self._found().get("token", own) != own)

    def _found(self) -> Any:
        """Return the record that there is, without anything in it where it is damaged or not there."""
        record = self._slip.read()
        return record if isinstance(record, dict) else {}

    def _renew(self) -> None:
        self._slip.write(self._stamped())

    def _stamped(self) -> dict[str, Any]:
        return {**self._record, "renewed": time.time()}


def _locked(folder: Path, name: str, slip: RecordFile, *, wait: bool, tell: Callable[[str], None]) -> FileLock | None:
    """Return the lock, held; None where the file system has none, and the record alone decides."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK, timeout=0)
        while True:
            try:
                lock.acquire()
            except Timeout:
                _leave_or_wait(name, slip.read(), wait=wait, tell=tell)
            else:
                return lock
    except NotImplementedError:
        return None
    except OSError as error:
        raise BadInputError(f"--work-dir {folder} cannot be written to: {error.strerror}.") from error


def _leave_or_wait(name: str, owner: Any, *, wait: bool, tell: Callable[[str], None]) -> None:
    if not wait:
        raise BadInputError(
            f"Another study is at work in {name}: {described(owner)}. "
            "Wait for it (--wait does), or give this one its own --work-dir."
        )
    tell(f"waiting for {described(owner)} to leave {name}")
    time.sleep(POLL)


def _once(tell: Callable[[str], None], said: set[str]) -> Callable[[str], None]:
    def told(line: str) -> None:
        if line not in said:
            said.add(line)
            tell(line)

    return told


def _stop_this() -> None:
    """Interrupt this process by SIGTERM; a notebook, which would end at that, by Ctrl-C."""
    handled = callable(signal.getsignal(signal.SIGTERM))
    os.kill(os.getpid(), signal.SIGTERM if handled else signal.SIGINT)


def _machine() -> str:
    """Return what tells this machine, as it runs now, from others; containers of one machine share it and its locks."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return f"{socket.gethostname()} {uuid.getnode()}"

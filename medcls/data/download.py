"""One published file over HTTP: whole and checked, or a part that the next attempt goes on from."""

import errno
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from medcls.data.published import Published
from medcls.utils.errors import BadInputError
from medcls.utils.files import is_full
from medcls.utils.lazy import pooch, requests, urllib3

PART, LOCK = ".part", ".lock"
CHUNK = 2**14  # bytes read at a time, at most
SLOWEST = 2**10  # bytes a second
Progress = Callable[[int, int | None], None]


def fetch(
    published: Published,
    home: Path,
    mirror: str | None = None,
    progress: Progress | None = None,
    patience: float = 30.0,
) -> Path:
    """Return a published file below `home`, fetched unless it is there already.

    It lies under its own name once its checksum is right. What an interruption leaves is `FILE.part`, and the
    next call fetches the rest.

    Args:
        published: the file.
        home: the folder of data sets.
        mirror: the URL of a folder that has the file too.
        progress: called with the bytes fetched so far and their total, None where the server does not say.
        patience: seconds of silence after which a connection counts as lost.

    Raises:
        BadInputError: no network, no such file there, a wrong checksum, or no room; or another file lies there.
    """
    path, url = home / published.file, published.address(mirror)
    try:
        if path.exists():
            _check(path, published)
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path):
            _fetch(published, path, url, _Resuming(path.with_name(path.name + PART), progress, patience))
    except requests.RequestException as error:
        raise BadInputError(_lost(error, url, path)) from error
    except OSError as error:
        reason = "no space left" if is_full(error) else error.strerror or error
        raise BadInputError(
            f"{path} cannot be written ({reason}): correct this and run the same command to resume."
        ) from error
    return path


@dataclass
class _Resuming:
    """What pooch calls to download: writes to a file that stays when the connection breaks and goes on at its end."""

    part: Path
    progress: Progress | None
    patience: float
    resumed: bool = False

    def __call__(self, url: str, output: str, _: object) -> None:
        Path(output).unlink()  # a kill would leave pooch's empty file behind
        self.resumed = self.size() > 0
        while not self._attempt(url):
            pass
        self.part.replace(output)

    def size(self) -> int:
        """Return how many bytes there are."""
        return self.part.stat().st_size if self.part.exists() else 0

    def _attempt(self, url: str) -> bool:
        """Ask for what is missing; return False if the connection broke after it had brought something."""
        before = self.size()
        try:
            self._ask(url, before)
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
            if self.size() <= before:
                raise
            return False
        return True

    def _ask(self, url: str, have: int) -> None:
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with requests.get(url, headers=headers, stream=True, timeout=self.patience) as answer:
            if answer.status_code == requests.codes.requested_range_not_satisfiable:
                return  # there is nothing beyond: the checksum decides whether all of it is right
            answer.raise_for_status()
            start = have if answer.status_code == requests.codes.partial_content else 0  # some servers send it all
            length = answer.headers.get("Content-Length", "")
            total = start + int(length) if length.isdigit() else None
            with self.part.open("ab" if start else "wb") as file:
                done = start
                pace = _Pace(self.patience)
                while chunk := _come(answer):
                    done += file.write(chunk)
                    pace.check(len(chunk))
                    if self.progress:
                        self.progress(done, total)


def _come(answer: "requests.Response") -> bytes:
    """Return what has come, without waiting for more; nothing at the end.

    Raises:
        requests.ConnectionError: the connection broke, or fell silent.
    """
    try:
        return bytes(answer.raw.read1(CHUNK))
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(error) from error


class _Pace:
    """Notices a server that sends now and then a few bytes, which never counts as silence."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._since, self._bytes = seconds, time.monotonic(), 0

    def check(self, count: int) -> None:
        """Count bytes that have come.

        Raises:
            requests.RequestException: they come too slowly.
        """
        self._bytes += count
        passed = time.monotonic() - self._since
        if passed > self._seconds:
            if self._bytes < SLOWEST * passed:
                reason = f"less than {SLOWEST} bytes a second for {passed:.0f} s"
                raise requests.RequestException(errno.ETIMEDOUT, reason)
            self._since, self._bytes = time.monotonic(), 0


def _fetch(published: Published, path: Path, url: str, download: _Resuming) -> None:
    """Download a file, and once more from its beginning where what an earlier attempt had left was wrong."""
    pooch.get_logger().setLevel("ERROR")  # it tells every step on standard error
    try:
        pooch.retrieve(url, published.checksum, path.name, path.parent, downloader=download)
    except requests.RequestException:
        raise
    except ValueError as error:
        if download.resumed:
            return _fetch(published, path, url, download)
        raise BadInputError(
            f"{url} did not send the published file ({published.checksum}): try again later, or another --mirror."
        ) from error


def _check(path: Path, published: Published) -> None:
    algorithm, _, digits = published.checksum.partition(":")
    if pooch.file_hash(str(path), alg=algorithm) != digits:
        raise BadInputError(
            f"{path} exists but is not the published file ({published.checksum}). Studies use it as it is; move it "
            "away to download the published file."
        )


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    lock = FileLock(path.with_name(path.name + LOCK), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise BadInputError(f"{path} is being downloaded by another command: wait for it.") from None
    try:
        yield
    finally:
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def _lost(error: Exception, url: str, path: Path) -> str:
    """Return what went wrong between us and the server, and what to do."""
    hint = f"try again later, give another server with --mirror, or put the file at {path} yourself."
    answer = getattr(error, "response", None)
    if answer is not None:
        return f"{url} answers {answer.status_code} {answer.reason}: {hint}"
    part = path.with_name(path.name + PART)
    if part.exists():
        return f"The connection to {url} broke ({_reason(error)}). Run the same command to resume the download."
    return f"{url} cannot be reached ({_reason(error)}): {hint}"


def _reason(error: BaseException) -> str:
    """Return what the system said, from below the layers that wrapped it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        if isinstance(cause, TimeoutError):
            return "no answer in time"
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__

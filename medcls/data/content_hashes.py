"""The SHA-256 of files' contents, remembered so that a file is read again only when it has changed."""

import hashlib
import os
import re
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from medcls.data.sqlite_cache import transact
from medcls.utils.errors import BadInputError

CREATE = """CREATE TABLE IF NOT EXISTS files
(path BLOB PRIMARY KEY, size INTEGER, modified INTEGER, changed INTEGER, sha256 TEXT) WITHOUT ROWID"""
CREATE_ARRAYS = """CREATE TABLE IF NOT EXISTS arrays
(path BLOB, size INTEGER, modified INTEGER, changed INTEGER, name TEXT, sha256 BLOB, PRIMARY KEY (path, name))
WITHOUT ROWID"""
CREATE_TEXTS = """CREATE TABLE IF NOT EXISTS texts
(path BLOB, size INTEGER, modified INTEGER, changed INTEGER, name TEXT, value TEXT, PRIMARY KEY (path, name))
WITHOUT ROWID"""
SHA256 = re.compile("[0-9a-f]{64}")
AT_ONCE = 500  # paths in one question to the store: below every SQLite's limit of variables
TICK = 0.02  # seconds: longer than a tick of the kernel's clock, within which two changes bear one time


class Stamp(NamedTuple):
    """Path, size and times (in nanoseconds) of a file, which counts as unchanged while none of them changes."""

    path: bytes
    size: int
    modified: int
    changed: int


class Hashes:
    """The SHA-256 of files, kept in a small SQLite file.

    The file is a convenience only: where it is read-only, locked or damaged, files are hashed anew.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)

    def sha256_of(self, paths: Sequence[Path]) -> list[str]:
        """Return the SHA-256 of each file's content in hex, "" for a file that cannot be read."""
        with ThreadPoolExecutor() as pool:
            stamps = list(pool.map(_stamp, paths))
            present = [stamp for stamp in dict.fromkeys(stamps) if stamp]
            digests: dict[Stamp, str] = transact(self._path, lambda store: _kept(store, present), {})
            new = [stamp for stamp in present if stamp not in digests]
            _let_clock_tick(new)
            read = dict(zip(new, pool.map(_sha256, new), strict=True))
        unchanged: dict[Stamp, str] = {}
        for stamp, digest in read.items():
            if digest and _stamp(stamp.path) == stamp:
                unchanged[stamp] = digest
        if unchanged:
            transact(self._path, lambda store: _keep(store, unchanged), None)
        digests |= read
        return [digests.get(stamp, "") if stamp else "" for stamp in stamps]

    def sha256_of_rows(self, path: Path, name: str, read: Callable[[], bytes]) -> list[str]:
        """Return the SHA-256 of each row of an array in a file, in hex.

        Args:
            path: the file.
            name: the array's name in it.
            read: returns the SHA-256 of all rows, 32 bytes each; called only if the file has changed; its
                exceptions are passed on.
        """
        stamp = _stamp(path)
        digests: bytes | None = transact(self._path, lambda store: _kept_rows(store, stamp, name), None)
        if digests is None:
            _let_clock_tick([stamp] if stamp else [])
            new = digests = read()
            if stamp and _stamp(path) == stamp:
                transact(self._path, lambda store: _keep_rows(store, stamp, name, new), None)
        return [digests[start : start + 32].hex() for start in range(0, len(digests), 32)]

    @contextmanager
    def unchanged(self, *files: tuple[Path, str]) -> Iterator[None]:
        """Check that some files have their contents from the beginning to the end of a context.

        Args:
            files: the path and the SHA-256 of each file, in hex; one that could not be read ("") is not checked.

        Raises:
            BadInputError: a file has changed since its SHA-256 was taken, or changes meanwhile.
        """
        checked = [(path, content, _stamp(path)) for path, content in files if content]
        try:
            yield
        except Exception:  # a file that is just being written looks damaged
            self._refuse_changes(checked)
            raise
        self._refuse_changes(checked)

    def _refuse_changes(self, files: Sequence[tuple[Path, str, Stamp | None]]) -> None:
        for path, content, before in files:
            if before is None or _sha256(before) != content or _stamp(path) != before:
                transact(self._path, partial(_forget, path), None)  # should its times lie
                raise BadInputError(f"{path} changed while it was read: run the command again.")

    def texts_of(self, paths: Sequence[Path], name: str, read: Callable[[Path], str]) -> list[str]:
        """Return a text that each file holds, such as its patient; "" for a file that is not there.

        Args:
            paths: the files.
            name: the name under which the text is remembered.
            read: path -> the text; called only for files that have changed, and raises nothing.
        """
        with ThreadPoolExecutor() as pool:
            stamps = list(pool.map(_stamp, paths))
            present: dict[Stamp, Path] = {}
            for stamp, path in zip(stamps, paths, strict=True):
                if stamp:
                    present[stamp] = path
            texts: dict[Stamp, str] = transact(self._path, lambda store: _kept_texts(store, list(present), name), {})
            new = [stamp for stamp in present if stamp not in texts]
            _let_clock_tick(new)
            fresh = dict(zip(new, pool.map(lambda stamp: read(present[stamp]), new), strict=True))
        unchanged: dict[Stamp, str] = {}
        for stamp, text in fresh.items():
            if _stamp(stamp.path) == stamp:
                unchanged[stamp] = text
        if unchanged:
            transact(self._path, lambda store: _keep_texts(store, unchanged, name), None)
        texts |= fresh
        return [texts[stamp] if stamp else "" for stamp in stamps]

    @property
    def folder(self) -> Path:
        """The folder in which the hashes are kept; other caches may lie there too."""
        return self._path.parent


def _kept(store: sqlite3.Connection, stamps: Sequence[Stamp]) -> dict[Stamp, str]:
    kept: dict[Stamp, str] = {}
    for start in range(0, len(stamps), AT_ONCE):
        paths = [stamp.path for stamp in stamps[start : start + AT_ONCE]]
        marks = ",".join("?" * len(paths))
        for *stamp, digest in store.execute(f"SELECT * FROM files WHERE path IN ({marks})", paths):
            if not SHA256.fullmatch(digest):
                raise ValueError("a damaged digest")
            kept[Stamp(*stamp)] = digest
    return kept


def _keep(store: sqlite3.Connection, digests: Mapping[Stamp, str]) -> None:
    store.execute(CREATE)
    rows = [(*stamp, digest) for stamp, digest in digests.items()]
    store.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", rows)


def _forget(path: Path, store: sqlite3.Connection) -> None:
    store.execute("DELETE FROM files WHERE path = ?", (os.path.abspath(os.fsencode(path)),))  # noqa: PTH100


def _kept_rows(store: sqlite3.Connection, stamp: Stamp | None, name: str) -> bytes | None:
    if stamp is None:
        return None
    question = "SELECT sha256 FROM arrays WHERE path = ? AND size = ? AND modified = ? AND changed = ? AND name = ?"
    row = store.execute(question, (*stamp, name)).fetchone()
    return None if row is None else bytes(row[0])


def _keep_rows(store: sqlite3.Connection, stamp: Stamp, name: str, digests: bytes) -> None:
    store.execute(CREATE_ARRAYS)
    store.execute("INSERT OR REPLACE INTO arrays VALUES (?, ?, ?, ?, ?, ?)", (*stamp, name, digests))


def _kept_texts(store: sqlite3.Connection, stamps: Sequence[Stamp], name: str) -> dict[Stamp, str]:
    texts: dict[Stamp, str] = {}
    for start in range(0, len(stamps), AT_ONCE):
        paths = [stamp.path for stamp in stamps[start : start + AT_ONCE]]
        marks = ",".join("?" * len(paths))
        question = f"SELECT path, size, modified, changed, value FROM texts WHERE name = ? AND path IN ({marks})"
        for *stamp, text in store.execute(question, (name, *paths)):
            texts[Stamp(*stamp)] = text
    return texts


def _keep_texts(store: sqlite3.Connection, texts: Mapping[Stamp, str], name: str) -> None:
    store.execute(CREATE_TEXTS)
    rows = [(*stamp, name, text) for stamp, text in texts.items()]
    store.executemany("INSERT OR REPLACE INTO texts VALUES (?, ?, ?, ?, ?, ?)", rows)


def _stamp(path: Path | bytes) -> Stamp | None:
    try:
        state = os.stat(path)  # noqa: PTH116 - a path may be bytes here
    except OSError:
        return None
    if not stat.S_ISREG(state.st_mode):
        return None
    return Stamp(os.path.abspath(os.fsencode(path)), state.st_size, state.st_mtime_ns, state.st_ctime_ns)  # noqa: PTH100


def _sha256(stamp: Stamp) -> str:
    try:
        with open(stamp.path, "rb") as file:  # noqa: PTH123 - a path that need not be text
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _let_clock_tick(stamps: Sequence[Stamp]) -> None:
    """Wait until a change from now on would show in the files' times."""
    latest = max((max(stamp.modified, stamp.changed) for stamp in stamps), default=0)
    if time.time() < latest / 1e9 + TICK:
        time.sleep(TICK)

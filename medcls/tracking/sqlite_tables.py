"""The file of a SQLite store: its tables are made whole, by one process, and once on a machine.

MLflow makes them by carrying out all its migrations since 2018, which takes seconds. So a copy without anything in it
is kept in the user's cache for each version of MLflow, and later stores begin with that.
"""

import contextlib
import shutil
import sqlite3
import time
from pathlib import Path

from filelock import FileLock, Timeout

from medcls.utils import store_uris
from medcls.utils.files import user_cache, write_atomically
from medcls.utils.lazy import mlflow, sqlalchemy_store

PATIENCE = 60.0  # seconds without any progress of whoever makes a store
LOOK = 2.0  # seconds between two looks at it


def make(uri: str) -> None:
    """Make a SQLite store that is not there, its tables and all: under a lock, as two at once would spoil it.

    It is made in a file beside that is renamed when whole, as a kill in between would spoil it too. Who finds another
    process at it waits as long as that gets on.

    Raises:
        TimeoutError: another process has been at it for long without getting on.
    """
    path = store_uris.file(uri)
    if path is None or path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    _ = (
        mlflow.MlflowClient,
        sqlalchemy_store.SqlAlchemyStore,
    )  # imported, which takes seconds, before others have to wait
    last, since = _stamp(path), time.monotonic()
    while not path.exists():
        try:
            with FileLock(f"{path}.lock", timeout=LOOK):
                if not path.exists():
                    _make(path)
        except Timeout:
            if _stamp(path) != last:
                last, since = _stamp(path), time.monotonic()
            elif time.monotonic() - since > PATIENCE:
                raise TimeoutError(f"another process holds {path}.lock and does not get on: end that one") from None


def identity(uri: str) -> tuple[int, int] | None:
    """Return what tells the file of a SQLite store from another that takes its place; None if there is none."""
    path = store_uris.file(uri)
    try:
        state = None if path is None else path.stat()
    except FileNotFoundError:
        return None
    return None if state is None else (state.st_dev, state.st_ino)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.unfinished")


def _stamp(path: Path) -> list[tuple[str, int, int]]:
    """Return a value that changes while a store is being made."""
    found = []
    for file in sorted(path.parent.glob(f"{_beside(path).name}*")):
        with contextlib.suppress(FileNotFoundError):
            state = file.stat()
            found.append((file.name, state.st_size, state.st_mtime_ns))
    return found


def _make(path: Path) -> None:
    beside, kept = _beside(path), _kept()
    artifacts = (path.parent / "mlruns").as_uri()
    _remove(beside)
    try:
        if kept is not None and _has_tables(kept):
            shutil.copyfile(kept, beside)
            _complete(beside, artifacts)
        else:
            _complete(beside, artifacts)
            with contextlib.suppress(OSError, sqlite3.Error):  # a home that cannot be written to costs time alone
                if kept is not None:
                    _keep(beside, kept)
        beside.rename(path)
    finally:
        _remove(beside)


def _has_tables(path: Path) -> bool:
    """Tell whether a file is an undamaged database with tables in it."""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
            (told,) = database.execute("pragma quick_check").fetchone()
            return bool(told == "ok" and database.execute("select 1 from sqlite_master").fetchone())
    except (sqlite3.Error, OSError):
        return False


def _complete(path: Path, artifacts: str) -> None:
    """Let MLflow add what a store lacks: tables, and the experiment that every store has."""
    sqlalchemy_store.SqlAlchemyStore(store_uris.of_file(path), artifacts).engine.dispose()


def _keep(made: Path, kept: Path) -> None:
    """Keep the tables alone: the experiment that every store has says where the files of this one lie."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(":memory:")) as empty:
        with contextlib.closing(sqlite3.connect(made)) as database:
            database.backup(empty)
        empty.execute("delete from experiments")
        empty.commit()
        empty.execute("vacuum")
        content = empty.serialize()
    write_atomically(kept, lambda target: target.write(content))


def _kept() -> Path | None:
    cache = user_cache()
    return cache and cache / f"mlflow-{mlflow.__version__}.db"


def _remove(beside: Path) -> None:
    for left_behind in beside.parent.glob(f"{beside.name}*"):
        left_behind.unlink()

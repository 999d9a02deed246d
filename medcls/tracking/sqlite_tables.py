"""Creates the file of a SQLite store with all its tables, by one process, and fast.

MLflow creates the tables by running all its migrations since 2018, which takes seconds. So an empty store of each
version of MLflow is kept in the user's cache, and later stores are copied from that.
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

PATIENCE = 60.0  # seconds without any progress of the process that creates a store
LOOK = 2.0  # seconds between two looks at its progress


def make(uri: str) -> None:
    """Create a SQLite store unless it exists: under a lock, because two processes at once would spoil it.

    The store is created in a file of another name and renamed when it is complete, because a kill in between would
    spoil it too. While another process creates the store, this one waits.

    Raises:
        TimeoutError: another process holds the lock and makes no progress.
    """
    path = store_uris.file(uri)
    if path is None or path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    _ = mlflow.MlflowClient, sqlalchemy_store.SqlAlchemyStore  # imported before others have to wait for it
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
                raise TimeoutError(
                    f"another process holds {path}.lock and makes no progress: end that process"
                ) from None


def identity(uri: str) -> tuple[int, int] | None:
    """Return what distinguishes the file of a SQLite store from one that replaces it; None if there is none."""
    path = store_uris.file(uri)
    try:
        state = None if path is None else path.stat()
    except FileNotFoundError:
        return None
    return None if state is None else (state.st_dev, state.st_ino)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.unfinished")


def _stamp(path: Path) -> list[tuple[str, int, int]]:
    """Return a value that changes while a store is being created."""
    stamps = []
    for file in sorted(path.parent.glob(f"{_beside(path).name}*")):
        with contextlib.suppress(FileNotFoundError):
            state = file.stat()
            stamps.append((file.name, state.st_size, state.st_mtime_ns))
    return stamps


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
            with contextlib.suppress(OSError, sqlite3.Error):  # a home that cannot be written to only costs time
                if kept is not None:
                    _keep(beside, kept)
        beside.rename(path)
    finally:
        _remove(beside)


def _has_tables(path: Path) -> bool:
    """Tell whether a file is an undamaged database with tables in it."""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
            (verdict,) = database.execute("pragma quick_check").fetchone()
            return bool(verdict == "ok" and database.execute("select 1 from sqlite_master").fetchone())
    except (sqlite3.Error, OSError):
        return False


def _complete(path: Path, artifacts: str) -> None:
    """Let MLflow add what a store lacks: the tables, and the default experiment."""
    sqlalchemy_store.SqlAlchemyStore(store_uris.of_file(path), artifacts).engine.dispose()


def _keep(made: Path, kept: Path) -> None:
    """Keep a copy of the tables without the default experiment, which has the path of this store's files."""
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
    """Return the file of the empty store in the user's cache, None for a user without a home."""
    cache = user_cache()
    return None if cache is None else cache / f"mlflow-{mlflow.__version__}.db"


def _remove(beside: Path) -> None:
    for left_behind in beside.parent.glob(f"{beside.name}*"):
        left_behind.unlink()

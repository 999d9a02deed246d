"""The file of a SQLite store: its tables are made whole, by one process, and once on a machine.

MLflow makes them by carrying out all its migrations since 2018, which takes seconds. So a copy without anything in it
is kept in the user's cache for each version of MLflow, and later stores begin with that.
"""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from medcls.files import user_cache, write_atomically
from medcls.lazy import lazy

mlflow = lazy("mlflow")
sql = lazy("mlflow.store.tracking.sqlalchemy_store")

PREFIX = "sqlite:///"


def file(uri: str) -> Path | None:
    """Return the file that a store's URI names, None for another kind of store."""
    return Path(uri.removeprefix(PREFIX).partition("?")[0]).absolute() if uri.startswith(PREFIX) else None


@contextlib.contextmanager
def with_tables(uri: str) -> Iterator[None]:
    """Hold a lock under which a fresh SQLite store gets its tables: two at once would spoil it.

    They are made in a file beside that is renamed when whole, as a kill in between would spoil it too.
    """
    path = file(uri)
    if path is None:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock", timeout=60):
        if not path.exists():
            _make(path)
        yield


def _make(path: Path) -> None:
    beside, kept = path.with_name(f".{path.name}.unfinished"), _kept()
    artifacts = (path.parent / "mlruns").as_uri()
    _remove(beside)
    if kept is not None and _has_tables(kept):
        shutil.copyfile(kept, beside)
        _complete(beside, artifacts)
    else:
        _complete(beside, artifacts)
        with contextlib.suppress(OSError, sqlite3.Error):  # a home that cannot be written to costs time alone
            if kept is not None:
                _keep(beside, kept)
    beside.rename(path)


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
    sql.SqlAlchemyStore(f"{PREFIX}{path}", artifacts).engine.dispose()


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

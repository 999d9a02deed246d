"""Small SQLite files that remember results about images; a damaged or locked one is done without."""

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")
DAMAGE = (sqlite3.DatabaseError, ValueError, TypeError, LookupError, RecursionError)  # or it is another program's


def transact(path: Path, work: Callable[[sqlite3.Connection], Result], otherwise: Result) -> Result:
    """Do some work in one transaction of a SQLite file.

    Args:
        path: the file, which is made if it is missing.
        work: connection -> result.
        otherwise: the result where the file is read-only, locked or damaged.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=5)) as store, store:
            return work(store)
    except (sqlite3.OperationalError, OSError):  # read-only, locked, full, or not yet made
        return otherwise
    except DAMAGE:  # the next one to write begins a new one
        with suppress(OSError):
            path.unlink()
        return otherwise

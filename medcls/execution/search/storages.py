"""Opens the storage of a search's trials: a journal file in the work directory, or a database.

In a database, the search of several drivers is one study of Optuna's, whose name is the digest of what determines the
search. See https://optuna.readthedocs.io/en/stable/tutorial/20_recipes/004_distributed.html.
"""

import os
import platform
import re
import time
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from medcls.execution.search.trials import Trial, TrialStore
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import journal, optuna, sqlalchemy
from medcls.utils.reachability import reach
from medcls.utils.records import DamagedError, said
from medcls.utils.redaction import text_without_secrets, without_secrets

LOG, NAME = "search.log", "search"
BEAT = 10  # seconds between two heartbeats of a trial
GRACE = 60  # seconds without a heartbeat after which a trial counts as abandoned
LOG_REMEDY = "remove it and run the same command again, which trains no finished run anew"
TRIES = 10  # to create the tables, which several drivers may do at the same time
CODE = "code"  # attribute of a study: the digest of the code of its trials


def in_folder(folder: Path) -> TrialStore:
    """Open the trials of a search that only this work directory has, in the file `folder`/search.log."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOG
    with _reading(path):
        _mend(path)
        storage = _journal(path)
        store = TrialStore(_study(storage, NAME), storage)
        store.trials()  # so that a damaged file is found now
        return store


def in_database(url: str, name: str, folder: Path, code: str | None) -> TrialStore:
    """Open the trials of a search that several drivers carry out, each in a work directory of its own.

    Args:
        url: of the database, as SQLAlchemy writes it.
        name: of the search in the database.
        folder: the search's directory in the work directory, which keeps the id of this driver.
        code: the digest of this driver's code, None to accept trials of any code.

    Raises:
        BadInputError: the database cannot be reached, or its trials were produced by a different version of the code.
    """
    storage = _database(url)
    study = _study(storage, name)
    code_of_trials = study.user_attrs.get(CODE)
    if code_of_trials is None:
        study.set_user_attr(CODE, code)
    elif code not in (None, code_of_trials):
        raise BadInputError(
            f"--storage {without_secrets(url)}: the trials of {name} were produced by a different version of the code. "
            "Bring all drivers to one version, or use --keep to accept the trials."
        )
    return TrialStore(study, storage, _driver(folder))


def remembered(folder: Path) -> list[Trial]:
    """Return the trials of the search in a directory, which another process may be writing to; empty without any."""
    if not (folder / LOG).exists():
        return []
    with _reading(folder / LOG):
        return _trials(_journal(folder / LOG), NAME)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn what Optuna raises while it reads a search's file into one sentence.

    Raises:
        DamagedError: the file is damaged.
    """
    if path.exists() and not path.is_file():
        raise DamagedError(path, "no file", LOG_REMEDY)
    try:
        yield
    except (OSError, BadInputError):
        raise
    except Exception as error:  # Optuna does not check what its file says
        raise DamagedError(path, said(error), LOG_REMEDY) from error


def remembered_in_database(url: str, name: str, folder: Path) -> list[Trial]:
    """Return the trials of a search in a database, of all drivers; empty without the search. Nothing is written.

    Args:
        url: of the database.
        name: of the search in the database.
        folder: the search's directory in the work directory, which keeps the id of this driver.

    Raises:
        BadInputError: the database cannot be reached.
    """
    with _reaching(url):
        if not _has_tables(url):
            return []
    return _trials(_database(url), name, _read_driver(folder) or "nobody")


def _trials(storage: Any, name: str, driver: str | None = None) -> list[Trial]:
    try:
        study = optuna.load_study(study_name=name, storage=storage)
    except KeyError:  # not begun, or being created at this moment
        return []
    return list(TrialStore(study, storage, driver).trials().values())


def _study(storage: Any, name: str) -> Any:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)


def _journal(path: Path) -> Any:
    lock = journal.JournalFileOpenLock(str(path))
    return optuna.storages.JournalStorage(journal.JournalFileBackend(str(path), lock_obj=lock))


def _mend(path: Path) -> None:
    """Remove a line that a kill tore, and the lock of a dead process: this command owns the work directory."""
    path.with_name(path.name + ".lock").unlink(missing_ok=True)
    if path.exists():
        os.truncate(path, path.read_bytes().rfind(b"\n") + 1)


def _database(url: str, tries: int = TRIES) -> Any:
    """Return Optuna's storage in a database, whose tables are created if there are none."""
    engine: dict[str, Any] = {
        "poolclass": sqlalchemy.NullPool
    }  # so that a hundred idle drivers hold no hundred connections
    if url.startswith("sqlite"):
        engine["connect_args"] = {"timeout": 60}  # SQLite has one writer at a time
    # Optuna warns that heartbeats are experimental, also later in the thread that records them.
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    try:
        with _reaching(url):
            storage = optuna.storages.RDBStorage(url, engine, heartbeat_interval=BEAT, grace_period=GRACE)
            return optuna.storages.get_storage(storage)
    except BadInputError as error:
        if tries == 1 or not _is_race(error.__cause__):
            raise
    time.sleep(1)
    return _database(url, tries - 1)


def _is_race(error: BaseException | None) -> bool:
    """Tell whether another driver is creating the tables at the same time."""
    return isinstance(error, sqlalchemy.exc.IntegrityError) or "already exists" in str(error)


def _has_tables(url: str) -> bool:
    """Tell whether a database has Optuna's tables; a SQLite file that does not exist is not created."""
    parsed = sqlalchemy.make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists():
        return False
    engine = sqlalchemy.create_engine(parsed, poolclass=sqlalchemy.NullPool)
    return bool(sqlalchemy.inspect(engine).has_table("studies"))


@contextmanager
def _reaching(url: str) -> Iterator[None]:
    """Turn any exception about a database into one sentence.

    Raises:
        BadInputError: the database cannot be used.
    """
    try:
        reach(url, print)
        yield
    except Exception as error:
        raise BadInputError(
            f"--storage {without_secrets(url)} cannot be used ({_message(error, url)}): give the URL of an existing "
            "database, e.g. postgresql://HOST/NAME."
        ) from error


def _message(error: BaseException, url: str) -> str:
    """Return the first line of an exception's message, without its class and the password of the URL."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    return text_without_secrets(re.sub(r"^\(\S+\) ", "", lines[0]), url)[:200].rstrip(".")


def _driver(folder: Path) -> str:
    """Return the id of this driver, the same for each command on this machine in this work directory."""
    folder.mkdir(parents=True, exist_ok=True)
    if _read_driver(folder) is None:
        (folder / "driver").write_text(uuid.uuid4().hex)
    driver = _read_driver(folder)
    assert driver is not None
    return driver


def _read_driver(folder: Path) -> str | None:
    """Return the id of the driver that a directory keeps, None if it keeps none."""
    path = folder / "driver"
    name = path.read_bytes().decode("ascii", "replace") if path.is_file() else ""
    return f"{name}@{platform.node()}" if re.fullmatch("[0-9a-f]{32}", name) else None

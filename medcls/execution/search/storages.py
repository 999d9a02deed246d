"""The storages of a search's memory: a journal file in its work folder, or a database by its URL.

In a database the same search of several drivers is one study of Optuna's, named by what makes two searches the same.
See https://optuna.readthedocs.io/en/stable/tutorial/20_recipes/004_distributed.html.
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
BEAT, GRACE = 10, 60  # seconds between two heartbeats of a trial, and without any until it is given up
LOG_REMEDY = "remove it and run the same command again, which trains no finished run anew"
TRIES = 10  # where several drivers make the tables at once
CODE = "code"  # attribute of a study: what code its trials are carried out by


def in_folder(folder: Path) -> TrialStore:
    """Open the memory of a search that is carried out from this work folder alone, `folder`/search.log."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOG
    with _reading(path):
        _mend(path)
        storage = _journal(path)
        memory = TrialStore(_study(storage, NAME), storage)
        memory.trials()
        return memory


def in_database(url: str, name: str, folder: Path, code: str | None) -> TrialStore:
    """Open the memory of a search that several drivers may carry out, each from a work folder of its own.

    Args:
        url: of the database, for SQLAlchemy.
        name: of the search in it.
        folder: the search's own in the work folder; it remembers which driver this is.
        code: the digest of what code carries trials out, None to count whatever carried out the others'.

    Raises:
        BadInputError: the database cannot be reached, or the other trials were carried out by other code.
    """
    storage = _database(url)
    study = _study(storage, name)
    known = study.user_attrs.get(CODE)
    if known is None:
        study.set_user_attr(CODE, code)
    elif code not in (None, known):
        raise BadInputError(
            f"--storage {without_secrets(url)}: the trials of {name} were produced by a different version of the code. "
            "Bring all drivers to one version, or use --keep to accept the trials."
        )
    return TrialStore(study, storage, _driver(folder))


def remembered(folder: Path) -> list[Trial]:
    """Return the trials of the search in `folder`, also while another process writes to it; empty without one."""
    if not (folder / LOG).exists():
        return []
    with _reading(folder / LOG):
        return _trials(_journal(folder / LOG), NAME)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Say in one sentence that a search's log is damaged."""
    if path.exists() and not path.is_file():
        raise DamagedError(path, "no file", LOG_REMEDY)
    try:
        yield
    except (OSError, BadInputError):
        raise
    except Exception as error:  # Optuna takes what its log says at its word
        raise DamagedError(path, said(error), LOG_REMEDY) from error


def remembered_in_database(url: str, name: str, folder: Path) -> list[Trial]:
    """Return the trials of a search in a database, of all drivers; empty without it. Nothing is written.

    Raises:
        BadInputError: the database cannot be reached.
    """
    with _reaching(url):
        if not _has_tables(url):
            return []
    return _trials(_database(url), name, _known_driver(folder) or "nobody")


def _trials(storage: Any, name: str, driver: str | None = None) -> list[Trial]:
    try:
        study = optuna.load_study(study_name=name, storage=storage)
    except KeyError:  # not begun, or just being made
        return []
    return list(TrialStore(study, storage, driver).trials().values())


def _study(storage: Any, name: str) -> Any:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)


def _journal(path: Path) -> Any:
    lock = journal.JournalFileOpenLock(str(path))
    return optuna.storages.JournalStorage(journal.JournalFileBackend(str(path), lock_obj=lock))


def _mend(path: Path) -> None:
    """Drop a line that a kill tore off, and the lock of a process that is no more (the work folder is ours)."""
    path.with_name(path.name + ".lock").unlink(missing_ok=True)
    if path.exists():
        os.truncate(path, path.read_bytes().rfind(b"\n") + 1)


def _database(url: str, tries: int = TRIES) -> Any:
    """Return Optuna's storage in a database, its tables made if there are none."""
    engine: dict[str, Any] = {"poolclass": sqlalchemy.NullPool}  # a hundred idle drivers are no hundred connections
    if url.startswith("sqlite"):
        engine["connect_args"] = {"timeout": 60}  # it has one writer at a time
    # Heartbeats count as experimental; not only here, as they are recorded and looked at in a thread later.
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    try:
        with _reaching(url):
            kept = optuna.storages.RDBStorage(url, engine, heartbeat_interval=BEAT, grace_period=GRACE)
            return optuna.storages.get_storage(kept)
    except BadInputError as error:
        if tries == 1 or not _is_beaten(error.__cause__):
            raise
    time.sleep(1)
    return _database(url, tries - 1)


def _is_beaten(error: BaseException | None) -> bool:
    """Tell whether another driver is just making the tables that this one wanted to make."""
    return isinstance(error, sqlalchemy.exc.IntegrityError) or "already exists" in str(error)


def _has_tables(url: str) -> bool:
    """Tell whether Optuna has made its tables in a database; it is not made by asking."""
    place = sqlalchemy.make_url(url)
    if place.get_backend_name() == "sqlite" and not Path(place.database or "").exists():
        return False
    engine = sqlalchemy.create_engine(place, poolclass=sqlalchemy.NullPool)
    return bool(sqlalchemy.inspect(engine).has_table("studies"))


@contextmanager
def _reaching(url: str) -> Iterator[None]:
    """Say in one sentence that a database cannot be used."""
    try:
        reach(url, print)
        yield
    except Exception as error:
        raise BadInputError(
            f"--storage {without_secrets(url)} cannot be used ({_said(error, url)}): give the URL of an existing "
            "database, e.g. postgresql://HOST/NAME."
        ) from error


def _said(error: BaseException, url: str) -> str:
    """Return the first line of an error, without where it was raised and the secrets of the URL."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    return text_without_secrets(re.sub(r"^\(\S+\) ", "", lines[0]), url)[:200].rstrip(".")


def _driver(folder: Path) -> str:
    """Return who this driver is, the same after each start from this work folder on this machine."""
    folder.mkdir(parents=True, exist_ok=True)
    if _known_driver(folder) is None:
        (folder / "driver").write_text(uuid.uuid4().hex)
    driver = _known_driver(folder)
    assert driver is not None
    return driver


def _known_driver(folder: Path) -> str | None:
    path = folder / "driver"
    name = path.read_bytes().decode("ascii", "replace") if path.is_file() else ""
    return f"{name}@{platform.node()}" if re.fullmatch("[0-9a-f]{32}", name) else None

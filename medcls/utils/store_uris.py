"""The URI of a store: which file a SQLite store's names, and how a file is written as one."""

import re
from pathlib import Path
from urllib.parse import unquote

from medcls.utils.errors import BadInputError

SQLITE = "sqlite:///"
OPTIONS = re.compile(r"[A-Za-z_]\w*=[^&/]*(&[A-Za-z_]\w*=[^&/]*)*")  # of SQLAlchemy's, behind the question mark


def of_file(path: Path) -> str:
    """Return the URI of a SQLite store in a file."""
    return f"{SQLITE}{path}"


def file(uri: str) -> Path | None:
    """Return the file that a store's URI names, None for another kind of store."""
    return Path(unquote(_parts(uri)[0])).absolute() if uri.startswith(SQLITE) else None


def meant(uri: str) -> str:
    """Return a store's URI as MLflow takes it for the file that its writer means.

    MLflow reads %20 in the path of a SQLite store as a blank, and takes what follows a question mark for options.

    Raises:
        BadInputError: it is empty, or it may mean another file than it says.
    """
    if not uri.strip():
        raise BadInputError(f"--tracking-uri is empty: give a store such as {SQLITE}mlflow.db, or leave it out.")
    if not uri.startswith(SQLITE):
        return uri
    path, options = _parts(uri)
    if options and not OPTIONS.fullmatch(options[1:]):
        raise BadInputError(
            f"The store {uri}: what follows ? is taken for options, so its file would be {path}; choose a path without "
            "? with --tracking-uri."
        )
    named = unquote(path)
    if named == path:
        return uri
    if "?" in named or unquote(named) != named or _is_taken(Path(path)) or not Path(named).absolute().parent.is_dir():
        raise BadInputError(
            f"The store {uri}: % and two digits are taken for another character, so its file would be {named}; choose "
            "a path without them with --tracking-uri, in a folder that is there."
        )
    return f"{SQLITE}{named}{options}"


def _parts(uri: str) -> tuple[str, str]:
    """Return the path of a SQLite store as it is written, and its options, which begin with a question mark."""
    path, mark, options = uri.removeprefix(SQLITE).partition("?")
    return path, mark + options


def _is_taken(path: Path) -> bool:
    """Tell whether a path as it is written leads to something that is there: its file, or a folder of its own."""
    folders = [folder for folder in path.absolute().parents if unquote(folder.name) != folder.name]
    return path.exists() or any(folder.is_dir() for folder in folders)

"""URIs of MLflow stores: the file that the URI of a SQLite store names, and the URI of a file."""

import re
from pathlib import Path
from urllib.parse import unquote

from medcls.utils.errors import BadInputError

SQLITE = "sqlite:///"
OPTIONS = re.compile(r"[A-Za-z_]\w*=[^&/]*(&[A-Za-z_]\w*=[^&/]*)*")  # SQLAlchemy's, after the question mark


def of_file(path: Path) -> str:
    """Return the URI of a SQLite store in a file."""
    return f"{SQLITE}{path}"


def file(uri: str) -> Path | None:
    """Return the file that the URI of a SQLite store names, None for another kind of store."""
    return Path(unquote(_parts(uri)[0])).absolute() if uri.startswith(SQLITE) else None


def absolute(uri: str) -> str:
    """Return the URI of a store that means it in every working directory."""
    if uri.startswith(SQLITE):
        path, options = _parts(uri)
        return f"{SQLITE}{Path(path).absolute()}{options}"
    is_path = ":" not in uri and uri != "databricks"
    return str(Path(uri).absolute()) if is_path else uri


def meant(uri: str) -> str:
    """Return the URI of a store in the form in which MLflow uses the file that the user means.

    MLflow reads %20 in the path of a SQLite store as a blank, and text after a question mark as options.

    Raises:
        BadInputError: the URI is empty, or may mean a file other than the one it seems to name.
    """
    if not uri.strip():
        raise BadInputError(f"--tracking-uri is empty: give a store such as {SQLITE}mlflow.db, or leave it out.")
    if not uri.startswith(SQLITE):
        return uri
    path, options = _parts(uri)
    if options and not OPTIONS.fullmatch(options[1:]):
        raise BadInputError(
            f"The store {uri}: text after ? is read as options, so the file would be {path}. Name a path without ? "
            "with --tracking-uri."
        )
    named = unquote(path)
    if named == path:
        return uri
    if "?" in named or unquote(named) != named or _is_taken(Path(path)) or not Path(named).absolute().parent.is_dir():
        raise BadInputError(
            f"The store {uri}: % and two digits are read as another character, so the file would be {named}. Name a "
            "path without them with --tracking-uri, in an existing folder."
        )
    return f"{SQLITE}{named}{options}"


def _parts(uri: str) -> tuple[str, str]:
    """Return the path of a SQLite store as it is written, and the options, which begin with a question mark."""
    path, mark, options = uri.removeprefix(SQLITE).partition("?")
    return path, mark + options


def _is_taken(path: Path) -> bool:
    """Return whether a path as it is written exists, or one of its parents whose name has % and two digits."""
    folders = [folder for folder in path.absolute().parents if unquote(folder.name) != folder.name]
    return path.exists() or any(folder.is_dir() for folder in folders)

"""Whether what a URL names can be used at all, asked before a library that tries for minutes without a word."""

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from medcls.utils.errors import BadInputError

PATIENCE = 20.0  # seconds in all
QUIET = 2.0  # seconds before it is said that one waits
PAUSE = 1.0  # seconds between two attempts
PORTS = (("postgres", 5432), ("mysql", 3306), ("mariadb", 3306), ("mssql", 1433), ("oracle", 1521))
SSL_REQUEST = bytes.fromhex("0000000804d2162f")  # what PostgreSQL answers with one byte, whoever asks


def reach(url: str, say: Callable[[str], None]) -> None:
    """Wait until a database's server answers, 20 seconds at most; look what kind of file a SQLite URL names.

    URLs of other kinds, and servers behind a socket's file, are not looked at.

    Args:
        url: of a database, as SQLAlchemy takes it.
        say: told once that the server is waited for.

    Raises:
        BadInputError: no server answers, or the file is none; without what is secret in the URL.
    """
    scheme = url.partition(":")[0].partition("+")[0].lower()
    if scheme == "sqlite":
        _check_file(url)
        return
    os.environ.setdefault("PGCONNECT_TIMEOUT", str(round(PATIENCE)))  # of a server that falls silent afterwards
    for beginning, port in PORTS:
        if scheme.startswith(beginning):
            _wait(url, port, say)


def _check_file(url: str) -> None:
    path = Path(unquote(url.partition(":///")[2].partition("?")[0]))
    if path.name and path.exists() and not path.is_file():
        kind = "a folder" if path.is_dir() else "a pipe or a device"
        raise BadInputError(f"{path} is {kind}, and no file of SQLite: give the name of a file.")


def _wait(url: str, port: int, say: Callable[[str], None]) -> None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or port
    except ValueError:
        return  # whoever opens it says what is wrong with it
    if not host:
        return
    began, said = time.monotonic(), False
    while True:
        try:
            _ask(host, port, url, PATIENCE if said else QUIET)
        except OSError as error:
            if isinstance(error, socket.gaierror) or time.monotonic() - began > PATIENCE:
                reason = error.strerror or "no answer in time"
                raise BadInputError(
                    f"The server {host}:{port} cannot be reached ({reason}): start it, or name another."
                ) from error
        else:
            return
        if not said:
            said = True
            say(f"waiting for the store at {host}:{port} for up to {PATIENCE:.0f} s ...")
        time.sleep(PAUSE)


def _ask(host: str, port: int, url: str, seconds: float) -> None:
    """Raise OSError if a server does not take a connection, or if a PostgreSQL does not answer in it."""
    with socket.create_connection((host, port), timeout=seconds) as connection:
        if url.lower().startswith("postgres"):
            connection.sendall(SSL_REQUEST)
            if not connection.recv(1):
                raise ConnectionResetError(None, "it hangs up")

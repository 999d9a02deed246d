"""Check that the server of a database can be reached, before a library tries for minutes without a word."""

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from medcls.utils.errors import BadInputError

PATIENCE = 20.0  # seconds in all
QUIET = 2.0  # seconds before a message says that the server is waited for
PAUSE = 1.0  # seconds between two attempts
PORTS = (("postgres", 5432), ("mysql", 3306), ("mariadb", 3306), ("mssql", 1433), ("oracle", 1521))
SSL_REQUEST = bytes.fromhex("0000000804d2162f")  # PostgreSQL answers this with one byte, whoever asks


def reach(url: str, say: Callable[[str], None]) -> None:
    """Wait up to 20 seconds for the server of a database; check that the URL of a SQLite database names a file.

    URLs of other kinds, and servers behind a socket file, are not checked.

    Args:
        url: the URL of a database, as SQLAlchemy takes it.
        say: prints once that the server is waited for.

    Raises:
        BadInputError: no server answers, or the path is not a file. The message has no secrets of the URL.
    """
    scheme = url.partition(":")[0].partition("+")[0].lower()
    if scheme == "sqlite":
        _check_file(url)
        return
    os.environ.setdefault("PGCONNECT_TIMEOUT", str(round(PATIENCE)))  # for a server that stops answering later
    for beginning, port in PORTS:
        if scheme.startswith(beginning):
            _wait(url, port, say)


def _check_file(url: str) -> None:
    path = Path(unquote(url.partition(":///")[2].partition("?")[0]))
    if path.name and path.exists() and not path.is_file():
        kind = "a folder" if path.is_dir() else "a pipe or a device"
        raise BadInputError(f"{path} is {kind}, not a SQLite file: name a file.")


def _wait(url: str, port: int, say: Callable[[str], None]) -> None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or port
    except ValueError:
        return  # the library that opens it reports what is wrong
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
            say(f"Waiting up to {PATIENCE:.0f} s for the store at {host}:{port} ...")
        time.sleep(PAUSE)


def _ask(host: str, port: int, url: str, seconds: float) -> None:
    """Raise OSError if a server does not accept a connection, or if a PostgreSQL server does not answer."""
    with socket.create_connection((host, port), timeout=seconds) as connection:
        if url.lower().startswith("postgres"):
            connection.sendall(SSL_REQUEST)
            if not connection.recv(1):
                raise ConnectionResetError(None, "it closed the connection")

"""Starts a Ray that only this machine and this user can reach, or joins an existing one."""

import contextlib
import ipaddress
import logging
import os
import secrets
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from medcls.utils.errors import BadInputError, first_line
from medcls.utils.installation import pip_install
from medcls.utils.lazy import ray
from medcls.utils.redaction import text_without_secrets

HERE = "ray"  # as the address: start one on this machine
PRIVATE = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"  # 0 restricts Ray to the loopback addresses, on every system
OURS = ("MEDCLS_STORAGE",)  # variables that only the driver needs
NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY


def connect(address: str) -> None:
    """Start a Ray here, or join an existing one.

    Raises:
        BadInputError: Ray is not installed, there is none at the address, or none can be started here.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # a client says in many words that it waited
            if address == HERE:
                _start()
            else:
                # Its processes get variables by a way that Ray logs for all users of a machine to read.
                ray.init(address, runtime_env={"env_vars": _passed()}, log_to_driver=False, logging_level=logging.ERROR)
    except ImportError as error:
        raise BadInputError(f"For --executor ray, Ray must be installed: {pip_install('ray')}.") from error
    except (OSError, RuntimeError, ValueError) as error:
        if address == HERE:
            raise BadInputError(f"--executor ray: no Ray can be started here ({first_line(error)}).") from error
        raise BadInputError(
            f"There is no Ray at --executor {address} ({first_line(error)}): start one there, or use --executor ray "
            "to start one here."
        ) from error


def _start() -> None:
    """Start a Ray that accepts connections from this machine only."""
    _check_temporary()
    _make_token()
    variables = {
        **_passed(),
        **dict.fromkeys(OURS),
        PRIVATE: "0",
        "RAY_USAGE_STATS_ENABLED": os.environ.get("RAY_USAGE_STATS_ENABLED", "0"),  # nothing leaves unasked
    }
    # Without an address Ray would look for one of this machine that may have died. What it starts inherits the
    # environment: so it need not first start an agent that makes one for its processes.
    with _kept_private(), _environment(variables):
        ray.init("local", include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    _check_private()


@contextlib.contextmanager
def _kept_private() -> Iterator[None]:
    """Restrict Ray in this process to the loopback addresses: it reads the environment only when it is imported."""
    from ray._private import ray_constants

    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


def _passed() -> dict[str, str]:
    """Return the environment variables that the processes of a Ray need; none of them holds a password."""
    passed = {"PYTHONPATH": os.pathsep.join(_user_paths(sys.path)), "TF_CPP_MIN_LOG_LEVEL": "3"}
    for name, value in os.environ.items():
        is_open = name not in OURS and text_without_secrets(f"{name}={value}") == f"{name}={value}"
        if name.startswith(("MEDCLS_", "TF_ENABLE_")) and is_open:
            passed[name] = value
    return passed


def _make_token() -> None:
    """Make the token that Ray requires of every client, unless the user has one, and let only the user read it.

    Ray itself would make a token that all users of the machine can read.
    """
    if os.environ.get("RAY_AUTH_TOKEN") or os.environ.get("RAY_AUTH_TOKEN_PATH"):
        return
    file = Path("~/.ray/auth_token").expanduser()
    with contextlib.suppress(OSError):  # Ray reports what is wrong
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError), os.fdopen(os.open(file, NEW, 0o600), "w") as new:
            new.write(secrets.token_hex(32))
        file.chmod(0o600)


def _check_private() -> None:
    """Check that the Ray that was started here accepts connections from this machine only.

    Raises:
        BadInputError: it listens to other machines too.
    """
    address = ray.util.get_node_ip_address()
    if not ipaddress.ip_address(address).is_loopback:
        ray.shutdown()
        raise BadInputError(
            f"--executor ray: this version of Ray would accept connections from other machines (at {address}); install "
            f"the tested one: {pip_install('ray', tested=True)}."
        )


def _check_temporary() -> None:
    """Check that Ray's temporary files do not lie in the virtual environment, where Ray would wait for ever.

    Raises:
        BadInputError: they do.
    """
    temporary = Path(os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp").resolve()
    environment = os.environ.get("VIRTUAL_ENV")
    if environment and temporary.is_relative_to(Path(environment).resolve()):
        raise BadInputError(
            f"--executor ray: Ray cannot keep its temporary files in a virtual environment, and {temporary} is in one: "
            "set TMPDIR to another directory with a short path."
        )


@contextlib.contextmanager
def _environment(variables: Mapping[str, str | None]) -> Iterator[None]:
    """Set environment variables for a while; those with the value None are removed."""
    before = {name: os.environ.get(name) for name in variables}
    _set(variables)
    try:
        yield
    finally:
        _set(before)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _user_paths(paths: Sequence[str]) -> list[str]:
    """Return the directories of the user's own modules; Python and its packages are installed on each machine.

    Args:
        paths: the entries of sys.path.
    """
    installed = {Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()}
    users: list[str] = []
    for entry in paths:
        path = Path(entry).resolve()
        if path.is_dir() and installed.isdisjoint([path, *path.parents]):
            users.append(str(path))
    return users

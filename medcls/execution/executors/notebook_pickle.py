"""Sends calls from a notebook to a worker, although no other process can import the notebook's cells."""

import sys
from collections.abc import Callable
from typing import Any

from medcls.execution.executors import startup
from medcls.utils.lazy import cloudpickle


def portable_call(target: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Return a call that another process can carry out, with the functions of a notebook's cells pickled in it.

    Args:
        target: the function that is called.
        arguments: its arguments.

    Returns:
        A function and its arguments: the given ones where this process runs a script.
    """
    if hasattr(sys.modules["__main__"], "__file__"):
        return target, arguments
    return unpack_and_call, (cloudpickle.dumps((target, arguments)),)


def unpack_and_call(packed: bytes) -> Any:
    """Carry out a call that was pickled with its functions."""
    try:
        target, arguments = cloudpickle.loads(packed)
    except Exception as error:  # noqa: BLE001 - a module of the user's own may raise anything when it is imported
        startup.end(error)
    return target(*arguments)

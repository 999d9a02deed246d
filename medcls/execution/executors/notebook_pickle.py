"""How a call reaches a worker from a notebook, whose cells no other process can import."""

import sys
from collections.abc import Callable
from typing import Any

from medcls.execution.executors import startup
from medcls.utils.lazy import cloudpickle


def travelling(target: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Return a call that another process can carry out: the same, or with the functions of a notebook's cells in it."""
    if hasattr(sys.modules["__main__"], "__file__"):
        return target, arguments
    return arrived, (cloudpickle.dumps((target, arguments)),)


def arrived(packed: bytes) -> Any:
    """Carry out a call that has travelled with its functions."""
    try:
        target, arguments = cloudpickle.loads(packed)
    except Exception as error:  # noqa: BLE001 - a module of the user's own may raise anything when it is imported
        startup.end(error)
    return target(*arguments)

"""What was typed: the study's file, its docstring, and the command that repeats it."""

import inspect
import shlex
import sys
from pathlib import Path

from medcls.options import root
from medcls.tracking.mlflow import without_password


def command() -> str:
    """Return what was typed, without passwords."""
    return shlex.join(["python", script(), *map(without_password, sys.argv[1:])])


def script() -> str:
    """Return the study's file, as seen from the root where it lies below it."""
    path = Path(sys.argv[0]).absolute()
    return str(path.relative_to(root())) if path.is_relative_to(root()) else str(path)


def document() -> str:
    """Return the docstring of the study's file."""
    return inspect.cleandoc(sys.modules["__main__"].__doc__ or "")

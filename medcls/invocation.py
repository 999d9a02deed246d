"""What was typed: the file, and the command that repeats it."""

import sys
from pathlib import Path

from medcls.options import root
from medcls.redaction import typed


def command() -> str:
    """Return what was typed, without passwords and tokens; in a notebook, which function was called."""
    if not hasattr(sys.modules["__main__"], "__file__"):
        return "medcls.run(study), in Python"
    called = ["medcls"] if _is_medcls() else ["python", script()]
    return typed(*called, *sys.argv[1:])


def script() -> str:
    """Return the file that was called, as seen from the root where it lies below it."""
    path = Path(sys.argv[0]).absolute()
    return str(path.relative_to(root())) if path.is_relative_to(root()) else str(path)


def _is_medcls() -> bool:
    called = Path(sys.argv[0])
    return called.stem == "medcls" or called.absolute() == Path(__file__).with_name("__main__.py")

"""Where a result comes from: the script, the command that repeats it, and the commit of the code."""

import subprocess
import sys
from pathlib import Path

from medcls.utils.paths import root
from medcls.utils.redaction import typed


def command() -> str:
    """Return the command line without passwords and tokens; in a notebook, the function that was called."""
    if not hasattr(sys.modules["__main__"], "__file__"):
        return "medcls.run(study), in Python"
    called = ["medcls"] if _is_medcls() else ["python", script()]
    return typed(*called, *sys.argv[1:])


def script() -> str:
    """Return the path of the script, relative to the root if the script is below it."""
    path = Path(sys.argv[0]).absolute()
    return str(path.relative_to(root())) if path.is_relative_to(root()) else str(path)


def _is_medcls() -> bool:
    called = Path(sys.argv[0])
    return called.stem == "medcls" or called.absolute() == Path(__file__).parents[1] / "__main__.py"


def commit(folder: Path) -> str | None:
    """Return the commit that is checked out in the repository of `folder`, None outside a repository."""
    return _git(folder, "rev-parse", "HEAD")


def is_dirty(folder: Path) -> bool:
    """Return whether tracked files around `folder` differ from the commit."""
    return bool(_git(folder, "status", "--porcelain", "--untracked-files=no"))


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None

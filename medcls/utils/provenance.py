"""Where a result comes from: the script, the command that repeats it, the user's code and its commit."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from medcls.utils.installation import PACKAGED
from medcls.utils.paths import root
from medcls.utils.redaction import text_without_secrets, typed

LONGEST = 1_000_000  # characters of a text that is kept


def command() -> str:
    """Return the command line without passwords and tokens; in a notebook, the function that was called."""
    if not hasattr(sys.modules["__main__"], "__file__"):
        return "medcls.run(study), in Python"
    called = ["medcls"] if _is_medcls() else ["python", script()]
    return typed(*called, *sys.argv[1:])


def directory() -> str:
    """Return the working directory, where relative paths in the command line begin; "" where it has been removed."""
    try:
        return str(Path.cwd())
    except OSError:
        return ""


def script() -> str:
    """Return the path of the script, relative to the root if the script is below it."""
    path = Path(sys.argv[0]).absolute()
    return str(path.relative_to(root())) if path.is_relative_to(root()) else str(path)


def _is_medcls() -> bool:
    called = Path(sys.argv[0])
    return called.stem == "medcls" or called.absolute() == Path(__file__).parents[1] / "__main__.py"


@dataclass(frozen=True)
class UserCode:
    """The code of a study as its user has it.

    Attributes:
        file: the study's file, None in a notebook.
        text: the file's content without passwords and tokens, "" where it is not to be kept.
        commit: that is checked out in the repository around the file, None outside a repository.
        is_dirty: whether tracked files differ from the commit, or the study's file is not tracked.
        diff: how tracked files differ from the commit, without passwords and tokens; "" where it is not to be kept.
    """

    file: Path | None
    text: str = ""
    commit: str | None = None
    is_dirty: bool = False
    diff: str = ""


def user_code(file: Path | None, *, keep: bool) -> UserCode:
    """Return the code of a study.

    Args:
        file: the study's file; None for the script that runs, which a notebook does not have.
        keep: whether the texts of the file and of its uncommitted changes are wanted.
    """
    file = main_file() if file is None else file
    text = _text(file) if keep and file is not None else ""
    folder = Path.cwd() if file is None else file.parent
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None or (file is not None and _is_installed(file)):
        return UserCode(file, text)
    changed = bool(_git(folder, "status", "--porcelain", "--untracked-files=no"))
    is_dirty = changed or (file is not None and bool(_git(folder, "status", "--porcelain", "--", str(file))))
    diff = _git(folder, "diff", "--no-color", "--no-ext-diff", "--no-textconv", "HEAD") if changed and keep else None
    return UserCode(file, text, commit, is_dirty, _cut(diff or ""))


def main_file() -> Path | None:
    """Return the script that runs, None in a notebook or an interpreter."""
    file = getattr(sys.modules["__main__"], "__file__", None)
    return None if file is None else Path(file).absolute()


def _is_installed(file: Path) -> bool:
    """Return whether a study came with an installation: a repository around that, of the user's, does not have it."""
    return file.is_relative_to(PACKAGED) or _git(file.parent, "check-ignore", "-q", "--", str(file)) is not None


def _text(file: Path) -> str:
    try:
        return _cut(file.read_text("utf-8", errors="replace"))
    except OSError:
        return ""


def _cut(text: str) -> str:
    """Return a text without passwords and tokens, and without its end where it is very long."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}\n... (cut off here: {len(text):,} characters)\n"
    return text_without_secrets(text)


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git prints, None where it fails, is missing, or takes too long."""
    command = ["git", "-c", "core.quotepath=off", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None

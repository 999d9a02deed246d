"""Which commit of the user's project made a result."""

import subprocess
from pathlib import Path


def commit(folder: Path) -> str | None:
    """Return the commit that is checked out around `folder`, None outside a repository."""
    return _git(folder, "rev-parse", "HEAD")


def is_dirty(folder: Path) -> bool:
    """Tell whether tracked files around `folder` differ from the commit."""
    return bool(_git(folder, "status", "--porcelain", "--untracked-files=no"))


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None

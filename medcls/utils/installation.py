"""How medcls is installed, from a checkout or as a wheel: where its studies lie, and what installs it again."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
PACKAGED = PACKAGE / "_studies"  # written by setup.py when a wheel is built; a checkout has none


def checkout() -> Path | None:
    """Return the checkout that medcls is installed from, None where it was installed as a wheel."""
    folder = PACKAGE.parent
    return folder if (folder / "pyproject.toml").exists() and not PACKAGED.is_dir() else None


def studies_folder() -> Path:
    """Return the folder of the studies that medcls brings along."""
    home = checkout()
    return PACKAGED if home is None else home / "studies"


def pip_install(extra: str = "", *, tested: bool = False) -> str:
    """Return the command that installs what medcls, or one of its extras, needs.

    Args:
        extra: the name of the extra, "" for what medcls always needs.
        tested: whether to ask for the versions that were tested, which only a checkout lists.
    """
    home, of_extra = checkout(), f"[{extra}]" if extra else ""
    if home is None:
        return f'python -m pip install "medcls{of_extra}"'
    is_here = Path.cwd() == home
    constraints = "constraints.txt" if is_here else home / "constraints.txt"
    place = f'"{"." if is_here else home}{of_extra}"' if extra or not is_here else "."
    return f"python -m pip install {f'-c {constraints} ' if tested else ''}-e {place}"

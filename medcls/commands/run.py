"""`medcls run`: several studies planned and carried out together, sharing what they have in common."""

import argparse
import fnmatch
import importlib
import inspect
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medcls.errors import BadInputError
from medcls.interruption import listen
from medcls.options import Parser, add_flags, options, root

if TYPE_CHECKING:
    from medcls.study import Study


def add(commands: Any, places: Parser) -> None:  # noqa: ARG001 - a study's flags have these among them
    """Add the command's parser to the subparsers of `medcls`."""
    each = commands.add_parser(
        "run",
        help="carry out several studies together, e.g. medcls run 'task1*' 'task2*'",
        description="Carry out several studies together: planned as one, each epoch that they share trained once, "
        "all cores busy. The flags are those of a study; --json writes all summaries into one file.",
    )
    each.add_argument("studies", nargs="+", metavar="STUDY", help="names, patterns such as 'task1*', or files")
    add_flags(each, search=True)
    each.set_defaults(command=_run)


def _run(given: argparse.Namespace) -> int:
    from medcls.study import carry_out

    listen()
    studies = [_study(path) for path in named(given.studies, root() / "studies")]
    read = options(given)
    return carry_out(studies, lambda: read)


def named(words: Sequence[str], folder: Path) -> list[Path]:
    """Return the study files that names, patterns and paths stand for, each once, in the order of the words.

    Raises:
        BadInputError: a word that stands for none.
    """
    there = sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")
    found: dict[Path, None] = {}
    for word in words:
        path = Path(word)
        stem = path.name.removesuffix(".py")
        matching = [path.absolute()] if path.is_file() else [each for each in there if fnmatch.fnmatch(each.stem, stem)]
        if not matching:
            known = ", ".join(each.stem for each in there) or "none"
            raise BadInputError(f"{word} is no study: in {folder} there are {known}.")
        found |= dict.fromkeys(matching)
    return list(found)


def _study(path: Path) -> "Study":
    """Import a study's file as its workers will, under its stem, and return the study that it declares."""
    from medcls.study import Study

    sys.path.insert(0, str(path.parent))
    try:
        module = importlib.import_module(path.stem)
    except BadInputError:
        raise
    except Exception as error:
        raise BadInputError(f"{path} cannot be imported ({type(error).__name__}: {error}): mend it first.") from error
    if Path(module.__file__ or "").resolve() != path.resolve():
        raise BadInputError(f"{path} cannot be imported, for {module.__name__} is also {module.__file__}: rename it.")
    study = getattr(module, "STUDY", None)
    if not isinstance(study, Study):
        raise BadInputError(f"{path} declares no STUDY that trains anything: run it by python {path}.")
    return replace(study, document=inspect.cleandoc(module.__doc__ or ""))

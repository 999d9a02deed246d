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

from medcls.cli.commands.common import examples, naming_a_study
from medcls.cli.options import Parser, add_flags, options
from medcls.utils.errors import BadInputError
from medcls.utils.paths import root
from medcls.utils.redaction import typed
from medcls.utils.signals import install_handlers

if TYPE_CHECKING:
    from medcls.spec.study import Study


def add(commands: Any, places: Parser) -> None:  # noqa: ARG001 - a study's flags have these among them
    """Add the command's parser to the subparsers of `medcls`."""
    each = commands.add_parser(
        "run",
        help="carry out several studies together, e.g. medcls run 'task1*' 'task2*'",
        description="Carry out several studies together: planned as one, each epoch that they share trained once, "
        "all cores busy. The flags are those of a study; --json writes all summaries into one file.",
        **examples(
            "medcls run 'task1*' 'task2*' --plan", "medcls run task1a_dropout task1b_batch_norm --data skin=~/my_images"
        ),
    )
    naming_a_study(
        each.add_argument("studies", nargs="+", metavar="STUDY", help="names, patterns such as 'task1*', or files")
    )
    add_flags(each, search=True)
    each.set_defaults(command=_run)


def _run(given: argparse.Namespace) -> int:
    from medcls.cli.study import carry_out

    install_handlers()
    studies = []
    for path, by_pattern in named(given.studies, root() / "studies").items():
        study = _declared(path)
        if study is not None:
            studies.append(study)
        elif not by_pattern:
            raise BadInputError(f"{path} declares no STUDY that trains anything: run it by {typed('python', path)}.")
    if not studies:
        raise BadInputError(f"{' '.join(given.studies)}: none of these trains anything; run their files by python.")
    read = options(given)
    return carry_out(studies, lambda: read)


def named(words: Sequence[str], folder: Path) -> dict[Path, bool]:
    """Return the study files that names, patterns and paths stand for, and whether a pattern alone does.

    They come in the order of the words. What a pattern stands for may train nothing: it is passed over then.

    Raises:
        BadInputError: a word that stands for none.
    """
    there = sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")
    found: dict[Path, bool] = {}
    for word in words:
        path = Path(word)
        stem = path.name.removesuffix(".py")
        matching = [path.absolute()] if path.is_file() else [each for each in there if fnmatch.fnmatch(each.stem, stem)]
        if not matching:
            known = ", ".join(each.stem for each in there) or "none"
            raise BadInputError(f"{word} is no study: in {folder} there are {known}.")
        by_pattern = not path.is_file() and any(character in stem for character in "*?[")
        found |= {each: found.get(each, True) and by_pattern for each in matching}
    return found


def _declared(path: Path) -> "Study | None":
    """Import a study's file as its workers will, under its stem, and return the study that it declares, if any."""
    from medcls.spec.study import Study

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
    return replace(study, document=inspect.cleandoc(module.__doc__ or "")) if isinstance(study, Study) else None

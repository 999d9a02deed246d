"""`medcls run`: run several studies together, planned as one, so that shared epochs are trained once."""

import argparse
import fnmatch
import importlib
import inspect
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from medcls.cli.commands.common import Commands, complete_studies, examples, study_files
from medcls.cli.options import Parser, add_flags, options
from medcls.utils.errors import BadInputError
from medcls.utils.installation import studies_folder
from medcls.utils.redaction import typed
from medcls.utils.signals import install_handlers

if TYPE_CHECKING:
    from medcls.spec.study import Study


def add(commands: Commands, shared: Parser) -> None:  # noqa: ARG001 - the flags of a study include the shared ones
    """Add the parser of `medcls run` to the subparsers of `medcls`."""
    parser = commands.add_parser(
        "run",
        help="run several studies together, e.g. medcls run 'task1*' 'task2*'",
        description="Run several studies together. They are planned as one: epochs that they share are trained once, "
        "and all cores are kept busy. The flags are those of a study; --json writes all summaries to one file.",
        **examples(
            "medcls run 'task1*' 'task2*' --plan", "medcls run task1a_dropout task1b_batch_norm --data skin=~/my_images"
        ),
    )
    complete_studies(
        parser.add_argument(
            "studies", nargs="+", metavar="STUDY", help="names of studies, patterns such as 'task1*', or study files"
        )
    )
    add_flags(parser, search=True)
    parser.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    from medcls.cli.study import run_and_report

    install_handlers()
    studies = []
    for path, by_pattern in selected_files(arguments.studies, studies_folder()).items():
        study = _import_study(path)
        if study is not None:
            studies.append(study)
        elif not by_pattern:
            raise BadInputError(f"{path} declares no STUDY that trains anything: run {typed('python', path)} instead.")
    if not studies:
        raise BadInputError(f"{' '.join(arguments.studies)}: these train nothing; run their files with python instead.")
    parsed = options(arguments)
    return run_and_report(studies, lambda: parsed)


def selected_files(words: Sequence[str], directory: Path) -> dict[Path, bool]:
    """Return the study files that names, patterns and paths select, in the order of the words.

    Args:
        words: names such as "task1a_dropout", patterns such as "task1*", or paths of study files.
        directory: the directory of study files in which names and patterns are looked up.

    Returns:
        Path -> whether only a pattern selects the file. A pattern may select files that train nothing.

    Raises:
        BadInputError: a word that selects no file.
    """
    available = study_files(directory)
    selected: dict[Path, bool] = {}
    for word in words:
        path = Path(word)
        stem = path.name.removesuffix(".py")
        beside = path.with_name(f"{stem}.py")
        if path.is_file():
            matching, is_pattern = [path.absolute()], False
        else:
            matching = [file for file in available if fnmatch.fnmatch(file.stem, stem)]
            is_pattern = any(character in stem for character in "*?[")
        if not matching and beside.is_file():
            matching = [beside.absolute()]  # the name of a file in the working directory
        if not matching:
            names = ", ".join(file.stem for file in available) or "none"
            raise BadInputError(f"There is no study {word}. The studies in {directory} are: {names}.")
        for file in matching:
            selected[file] = selected.get(file, True) and is_pattern
    return selected


def _import_study(path: Path) -> "Study | None":
    """Import a study file under its stem, as its workers will, and return its STUDY; None if it has none."""
    from medcls.spec.study import Study

    sys.path.insert(0, str(path.parent))
    try:
        module = importlib.import_module(path.stem)
    except BadInputError:
        raise
    except Exception as error:
        raise BadInputError(
            f"{path} cannot be imported ({type(error).__name__}: {error}): correct it first."
        ) from error
    if Path(module.__file__ or "").resolve() != path.resolve():
        raise BadInputError(
            f"{path} cannot be imported because {module.__file__} is also called {module.__name__}: rename the study."
        )
    study = getattr(module, "STUDY", None)
    if not isinstance(study, Study):
        return None
    return replace(study, document=inspect.cleandoc(module.__doc__ or ""), file=path.absolute())

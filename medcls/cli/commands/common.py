"""What the subcommands of `medcls` share: flags, examples in their help, completion of names, the MLflow store."""

import argparse
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypedDict

from medcls.cli.options import Parser, add_store, folder, work_dir
from medcls.utils import store_uris
from medcls.utils.errors import BadInputError
from medcls.utils.installation import studies_folder
from medcls.utils.lazy import argcomplete
from medcls.utils.paths import tracking_uri
from medcls.utils.texts import say

if TYPE_CHECKING:
    from medcls.inference.predictor import Predictor

Commands: TypeAlias = "argparse._SubParsersAction[Parser]"
"""What argparse returns for a parser's subcommands: each command adds its own parser there."""


class Examples(TypedDict):
    """Arguments of a parser that show examples at the end of its help."""

    epilog: str
    formatter_class: type[argparse.HelpFormatter]


def shared_flags() -> Parser:
    """Return a parent parser with the flags that every command takes."""
    parser = Parser(add_help=False, allow_abbrev=False)
    add_store(parser)
    parser.add_argument("--work-dir", type=folder, metavar="DIR", help="work directory (default: mlruns/runs)")
    return parser


def examples(*lines: str) -> Examples:
    """Return the arguments of a parser that show command lines as examples at the end of its help."""
    text = "\n".join(f"  {line}" for line in lines)
    return {"epilog": f"examples:\n{text}", "formatter_class": argparse.RawDescriptionHelpFormatter}


def complete_studies(action: argparse.Action) -> None:
    """Let the shell complete an argument with the names of the studies."""

    def names(**_: object) -> list[str]:
        return _names_of_studies()

    action.completer = names  # type: ignore[attr-defined]


def complete_outcomes(action: argparse.Action) -> None:
    """Let the shell complete an argument with the names of the studies and of their outcomes, STUDY@DATA."""

    def names(parsed_args: argparse.Namespace, **_: object) -> list[str]:
        return _names_of_outcomes(parsed_args)

    action.completer = names  # type: ignore[attr-defined]


def complete_models(action: argparse.Action) -> None:
    """Let the shell complete an argument with files, and with the names of the studies and of their outcomes."""

    def names(prefix: str, parsed_args: argparse.Namespace, **_: object) -> list[str]:
        return argcomplete.completers.FilesCompleter()(prefix) + _names_of_outcomes(parsed_args)

    action.completer = names  # type: ignore[attr-defined]


def _names_of_studies() -> list[str]:
    return sorted(path.stem for path in study_files(studies_folder()))


def _names_of_outcomes(arguments: argparse.Namespace) -> list[str]:
    """Return the names of the studies, then those of the outcomes in the work directory of a command line."""
    from medcls.tracking.outcomes import labels, outcomes

    found = outcomes(work_dir(arguments))
    studies = {*_names_of_studies(), *(outcome.summary.study for outcome in found)}
    return [*sorted(studies), *labels(found)]


def study_files(directory: Path) -> list[Path]:
    """Return the study files of a directory, sorted by name."""
    return sorted(path for path in directory.glob("*.py") if path.name != "__init__.py")


def add_outcome(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names the outcome of a study."""
    complete_outcomes(
        parser.add_argument(
            "outcome",
            metavar="STUDY",
            help="name of a study, or STUDY@DATA for its outcome on one data set; `medcls studies` lists them",
        )
    )


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names a model, and the flag that allows models which are programs."""
    complete_models(
        parser.add_argument(
            "model",
            metavar="MODEL",
            help="an exported folder, a model file, a models:/ URI, or STUDY or STUDY@DATA for its best model",
        )
    )
    parser.add_argument(
        "--trust",
        action="store_true",
        help="load a SavedModel although it is a program, which can read and write files",
    )


def add_images(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names image files and folders."""
    parser.add_argument(
        "images", metavar="IMAGE_OR_FOLDER", type=Path, nargs="+", help="image files, or folders of them"
    )


def opened_model(arguments: argparse.Namespace) -> "AbstractContextManager[Predictor]":
    """Open the model that `add_model` has added to the command line."""
    from medcls.inference.opening import opened

    work = arguments.work_dir.path if arguments.work_dir else None
    return opened(arguments.model, lambda: store(arguments), work=work, trust=arguments.trust)


def note(sentence: str) -> None:
    """Print a remark on standard error, apart from the results on standard output."""
    say(f"medcls: {sentence}", sys.stderr)


def store(arguments: argparse.Namespace) -> str:
    """Return the URI of the MLflow store that --tracking-uri names, else the default one's.

    Raises:
        BadInputError: the file of a SQLite store does not exist, or its URI means another file.
    """
    uri = tracking_uri(arguments.tracking_uri)
    file = store_uris.file(uri)
    if file is not None and not file.exists():
        raise BadInputError(f"There is no store {file} yet: run a study first, or name a store with --tracking-uri.")
    return uri

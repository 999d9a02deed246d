"""`medcls new`: write a commented study file to start from."""

import argparse
import importlib.util
from importlib import resources
from pathlib import Path

from medcls.cli.commands.common import Commands, examples, study_files
from medcls.cli.options import Parser
from medcls.utils.errors import BadInputError
from medcls.utils.files import write_atomically
from medcls.utils.installation import studies_folder
from medcls.utils.redaction import typed
from medcls.utils.texts import say


def add(commands: Commands, shared: Parser) -> None:  # noqa: ARG001 - a new file depends on neither store nor runs
    """Add the parser of `medcls new` to the subparsers of `medcls`."""
    parser = commands.add_parser(
        "new",
        help="write a commented study file to start from",
        **examples("medcls new my_study", "medcls new studies/my_study.py"),
    )
    parser.add_argument("name", metavar="NAME", help="the name of the study, or the path of its new file")
    parser.set_defaults(command=_new)


def _new(arguments: argparse.Namespace) -> None:
    path = Path(arguments.name)
    path = path if path.suffix == ".py" else path.with_name(f"{path.name}.py")
    _check(path)
    text = resources.files("medcls.cli").joinpath("new_study.txt").read_text("utf-8").format(name=path.stem)
    write_atomically(path, lambda file: file.write(text.encode()))
    say(f"{path} is a study that runs as it is: {typed('python', path, '--smoke')}")


def _check(path: Path) -> None:
    """Check that a study file of this path can be written, and that its processes can import it.

    Raises:
        BadInputError: they cannot.
    """
    name = path.stem
    if not name.isidentifier():
        raise BadInputError(f"{name!r} cannot be the name of a study's file: use letters, digits and underscores.")
    if path.exists():
        raise BadInputError(f"{path} already exists: choose another name.")
    if not path.parent.is_dir():
        raise BadInputError(f"There is no folder {path.parent}: create it first.")
    if name in [file.stem for file in study_files(studies_folder())]:
        raise BadInputError(f"medcls has a study {name}: choose another name, under which its results are found.")
    if importlib.util.find_spec(name) is not None:
        raise BadInputError(f"A module of Python is called {name}, too: choose another name.")

"""Where the commands look: the store and the work folder, named alike by all of them."""

import argparse
from typing import Any

from medcls.cli.options import Parser, folder
from medcls.utils import store_uris
from medcls.utils.errors import BadInputError
from medcls.utils.paths import root, tracking_uri


def places() -> Parser:
    """Return the flags that every command takes, as a parent of its parser."""
    parser = Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("--tracking-uri", metavar="URI", help="MLflow store (MLFLOW_TRACKING_URI, else mlflow.db here)")
    parser.add_argument("--work-dir", type=folder, metavar="DIR", help="run folders (mlruns/runs)")
    return parser


def examples(*lines: str) -> dict[str, Any]:
    """Return what shows examples below a command's help."""
    return {
        "epilog": "examples:\n" + "\n".join(f"  {line}" for line in lines),
        "formatter_class": argparse.RawDescriptionHelpFormatter,
    }


def naming_a_study(action: argparse.Action) -> None:
    """Let the shell complete an argument by the names of the studies."""
    files = list((root() / "studies").glob("*.py"))
    action.completer = lambda **_: sorted(each.stem for each in files if each.stem != "__init__")  # type: ignore[attr-defined]


def naming_a_model(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names a model, and the flag for models that are programs."""
    parser.add_argument("model", metavar="MODEL", help="an exported folder, a model's file or a models:/ URI")
    parser.add_argument(
        "--trust", action="store_true", help="load a SavedModel too: it is a program, which may read and write files"
    )


def store(given: argparse.Namespace) -> str:
    """Return the URI of the store.

    Raises:
        BadInputError: it is a file that is not there, and nothing is to make it; or its URI means another one.
    """
    uri = tracking_uri(given.tracking_uri)
    file = store_uris.file(uri)
    if file is not None and not file.exists():
        raise BadInputError(f"There is no store {file} yet: run a study first, or name another with --tracking-uri.")
    return uri

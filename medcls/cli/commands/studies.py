"""`medcls studies` and `medcls ui`: list the studies with their results, and show their runs in the browser."""

import argparse
import os
import sys
from pathlib import Path

from medcls.cli.commands.common import Commands, examples, store
from medcls.cli.options import Parser, work_dir
from medcls.utils.installation import studies_folder
from medcls.utils.redaction import typed, without_secrets
from medcls.utils.texts import say


def add(commands: Commands, shared: Parser) -> None:
    """Add the parsers of `medcls studies` and `medcls ui` to the subparsers of `medcls`."""
    parser = commands.add_parser(
        "studies",
        parents=[shared],
        help="list the studies with their questions and outcomes",
        **examples("medcls studies"),
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, metavar="FOLDER", help="the folder of study files (default: those of medcls)"
    )
    parser.set_defaults(command=_studies)

    parser = commands.add_parser(
        "ui",
        parents=[shared],
        help="show the runs in the browser (mlflow ui on this store)",
        **examples("medcls ui --port 5001"),
    )
    parser.add_argument("--port", type=int, default=5000, metavar="N", help="port to listen on (default: 5000)")
    parser.set_defaults(command=_ui)


def _studies(arguments: argparse.Namespace) -> None:
    from medcls.tracking.outcomes import damaged
    from medcls.tracking.study_results import studies

    for entry in studies(arguments.folder or studies_folder(), work_dir(arguments)):
        say(entry.name)
        say(f"    {entry.question}")
        for outcome in entry.outcomes or ("not finished yet",):
            say(f"    {outcome}")
    for sentence in damaged(work_dir(arguments)):
        say(sentence)


def _ui(arguments: argparse.Namespace) -> None:
    uri = store(arguments)
    if uri.startswith(("http://", "https://")):
        say(f"The store is a server: open {without_secrets(uri)}")
        return
    port = ["--port", str(arguments.port)]
    say(typed("mlflow", "ui", "--backend-store-uri", uri, *port))
    os.environ["MLFLOW_BACKEND_STORE_URI"] = uri  # in the command line all users of the machine could read it
    os.environ.setdefault("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")  # eight processes for language models
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", "ui", *port])  # the server takes this process's place

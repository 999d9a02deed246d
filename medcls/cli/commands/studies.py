"""`medcls studies` and `medcls ui`: which studies there are, what they found, and the browser on their runs."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from medcls.cli.commands.common import examples, store
from medcls.cli.options import Parser, work_dir
from medcls.utils.paths import root
from medcls.utils.redaction import typed, without_secrets
from medcls.utils.texts import say


def add(commands: Any, places: Parser) -> None:
    """Add the commands' parsers to the subparsers of `medcls`."""
    each = commands.add_parser(
        "studies", parents=[places], help="list the studies: question, and what was found", **examples("medcls studies")
    )
    each.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="where the study files lie (studies/)")
    each.set_defaults(command=_studies)

    each = commands.add_parser(
        "ui",
        parents=[places],
        help="show the runs in the browser: mlflow ui on this store",
        **examples("medcls ui --port 5001"),
    )
    each.add_argument("--port", type=int, default=5000, metavar="N", help="port to listen on (5000)")
    each.set_defaults(command=_ui)


def _studies(given: argparse.Namespace) -> None:
    from medcls.tracking.study_results import damaged, studies

    for entry in studies(given.folder or root() / "studies", work_dir(given)):
        say(entry.name)
        say(f"    {entry.question}")
        for state in entry.states or ("not run to its end yet",):
            say(f"    {state}")
    for sentence in damaged(work_dir(given)):
        say(sentence)


def _ui(given: argparse.Namespace) -> None:
    uri = store(given)
    if uri.startswith(("http://", "https://")):
        say(f"The store is a server already: open {without_secrets(uri)}")
        return
    port = ["--port", str(given.port)]
    say(typed("mlflow", "ui", "--backend-store-uri", uri, *port))
    os.environ["MLFLOW_BACKEND_STORE_URI"] = uri  # in the command line all users of the machine could read it
    os.environ.setdefault("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")  # eight processes for language models
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", "ui", *port])  # the server takes this process's place

"""`medcls studies` and `medcls ui`: list the studies with their results, and show their runs in the browser."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from medcls.cli.commands.common import Commands, complete_studies, examples, store
from medcls.cli.options import Parser, work_dir
from medcls.utils.errors import BadInputError
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
        **examples("medcls ui", "medcls ui bonus_resnet --open --port 5001"),
    )
    complete_studies(
        parser.add_argument("study", nargs="?", metavar="STUDY", help="whose views to name (default: the latest)")
    )
    parser.add_argument("--open", action="store_true", help="open the study's first view in the browser")
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
    address = f"http://127.0.0.1:{arguments.port}"
    pages = _pages(uri, arguments.study)
    for name, page in pages:
        say(f"{name}: {address}{page}")
    sys.stdout.flush()
    if arguments.open:
        page = pages[0][1] if pages else "/"
        subprocess.Popen([sys.executable, "-m", "medcls.cli.open_page", f"{address}{page}"], start_new_session=True)
    os.environ["MLFLOW_BACKEND_STORE_URI"] = uri  # in the command line all users of the machine could read it
    os.environ.setdefault("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")  # eight processes for language models
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", "ui", *port])  # the server takes this process's place


def _pages(uri: str, study: str | None) -> list[tuple[str, str]]:
    """Return name and page of each view of a study, of the one that ran last if none is named; [] without any.

    Raises:
        BadInputError: the store has no views of the study.
    """
    from medcls.tracking.saved_views import of_store

    try:
        views = of_store(uri)
    except Exception:  # noqa: BLE001 - MLflow itself says what is wrong with the store, once it serves it
        views = []
    studies = list(dict.fromkeys(view.study for view in views))
    if study is not None and study not in studies:
        raise BadInputError(f"The store has no views of a study {study}: {', '.join(studies) or 'run a study first'}.")
    of_study = [view for view in views if study in (None, view.study)]
    pages = []
    for view in sorted(of_study, key=lambda view: view.place):
        if (view.study, view.outcome) == (of_study[0].study, of_study[0].outcome):
            pages.append((f"{view.study}, {view.name}", view.page))
    return pages

"""The `medcls` command: what is there, what it found, and whether data can be used. Studies are run by their files."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from medcls import __version__
from medcls.errors import BadInputError
from medcls.options import Parser, default_tracking_uri, root

if TYPE_CHECKING:
    from medcls.data.checks import Description

DONE, BAD_INPUT, INTERRUPTED = 0, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; return the exit code: 0 done, 2 bad usage or input, 130 interrupted."""
    given = _parser().parse_args(arguments)
    try:
        given.command(given)
    except BadInputError as error:
        print(f"medcls: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        return INTERRUPTED
    return DONE


def _parser() -> Parser:
    parser = Parser(prog="medcls", description=__doc__, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"medcls {__version__}")
    places = Parser(add_help=False, allow_abbrev=False)
    places.add_argument("--tracking-uri", metavar="URI", help="MLflow store (MLFLOW_TRACKING_URI, else mlflow.db here)")
    places.add_argument("--work-dir", type=Path, metavar="DIR", help="run folders (mlruns/runs)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    each = commands.add_parser("studies", parents=[places], help="list the studies: question, and what was found")
    each.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="where the study files lie (studies/)")
    each.set_defaults(command=_studies)

    each = commands.add_parser("ui", parents=[places], help="show the runs in the browser: mlflow ui on this store")
    each.add_argument("--port", type=int, default=5000, metavar="N", help="port to listen on (5000)")
    each.set_defaults(command=_ui)

    data = commands.add_parser("data", help="look at data sets").add_subparsers(required=True, metavar="COMMAND")
    each = data.add_parser("check", parents=[places], help="say what a source holds and whether a study can use it")
    each.add_argument("source", metavar="SOURCE", help="what --data takes: a folder, a labels.csv, a built-in name")
    each.set_defaults(command=_check)
    return parser


def _studies(given: argparse.Namespace) -> None:
    from medcls.overview import studies

    for entry in studies(given.folder or root() / "studies", _work_dir(given)):
        print(f"{entry.name}\n    {entry.question}")
        for state in entry.states or ("not run to its end yet",):
            print(f"    {state}")


def _ui(given: argparse.Namespace) -> None:
    uri = given.tracking_uri or default_tracking_uri()
    if uri.startswith(("http://", "https://")):
        print(f"The store is a server already: open {uri}")
        return
    file = uri.removeprefix("sqlite:///")
    if file != uri and not Path(file).exists():
        raise BadInputError(f"There is no store {file} yet: run a study first, or name another with --tracking-uri.")
    command = ["mlflow", "ui", "--backend-store-uri", uri, "--port", str(given.port)]
    print(" ".join(command), flush=True)
    os.execv(sys.executable, [sys.executable, "-m", *command])  # the server takes this process's place


def _check(given: argparse.Namespace) -> None:
    from medcls.data.checks import examine
    from medcls.data.hashes import Hashes

    described = examine(given.source, Hashes(_work_dir(given) / "cache" / "hashes.sqlite"))
    for name, value in _facts(described):
        print(f"{name:<12} {value}")


def _facts(described: "Description") -> list[tuple[str, str]]:
    bundle = described.bundle
    images = str(len(bundle.labels))
    if bundle.patients is not None:
        images += f" of {len(set(bundle.patients.tolist()))} patients"
    facts = [("source", bundle.source), ("layout", described.layout), ("images", images)]
    for part, counts in described.counts().items():
        classes = ", ".join(f"{name} {count}" for name, count in counts.items())
        facts.append((part or "not split", f"{sum(counts.values())}: {classes}"))
    if described.channels:
        channels = ", ".join(f"{name} {count}" for name, count in described.channels.most_common())
        pixels = " to ".join(f"{width}x{height}" for width, height in described.sizes)
        facts += [("channels", channels), ("pixels", pixels), ("bad files", "none: every image was decoded")]
    return [*facts, ("fingerprint", bundle.fingerprint)]


def _work_dir(given: argparse.Namespace) -> Path:
    folder: Path = given.work_dir or root() / "mlruns" / "runs"
    return folder.absolute()


if __name__ == "__main__":
    sys.exit(main())

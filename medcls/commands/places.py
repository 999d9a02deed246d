"""Where the commands look: the store and the work folder, named alike by all of them."""

import argparse
from pathlib import Path

from medcls.options import Parser, root


def places() -> Parser:
    """Return the flags that every command takes, as a parent of its parser."""
    parser = Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("--tracking-uri", metavar="URI", help="MLflow store (MLFLOW_TRACKING_URI, else mlflow.db here)")
    parser.add_argument("--work-dir", type=Path, metavar="DIR", help="run folders (mlruns/runs)")
    return parser


def work_dir(given: argparse.Namespace) -> Path:
    """Return the folder of the run folders."""
    folder: Path = given.work_dir or root() / "mlruns" / "runs"
    return folder.absolute()

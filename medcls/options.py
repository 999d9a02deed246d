"""The flags that every study script takes."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import medcls
from medcls.errors import BadInputError


@dataclass(frozen=True)
class Options:
    """What the command line says, read once; nothing here is study-specific."""

    data: dict[str, str]
    settings: dict[str, str]
    only: tuple[str, ...]
    seeds: tuple[int, ...] | None
    folds: int | None
    vary_split: bool
    workers: int | None
    threads: int | None
    tracking_uri: str
    work_dir: Path
    smoke: bool
    plan: bool
    force: bool
    keep: bool
    offline: bool
    json: Path | None
    trials: int | None
    timeout: float | None


def root() -> Path:
    """Return where results belong: the checkout that medcls is installed from, else the working directory."""
    checkout = Path(medcls.__file__).resolve().parent.parent
    return checkout if (checkout / "pyproject.toml").exists() else Path.cwd()


def default_tracking_uri() -> str:
    """Return the store that plain `mlflow ui` shows in the root, unless MLFLOW_TRACKING_URI names another."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{root() / 'mlflow.db'}"


def parse(arguments: Sequence[str] | None, study: str, question: str, epilog: str, *, search: bool) -> Options:
    """Return the options; bad usage ends with one line on standard error and exit code 2."""
    parser = _parser(study, question, epilog, search=search)
    given = parser.parse_args(arguments)
    try:
        return Options(
            data=dict(_pair(text, "--data") if "=" in text else ("", text) for text in given.data),
            settings=dict(_pair(text, "--set") for text in given.set),
            only=tuple(name.strip() for text in given.only for name in text.split(",") if name.strip()),
            seeds=_numbers(given.seeds) if given.seeds else None,
            folds=given.folds,
            vary_split=given.vary == "split",
            workers=given.workers,
            threads=given.threads,
            tracking_uri=given.tracking_uri or default_tracking_uri(),
            work_dir=(given.work_dir or root() / "mlruns" / "runs").absolute(),
            smoke=given.smoke,
            plan=given.plan,
            force=given.force,
            keep=given.keep,
            offline=given.offline,
            json=given.json,
            trials=getattr(given, "trials", None),
            timeout=getattr(given, "timeout", None),
        )
    except BadInputError as error:
        parser.error(str(error))


def _parser(study: str, question: str, epilog: str, *, search: bool) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"{study}.py",
        description=question,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    what = parser.add_argument_group("what to run")
    what.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="SOURCE",
        help="a folder or a built-in name; NAME=SOURCE for one of several data sets",
    )
    what.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="override what the study declares, e.g. learner.epochs=5 (repeatable)",
    )
    what.add_argument("--only", action="append", default=[], metavar="NAME[,NAME]", help="some of the variants")
    what.add_argument("--seeds", metavar="0,1,2", help="seeds to repeat with")
    what.add_argument("--folds", type=_positive, metavar="K", help="folds of the cross-validation")
    what.add_argument("--vary", choices=["split"], help="let seeds vary the split too")
    if search:
        what.add_argument("--trials", type=_positive, metavar="N", help="trials of the search in all")
        what.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="start no trial after so long")
    what.add_argument("--smoke", action="store_true", help="the whole study, tiny, within a minute")
    what.add_argument("--plan", action="store_true", help="print the runs and what is already done; train nothing")
    what.add_argument("--force", action="store_true", help="run again what is finished")
    what.add_argument("--keep", action="store_true", help="count runs made by other code as finished")
    where = parser.add_argument_group("where")
    where.add_argument("--workers", type=_positive, metavar="N", help="runs at a time")
    where.add_argument("--threads", type=_positive, metavar="N", help="threads of each run")
    where.add_argument("--executor", choices=["local"], default="local", help="where runs run (this machine)")
    where.add_argument("--tracking-uri", metavar="URI", help="MLflow store (MLFLOW_TRACKING_URI, else mlflow.db here)")
    where.add_argument("--work-dir", type=Path, metavar="DIR", help="run folders: journals, checkpoints, caches")
    where.add_argument(
        "--offline", action="store_true", help="write run folders only; the next run without it catches up"
    )
    where.add_argument("--json", type=Path, metavar="FILE", help="write the summary here")
    return parser


def _pair(text: str, flag: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals or not value:
        raise BadInputError(f"{flag} {text}: write it as NAME=VALUE.")
    return name.strip(), value.strip()


def _numbers(text: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise BadInputError(f"--seeds {text}: write whole numbers with commas, e.g. 0,1,2.") from None
    if len(set(numbers)) != len(numbers) or min(numbers) < 0:
        raise BadInputError(f"--seeds {text}: every seed once, none below zero.")
    return numbers


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value

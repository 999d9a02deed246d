"""The flags of every study, their parser, and the options that they make."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

from medcls.cli.flag_values import executor, seconds, seeds, split_seed, whole
from medcls.execution.options import Options, default_storage, source_of, work_place
from medcls.utils.errors import BadInputError
from medcls.utils.paths import default_work_dir, tracking_uri
from medcls.utils.redaction import text_without_secrets
from medcls.utils.texts import printable


def parse(arguments: Sequence[str] | None, study: str, question: str, epilog: str, *, search: bool) -> Options:
    """Parse a study's command line; bad usage ends the process with one line on standard error and exit code 2.

    Args:
        arguments: the command line without the program's name; None for the process's own.
        study: the study's name.
        question: the study's question, which --help shows first.
        epilog: what --help shows last: the variants and the docstring of the study's file.
        search: whether the study has a search, and so takes the flags of one.
    """
    parser = Parser(
        prog=f"{study}.py",
        description=question,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_flags(parser, search=search)
    try:
        return options(parser.parse_args(arguments))
    except BadInputError as error:
        parser.complain(str(error))


def options(given: argparse.Namespace) -> Options:
    """Return the options that parsed flags (those of `add_flags`) stand for.

    Raises:
        BadInputError: a --set without PATH=VALUE, or a URI of a store that is empty or means another file.
    """
    return Options(
        data=dict(map(source_of, given.data)),
        settings=dict(map(_setting, given.set)),
        weights=given.weights,
        only=tuple(given.only),
        seeds=given.seeds,
        folds=given.folds,
        vary_split=given.vary == "split",
        split_seed=given.split_seed,
        until_decided=given.until_decided,
        workers=given.workers,
        threads=given.threads,
        tracking_uri=tracking_uri(given.tracking_uri),
        work_dir=work_dir(given),
        work_url=given.work_dir.url if given.work_dir else "",
        smoke=given.smoke,
        plan=given.plan,
        force=given.force,
        keep=given.keep,
        skip_bad_files=given.skip_bad_files,
        promote=given.promote,
        executor=given.executor,
        loudness=given.verbose - given.quiet,
        refuse_leaks=given.refuse_leaks,
        fix_leaks=given.fix_leaks,
        offline=given.offline,
        no_source=given.no_source,
        wait=given.wait,
        json=given.json,
        trials=getattr(given, "trials", None),
        timeout=getattr(given, "timeout", None),
        storage=getattr(given, "storage", None) or default_storage(),
    )


class Parser(argparse.ArgumentParser):
    """An argument parser that reports bad usage in one sentence, without repeating all its flags."""

    def error(self, message: str) -> NoReturn:
        """Exit with argparse's own message."""
        self.complain(f"{message.removeprefix('argument ')} (--help lists all flags).")

    def complain(self, sentence: str) -> NoReturn:
        """Exit with code 2 and a sentence on standard error."""
        name = self.prog.removesuffix(".py")
        line = printable(f"{name}: {text_without_secrets(sentence, *sys.argv[1:])}")
        self.exit(2, f"{line}\n")


def add_flags(parser: Parser, *, search: bool) -> None:
    """Add the flags of a study to a parser, with `search` also those of a search."""
    group = parser.add_argument_group("what to run")
    group.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="SOURCE",
        help="a folder of images or a built-in data set; NAME=SOURCE replaces one of several data sets (repeatable)",
    )
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="override a parameter of the study, e.g. learner.epochs=5 (repeatable)",
    )
    group.add_argument(
        "--weights", metavar="FILE", help="start from saved weights: a file, an exported folder, imagenet or random"
    )
    group.add_argument(
        "--only", action="append", default=[], metavar="NAME[,NAME]", help="run only these variants (repeatable)"
    )
    group.add_argument("--seeds", type=seeds, metavar="0,1,2", help="repeat every variant with these seeds")
    group.add_argument("--folds", type=whole(2), metavar="K", help="K-fold cross-validation")
    split = group.add_mutually_exclusive_group()
    split.add_argument("--vary", choices=["split"], help="let the seeds vary the split too")
    split.add_argument(
        "--split-seed", type=split_seed, default=0, metavar="N", help="split the data differently (0: the usual split)"
    )
    group.add_argument(
        "--until-decided",
        type=whole(2),
        metavar="MAX",
        help="add seeds, up to MAX in total, until the study's first comparison is decided",
    )
    if search:
        _add_search(group)
    group.add_argument("--smoke", action="store_true", help="run the whole study, tiny, within a minute")
    group.add_argument("--plan", action="store_true", help="list the runs and what is already done; train nothing")
    group.add_argument("--force", action="store_true", help="rerun what is finished")
    group.add_argument(
        "--promote", action="store_true", help="promote the new best model even if the current champion scores higher"
    )
    group.add_argument(
        "--keep", action="store_true", help="accept finished runs although the code has changed since then"
    )
    _add_data_quality(parser)
    _add_execution(parser)


def _add_search(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--trials", type=whole(1), metavar="N", help="total number of trials of the search")
    group.add_argument("--timeout", type=seconds, metavar="SECONDS", help="start no new trial after this time")
    group.add_argument(
        "--storage",
        metavar="URL",
        help="a database through which several commands, each with its own work directory, share one search "
        "(default: MEDCLS_STORAGE, else a file in the work directory)",
    )


def _add_data_quality(parser: Parser) -> None:
    group = parser.add_argument_group("data quality")
    group.add_argument("--skip-bad-files", action="store_true", help="leave out files that cannot be read")
    group.add_argument(
        "--refuse-leaks", action="store_true", help="stop if copies or a patient are in more than one of the sets"
    )
    group.add_argument("--fix-leaks", action="store_true", help="keep copies and patients together, in one set each")


def _add_execution(parser: Parser) -> None:
    group = parser.add_argument_group("execution and output")
    group.add_argument("--workers", type=whole(1), metavar="N", help="number of runs at a time")
    group.add_argument("--threads", type=whole(1), metavar="N", help="threads of each run")
    group.add_argument(
        "--executor",
        type=executor,
        default="local",
        metavar="WHERE",
        help="where to execute runs: local, ray (a Ray started here), auto or ray://HOST:PORT (a cluster)",
    )
    add_store(group)
    group.add_argument(
        "--work-dir",
        type=folder,
        metavar="DIR",
        help="work directory: journals, checkpoints and caches of all runs (default: mlruns/runs)",
    )
    group.add_argument(
        "--offline", action="store_true", help="log nothing to MLflow; a later run without --offline uploads the rest"
    )
    group.add_argument(
        "--no-source",
        action="store_true",
        help="do not keep the study's file and uncommitted changes with the runs",
    )
    group.add_argument("--wait", action="store_true", help="wait while another command is using the work directory")
    loudness = group.add_mutually_exclusive_group()
    loudness.add_argument("-q", "--quiet", action="store_true", help="print only the final results")
    loudness.add_argument("-v", "--verbose", action="store_true", help="print every epoch of every run")
    group.add_argument("--json", type=Path, metavar="FILE", help="write a machine-readable summary to FILE")


def add_store(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add the flag that names the MLflow store."""
    parser.add_argument(
        "--tracking-uri", metavar="URI", help="MLflow store (default: MLFLOW_TRACKING_URI, else mlflow.db)"
    )


class Place(NamedTuple):
    """A work directory: its path on this machine, and the URL of the copy that other machines see ("" for none)."""

    path: Path
    url: str = ""


def folder(text: str) -> Place:
    """Return the work directory that a flag names: a path, file://PATH or another URL that fsspec knows.

    Raises:
        argparse.ArgumentTypeError: a file:// URL without a path.
    """
    try:
        return Place(*work_place(text))
    except BadInputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def work_dir(given: argparse.Namespace) -> Path:
    """Return the path of the work directory that the command line names, else the default one."""
    path: Path = given.work_dir.path if given.work_dir else default_work_dir()
    return path


def _setting(text: str) -> tuple[str, str]:
    path, equals, value = text.partition("=")
    if not path.strip() or not equals:
        raise BadInputError(f"--set {text}: write PATH=VALUE, e.g. learner.epochs=5.")
    return path.strip(), value.strip()

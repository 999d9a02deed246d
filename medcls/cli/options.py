"""The flags that every study script takes."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

from medcls.cli.flag_values import executor, seconds, seeds, split_seed, whole
from medcls.execution.options import Options, default_storage, default_work_dir, source_of, work_place
from medcls.utils.errors import BadInputError
from medcls.utils.paths import tracking_uri
from medcls.utils.redaction import text_without_secrets
from medcls.utils.texts import printable


def parse(arguments: Sequence[str] | None, study: str, question: str, epilog: str, *, search: bool) -> Options:
    """Return the options; bad usage ends with one line on standard error and exit code 2."""
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
    """Return what the flags that `add_flags` adds say.

    Raises:
        BadInputError: a --set that sets nothing, or a store's URI that is empty or means another file.
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
        wait=given.wait,
        json=given.json,
        trials=getattr(given, "trials", None),
        timeout=getattr(given, "timeout", None),
        storage=getattr(given, "storage", None) or default_storage(),
    )


class Parser(argparse.ArgumentParser):
    """A parser that says in one sentence what is wrong, without repeating all its flags."""

    def error(self, message: str) -> NoReturn:
        """Exit with what argparse found wrong."""
        self.complain(f"{message.removeprefix('argument ')} (--help lists the flags).")

    def complain(self, sentence: str) -> NoReturn:
        """Exit with a sentence on standard error."""
        said = text_without_secrets(sentence, *sys.argv[1:])
        self.exit(2, f"{printable(self.prog.removesuffix('.py') + ': ' + said)}\n")


def add_flags(parser: Parser, *, search: bool) -> None:
    """Add the flags of a study to a parser, with `search` those of a search too."""
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
    what.add_argument("--weights", metavar="FILE", help="a file of saved weights to begin with; or imagenet, or random")
    what.add_argument(
        "--only", action="append", default=[], metavar="NAME[,NAME]", help="some of the variants (repeatable)"
    )
    what.add_argument("--seeds", type=seeds, metavar="0,1,2", help="seeds to repeat with")
    what.add_argument("--folds", type=whole(2), metavar="K", help="folds of the cross-validation")
    split = what.add_mutually_exclusive_group()
    split.add_argument("--vary", choices=["split"], help="let seeds vary the split too")
    split.add_argument("--split-seed", type=split_seed, default=0, metavar="N", help="cut the data another way")
    what.add_argument(
        "--until-decided",
        type=whole(2),
        metavar="MAX",
        help="add seeds, up to MAX in all, until the study's first comparison is decided",
    )
    if search:
        _add_search(what)
    what.add_argument("--smoke", action="store_true", help="the whole study, tiny, within a minute")
    what.add_argument("--plan", action="store_true", help="print the runs and what is already done; train nothing")
    what.add_argument("--force", action="store_true", help="run again what is finished")
    what.add_argument("--promote", action="store_true", help="make the best model champion whatever the one before")
    what.add_argument("--keep", action="store_true", help="count runs made by other code as finished")
    _add_checks(parser)
    _add_places(parser)


def _add_search(what: argparse._ArgumentGroup) -> None:
    what.add_argument("--trials", type=whole(1), metavar="N", help="trials of the search in all")
    what.add_argument("--timeout", type=seconds, metavar="SECONDS", help="start no trial after so long")
    what.add_argument(
        "--storage",
        metavar="URL",
        help="a database that other commands, with work folders of their own, share the search with "
        "(MEDCLS_STORAGE, else a file in the work folder)",
    )


def _add_checks(parser: Parser) -> None:
    data = parser.add_argument_group("what to do about faults in the data")
    data.add_argument("--skip-bad-files", action="store_true", help="leave out files that cannot be read")
    data.add_argument(
        "--refuse-leaks", action="store_true", help="stop if copies or a patient lie on both sides of a cut"
    )
    data.add_argument("--fix-leaks", action="store_true", help="keep copies and patients together, in one part each")


def _add_places(parser: Parser) -> None:
    where = parser.add_argument_group("where")
    where.add_argument("--workers", type=whole(1), metavar="N", help="runs at a time")
    where.add_argument("--threads", type=whole(1), metavar="N", help="threads of each run")
    where.add_argument(
        "--executor",
        type=executor,
        default="local",
        metavar="WHERE",
        help="where runs run: local, ray (a Ray started here), auto or ray://HOST:PORT (a cluster)",
    )
    where.add_argument("--tracking-uri", metavar="URI", help="MLflow store (MLFLOW_TRACKING_URI, else mlflow.db here)")
    where.add_argument("--work-dir", type=folder, metavar="DIR", help="run folders: journals, checkpoints, caches")
    where.add_argument(
        "--offline", action="store_true", help="write run folders only; the next run without it catches up"
    )
    where.add_argument("--wait", action="store_true", help="wait while another command is at work in the work folder")
    loud = where.add_mutually_exclusive_group()
    loud.add_argument("-q", "--quiet", action="store_true", help="say what was found and nothing on the way there")
    loud.add_argument("-v", "--verbose", action="store_true", help="say every epoch of every run")
    where.add_argument("--json", type=Path, metavar="FILE", help="write the summary here")


class Place(NamedTuple):
    """A work folder: its path on this machine, and the URL of its copy that other machines see, "" for none."""

    path: Path
    url: str = ""


def folder(text: str) -> Place:
    """Return the work folder that a flag names: a path, file://PATH or another URL that fsspec knows.

    Raises:
        argparse.ArgumentTypeError: a file://PATH without a path.
    """
    try:
        return Place(*work_place(text))
    except BadInputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def work_dir(given: argparse.Namespace) -> Path:
    """Return the path of the work folder."""
    path: Path = given.work_dir.path if given.work_dir else default_work_dir()
    return path


def _setting(text: str) -> tuple[str, str]:
    path, given, value = (part.strip() for part in text.partition("="))
    if not path or not given:
        raise BadInputError(f"--set {text}: write PATH=VALUE, e.g. learner.epochs=5.")
    return path, value

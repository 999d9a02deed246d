"""`medcls sync`: bring the runs of studies that ran with --offline into the MLflow store."""

import argparse
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from medcls.cli.commands.common import Commands, complete_outcomes, examples
from medcls.cli.options import Parser, work_dir
from medcls.utils.exit_codes import ExitCode
from medcls.utils.installation import checkout
from medcls.utils.paths import tracking_uri
from medcls.utils.redaction import typed
from medcls.utils.store_uris import absolute
from medcls.utils.texts import say

if TYPE_CHECKING:
    from medcls.evaluation.summary import StudySummary
    from medcls.tracking.outcomes import Outcome

LEFT_OUT = ("--offline", "--force")  # of the command that is repeated: what would write nothing, or train again
REPLACED = ("--json", "--work-dir", "--tracking-uri")  # and flags with a value that is another one here


def add(commands: Commands, shared: Parser) -> None:
    """Add the parser of `medcls sync` to the subparsers of `medcls`."""
    parser = commands.add_parser(
        "sync",
        parents=[shared],
        help="bring the runs of studies that ran with --offline into the MLflow store",
        description="Bring the runs of studies that ran with --offline into the MLflow store. Their commands are "
        "repeated without --offline, in the directories where they were typed; as all their runs have finished, "
        "nothing is trained.",
        **examples("medcls sync", "medcls sync bonus_resnet --tracking-uri http://127.0.0.1:5000"),
    )
    complete_outcomes(
        parser.add_argument("studies", nargs="*", metavar="STUDY", help="names of studies (default: all that need it)")
    )
    parser.set_defaults(command=_sync)


def _sync(arguments: argparse.Namespace) -> int:
    from medcls.tracking.outcomes import matching, outcomes

    work, uri = work_dir(arguments).absolute(), absolute(tracking_uri(arguments.tracking_uri))
    chosen: list[Outcome] = []
    for name in arguments.studies:
        chosen += [outcome for outcome in matching(name, work) if outcome not in chosen]
    summaries = {}
    for outcome in chosen if arguments.studies else outcomes(work):
        if _is_offline(outcome.summary):
            summaries[outcome.folder] = outcome.summary
    if not summaries:
        say(f"Nothing to do: no study in {work} ended with --offline.")
    codes = [_repeat(summary, work, uri) for summary in summaries.values()]
    return max(codes, default=int(ExitCode.DONE))


def _is_offline(summary: "StudySummary") -> bool:
    """Tell whether none of a study's runs is in a store."""
    return bool(summary.runs) and not any(run.mlflow_run_id for run in summary.runs)


def _repeat(summary: "StudySummary", work: Path, uri: str) -> int:
    """Repeat the command of a study without --offline, unless runs would be trained; return its exit code."""
    unfinished = len(summary.runs) - len(summary.finished)
    if unfinished:
        say(
            f"{summary.study}: {unfinished} of its {len(summary.runs)} runs have not finished. Run it again: "
            f"{summary.command}"
        )
        return ExitCode.SOME_FAILED
    directory = _directory(summary)
    words = repeated(summary.command, directory)
    if words is None:
        say(f"{summary.study} was run in Python: call medcls.run(study, ...) again without offline=True.")
        return ExitCode.SOME_FAILED
    words += ["--keep", "--work-dir", str(work), "--tracking-uri", uri]
    say(f"{summary.study}: {typed(*words)}")
    sys.stdout.flush()
    return subprocess.run([sys.executable, *words], cwd=directory, check=False).returncode


def _directory(summary: "StudySummary") -> Path:
    """Return where the command of a study was typed, or the working directory if that is not known or not here."""
    here = Path.cwd()
    if not summary.directory:
        return here
    directory = Path(summary.directory)
    if directory.is_dir():
        return directory
    say(f"{summary.study} was run in {directory}, which is not here: its relative paths are read from {here}.")
    return here


def repeated(command: str, directory: Path) -> list[str] | None:
    """Return a study's command without what --offline and --force say, after the name of Python.

    Args:
        command: as a summary has it, "python studies/NAME.py ..." or "medcls run NAME ...".
        directory: from which the path of a script outside a checkout is read.

    Returns:
        None for what was called in Python.
    """
    program, *words = shlex.split(command)
    if program == "python" and words:
        kept = [str((checkout() or directory) / words[0])]  # an absolute path stays what it is
    elif program == "medcls" and words[:1] == ["run"]:
        kept = ["-m", "medcls", "run"]
    else:
        return None
    return kept + _without_flags(words[1:])


def _without_flags(words: Sequence[str]) -> list[str]:
    """Return the words of a command line without the flags that are left out or replaced, and their values."""
    kept = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in REPLACED:
            skip = True
        elif word not in LEFT_OUT and word.partition("=")[0] not in REPLACED:
            kept.append(word)
    return kept

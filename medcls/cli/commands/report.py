"""`medcls report` and `medcls compare`: the results of finished studies as an HTML page and as tables."""

import argparse
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from medcls.cli.commands.common import Commands, complete_studies, examples
from medcls.cli.options import Parser, work_dir
from medcls.utils.errors import BadInputError
from medcls.utils.redaction import typed
from medcls.utils.texts import say

if TYPE_CHECKING:
    from medcls.evaluation.summary import StudySummary


def add(commands: Commands, shared: Parser) -> None:
    """Add the parsers of `medcls report` and `medcls compare` to the subparsers of `medcls`."""
    parser = commands.add_parser(
        "report",
        parents=[shared],
        help="write a study's report as an HTML page",
        **examples("medcls report bonus_resnet --open"),
    )
    complete_studies(parser.add_argument("study", metavar="STUDY", help="name of the study, e.g. bonus_resnet"))
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.set_defaults(command=_report)

    parser = commands.add_parser(
        "compare",
        parents=[shared],
        help="print the tables of finished studies",
        **examples("medcls compare task1a_dropout task1b_batch_norm --metric val_accuracy"),
    )
    complete_studies(parser.add_argument("studies", nargs="+", metavar="STUDY", help="names of studies"))
    parser.add_argument("--metric", metavar="M", help="show only comparisons of this score, e.g. val_accuracy")
    parser.set_defaults(command=_compare)


def _report(arguments: argparse.Namespace) -> None:
    from medcls.report.study_report import foreign_figures, rewrite_report

    folder, summary = _latest(work_dir(arguments), arguments.study)
    path = rewrite_report(folder, summary)
    foreign = foreign_figures(folder, summary)
    if foreign:
        sentence = f"left out figures that {folder / 'summary.json'} names but that are not pictures in its folder"
        say(f"medcls: {sentence}: {', '.join(foreign)}.", sys.stderr)
    say(str(path))
    if arguments.open:
        webbrowser.open(path.as_uri())


def _compare(arguments: argparse.Namespace) -> None:
    from medcls.report.terminal import print_comparisons
    from medcls.utils.console import Screen

    summaries = [_latest(work_dir(arguments), name)[1] for name in arguments.studies]
    screen = Screen()
    for summary in summaries:
        print_comparisons(screen, summary, arguments.metric)


def _latest(work: Path, study: str) -> "tuple[Path, StudySummary]":
    """Return the directory and the summary of a study's latest outcome; `study` may also be the path of its file."""
    from medcls.report.study_report import latest

    name = study.removesuffix(".py").rpartition("/")[2]
    outcome = latest(work, name)
    if outcome is None:
        command = typed("python", f"studies/{name}.py")
        raise BadInputError(f"There are no results of {name} in {work}: run {command} first.")
    return outcome

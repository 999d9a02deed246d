"""`medcls report` and `medcls compare`: what finished studies found, as a page and as tables."""

import argparse
import sys
import webbrowser
from pathlib import Path
from typing import Any

from medcls.cli.commands.common import examples, naming_a_study
from medcls.cli.options import Parser, work_dir
from medcls.utils.errors import BadInputError
from medcls.utils.redaction import typed
from medcls.utils.texts import say


def add(commands: Any, places: Parser) -> None:
    """Add the commands' parsers to the subparsers of `medcls`."""
    each = commands.add_parser(
        "report",
        parents=[places],
        help="write a study's report: one HTML page",
        **examples("medcls report bonus_resnet --open"),
    )
    naming_a_study(each.add_argument("study", metavar="STUDY", help="the study's name, e.g. bonus_resnet"))
    each.add_argument("--open", action="store_true", help="show it in the browser")
    each.set_defaults(command=_report)

    each = commands.add_parser(
        "compare",
        parents=[places],
        help="print the tables of finished studies",
        **examples("medcls compare task1a_dropout task1b_batch_norm --metric val_accuracy"),
    )
    naming_a_study(each.add_argument("studies", nargs="+", metavar="STUDY", help="names of studies"))
    each.add_argument("--metric", metavar="M", help="only comparisons by this score, e.g. val_accuracy")
    each.set_defaults(command=_compare)


def _report(given: argparse.Namespace) -> None:
    from medcls.report.study_report import foreign_figures, rewrite_report

    folder, summary = _found(work_dir(given), given.study)
    path = rewrite_report(folder, summary)
    foreign = foreign_figures(folder, summary)
    if foreign:
        said = f"medcls: {folder / 'summary.json'} names figures that are no pictures in its folder"
        say(f"{said}: {', '.join(foreign)}; they were left out.", sys.stderr)
    say(str(path))
    if given.open:
        webbrowser.open(path.as_uri())


def _compare(given: argparse.Namespace) -> None:
    from medcls.report.tables import compared
    from medcls.utils.console import Screen

    screen, summaries = Screen(), [_found(work_dir(given), name)[1] for name in given.studies]
    for summary in summaries:
        compared(screen, summary, given.metric)


def _found(work: Path, study: str) -> tuple[Path, dict[str, Any]]:
    from medcls.report.study_report import latest

    name = study.removesuffix(".py").rpartition("/")[2]
    found = latest(work, name)
    if found is None:
        raise BadInputError(
            f"{name} has not been run to its end in {work}: run {typed('python', f'studies/{name}.py')} first."
        )
    return found
